/* gandiva_slice.c - round robin among jobs, in the manner of Gandiva's time slicing (OSDI'18).
 *
 * Who has run for a quantum goes to the end of the line, and makes room if
 * anybody fits there.  Wants "preempt".  Everybody gets on, short jobs soon;
 * when all are alike, all end late.
 *
 * Parameters
 *   quantum_s  how long a turn lasts; Gandiva's is 60      (60)              */
#include <stdlib.h>

#include "policy.h"

struct slice {
    double quantum_ns;
    int64_t turn;
};

static int create(void **self, const struct policy_host *h)
{
    struct slice *s = calloc(1, sizeof *s);
    if (!s) {
        h->log(h->host, "out of memory");
        return -1;
    }
    s->quantum_ns = h->param(h->host, "quantum_s", 60) * 1e9;
    if (!(s->quantum_ns >= POLICY_ORDER_MIN && s->quantum_ns <= 1e17)) {
        h->log(h->host, "quantum_s: want 0.001..1e8");
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
    struct slice *s = self;
    answer->key = o->why == POLICY_BACK ? o->key : s->turn++;
    if (o->job.gpus)
        answer->at_service_ns = o->job.service_ns + (uint64_t)s->quantum_ns * o->job.gpus;
}

POLICY(.name = "gandiva-slice", .summary = "round robin in time slices (wants preemption)",
       .create = create, .destroy = destroy, .cluster_order = order);
