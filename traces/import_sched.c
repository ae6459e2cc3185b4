/* import_sched.c - scheduler traces as text: ftrace (also trace-cmd report) and perf script.
 *
 * sched_switch, sched_wakeup (and _new) and sched_migrate_task become rows of their kind; every
 * other event is SCHED_OTHER with the task and CPU of its line and the event's name in next_task,
 * and nothing of what it said (sched_waking comes before the wakeup and is among the others).
 * State is Linux's bits as numbers or as letters; of a migration the CPU it leaves is not kept.
 * Times are the clock's of the trace.  An export writes lines that give the same rows.         */
#include <string.h>

#include "traces/sched_text.h"

enum { LETTERS = 1, FINE = 2 }; /* flags */
#define NS_PER_S 1000000000ull

/* What stands before or between events. */
static bool is_heading(struct slice line)
{
    return line.s[0] == '#' || slice_begins(line, "version = ") || slice_begins(line, "cpus=") ||
           (slice_begins(line, "CPU ") && line.n > 9 &&
            !memcmp(line.s + line.n - 9, " is empty", 9));
}

static int payload(struct importer *im, const struct sched_line *l, struct trace_sched *s,
                   struct err *e)
{
    bool letters = false;
    int rc;
    if (slice_is(l->event, "sched_switch")) {
        s->event = SCHED_SWITCH;
        rc = sched_switch(im, l->payload, s, &letters, e);
        im->flags |= letters ? LETTERS : 0;
        return rc;
    }
    if (slice_is(l->event, "sched_migrate_task")) {
        s->event = SCHED_MIGRATE;
        return sched_migrate(im, l->payload, s, e);
    }
    if (slice_is(l->event, "sched_wakeup"))
        return sched_wakeup(im, l->payload, s, e);
    rc = import_slice_name(im, l->event, &s->next_task, e);
    if (rc || slice_is(l->event, "sched_wakeup_new"))
        return rc ? rc : sched_wakeup(im, l->payload, s, e);
    s->event = SCHED_OTHER;
    uint64_t pid = 0;
    if (!slice_u64(l->pid, INT32_MAX, &pid))
        return import_complain(im, l->pid, e, "a pid");
    s->pid = (uint32_t)pid;
    return sched_comm(im, l->comm, &s->task, e);
}

static int row_of(struct importer *im, enum sched_style style, struct trace_sched *s, struct err *e)
{
    struct sched_line l;
    int rc;
    do
        rc = import_line(im, e);
    while (rc == 1 && is_heading(slice_line(im)));
    if (rc <= 0 || (rc = sched_line(im, style, &l, e)))
        return rc;
    *s = (struct trace_sched){.time_ns = l.time_ns,
                              .cpu = l.cpu,
                              .event = SCHED_WAKEUP,
                              .task = TRACE_NAME_NONE,
                              .next_task = TRACE_NAME_NONE};
    im->flags |= l.fine ? FINE : 0;
    rc = payload(im, &l, s, e);
    return rc ? rc : 1;
}

static int ftrace_row(struct importer *im, union trace_row *out, struct err *e)
{
    return row_of(im, SCHED_FTRACE, &out->sched, e);
}

static int perf_row(struct importer *im, union trace_row *out, struct err *e)
{
    return row_of(im, SCHED_PERF, &out->sched, e);
}

static const char *name_of(const struct exporter *x, uint32_t id)
{
    const char *name = names_text(x->names, id);
    return name ? name : "<...>";
}

static void put_time(struct exporter *x, uint64_t ns)
{
    if (x->flags & FINE || ns % 1000)
        fprintf(x->to, "%llu.%09llu", (unsigned long long)ns / NS_PER_S,
                (unsigned long long)ns % NS_PER_S);
    else
        fprintf(x->to, "%llu.%06llu", (unsigned long long)ns / NS_PER_S,
                (unsigned long long)ns % NS_PER_S / 1000);
}

static void put_switch(struct exporter *x, const struct trace_sched *s)
{
    char state[32];
    bool letters = x->flags & LETTERS && sched_state_text(s->state, state);
    if (!letters)
        snprintf(state, sizeof state, "%u", s->state);
    fprintf(x->to, "sched_switch: prev_comm=%s prev_pid=%u prev_prio=%d prev_state=%s%s",
            name_of(x, s->task), s->pid, s->prio, state, x->flags & LETTERS ? " ==>" : "");
    fprintf(x->to, " next_comm=%s next_pid=%u next_prio=%d", name_of(x, s->next_task), s->next_pid,
            s->next_prio);
}

static void put_event(struct exporter *x, const struct trace_sched *s)
{
    const char *event = s->next_task == TRACE_NAME_NONE ? "sched_wakeup" : name_of(x, s->next_task);
    switch (s->event) {
    case SCHED_SWITCH:
        put_switch(x, s);
        break;
    case SCHED_WAKEUP:
        fprintf(x->to, "%s: comm=%s pid=%u prio=%d target_cpu=%03u", event, name_of(x, s->task),
                s->pid, s->prio, s->target_cpu);
        break;
    case SCHED_MIGRATE:
        fprintf(x->to, "sched_migrate_task: comm=%s pid=%u prio=%d orig_cpu=%u dest_cpu=%u",
                name_of(x, s->task), s->pid, s->prio, s->cpu, s->target_cpu);
        break;
    default:
        fprintf(x->to, "%s: ", event);
    }
}

/* Who ran when the event came: known of switches and of the others.  The space is there so that no
 * name at the front of a file can look like an archive. */
static void put_line(struct exporter *x, enum sched_style style, const struct trace_sched *s)
{
    bool known = s->event == SCHED_SWITCH || s->event == SCHED_OTHER;
    const char *comm = known ? name_of(x, s->task) : "<...>";
    fprintf(x->to, style == SCHED_FTRACE ? " %15s-%-5u [%03u] " : " %15s %5u [%03u] ", comm,
            known ? s->pid : 0, s->cpu);
    put_time(x, s->time_ns);
    fputs(style == SCHED_FTRACE ? ": " : ": sched:", x->to);
    put_event(x, s);
}

static void ftrace_put(struct exporter *x, const union trace_row *row)
{
    put_line(x, SCHED_FTRACE, &row->sched);
}

static void perf_put(struct exporter *x, const union trace_row *row)
{
    put_line(x, SCHED_PERF, &row->sched);
}

static bool ftrace_sniff(const char *head, size_t len)
{
    struct slice line = {head, len};
    return slice_begins(line, "# tracer:") || slice_begins(line, "version = ") ||
           slice_begins(line, "cpus=") || sched_line_like(line, SCHED_FTRACE);
}

static bool perf_sniff(const char *head, size_t len)
{
    struct slice line = {head, len};
    return sched_line_like(line, SCHED_PERF) && !sched_line_like(line, SCHED_FTRACE);
}

const struct import_format import_ftrace = {
    .name = "ftrace",
    .title = "Linux scheduler events: ftrace text, trace-cmd report",
    .source = "ftrace of a Linux kernel",
    .licence = "whoever traced says",
    .table = TRACE_SCHED,
    .sniff = ftrace_sniff,
    .row = ftrace_row,
    .put = ftrace_put,
};

const struct import_format import_perf_sched = {
    .name = "perf-sched",
    .title = "Linux scheduler events: perf script, perf sched script",
    .source = "perf of a Linux kernel",
    .licence = "whoever traced says",
    .table = TRACE_SCHED,
    .sniff = perf_sniff,
    .row = perf_row,
    .put = perf_put,
};
