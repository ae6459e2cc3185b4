/* no_destroy.c - lacks a method that every policy must have. */
#include "policy.h"
static int create(void **self, const struct policy_host *h)
{
    (void)self, (void)h;
    return 0;
}
static int64_t batch(void *self, const struct policy_batch_obs *o)
{
    (void)self, (void)o;
    return 0;
}
POLICY(.name = "no-destroy", .create = create, .serve_batch = batch);
