/* gather_sched.c - facts of scheduler events: who ran how long, how soon after waking.
 *
 * A slice counts from one switch of a CPU to its next; what came before the first is not known.
 * A task's latency counts from the first wakeup since it last ran to the switch to it.  Memory:
 * the CPUs, the names, and the pids that ever woke.                          */
#include <stdlib.h>
#include <string.h>

#include "traces/gather_rows.h"

#define NS_PER_S 1e9
#define US       1e3
#define SHOWN    8
#define NOT_YET  UINT64_MAX

struct waker {
    uint32_t pid_1; /* pid + 1; 0: free */
    uint64_t woken_ns;
};

struct sched {
    uint64_t rows, first_ns, last_ns;
    uint64_t events[SCHED_OTHER + 1];
    struct cpu {
        uint64_t switches, since_ns;
    } * cpu;
    size_t cpus;
    struct name {
        uint64_t events, on_cpu_ns;
    } * name;
    size_t names;
    struct waker *waker; /* open addressing */
    size_t wakers, waker_cap;
    struct tally latency;
};

/* Room for index at, zeroed; NULL: out of memory. */
static void *reach(void *list, size_t *n, size_t at, size_t size)
{
    if (at < *n)
        return list;
    size_t cap = at + at / 2 + 16;
    char *more = realloc(list, cap * size);
    if (!more)
        return NULL;
    memset(more + *n * size, 0, (cap - *n) * size);
    *n = cap;
    return more;
}

static struct name *name_at(struct sched *s, uint32_t id)
{
    struct name *more = reach(s->name, &s->names, id, sizeof *s->name);
    s->name = more ? more : s->name;
    return more ? &s->name[id] : NULL;
}

static struct cpu *cpu_at(struct sched *s, uint32_t i)
{
    struct cpu *more = reach(s->cpu, &s->cpus, i, sizeof *s->cpu);
    s->cpu = more ? more : s->cpu;
    return more ? &s->cpu[i] : NULL;
}

static struct waker *find(const struct waker *table, size_t cap, uint32_t pid)
{
    for (uint32_t i = pid * 2654435761u;; i++) {
        const struct waker *w = &table[i & (cap - 1)];
        if (!w->pid_1 || w->pid_1 == pid + 1)
            return (struct waker *)w;
    }
}

static struct waker *waker_of(struct sched *s, uint32_t pid)
{
    if (2 * (s->wakers + 1) > s->waker_cap) {
        size_t cap = s->waker_cap ? 2 * s->waker_cap : 1024;
        struct waker *more = calloc(cap, sizeof *more);
        if (!more)
            return NULL;
        for (size_t i = 0; i < s->waker_cap; i++)
            if (s->waker[i].pid_1)
                *find(more, cap, s->waker[i].pid_1 - 1) = s->waker[i];
        free(s->waker);
        s->waker = more;
        s->waker_cap = cap;
    }
    struct waker *w = find(s->waker, s->waker_cap, pid);
    if (!w->pid_1) {
        *w = (struct waker){pid + 1, NOT_YET};
        s->wakers++;
    }
    return w;
}

static bool add_switch(struct sched *s, const struct trace_sched *r)
{
    struct cpu *c = cpu_at(s, r->cpu);
    struct waker *w = waker_of(s, r->next_pid);
    if (!c || !w)
        return false;
    if (c->switches && r->task != TRACE_NAME_NONE) {
        struct name *n = name_at(s, r->task);
        if (!n)
            return false;
        n->on_cpu_ns += r->time_ns - c->since_ns;
    }
    c->switches++;
    c->since_ns = r->time_ns;
    if (w->woken_ns != NOT_YET)
        tally_add(&s->latency, r->time_ns - w->woken_ns);
    w->woken_ns = NOT_YET;
    return true;
}

static bool add_event(struct sched *s, const struct trace_sched *r)
{
    bool named =
        (r->event == SCHED_WAKEUP || r->event == SCHED_OTHER) && r->next_task != TRACE_NAME_NONE;
    struct name *n = named ? name_at(s, r->next_task) : NULL;
    if (named && !n)
        return false;
    if (n)
        n->events++;
    else if (r->event <= SCHED_OTHER)
        s->events[r->event]++;
    if (r->event != SCHED_WAKEUP)
        return true;
    struct waker *w = waker_of(s, r->pid);
    if (w && w->woken_ns == NOT_YET)
        w->woken_ns = r->time_ns;
    return w != NULL;
}

static int sched_row(void *state, const union trace_row *row, struct err *e)
{
    struct sched *s = state;
    const struct trace_sched *r = &row->sched;
    if (!s->rows++)
        s->first_ns = r->time_ns;
    s->last_ns = r->time_ns;
    bool ok = add_event(s, r) && (r->event != SCHED_SWITCH || add_switch(s, r));
    return ok ? 0 : err_set(e, ERR_ENOMEM, "out of memory");
}

static void put_events(struct facts *f, const struct sched *s, const struct trace_names *names)
{
    static const char *const text[] = {"sched_switch", "sched_wakeup", "sched_migrate_task",
                                       "other"};
    for (int i = 0; i <= SCHED_OTHER; i++)
        if (s->events[i])
            facts_integer(f, "events", text[i], s->events[i]);
    for (size_t i = 0; i < s->names; i++) {
        const char *name = names ? names_text(names, (uint32_t)i) : NULL;
        if (name && s->name[i].events)
            facts_integer(f, "events", name, s->name[i].events);
    }
}

/* The longest first, as many as a table holds. */
static void put_on_cpu(struct facts *f, struct sched *s, const struct trace_names *names)
{
    for (int shown = 0; shown < SHOWN; shown++) {
        size_t most = s->names;
        for (size_t i = 0; i < s->names; i++)
            if (s->name[i].on_cpu_ns &&
                (most == s->names || s->name[i].on_cpu_ns > s->name[most].on_cpu_ns))
                most = i;
        if (most == s->names)
            return;
        const char *name = names ? names_text(names, (uint32_t)most) : NULL;
        if (name)
            facts_number(f, "on-cpu s by comm (top 8, full slices only)", name,
                         (double)s->name[most].on_cpu_ns / NS_PER_S);
        s->name[most].on_cpu_ns = 0;
    }
}

static void sched_end(void *state, const struct import_format *format,
                      const struct trace_names *names, struct facts *f)
{
    struct sched *s = state;
    char key[24];
    (void)format;
    facts_number(f, "", "span_s", (double)(s->last_ns - s->first_ns) / NS_PER_S);
    put_events(f, s, names);
    for (size_t i = 0; i < s->cpus; i++) {
        snprintf(key, sizeof key, "%zu", i);
        if (s->cpu[i].switches)
            facts_integer(f, "sched_switch per cpu", key, s->cpu[i].switches);
    }
    put_on_cpu(f, s, names);
    facts_summary(f, "wakeup->switch latency us", &s->latency, US, false);
}

static void sched_done(void *state)
{
    struct sched *s = state;
    free(s->cpu);
    free(s->name);
    free(s->waker);
    tally_free(&s->latency);
}

const struct gather_ops gather_sched = {sizeof(struct sched), sched_row, sched_end, sched_done};
