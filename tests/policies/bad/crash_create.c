/* crash_create.c - does not survive its own creation. */
#include "policy.h"

#include <stdlib.h>

static int create(void **self, const struct policy_host *h)
{
    (void)self, (void)h;
    abort();
}

static void destroy(void *self)
{
    (void)self;
}

static int64_t batch(void *self, const struct policy_batch_obs *o)
{
    (void)self, (void)o;
    return 0;
}

POLICY(.name = "crash-create", .summary = "for tests", .create = create, .destroy = destroy,
       .serve_batch = batch);
