/* pool.h - long-lived worker processes that run trials.
 *
 * Every trial runs in a forked worker, also with one job: a policy that
 * crashes or never returns takes a worker with it and never the tool.  The
 * parent hands out trial numbers over pipes, takes the packed answers back
 * and is the only one to write anything.
 *
 * A worker that dies, or stays longer than limit_s, inside a policy's code
 * has its trial run again with that call known (policy_slot.h), so that the
 * ejection is the same in every run; a trial with several policies may lose
 * one after the other.  A worker that dies anywhere else loses its trial,
 * which is reported through `lost`; the next one runs.
 *
 * SIGINT and SIGTERM end the workers and make pool_run return ERR_EFAIL; all
 * that was taken stays taken.                                               */
#ifndef HARNESS_RUN_POOL_H
#define HARNESS_RUN_POOL_H

#include "models/policy_slot.h"
#include "sim/buf.h"
#include "sim/err.h"

/* A call known to end its worker: that of one policy of the trial. */
struct pool_eject {
    uint64_t at; /* with why != EJECT_NONE */
    enum eject_kind why;
    char text[96]; /* "signal 11 (Segmentation fault)" */
};

struct pool_task {
    uint64_t index;
    struct pool_eject eject[POLICY_SLOTS]; /* by policy_slot.number */
};

enum pool_next { POOL_TASK, POOL_WAIT, POOL_DONE };

struct pool_ops {
    void *ctx;
    /* In a worker. A failure is the trial's own and must be packed into the answer. */
    void (*run)(void *ctx, const struct pool_task *task, struct policy_beat *beat,
                struct buf *answer);
    /* In the parent. */
    enum pool_next (*next)(void *ctx, uint64_t *index); /* POOL_WAIT: ask again after a tick */
    int (*take)(void *ctx, uint64_t index, struct buf *answer, struct err *e);
    int (*lost)(void *ctx, uint64_t index, const char *why, struct err *e);
    int (*tick)(void *ctx, struct err *e); /* NULL: none; often, between other things */
};

struct pool_options {
    unsigned jobs;  /* 1.. */
    double limit_s; /* one call of a policy, wall clock */
    int tick_ms;    /* how often tick wants to run */
};

#define POOL_LIMIT_S 5.0

int pool_run(const struct pool_ops *ops, const struct pool_options *opt, struct err *e) MUST_CHECK;

#endif
