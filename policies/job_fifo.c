/* job_fifo.c - jobs in order of arrival, those of higher priority before all others.
 *
 * What batch systems do by default.  With strict lines one wide job holds up
 * everybody behind it; with skip-over it is the wide job that may starve.    */
#include "stateless.h"

static void order(void *self, const struct policy_order_obs *o, struct policy_order *answer)
{
    (void)self;
    answer->key = -(int64_t)o->job.prio;
}

POLICY(.name = "job-fifo", .summary = "jobs in order of priority, then of arrival",
       .create = stateless_create, .destroy = stateless_destroy, .cluster_order = order);
