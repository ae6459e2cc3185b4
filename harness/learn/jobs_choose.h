/* jobs_choose.h - which quantile of a duration orders jobs best, on jobs that come before those
 * that are scored.
 *
 * Of each log the validation part is cut into batches of JOBS_BATCH successive
 * jobs.  All of a batch are there at once before one server that takes them one
 * after the other, each for its duration times its GPUs; they are ordered by
 * what is predicted times GPUs, as sjf-predicted does.  A quantile's cost is
 * the mean wait over that of the true order (1 is the best there is), the mean
 * over the logs.  Every candidate is fitted to the training part alone, like
 * the one that is kept.  No simulator runs, and the last part is not looked at. */
#ifndef HARNESS_LEARN_JOBS_CHOOSE_H
#define HARNESS_LEARN_JOBS_CHOOSE_H

#include "harness/learn/train_forest.h"

#define JOBS_BATCH      100
#define JOBS_CANDIDATES 7

struct jobs_choice {
    /* cost[0]: of the mean of the log (quantile 0), the others: of quantiles */
    double quantile[JOBS_CANDIDATES], cost[JOBS_CANDIDATES];
    int best; /* of the quantiles: the cheapest; of equals the smallest */
};

/* task: rows of all logs, task->quantile is not read; valid[n_logs]: rows of each log's validation
 * part, which follow the training rows in the order of logs; seconds: durations of the validation
 * rows. */
int jobs_choose(struct jobs_choice *c, const struct forest_task *task, const uint32_t *seconds,
                const size_t *valid, size_t n_logs, struct err *e) MUST_CHECK;

/* Mean wait of batches ordered by predicted[i] x gpus[i], over that by seconds[i] x gpus[i]. */
int jobs_order_cost(double *cost, const double *predicted, const double *gpus,
                    const uint32_t *seconds, size_t n, struct err *e) MUST_CHECK;

#endif
