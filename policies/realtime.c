/* realtime.c - deadlines first, then fixed priorities, then everyone in turn.
 *
 * Tasks with a scheduling context run by earliest deadline (EDF; the host keeps
 * them within their budgets, so that with budgets that sum to no more than the
 * CPU everyone meets its deadline).  Below them larger prio preempts smaller
 * (rate-monotonic, if priorities go by rate); equals take turns of a slice.
 * What is urgent is never late for what is not; but a busy high priority
 * starves all below it, and deadlines hold per CPU only: with several, which
 * tasks share one is not its decision.
 *
 * Source: Liu and Layland, JACM 20 (1973); Linux' SCHED_DEADLINE above SCHED_RR.
 *
 * Parameters
 *   slice_ms  (100)   turns of equals, as SCHED_RR                            */
#include "policy.h"
#include "sched_tasks.h"

static int create(void **self, const struct policy_host *h)
{
    struct sched *s = sched_create(h);
    *self = s;
    if (!s)
        return -1;
    s->param[0] = sched_param_ms(s, "slice_ms", 100);
    if (s->param[0] > 0)
        return 0;
    sched_destroy(s);
    return -1;
}

/* More urgent, by deadline, then by priority; 0: equals. */
static int before(const struct policy_task *a, const struct policy_task *b)
{
    if (a->deadline_ns != b->deadline_ns)
        return !b->deadline_ns || (a->deadline_ns && a->deadline_ns < b->deadline_ns) ? 1 : -1;
    return (a->prio > b->prio) - (a->prio < b->prio);
}

/* Whether it goes before, among equals: the running one keeps its turn, if it is not over. */
static int first(const struct policy_pick_obs *o, uint32_t a, uint32_t b, int keeps)
{
    int urgent = before(&o->task[a], &o->task[b]);
    if (urgent)
        return urgent > 0;
    if (a == o->current || b == o->current)
        return (a == o->current) == keeps;
    return o->task[a].ready_ns < o->task[b].ready_ns;
}

static void pick(void *self, const struct policy_pick_obs *o, struct policy_pick *answer)
{
    struct sched *s = self;
    uint32_t best = 0;
    double on = o->current == POLICY_NONE ? 0 : (double)o->task[o->current].on_ns;
    int keeps = o->why != POLICY_SLICE_END && on < s->param[0];
    for (uint32_t i = 1; i < o->n; i++)
        if (first(o, i, best, keeps))
            best = i;
    double slice = s->param[0];
    if (best == o->current && keeps)
        slice -= on;
    sched_answer(s, o, answer, best, slice);
}

POLICY(.name = "realtime",
       .summary = "CPUs: earliest deadline first, then fixed priorities, then in turn",
       .create = create, .destroy = sched_destroy, .cpu_pick = pick);
