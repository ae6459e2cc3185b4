/* select_random.c - any candidate, every period: what a selector has to beat. */
#include "stateless.h"

static uint32_t pick(void *self, const struct policy_select_obs *o)
{
    const struct policy_host *h = self;
    return (uint32_t)(h->random(h->host) % o->n);
}

POLICY(.name = "select-random", .summary = "per VM: any candidate, every period",
       .create = stateless_create, .destroy = stateless_destroy, .policy_select = pick);
