/* job_random.c - jobs in random order: the trivial baseline.
 *
 * A policy that does not beat this one knows nothing.                       */
#include "policy.h"

static int create(void **self, const struct policy_host *h)
{
    *self = (void *)h; /* the host outlives the policy */
    return 0;
}

static void destroy(void *self)
{
    (void)self;
}

static void order(void *self, const struct policy_order_obs *o, struct policy_order *answer)
{
    const struct policy_host *h = self;
    answer->key = o->why == POLICY_BACK ? o->key : (int64_t)(h->random(h->host) >> 2);
}

POLICY(.name = "job-random", .summary = "jobs in random order (baseline)", .create = create,
       .destroy = destroy, .cluster_order = order);
