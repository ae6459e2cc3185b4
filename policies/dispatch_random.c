/* dispatch_random.c - any tenant that waits, whole: the trivial baseline at gpu.dispatch. */
#include "gpu_tenants.h"

static int create(void **self, const struct policy_host *h)
{
    *self = (void *)(uintptr_t)h; /* all it needs */
    return 0;
}

static void destroy(void *self)
{
    (void)self;
}

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

POLICY(.name = "dispatch-random", .summary = "GPU: any tenant that waits, whole", .create = create,
       .destroy = destroy, .gpu_dispatch = dispatch);
