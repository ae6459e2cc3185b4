/* sched_tasks.h - what a scheduler remembers of tasks between two questions; for policies/.
 *
 * The host does not tell when a task blocks, wakes or moves.  It shows: a task
 * whose ready_ns is not the one we know woke up in the meantime (when it lost
 * the CPU to our own answer we know that time), and one that is asked about on
 * another CPU was moved.  Virtual times are ns of CPU at weight 1024.       */
#ifndef POLICIES_SCHED_TASKS_H
#define POLICIES_SCHED_TASKS_H

#include <stdbool.h>
#include <stdlib.h>

#include "policy.h"

enum sched_news { SCHED_SAME, SCHED_MOVED, SCHED_WOKE, SCHED_NEW };

struct sched_task {
    uint64_t ran, ready; /* as last seen */
    uint32_t cpu;        /* + 1; 0: never seen */
    uint32_t epoch;
    double v;                   /* virtual time; or credit */
    double end;                 /* virtual deadline */
    double lag;                 /* behind the queue's virtual time */
    double left_v, left_weight; /* of those that stayed when it blocked */
};

struct sched_cpu {
    double v; /* virtual time of the queue */
    double max_weight;
    uint32_t epoch;
    uint32_t runs;    /* id + 1 of the last answer */
    double given;     /* and its slice, */
    uint64_t on_then; /* after it was on for so long */
};

struct sched {
    const struct policy_host *h;
    struct sched_task *task; /* [POLICY_TASKS_MAX]; pages that nobody touches cost nothing */
    struct sched_cpu *cpu;   /* [POLICY_CPUS_MAX] */
    double param[3];
};

static inline void sched_destroy(void *self)
{
    struct sched *s = (struct sched *)self;
    if (s) {
        free(s->task);
        free(s->cpu);
    }
    free(s);
}

static inline struct sched *sched_create(const struct policy_host *h)
{
    struct sched *s = (struct sched *)calloc(1, sizeof *s);
    if (s) {
        s->h = h;
        s->task = (struct sched_task *)calloc(POLICY_TASKS_MAX, sizeof *s->task);
        s->cpu = (struct sched_cpu *)calloc(POLICY_CPUS_MAX, sizeof *s->cpu);
    }
    if (s && s->task && s->cpu)
        return s;
    h->log(h->host, "out of memory");
    sched_destroy(s);
    return NULL;
}

/* A parameter in milliseconds, within what a slice may be; in ns.  0: it is not, and the host
 * was told. */
static inline double sched_param_ms(struct sched *s, const char *name, double otherwise)
{
    double ns = 1e6 * s->h->param(s->h->host, name, otherwise);
    if (ns >= (double)POLICY_SLICE_MIN && ns <= (double)POLICY_SLICE_MAX)
        return ns;
    s->h->log(s->h->host, "times are in ms: want 0.01..10000");
    return 0;
}

/* Linux scales its times by 1 + log2(CPUs), eight at most. */
static inline double sched_scale(uint32_t cpus)
{
    return cpus >= 8 ? 4 : cpus >= 4 ? 3 : cpus >= 2 ? 2 : 1;
}

/* What happened to it since it was last seen. */
static inline enum sched_news sched_news(const struct sched_task *t, const struct policy_task *o,
                                         uint32_t cpu)
{
    return !t->cpu                   ? SCHED_NEW
           : t->ready != o->ready_ns ? SCHED_WOKE
           : t->cpu != cpu + 1       ? SCHED_MOVED
                                     : SCHED_SAME;
}

/* From now on this is what was last seen; returns how long it ran, in virtual time. */
static inline double sched_see(struct sched_task *t, const struct policy_task *o, uint32_t cpu)
{
    double ran = (double)(o->ran_ns - t->ran) * 1024 / o->weight;
    t->ran = o->ran_ns;
    t->ready = o->ready_ns;
    t->cpu = cpu + 1;
    return ran;
}

/* The last thing before an answer: the running task is sent back to wait at this moment. */
static inline void sched_answer(struct sched *s, const struct policy_pick_obs *o,
                                struct policy_pick *a, uint32_t task, double slice)
{
    if (o->current != POLICY_NONE && o->current != task)
        s->task[o->task[o->current].id].ready = o->at.now_ns;
    s->cpu[o->at.cpu].runs = o->task[task].id + 1;
    s->cpu[o->at.cpu].on_then = task == o->current ? o->task[task].on_ns : 0;
    a->task = task;
    a->slice_ns = slice <= (double)POLICY_SLICE_MIN   ? POLICY_SLICE_MIN
                  : slice >= (double)POLICY_SLICE_MAX ? POLICY_SLICE_MAX
                                                      : (uint64_t)slice;
    s->cpu[o->at.cpu].given = (double)a->slice_ns;
}

/* The running task, if its slice ends before it is over: it yields to another.  POLICY_NONE: not
 * so, or nobody else is there. */
static inline uint32_t sched_yields(const struct sched *s, const struct policy_pick_obs *o)
{
    const struct sched_cpu *q = &s->cpu[o->at.cpu];
    if (o->why != POLICY_SLICE_END || o->current == POLICY_NONE || o->n < 2 ||
        q->runs != o->task[o->current].id + 1)
        return POLICY_NONE;
    double had = (double)(o->task[o->current].on_ns - q->on_then);
    return had < q->given ? o->current : POLICY_NONE;
}

/* Who has waited longest; the running one only if nobody waits. */
static inline uint32_t sched_longest(const struct policy_pick_obs *o)
{
    uint32_t best = POLICY_NONE;
    for (uint32_t i = 0; i < o->n; i++)
        if (i != o->current &&
            (best == POLICY_NONE || o->task[i].ready_ns < o->task[best].ready_ns))
            best = i;
    return best == POLICY_NONE ? o->current : best;
}

/* create of a policy whose only parameter is the slice. */
static inline int sched_create_turns(void **self, const struct policy_host *h)
{
    struct sched *s = sched_create(h);
    *self = s;
    if (!s)
        return -1;
    s->param[0] = sched_param_ms(s, "slice_ms", 4);
    if (s->param[0] > 0)
        return 0;
    sched_destroy(s);
    return -1;
}

/* Somebody woke: who runs goes on until its slice ends.  false: the CPU is to be given. */
static inline bool sched_keeps(struct sched *s, const struct policy_pick_obs *o,
                               struct policy_pick *answer, double slice)
{
    if (o->why != POLICY_WOKE || o->current == POLICY_NONE)
        return false;
    const double on = (double)o->task[o->current].on_ns;
    if (on >= slice)
        return false;
    sched_answer(s, o, answer, o->current, slice - on);
    return true;
}

#endif
