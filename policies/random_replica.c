/* random_replica.c - any replica, evenly: balances load in the mean and knows nothing.
 *
 * Good against lasting imbalance, bad where one slow replica is worse than the mean of all. */
#include "stateless.h"

static uint32_t steer(void *self, const struct policy_steer_obs *o)
{
    const struct policy_host *h = self;
    return (uint32_t)(h->random(h->host) % o->n);
}

POLICY(.name = "random-replica", .summary = "reads go to any replica", .create = stateless_create,
       .destroy = stateless_destroy, .io_steer = steer);
