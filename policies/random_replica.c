/* random_replica.c - any replica, evenly: balances load in the mean and knows nothing.
 *
 * Good against lasting imbalance, bad where one slow replica is worse than the mean of all. */
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

static uint32_t steer(void *self, const struct policy_steer_obs *o)
{
    const struct policy_host *h = self;
    return (uint32_t)(h->random(h->host) % o->n);
}

POLICY(.name = "random-replica", .summary = "reads go to any replica", .create = create,
       .destroy = destroy, .io_steer = steer);
