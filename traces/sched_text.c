/* sched_text.c - lines and payloads of scheduler tracepoints. */
#include "traces/sched_text.h"

#include <string.h>

#include "traces/parse.h"

#define NS_PER_S UINT64_C(1000000000)
#define TIME_MAX (UINT64_MAX / 4)
#define CPU_MAX  65535
#define PID_MAX  INT32_MAX
#define LOST     "<CANT FIND FIELD success> " /* trace-cmd of kernels that dropped it */

/* " [" digits "]": what stands before it, and the number. */
static bool find_cpu(struct slice line, struct slice *before, uint64_t *cpu, struct slice *after)
{
    struct slice rest = line, f;
    size_t at = 0;
    while (slice_until(&rest, " [", &f)) {
        at += f.n;
        struct slice number = rest;
        if (slice_number(&number, CPU_MAX, cpu) && number.n && number.s[0] == ']') {
            *before = (struct slice){line.s, at};
            *after = (struct slice){number.s + 1, number.n - 1};
            return true;
        }
        at += 2;
    }
    return false;
}

/* Before the CPU: comm-pid and perhaps (tgid), or comm pid and perhaps /tid. */
static bool split_task(struct slice t, enum sched_style style, struct sched_line *out)
{
    uint64_t pid;
    t = slice_trim(t);
    if (style == SCHED_FTRACE && t.n && t.s[t.n - 1] == ')') {
        while (t.n && t.s[t.n - 1] != '(')
            t.n--;
        if (!t.n)
            return false;
        t.n--;
        t = slice_trim(t);
    }
    size_t n = t.n;
    char mark = style == SCHED_FTRACE ? '-' : ' ';
    while (n && t.s[n - 1] != mark)
        n--;
    if (n < 2)
        return false;
    out->pid = (struct slice){t.s + n, t.n - n};
    out->comm = (struct slice){t.s, n - 1};
    if (style == SCHED_PERF) {
        struct slice rest = out->pid, f;
        out->comm = slice_trim(out->comm);
        if (slice_until(&rest, "/", &f)) /* the thread is what runs */
            out->pid = rest;
    }
    return out->comm.n && slice_u64(out->pid, PID_MAX, &pid);
}

/* After the CPU: flags or none, the time, the event. */
static bool split_event(struct slice rest, enum sched_style style, struct sched_line *out)
{
    struct slice word;
    rest = slice_trim(rest);
    if (!slice_until(&rest, " ", &word))
        return false;
    if (word.s[word.n ? word.n - 1 : 0] != ':') { /* flags as d..2. */
        rest = slice_trim(rest);
        if (!slice_until(&rest, " ", &word))
            return false;
    }
    if (word.n < 2 || word.s[word.n - 1] != ':')
        return false;
    word.n--;
    const char *dot = memchr(word.s, '.', word.n);
    out->fine = dot && word.n - (size_t)(dot - word.s) - 1 > 6;
    if (!parse_decimal_ns(word.s, word.n, NS_PER_S, &out->time_ns) || out->time_ns > TIME_MAX)
        return false;
    rest = slice_trim(rest);
    if (style == SCHED_PERF && slice_begins(rest, "sched:"))
        rest = (struct slice){rest.s + 6, rest.n - 6};
    size_t n = 0;
    while (n < rest.n && rest.s[n] != ' ' && rest.s[n] != '\t')
        n++;
    if (n < 2 || rest.s[n - 1] != ':')
        return false;
    out->event = (struct slice){rest.s, n - 1};
    out->payload = slice_trim((struct slice){rest.s + n, rest.n - n});
    return true;
}

int sched_line(const struct importer *im, enum sched_style style, struct sched_line *out,
               struct err *e)
{
    static const char *const want[] = {"comm-pid [cpu] seconds: event: ..",
                                       "comm pid [cpu] seconds: sched:event: .."};
    struct slice line = slice_line(im), task, rest;
    uint64_t cpu;
    if (!find_cpu(line, &task, &cpu, &rest) || !split_task(task, style, out))
        return import_complain(im, slice_trim(line), e, "%s", want[style]);
    if (!split_event(rest, style, out))
        return import_complain(im, slice_trim(rest), e, "a time in seconds and an event");
    out->cpu = (uint32_t)cpu;
    return 0;
}

