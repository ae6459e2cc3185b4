/* sjf_oracle.c - the shortest job first, by its true duration: what predictions can reach.
 *
 * Without preemption nothing orders better on one GPU.  Long jobs starve under
 * overload.
 *
 * Parameters
 *   gpus  1: by duration times GPUs, the work a job brings      (0)          */
#include <stdlib.h>

#include "policy.h"

struct sjf {
    double gpus;
};

static int create(void **self, const struct policy_host *h)
{
    struct sjf *s = calloc(1, sizeof *s);
    if (!s) {
        h->log(h->host, "out of memory");
        return -1;
    }
    s->gpus = h->param(h->host, "gpus", 0);
    *self = s;
    return 0;
}

static void destroy(void *self)
{
    free(self);
}

static void order(void *self, const struct policy_order_obs *o, struct policy_order *answer)
{
    const struct sjf *s = self;
    const uint64_t t = o->job.oracle_ns >> 20; /* ms: weighed by GPUs it fits a key */
    const uint64_t times = s->gpus > 0 && o->job.gpus > 1 ? o->job.gpus : 1;
    const uint64_t fine = o->job.oracle_ns;
    if (s->gpus > 0)
        answer->key = t < (uint64_t)POLICY_KEY_MAX / times ? (int64_t)(t * times) : POLICY_KEY_MAX;
    else
        answer->key = fine < (uint64_t)POLICY_KEY_MAX ? (int64_t)fine : POLICY_KEY_MAX;
    answer->predicted_ns = o->job.oracle_ns;
}

POLICY(.name = "sjf-oracle", .summary = "the shortest job first, told the truth", .oracle = 1,
       .create = create, .destroy = destroy, .cluster_order = order);
