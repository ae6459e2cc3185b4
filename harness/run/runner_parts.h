/* runner_parts.h - what runner*.c share: one run, seen from one process. */
#ifndef HARNESS_RUN_RUNNER_PARTS_H
#define HARNESS_RUN_RUNNER_PARTS_H

#include "harness/run/pool.h"
#include "harness/run/runner.h"
#include "harness/run/trial.h"
#include "results/journal.h"
#include "sim/progress.h"

struct runner {
    const struct experiment *x;
    const struct runner_options *o;
    struct ranks *ranks;      /* NULL: alone */
    struct trial_tools tools; /* used in workers only */
    struct runner_report report;

    /* rank 0: what there is, and what to hand out next */
    struct result_set *rs;
    struct journal *journal; /* NULL: in memory only */
    uint64_t next;
    bool *spared;  /* trials that nobody wants; NULL: none */
    uint64_t runs; /* trials that there will be */
    unsigned gone; /* ranks that said goodbye */
    struct progress progress;

    /* other ranks: the trial we were given */
    bool asked, has, done;
    uint64_t given;
};

/* Everything about the results but the trials: texts of experiment, machines, traces. */
int runner_head(const struct experiment *x, struct result_set **rs, struct err *e) MUST_CHECK;

/* In a worker: the trial, packed, with the name of the backend before it. */
void runner_work(void *ctx, const struct pool_task *task, struct policy_beat *beat,
                 struct buf *answer);
/* A packed answer saying that the trial was lost. */
int runner_loss(const struct experiment *x, uint64_t index, const char *why, struct buf *answer,
                struct err *e) MUST_CHECK;
/* Rank 0: journals an answer and adds it to the results. */
int runner_keep(struct runner *r, struct buf *answer, struct err *e) MUST_CHECK;
bool runner_next(struct runner *r, uint64_t *index); /* rank 0: a trial nobody has yet */

int ranks_serve(struct runner *r, struct err *e) MUST_CHECK;          /* rank 0, a tick */
int ranks_finish(struct runner *r, int rc, struct err *e) MUST_CHECK; /* rank 0, at the end */
int ranks_work(struct runner *r, struct err *e) MUST_CHECK;           /* all others */

#endif
