/* eevdf.c - earliest eligible virtual deadline first, Linux' scheduler since 6.6.
 *
 * Each task has a virtual time and a virtual deadline, one slice (by its
 * weight) further on.  Those that are not ahead of the queue's average are
 * eligible; of them the one with the earliest deadline runs, until it has had
 * its slice.  How far a task is behind (its lag) it keeps while it sleeps or
 * moves.  Nobody's lag exceeds one slice, which CFS does not promise; a short
 * slice costs switches, and one slice for all gives nobody a better latency.
 *
 * Source: Stoica and Abdel-Wahab, "Earliest Eligible Virtual Deadline First"
 * (1995); kernel/sched/fair.c (place_entity, pick_eevdf, RUN_TO_PARITY).  The
 * slice is multiplied by 1 + log2(CPUs), 4 at most.  Delayed dequeue is left
 * out: a task that went to sleep ahead of the queue comes back as much ahead.
 *
 * Parameters
 *   base_slice_ms  (0.7)   before that scaling
 *   run_to_parity  (1)     0: a woken task with an earlier deadline preempts     */
#include "policy.h"
#include "sched_tasks.h"

enum { SLICE, PARITY };

static int create(void **self, const struct policy_host *h)
{
    struct sched *s = sched_create(h);
    *self = s;
    if (!s)
        return -1;
    s->param[SLICE] = sched_param_ms(s, "base_slice_ms", 0.7);
    s->param[PARITY] = h->param(h->host, "run_to_parity", 1);
    if (s->param[SLICE] > 0 && (s->param[PARITY] == 0 || s->param[PARITY] == 1))
        return 0;
    if (s->param[SLICE] > 0)
        h->log(h->host, "run_to_parity: want 0 or 1");
    sched_destroy(s);
    return -1;
}

/* A slice of this task, in virtual time. */
static double request(const struct sched *s, const struct policy_pick_obs *o, uint32_t i)
{
    return s->param[SLICE] * sched_scale(o->at.cpus) * 1024 / o->task[i].weight;
}

struct average {
    double v, weight;
};

/* Of those that were here before; of nobody, where the queue was last. */
static struct average average_of(const struct sched *s, const struct policy_pick_obs *o)
{
    struct average a = {0};
    double base = s->cpu[o->at.cpu].v, sum = 0;
    for (uint32_t i = 0; i < o->n; i++) {
        const struct sched_task *t = &s->task[o->task[i].id];
        if (sched_news(t, &o->task[i], o->at.cpu) != SCHED_SAME)
            continue;
        sum += (t->v - base) * o->task[i].weight;
        a.weight += o->task[i].weight;
    }
    a.v = a.weight > 0 ? base + sum / a.weight : base;
    return a;
}

static void charge(struct sched *s, const struct policy_pick_obs *o)
{
    for (uint32_t i = 0; i < o->n; i++) {
        struct sched_task *t = &s->task[o->task[i].id];
        if (sched_news(t, &o->task[i], o->at.cpu) != SCHED_SAME)
            continue;
        t->v += sched_see(t, &o->task[i], o->at.cpu);
        if (t->v >= t->end)
            t->end = t->v + request(s, o, i);
    }
}

/* The one that ran last and is gone has blocked: who stays is what its lag is measured by. */
static void note_leaver(struct sched *s, const struct policy_pick_obs *o, struct average rest)
{
    uint32_t ran = s->cpu[o->at.cpu].runs;
    if (!ran)
        return;
    for (uint32_t i = 0; i < o->n; i++)
        if (o->task[i].id == ran - 1)
            return;
    s->task[ran - 1].left_v = rest.v;
    s->task[ran - 1].left_weight = rest.weight;
}

static double clamp(double x, double most)
{
    return x > most ? most : x < -most ? -most : x;
}

/* A task that joins moves the average towards itself: to end up at its lag it must be placed
 * farther from it. */
static void place(struct sched *s, const struct policy_pick_obs *o, uint32_t i, struct average *a)
{
    const struct policy_task *p = &o->task[i];
    struct sched_task *t = &s->task[p->id];
    enum sched_news news = sched_news(t, p, o->at.cpu);
    double weight = p->weight, lag = 0, slice = request(s, o, i);
    t->v += sched_see(t, p, o->at.cpu);
    if (news == SCHED_MOVED)
        lag = t->lag;
    else if (news == SCHED_WOKE)
        lag = (t->left_v - t->v) * t->left_weight / (t->left_weight + weight);
    lag = clamp(lag, 2 * slice);
    double apart = a->weight > 0 ? lag * (a->weight + weight) / a->weight : lag;
    t->v = a->v - apart;
    t->end = t->v + (news == SCHED_NEW ? slice / 2 : slice);
    a->v = (a->v * a->weight + t->v * weight) / (a->weight + weight);
    a->weight += weight;
}

static void pick(void *self, const struct policy_pick_obs *o, struct policy_pick *answer)
{
    struct sched *s = self;
    uint32_t best = POLICY_NONE, skip = sched_yields(s, o), least = skip == 0;
    charge(s, o);
    struct average a = average_of(s, o);
    note_leaver(s, o, a);
    for (uint32_t i = 0; i < o->n; i++)
        if (sched_news(&s->task[o->task[i].id], &o->task[i], o->at.cpu) != SCHED_SAME)
            place(s, o, i, &a);
    s->cpu[o->at.cpu].v = a.v;
    for (uint32_t i = 0; i < o->n; i++) {
        struct sched_task *t = &s->task[o->task[i].id];
        t->lag = a.v - t->v;
        if (i == skip)
            continue;
        if (t->v < s->task[o->task[least].id].v)
            least = i;
        if (t->v <= a.v && (best == POLICY_NONE || t->end < s->task[o->task[best].id].end))
            best = i;
    }
    if (best == POLICY_NONE) /* rounding: the one furthest behind is eligible by definition */
        best = least;
    if (o->why == POLICY_WOKE && o->current != POLICY_NONE && s->param[PARITY] > 0)
        best = o->current;
    const struct sched_task *t = &s->task[o->task[best].id];
    sched_answer(s, o, answer, best, (t->end - t->v) * o->task[best].weight / 1024);
}

POLICY(.name = "eevdf",
       .summary = "CPUs: earliest eligible virtual deadline first (Linux since 6.6)",
       .create = create, .destroy = sched_destroy, .cpu_pick = pick);
