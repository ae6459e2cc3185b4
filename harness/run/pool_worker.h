/* pool_worker.h - one worker process as its parent sees it; between pool*.c only. */
#ifndef HARNESS_RUN_POOL_WORKER_H
#define HARNESS_RUN_POOL_WORKER_H

#include <sys/types.h>

#include "harness/run/pool.h"

struct worker {
    pid_t pid;    /* 0: none is running */
    int to, from; /* pipes; -1 when closed */
    bool busy;
    struct pool_task task;
    struct buf in;
    struct policy_beat *beat; /* shared with the process */
    uint32_t seen_inside;     /* the policy call seen in progress, and since when */
    uint64_t seen_call;
    double seen_since; /* 0: none */
    bool overstayed;   /* we ended it for that */
};

/* others: all slots, whose pipes the new process must not keep open. */
int worker_start(struct worker *w, const struct worker *others, unsigned n,
                 const struct pool_ops *ops, struct err *e) MUST_CHECK;
/* Gives it a trial; false when the worker is gone (its death is read from the pipe). */
bool worker_give(struct worker *w, const struct pool_task *task);
/* Reads what has come: 1 a whole answer is in w->in, 0 not yet, -1 the process is gone. */
int worker_read(struct worker *w);
/* Waits for a process that is gone and says how it ended. */
void worker_bury(struct worker *w, char *how, size_t n);
void worker_end(struct worker *w); /* by force; frees all but the slot */

#endif
