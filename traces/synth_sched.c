/* synth_sched.c - CPUs with a queue each; whatever happens next becomes a row. */
#include "traces/synth_sched.h"

#include <stdlib.h>
#include <string.h>

#include "sim/rng.h"

#define NEVER     UINT64_MAX
#define IDLE      UINT32_MAX
#define IDLE_PRIO 120
#define FIRST_PID 1000
#define SLEEPS    1 /* TASK_INTERRUPTIBLE */

struct task {
    const struct synth_sched_class *c;
    uint32_t name, cpu;
    struct rng r;
    uint64_t wakes_ns, period_ns; /* NEVER: it is awake; where its period began */
    uint64_t left_ns;             /* of this run */
    uint32_t behind;              /* in the queue; IDLE: the last */
};

struct cpu {
    uint32_t runs, first, last; /* tasks; IDLE: none */
    uint64_t stops_ns, since_ns;
};

struct sched {
    struct synth_rows rows;
    struct synth_sched p;
    struct task *task;
    uint32_t tasks;
    struct cpu cpu[SYNTH_SCHED_CPUS];
    uint64_t slice_ns;
};

static uint64_t ns_of(double us)
{
    uint64_t ns = (uint64_t)(us * 1e3 + 0.5);
    return ns ? ns : 1;
}

static double jittered(struct task *t, double us)
{
    return us * (1 + t->c->jitter * (2 * rng_unit(&t->r) - 1));
}

static uint64_t draw_run(struct task *t)
{
    const struct synth_sched_class *c = t->c;
    if (c->period_us > 0)
        return ns_of(jittered(t, c->run_us));
    double mean = rng_unit(&t->r) < c->burst ? c->run_us * c->burst_factor : c->run_us;
    return ns_of(rng_exponential(&t->r, mean));
}

/* When it wakes next, having begun to sleep now. */
static uint64_t draw_wake(struct task *t, uint64_t now)
{
    if (t->c->period_us <= 0)
        return now + ns_of(rng_exponential(&t->r, t->c->sleep_us));
    t->period_ns += ns_of(jittered(t, t->c->period_us));
    return t->period_ns > now ? t->period_ns : now + 1;
}

static void begin(struct synth_rows *r)
{
    struct sched *s = (struct sched *)r;
    uint32_t at = 0;
    for (uint32_t k = 0; k < s->p.classes; k++)
        for (uint32_t i = 0; i < s->p.cls[k].tasks; i++, at++) {
            struct task *t = &s->task[at];
            *t = (struct task){.c = &s->p.cls[k], .name = k + 1, .cpu = at % s->p.cpus};
            rng_init_indexed(&t->r, r->seed, "synth-sched", "task", at);
            t->period_ns =
                ns_of(rng_unit(&t->r) * (t->c->period_us > 0 ? t->c->period_us : t->c->sleep_us));
            t->wakes_ns = t->period_ns;
        }
    for (uint32_t i = 0; i < s->p.cpus; i++)
        s->cpu[i] = (struct cpu){IDLE, IDLE, IDLE, NEVER, 0};
}

static void queue(struct sched *s, struct cpu *c, uint32_t i)
{
    s->task[i].behind = IDLE;
    if (c->last == IDLE)
        c->first = i;
    else
        s->task[c->last].behind = i;
    c->last = i;
}

static uint32_t unqueue(struct sched *s, struct cpu *c)
{
    uint32_t i = c->first;
    if (i == IDLE)
        return IDLE;
    c->first = s->task[i].behind;
    if (c->first == IDLE)
        c->last = IDLE;
    return i;
}

static void name_task(const struct sched *s, uint32_t i, uint32_t *name, uint32_t *pid,
                      int32_t *prio)
{
    *name = i == IDLE ? 0 : s->task[i].name;
    *pid = i == IDLE ? 0 : FIRST_PID + i;
    *prio = i == IDLE ? IDLE_PRIO : (int32_t)s->task[i].c->prio;
}

