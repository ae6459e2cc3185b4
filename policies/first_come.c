/* first_come.c - kernels go to the GPU in the order in which they came, whole, at once.
 *
 * What a GPU does with the streams of one process; also the default.  It keeps
 * the GPU full.  Whoever sends most gets most, and a short request waits
 * behind whatever long kernels came first.                                   */
#include "gpu_tenants.h"
#include "stateless.h"

static void dispatch(void *self, const struct policy_dispatch_obs *o,
                     struct policy_dispatch *answer)
{
    uint32_t best = POLICY_NONE;
    (void)self;
    for (uint32_t i = 0; i < o->n; i++)
        if (o->tenant[i].waiting &&
            (best == POLICY_NONE || o->tenant[i].ready_ns < o->tenant[best].ready_ns))
            best = i;
    gpu_answer(answer, best);
}

POLICY(.name = "first-come", .summary = "GPU: kernels in the order in which they came",
       .create = stateless_create, .destroy = stateless_destroy, .gpu_dispatch = dispatch);