bool sched_line_like(struct slice line, enum sched_style style)
{
    struct sched_line l;
    struct slice task, rest;
    uint64_t cpu;
    return find_cpu(line, &task, &cpu, &rest) && split_task(task, style, &l) &&
           split_event(rest, style, &l) && slice_begins(l.event, "sched_");
}

/* The value of the key at the front, up to the next key, both with their spaces and "=". */
static bool value(struct slice *rest, const char *key, const char *next, struct slice *out)
{
    if (!slice_begins(*rest, key))
        return false;
    rest->s += strlen(key);
    rest->n -= strlen(key);
    if (!next) {
        *out = *rest;
        return true;
    }
    struct slice all = *rest;
    if (!slice_until(&all, next, out))
        return false;
    rest->s += out->n + 1; /* stays before the next key */
    rest->n -= out->n + 1;
    return true;
}

struct who {
    struct slice comm, pid, prio;
};

/* What an export could not write so that it reads the same. */
int sched_comm(struct importer *im, struct slice comm, uint32_t *name, struct err *e)
{
    struct slice rest = comm, f;
    if (slice_until(&rest, "pid=", &f) || (rest = comm, slice_until(&rest, " [", &f)))
        return import_complain(im, comm, e, "a task's name without \"pid=\" and \" [\"");
    return import_slice_name(im, comm, name, e);
}

static int take_who(struct importer *im, const struct who *w, uint32_t *name, uint32_t *pid,
                    int32_t *prio, struct err *e)
{
    uint64_t v;
    if (!slice_u64(w->pid, PID_MAX, &v))
        return import_complain(im, w->pid, e, "a pid");
    *pid = (uint32_t)v;
    if (!slice_i32(w->prio, prio))
        return import_complain(im, w->prio, e, "a priority");
    return sched_comm(im, w->comm, name, e);
}

/* "comm:pid [prio]", then what follows. */
static bool short_who(struct slice *rest, struct who *w)
{
    struct slice head;
    if (!slice_until(rest, " [", &head) || !slice_until(rest, "]", &w->prio))
        return false;
    size_t n = head.n;
    while (n && head.s[n - 1] != ':')
        n--;
    if (!n)
        return false;
    w->comm = (struct slice){head.s, n - 1};
    w->pid = (struct slice){head.s + n, head.n - n};
    *rest = slice_trim(*rest);
    return true;
}

static bool short_switch(struct slice rest, struct who *prev, struct slice *state, struct who *next)
{
    if (!short_who(&rest, prev) || !slice_until(&rest, " ==> ", state))
        return false;
    rest = slice_trim(rest);
    return short_who(&rest, next) && rest.n == 0;
}

static bool long_switch(struct slice rest, struct who *prev, struct slice *state, struct who *next)
{
    if (!value(&rest, "prev_comm=", " prev_pid=", &prev->comm) ||
        !value(&rest, "prev_pid=", " prev_prio=", &prev->pid) ||
        !value(&rest, "prev_prio=", " prev_state=", &prev->prio) ||
        !value(&rest, "prev_state=", " next_comm=", state))
        return false;
    if (state->n > 4 && !memcmp(state->s + state->n - 4, " ==>", 4))
        state->n -= 4;
    return value(&rest, "next_comm=", " next_pid=", &next->comm) &&
           value(&rest, "next_pid=", " next_prio=", &next->pid) &&
           value(&rest, "next_prio=", NULL, &next->prio);
}

int sched_switch(struct importer *im, struct slice payload, struct trace_sched *out, bool *letters,
                 struct err *e)
{
    struct who prev = {0}, next = {0};
    struct slice state = {0};
    if (!(slice_begins(payload, "prev_comm=") ? long_switch : short_switch)(payload, &prev, &state,
                                                                            &next))
        return import_complain(im, payload, e,
                               "prev_comm= .. next_prio=, or comm:pid [prio] S ==> ..");
    if (!sched_state_parse(state, &out->state))
        return import_complain(im, state, e, "a state: letters as R, S, D|I, or bits");
    *letters |= state.s[0] < '0' || state.s[0] > '9';
    int rc = take_who(im, &prev, &out->task, &out->pid, &out->prio, e);
    return rc ? rc : take_who(im, &next, &out->next_task, &out->next_pid, &out->next_prio, e);
}

