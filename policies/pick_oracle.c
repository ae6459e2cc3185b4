/* pick_oracle.c - whoever blocks soonest runs: the shortest remaining burst, told the truth.
 *
 * What is left of a task's burst over its weight, the least first (Smith's
 * rule), preempting when a shorter one wakes; no other order has a smaller
 * weighted mean time to the end of a burst on one CPU whose switches are free
 * (Schrage 1968 for equal weights).  A task that spins has no end to be told
 * and runs when nobody else wants to.  Long bursts starve under load: a bound
 * for latencies, not a scheduler.
 *
 * Parameters
 *   switch_us  (5)    how much sooner a task must be done to preempt, 0..1e6
 *   slice_ms   (4)    of those that spin                                     */
#include "policy.h"
#include "sched_tasks.h"

struct oracle {
    uint64_t gain, slice; /* ns */
};

static int create(void **self, const struct policy_host *h)
{
    struct oracle *s = calloc(1, sizeof *s);
    if (!s) {
        h->log(h->host, "out of memory");
        return -1;
    }
    const double gain = h->param(h->host, "switch_us", 5);
    const double slice = 1e6 * h->param(h->host, "slice_ms", 4);
    if (!(gain >= 0 && gain <= 1e6 && slice >= (double)POLICY_SLICE_MIN &&
          slice <= (double)POLICY_SLICE_MAX)) {
        h->log(h->host, "want switch_us 0..1000000, slice_ms 0.01..10000");
        free(s);
        return -1;
    }
    s->gain = (uint64_t)(1e3 * gain);
    s->slice = (uint64_t)slice;
    *self = s;
    return 0;
}

static void destroy(void *self)
{
    free(self);
}

static double rank(const struct policy_task *t)
{
    return (double)t->oracle_left_ns * 1024 / t->weight;
}

static void pick(void *self, const struct policy_pick_obs *o, struct policy_pick *answer)
{
    const struct oracle *s = self;
    uint32_t best = POLICY_NONE;
    for (uint32_t i = 0; i < o->n; i++)
        if (o->task[i].oracle_left_ns &&
            (best == POLICY_NONE || rank(&o->task[i]) < rank(&o->task[best])))
            best = i;
    const uint32_t cur = o->current;
    if (best != POLICY_NONE && cur != POLICY_NONE && o->task[cur].oracle_left_ns &&
        rank(&o->task[cur]) <= rank(&o->task[best]) + (double)s->gain)
        best = cur;
    answer->task = best == POLICY_NONE ? sched_longest(o) : best;
    answer->slice_ns = best == POLICY_NONE ? s->slice : POLICY_SLICE_MAX;
}

POLICY(.name = "pick-oracle", .summary = "CPUs: whoever blocks soonest runs (oracle)", .oracle = 1,
       .create = create, .destroy = destroy, .cpu_pick = pick);
