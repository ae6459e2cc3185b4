/* cfs.c - Linux' completely fair scheduler, as it was from 2.6.23 to 6.5.
 *
 * Each task has a virtual time, its CPU time divided by its weight; the one
 * that is behind most runs, for its share of a period in which everyone runs
 * once.  A task that wakes is put half a period behind the queue at most, and
 * preempts if it is then behind the running one by the wake-up granularity.
 * Good throughput and fair shares; with many tasks the period stretches, and
 * how soon a woken task runs depends on luck: nothing in it promises a latency.
 * Groups, bandwidth control and idle classes are left out.
 *
 * Source: kernel/sched/fair.c and Documentation/scheduler/sched-design-CFS;
 * times are multiplied by 1 + log2(CPUs), 4 at most (sched_tunable_scaling).
 *
 * Parameters, before that scaling
 *   latency_ms  (6)    min_granularity_ms  (0.75)    wakeup_granularity_ms  (1) */
#include "policy.h"
#include "sched_tasks.h"

enum { LATENCY, GRANULARITY, WAKEUP };

static int create(void **self, const struct policy_host *h)
{
    struct sched *s = sched_create(h);
    *self = s;
    if (!s)
        return -1;
    s->param[LATENCY] = sched_param_ms(s, "latency_ms", 6);
    s->param[GRANULARITY] = sched_param_ms(s, "min_granularity_ms", 0.75);
    s->param[WAKEUP] = sched_param_ms(s, "wakeup_granularity_ms", 1);
    if (s->param[LATENCY] > 0 && s->param[GRANULARITY] > 0 && s->param[WAKEUP] > 0)
        return 0;
    sched_destroy(s);
    return -1;
}

/* The part of a period that this task gets. */
static double share(const struct sched *s, const struct policy_pick_obs *o, uint32_t task)
{
    double scale = sched_scale(o->at.cpus), weight = 0;
    double least = s->param[GRANULARITY] * scale, period = s->param[LATENCY] * scale;
    for (uint32_t i = 0; i < o->n; i++)
        weight += o->task[i].weight;
    if (period < least * o->n)
        period = least * o->n;
    double ns = period * o->task[task].weight / weight;
    return ns < least ? least : ns;
}

/* Who came to the queue: from sleep, from another CPU, or for the first time. */
static void place(struct sched *s, const struct policy_pick_obs *o, uint32_t i)
{
    const struct policy_task *p = &o->task[i];
    struct sched_task *t = &s->task[p->id];
    uint32_t from = t->cpu;
    enum sched_news news = sched_news(t, p, o->at.cpu);
    double queue_v = s->cpu[o->at.cpu].v;
    double behind = queue_v - s->param[LATENCY] * sched_scale(o->at.cpus) / 2;
    t->v += sched_see(t, p, o->at.cpu);
    if (from) /* it keeps its distance to its queue */
        t->v += queue_v - s->cpu[from - 1].v;
    if (news == SCHED_NEW) /* a newcomer first waits its turn */
        t->v = queue_v + share(s, o, i) * 1024 / p->weight;
    else if (news == SCHED_WOKE && t->v < behind)
        t->v = behind;
}

/* Charges who ran, moves the queue's virtual time on, and places who came. */
static void update(struct sched *s, const struct policy_pick_obs *o)
{
    struct sched_cpu *q = &s->cpu[o->at.cpu];
    double least = -1;
    for (uint32_t i = 0; i < o->n; i++) {
        const struct policy_task *p = &o->task[i];
        struct sched_task *t = &s->task[p->id];
        if (sched_news(t, p, o->at.cpu) != SCHED_SAME)
            continue;
        t->v += sched_see(t, p, o->at.cpu);
        if (least < 0 || t->v < least)
            least = t->v;
    }
    if (least > q->v)
        q->v = least;
    for (uint32_t i = 0; i < o->n; i++)
        if (sched_news(&s->task[o->task[i].id], &o->task[i], o->at.cpu) != SCHED_SAME)
            place(s, o, i);
}

/* Who is behind most, but for one.  POLICY_NONE: nobody else. */
static uint32_t behind_most(const struct sched *s, const struct policy_pick_obs *o, uint32_t but)
{
    uint32_t best = POLICY_NONE;
    for (uint32_t i = 0; i < o->n; i++)
        if (i != but &&
            (best == POLICY_NONE || s->task[o->task[i].id].v < s->task[o->task[best].id].v))
            best = i;
    return best;
}

/* A yield passes the turn on as long as that is not too unfair (pick_next_entity, the skip
 * buddy): to who is at most the wake-up granularity ahead of who yields. */
static uint32_t next(const struct sched *s, const struct policy_pick_obs *o)
{
    uint32_t skip = sched_yields(s, o), best = behind_most(s, o, skip);
    if (skip == POLICY_NONE)
        return best;
    const struct policy_task *p = &o->task[skip];
    double least = s->param[WAKEUP] * sched_scale(o->at.cpus) * 1024 / p->weight;
    return s->task[o->task[best].id].v - s->task[p->id].v > least ? skip : best;
}

static void pick(void *self, const struct policy_pick_obs *o, struct policy_pick *answer)
{
    struct sched *s = self;
    uint32_t cur = o->current, best;
    update(s, o);
    best = next(s, o);
    if (o->why == POLICY_WOKE && cur != POLICY_NONE) {
        uint32_t w = o->woken != POLICY_NONE ? o->woken : best;
        double lead = s->task[o->task[cur].id].v - s->task[o->task[w].id].v;
        double least = s->param[WAKEUP] * sched_scale(o->at.cpus) * 1024 / o->task[w].weight;
        double left = share(s, o, cur) - (double)o->task[cur].on_ns;
        if (lead <= least && left > 0) {
            sched_answer(s, o, answer, cur, left);
            return;
        }
    }
    sched_answer(s, o, answer, best, share(s, o, best));
}

POLICY(.name = "cfs", .summary = "CPUs: Linux' completely fair scheduler (until 6.5)",
       .create = create, .destroy = sched_destroy, .cpu_pick = pick);
