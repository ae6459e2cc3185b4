/* scale_random.c - any number of engines: what a rule for scaling has to beat. */
#include "policy.h"

static int create(void **self, const struct policy_host *h)
{
    *self = (void *)(uintptr_t)h; /* all it needs */
    return 0;
}

static void destroy(void *self)
{
    (void)self;
}

static uint32_t scale(void *self, const struct policy_scale_obs *o)
{
    const struct policy_host *h = self;
    return o->least + (uint32_t)(h->random(h->host) % (o->most - o->least + 1));
}

POLICY(.name = "scale-random", .summary = "any number of engines", .create = create,
       .destroy = destroy, .serve_scale = scale);
