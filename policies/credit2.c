/* credit2.c - Xen's credit2.
 *
 * Tasks burn credit while they run, the faster the smaller their weight; the
 * one with the most runs, until another has more, but not shorter than the rate
 * limit.  When the best has none left, everyone gets some.  Nobody may save up,
 * so that a task that slept is soon an ordinary one again.  Fair in the long
 * run and cheap; with equal tasks it switches every 10 ms at the latest and
 * every millisecond at most, coarser than Linux.
 *
 * Source: xen/common/sched/credit2.c (burn_credits, reset_credit,
 * csched2_runtime; CREDIT_INIT 10 ms, ratelimit 1 ms).  Here a run queue is one
 * CPU's; in Xen the CPUs of a core or socket share one.
 *
 * Parameters
 *   credit_ms     (10)   what a reset gives, and the longest slice
 *   ratelimit_ms  (1)    the shortest                                        */
#include "policy.h"
#include "sched_tasks.h"

enum { CREDIT, RATELIMIT };

static int create(void **self, const struct policy_host *h)
{
    struct sched *s = sched_create(h);
    *self = s;
    if (!s)
        return -1;
    s->param[CREDIT] = sched_param_ms(s, "credit_ms", 10);
    s->param[RATELIMIT] = sched_param_ms(s, "ratelimit_ms", 1);
    if (s->param[CREDIT] >= s->param[RATELIMIT] && s->param[RATELIMIT] > 0)
        return 0;
    if (s->param[RATELIMIT] > 0)
        h->log(h->host, "credit_ms: want at least ratelimit_ms");
    sched_destroy(s);
    return -1;
}

static void give(const struct sched *s, struct sched_task *t, double times)
{
    t->v += times * s->param[CREDIT];
    if (t->v > s->param[CREDIT])
        t->v = s->param[CREDIT];
}

/* Credit is t->v, `epoch` counts the resets that it has seen. */
static void burn(struct sched *s, const struct policy_pick_obs *o, uint32_t i)
{
    const struct policy_task *p = &o->task[i];
    struct sched_task *t = &s->task[p->id];
    struct sched_cpu *q = &s->cpu[o->at.cpu];
    uint32_t missed = t->cpu ? s->cpu[t->cpu - 1].epoch - t->epoch : 0;
    if (!t->cpu)
        t->v = s->param[CREDIT];
    double ran = sched_see(t, p, o->at.cpu) / 1024; /* by weight 1 */
    if (p->weight > q->max_weight)
        q->max_weight = p->weight;
    t->v -= ran * q->max_weight;
    give(s, t, missed);
    t->epoch = q->epoch;
}

/* Highest credit first; of equals the one that waited longer. */
static uint32_t richest(const struct sched *s, const struct policy_pick_obs *o, uint32_t but)
{
    uint32_t best = POLICY_NONE;
    for (uint32_t i = 0; i < o->n; i++) {
        if (i == but)
            continue;
        double v = s->task[o->task[i].id].v;
        double top = best == POLICY_NONE ? 0 : s->task[o->task[best].id].v;
        if (best == POLICY_NONE || v > top ||
            (v == top && o->task[i].ready_ns < o->task[best].ready_ns))
            best = i;
    }
    return best;
}

static void reset(struct sched *s, const struct policy_pick_obs *o, uint32_t best)
{
    double top = s->task[o->task[best].id].v, times = 1;
    while (top + times * s->param[CREDIT] <= 0)
        times++;
    s->cpu[o->at.cpu].epoch++;
    for (uint32_t i = 0; i < o->n; i++) {
        struct sched_task *t = &s->task[o->task[i].id];
        give(s, t, times);
        t->epoch = s->cpu[o->at.cpu].epoch;
    }
}

/* Until it has no more than the next one. */
static double runtime(const struct sched *s, const struct policy_pick_obs *o, uint32_t best)
{
    uint32_t next = richest(s, o, best);
    double ns = s->param[CREDIT];
    if (next != POLICY_NONE)
        ns = (s->task[o->task[best].id].v - s->task[o->task[next].id].v) * o->task[best].weight /
             s->cpu[o->at.cpu].max_weight;
    if (ns > s->param[CREDIT])
        ns = s->param[CREDIT];
    return ns > s->param[RATELIMIT] ? ns : s->param[RATELIMIT];
}

static void pick(void *self, const struct policy_pick_obs *o, struct policy_pick *answer)
{
    struct sched *s = self;
    uint32_t cur = o->current;
    for (uint32_t i = 0; i < o->n; i++)
        burn(s, o, i);
    if (cur != POLICY_NONE && o->why == POLICY_WOKE) {
        double left = s->param[RATELIMIT] - (double)o->task[cur].on_ns;
        if (left > 0) {
            sched_answer(s, o, answer, cur, left);
            return;
        }
    }
    uint32_t skip = sched_yields(s, o), best = richest(s, o, skip);
    if (s->task[o->task[best].id].v <= 0) {
        reset(s, o, best);
        best = richest(s, o, skip);
    }
    sched_answer(s, o, answer, best, runtime(s, o, best));
}

POLICY(.name = "credit2", .summary = "CPUs: Xen's credit2", .create = create,
       .destroy = sched_destroy, .cpu_pick = pick);
