/* srtf.c - the shortest remaining time first, by the true duration.
 *
 * With preemption that costs nothing, nothing has a smaller mean on one GPU
 * (Schrage 1968).  The key of a job that runs falls as it runs: it is asked for
 * again whenever what remains has shrunk by `precision`, so that keys are off
 * by no more than that.
 *
 * Parameters
 *   precision  of a running job's key, 0.001 to 0.5      (0.02)
 *   gpus       1: by remaining time times GPUs           (0)                 */
#include <stdlib.h>

#include "policy.h"

struct srtf {
    double precision, gpus;
};

static int create(void **self, const struct policy_host *h)
{
    struct srtf *s = calloc(1, sizeof *s);
    if (!s) {
        h->log(h->host, "out of memory");
        return -1;
    }
    s->precision = h->param(h->host, "precision", 0.02);
    s->gpus = h->param(h->host, "gpus", 0);
    if (!(s->precision >= 0.001 && s->precision <= 0.5)) {
        h->log(h->host, "precision: want 0.001..0.5");
        free(s);
        return -1;
    }
    *self = s;
    return 0;
}

static void destroy(void *self)
{
    free(self);
}

static void order(void *self, const struct policy_order_obs *o, struct policy_order *answer)
{
    const struct srtf *s = self;
    const struct policy_job *j = &o->job;
    const uint64_t left = j->oracle_ns > j->ran_ns ? j->oracle_ns - j->ran_ns : 0;
    uint64_t step = (uint64_t)((double)left * s->precision);
    const double key = (double)(left >> 10) * (s->gpus > 0 && j->gpus ? j->gpus : 1);
    if (step < POLICY_ORDER_MIN)
        step = POLICY_ORDER_MIN;
    answer->key = key < 0x1p61 ? (int64_t)key : INT64_C(1) << 61;
    answer->predicted_ns = j->oracle_ns;
    if (left && j->gpus)
        answer->at_service_ns = j->service_ns + step * j->gpus;
}

POLICY(.name = "srtf", .summary = "the shortest remaining time first, told the truth", .oracle = 1,
       .create = create, .destroy = destroy, .cluster_order = order);