/* "comm=a pid=1 prio=120" and the keys behind it. */
static bool long_who(struct slice *rest, struct who *w)
{
    struct slice all;
    if (!value(rest, "comm=", " pid=", &w->comm) || !value(rest, "pid=", " prio=", &w->pid) ||
        !slice_begins(*rest, "prio="))
        return false;
    all = (struct slice){rest->s + 5, rest->n - 5};
    if (!slice_until(&all, " ", &w->prio)) {
        w->prio = all;
        all.n = 0;
    }
    *rest = all;
    return true;
}

static int take_cpu(struct importer *im, struct slice t, uint32_t *cpu, struct err *e)
{
    uint64_t v;
    if (!slice_u64(t, CPU_MAX, &v))
        return import_complain(im, t, e, "a CPU");
    *cpu = (uint32_t)v;
    return 0;
}

int sched_wakeup(struct importer *im, struct slice payload, struct trace_sched *out, struct err *e)
{
    bool is_long = slice_begins(payload, "comm=");
    const char *key = is_long ? "target_cpu=" : "CPU:";
    struct slice rest = payload, f;
    struct who w = {0};
    if (!(is_long ? long_who : short_who)(&rest, &w) || !slice_until(&rest, key, &f) ||
        !(f.n == 0 || slice_is(f, "success=1 ") || slice_is(f, LOST)))
        return import_complain(im, payload, e,
                               "comm= pid= prio= target_cpu=, or comm:pid [prio] CPU:n");
    int rc = take_cpu(im, rest, &out->target_cpu, e);
    return rc ? rc : take_who(im, &w, &out->task, &out->pid, &out->prio, e);
}

int sched_migrate(struct importer *im, struct slice payload, struct trace_sched *out, struct err *e)
{
    struct slice rest = payload, from;
    uint32_t orig;
    struct who w = {0};
    if (!long_who(&rest, &w) || !value(&rest, "orig_cpu=", " dest_cpu=", &from) ||
        !value(&rest, "dest_cpu=", NULL, &rest))
        return import_complain(im, payload, e, "comm= pid= prio= orig_cpu= dest_cpu=");
    int rc = take_cpu(im, from, &orig, e);
    if (!rc)
        rc = take_cpu(im, rest, &out->target_cpu, e);
    return rc ? rc : take_who(im, &w, &out->task, &out->pid, &out->prio, e);
}

/* Linux's letters since 4.14; K and x are those of before. */
static const struct {
    char letter;
    uint32_t bit;
} states[] = {{'S', 1},  {'D', 2},   {'T', 4},   {'t', 8},   {'X', 16}, {'Z', 32},
              {'P', 64}, {'I', 128}, {'W', 512}, {'K', 128}, {'x', 64}};
#define PREEMPTED 256 /* R+ */
#define WRITTEN   9

bool sched_state_parse(struct slice t, uint32_t *state)
{
    uint64_t bits;
    *state = 0;
    if (slice_u64(t, UINT32_MAX, &bits)) {
        *state = (uint32_t)bits;
        return true;
    }
    if (t.n && t.s[t.n - 1] == '+') {
        *state = PREEMPTED;
        t.n--;
    }
    if (slice_is(t, "R"))
        return true;
    for (size_t i = 0; i < t.n; i++) {
        uint32_t bit = 0;
        for (size_t k = 0; k < sizeof states / sizeof *states; k++)
            bit = states[k].letter == t.s[i] ? states[k].bit : bit;
        if (i % 2 ? t.s[i] != '|' : !bit)
            return false;
        *state |= bit;
    }
    return t.n % 2 == 1;
}

bool sched_state_text(uint32_t state, char to[32])
{
    size_t at = 0;
    uint32_t left = state & ~(uint32_t)PREEMPTED;
    if (!left)
        to[at++] = 'R';
    for (size_t k = 0; k < WRITTEN; k++)
        if (left & states[k].bit) {
            if (at)
                to[at++] = '|';
            to[at++] = states[k].letter;
            left &= ~states[k].bit;
        }
    if (state & PREEMPTED)
        to[at++] = '+';
    to[at] = 0;
    return left == 0;
}
