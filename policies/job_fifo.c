/* job_fifo.c - jobs in order of arrival, those of higher priority before all others.
 *
 * What batch systems do by default.  With strict lines one wide job holds up
 * everybody behind it; with skip-over it is the wide job that may starve.    */
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

static void order(void *self, const struct policy_order_obs *o, struct policy_order *answer)
{
    (void)self;
    answer->key = -(int64_t)o->job.prio;
}

POLICY(.name = "job-fifo", .summary = "jobs in order of priority, then of arrival",
       .create = create, .destroy = destroy, .cluster_order = order);
