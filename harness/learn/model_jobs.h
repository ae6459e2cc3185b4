/* model_jobs.h - from logs of jobs to the forest that predicts how long one will
 * run, in the manner of Helios's QSSF (Hu et al., SC'21).
 *
 * Each log is split by time as in model_train.h; all logs together make one
 * forest of two outputs: the mean of the log duration and a quantile of it.
 * Two files come out, NAME.safetensors and NAME.json.  The logs are on few
 * machines, so a log that is absent is an error, unless it is only scored.   */
#ifndef HARNESS_LEARN_MODEL_JOBS_H
#define HARNESS_LEARN_MODEL_JOBS_H

#include "harness/learn/model_train.h"

#define JOBS_DEPTH 5
#define JOBS_CHILD 20 /* jobs that a leaf needs */
#define JOBS_MOST  1000000
#define JOBS_DEFAULTS                                                                              \
    {                                                                                              \
        .seed = 1, .epochs = 120, .patience = 15, .rate = 0.1 /* quantile: chosen */               \
    }

int model_jobs_train(const struct model_train_want *want, struct err *e) MUST_CHECK;

#endif
