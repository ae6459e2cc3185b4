/* fifo.c - first come, first served: every key alike, ties in order of arrival.
 *
 * What serving engines do by default.  Good when requests resemble each other;
 * under load one long request holds up all the short ones behind it.        */
#include "policy.h"

static int create(void **self, const struct policy_host *h)
{
    (void)h;
    *self = NULL; /* stateless */
    return 0;
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

POLICY(.name = "fifo", .summary = "first come, first served", .create = create, .destroy = destroy,
       .serve_batch = batch);
