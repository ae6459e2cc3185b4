/* random_order.c - waiting requests run in random order: the trivial baseline.
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

static int64_t batch(void *self, const struct policy_batch_obs *o)
{
    const struct policy_host *h = self;
    (void)o;
    return (int64_t)(h->random(h->host) >> 2); /* 0..POLICY_KEY_MAX */
}

POLICY(.name = "random-order", .summary = "random order (baseline)", .create = create,
       .destroy = destroy, .serve_batch = batch);