/* The one that runs goes, the first in the queue comes. */
static void swap(struct sched *s, uint32_t at, uint64_t now, uint32_t state,
                 struct trace_sched *out)
{
    struct cpu *c = &s->cpu[at];
    uint32_t goes = c->runs;
    if (goes != IDLE && state == 0)
        queue(s, c, goes);
    c->runs = unqueue(s, c);
    c->since_ns = now;
    c->stops_ns = NEVER;
    if (c->runs != IDLE) {
        uint64_t left = s->task[c->runs].left_ns;
        c->stops_ns = now + (left < s->slice_ns ? left : s->slice_ns);
    }
    *out = (struct trace_sched){.time_ns = now, .cpu = at, .event = SCHED_SWITCH, .state = state};
    name_task(s, goes, &out->task, &out->pid, &out->prio);
    name_task(s, c->runs, &out->next_task, &out->next_pid, &out->next_prio);
}

/* The slice or the run is over: 1 a row was made, 0 it runs on. */
static int stop(struct sched *s, uint32_t at, struct trace_sched *out)
{
    struct cpu *c = &s->cpu[at];
    struct task *t = &s->task[c->runs];
    uint64_t now = c->stops_ns;
    t->left_ns -= now - c->since_ns;
    if (t->left_ns == 0) {
        t->wakes_ns = draw_wake(t, now);
        swap(s, at, now, SLEEPS, out);
        return 1;
    }
    if (c->first != IDLE) {
        swap(s, at, now, 0, out);
        return 1;
    }
    c->since_ns = now;
    c->stops_ns = now + (t->left_ns < s->slice_ns ? t->left_ns : s->slice_ns);
    return 0;
}

static void wake(struct sched *s, uint32_t i, struct trace_sched *out)
{
    struct task *t = &s->task[i];
    struct cpu *c = &s->cpu[t->cpu];
    uint64_t now = t->wakes_ns;
    t->left_ns = draw_run(t);
    t->wakes_ns = NEVER;
    queue(s, c, i);
    if (c->runs == IDLE)
        c->stops_ns = now; /* the switch to it is the next row of this CPU */
    *out = (struct trace_sched){.time_ns = now,
                                .cpu = t->cpu,
                                .event = SCHED_WAKEUP,
                                .next_task = TRACE_NAME_NONE,
                                .target_cpu = t->cpu};
    name_task(s, i, &out->task, &out->pid, &out->prio);
}

/* CPUs before tasks at the same time: who is to run has been waiting. */
static void make(struct synth_rows *r, union trace_row *out)
{
    struct sched *s = (struct sched *)r;
    for (;;) {
        uint64_t when = NEVER;
        uint32_t cpu = IDLE, task = IDLE;
        for (uint32_t i = 0; i < s->p.cpus; i++)
            if (s->cpu[i].stops_ns < when)
                when = s->cpu[cpu = i].stops_ns;
        for (uint32_t i = 0; i < s->tasks; i++)
            if (s->task[i].wakes_ns < when)
                when = s->task[task = i].wakes_ns;
        if (task != IDLE) {
            wake(s, task, &out->sched);
            return;
        }
        if (s->cpu[cpu].runs == IDLE) {
            swap(s, cpu, when, 0, &out->sched);
            return;
        }
        if (stop(s, cpu, &out->sched))
            return;
    }
}

static void end(struct synth_rows *r)
{
    struct sched *s = (struct sched *)r;
    free(s->task);
    free(s);
}

int synth_sched_open(struct row_source **out, const void *params, uint64_t seed, struct err *e)
{
    struct sched *s = calloc(1, sizeof *s);
    *out = NULL;
    if (s) {
        s->p = *(const struct synth_sched *)params;
        for (uint32_t i = 0; i < s->p.classes; i++)
            s->tasks += s->p.cls[i].tasks;
        s->task = calloc(s->tasks, sizeof *s->task);
    }
    if (!s || !s->task) {
        free(s);
        return err_set(e, ERR_ENOMEM, "out of memory");
    }
    s->slice_ns = ns_of(s->p.slice_us);
    s->rows.begin = begin;
    s->rows.make = make;
    s->rows.end = end;
    synth_rows_open(&s->rows, TRACE_SCHED, &s->p.head, seed);
    *out = &s->rows.base;
    return 0;
}
