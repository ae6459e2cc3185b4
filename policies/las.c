/* las.c - least attained service: who has had the least GPU time so far runs.
 *
 * Knows nothing of durations; good when few jobs are very long (the hazard rate
 * falls), and as bad as it gets when all are alike.  Service is counted in
 * quanta; jobs with as many are served in order of arrival.
 *
 * Parameters
 *   quantum_s  of service, GPU-seconds      (600)
 *   gpus       0: time alone counts, not times GPUs      (1)                 */
#include <stdlib.h>

#include "policy.h"

struct las {
    double quantum_ns, gpus;
};

static int create(void **self, const struct policy_host *h)
{
    struct las *s = calloc(1, sizeof *s);
    if (!s) {
        h->log(h->host, "out of memory");
        return -1;
    }
    s->quantum_ns = h->param(h->host, "quantum_s", 600) * 1e9;
    s->gpus = h->param(h->host, "gpus", 1);
    if (!(s->quantum_ns >= POLICY_ORDER_MIN && s->quantum_ns <= 1e18)) {
        h->log(h->host, "quantum_s: want 0.001..1e9");
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
    const struct las *s = self;
    const uint64_t wide = s->gpus > 0 || !o->job.gpus ? 1 : o->job.gpus;
    const uint64_t quantum = (uint64_t)s->quantum_ns * wide;
    const uint64_t had = o->job.service_ns / quantum;
    uint64_t next = (had + 1) * quantum;
    if (next < o->job.service_ns + POLICY_ORDER_MIN)
        next += quantum;
    answer->key = (int64_t)had;
    if (o->job.gpus)
        answer->at_service_ns = next;
}

POLICY(.name = "las", .summary = "least attained service first, in quanta", .create = create,
       .destroy = destroy, .cluster_order = order);
