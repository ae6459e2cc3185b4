/* runner.h - runs a whole experiment: workers, journal, results file.
 *
 * The same results come out for any number of jobs and ranks, and after any
 * number of interruptions.  With `out`, finished trials are journalled beside
 * it and an earlier, unfinished run of the same experiment is continued;
 * without, everything stays in memory.                                      */
#ifndef HARNESS_RUN_RUNNER_H
#define HARNESS_RUN_RUNNER_H

#include "gpu-kernels/infer.h"
#include "harness/run/experiment.h"
#include "results/results.h"

struct ranks;
struct runner_options {
    const char *out; /* OUT.h5; NULL: in memory only */
    unsigned jobs;   /* worker processes; 0: one */
    enum infer_backend backend;
    const char *spans;     /* where the spans of trial 0 go; NULL: nowhere */
    double policy_limit_s; /* for one call of a policy; 0: POOL_LIMIT_S */
    bool quiet;
    struct ranks *ranks; /* sweep_ranks.h; NULL: this process alone */
    /* Trials to run; NULL: all.  In memory only, without ranks: results with gaps are no results.
     */
    bool (*wanted)(const void *ctx, const struct result_trial *t);
    const void *wanted_ctx;
};

struct runner_report { /* about the run, never part of the results */
    uint64_t ran, resumed, failed;
    unsigned jobs, ranks;
    double wall_s;
    char backend[128]; /* "cpu (avx512-vnni)"; "" when nothing was inferred */
};

/* experiment_check comes first.  *rs is set on success, in rank 0 only; trials that failed are
 * in it with their sentence.  report may be NULL.                           */
int experiment_run(const struct experiment *x, const struct runner_options *o,
                   struct result_set **rs, struct runner_report *report, struct err *e) MUST_CHECK;
/* Before experiment_run, with several ranks: go on only if every rank got so far without an error.
 */
int runner_agree(const struct ranks *k, int rc, struct err *e) MUST_CHECK;

#endif
