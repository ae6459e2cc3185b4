/* sched_text.h - scheduler tracepoints as ftrace, trace-cmd and perf print them.
 *
 *   ftrace, trace-cmd   comm-pid [(tgid)] [cpu] [flags] secs.fraction: event: payload
 *   perf script         comm pid[/tid] [cpu] secs.fraction: sched:event: payload
 *
 * A payload is "prev_comm=a prev_pid=1 prev_prio=120 prev_state=S ==> next_comm=b next_pid=2 ..",
 * state a letter or Linux's bits, ==> or not; or short, "a:1 [120] S ==> b:2 [120]".          */
#ifndef TRACES_SCHED_TEXT_H
#define TRACES_SCHED_TEXT_H

#include "traces/import_text.h"

struct sched_line {
    struct slice comm, pid, event, payload;
    uint64_t time_ns;
    uint32_t cpu;
    bool fine; /* digits below the microsecond */
};

enum sched_style { SCHED_FTRACE, SCHED_PERF };

/* The parts of the current line; complains. */
int sched_line(const struct importer *im, enum sched_style style, struct sched_line *out,
               struct err *e) MUST_CHECK;
bool sched_line_like(struct slice line, enum sched_style style); /* for the first line of a file */

/* Payloads into the row; `letters` becomes true when a state was one. */
int sched_switch(struct importer *im, struct slice payload, struct trace_sched *out, bool *letters,
                 struct err *e) MUST_CHECK;
int sched_wakeup(struct importer *im, struct slice payload, struct trace_sched *out,
                 struct err *e) MUST_CHECK;
int sched_migrate(struct importer *im, struct slice payload, struct trace_sched *out,
                  struct err *e) MUST_CHECK;

/* The name of a task; complains of one that its own line would not give back. */
int sched_comm(struct importer *im, struct slice comm, uint32_t *name, struct err *e) MUST_CHECK;

/* "R", "S", "D|I", "R+"; false: no letters for these bits. */
bool sched_state_text(uint32_t state, char to[32]);
bool sched_state_parse(struct slice t, uint32_t *state);

#endif
