/* dispatch_random.c - any tenant that waits, whole: the trivial baseline at gpu.dispatch. */
#include "gpu_tenants.h"
#include "stateless.h"

static void dispatch(void *self, const struct policy_dispatch_obs *o,
                     struct policy_dispatch *answer)
{
    const struct policy_host *h = self;
    uint32_t waiting = 0, chosen = POLICY_NONE;
    for (uint32_t i = 0; i < o->n; i++) /* the k-th of them replaces the choice once in k times */
        if (o->tenant[i].waiting && h->random(h->host) % ++waiting == 0)
            chosen = i;
    gpu_answer(answer, chosen);
}

POLICY(.name = "dispatch-random", .summary = "GPU: any tenant that waits, whole",
       .create = stateless_create, .destroy = stateless_destroy, .gpu_dispatch = dispatch);
