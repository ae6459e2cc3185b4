/* scale_random.c - any number of engines: what a rule for scaling has to beat. */
#include "stateless.h"

static uint32_t scale(void *self, const struct policy_scale_obs *o)
{
    const struct policy_host *h = self;
    return o->least + (uint32_t)(h->random(h->host) % (o->most - o->least + 1));
}

POLICY(.name = "scale-random", .summary = "any number of engines", .create = stateless_create,
       .destroy = stateless_destroy, .serve_scale = scale);
