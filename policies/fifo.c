/* fifo.c - first come, first served: every key alike, ties in order of arrival.
 *
 * What serving engines do by default.  Good when requests resemble each other;
 * under load one long request holds up all the short ones behind it.        */
#include "stateless.h"

static int64_t batch(void *self, const struct policy_batch_obs *o)
{
    (void)self, (void)o;
    return 0;
}

POLICY(.name = "fifo", .summary = "first come, first served", .create = stateless_create,
       .destroy = stateless_destroy, .serve_batch = batch);
