/* model_share.h - from runs of the model "gpu" to the forest that predicts what a
 * part of the SMs does to a critical tenant's latency (share_rows.h).
 *
 * Pairings of programs are fitted, decide when to stop, or are only scored, as
 * a whole: what is scored are pairs that were never seen together.  Two files
 * come out, as of model_jobs.h.                                              */
#ifndef HARNESS_LEARN_MODEL_SHARE_H
#define HARNESS_LEARN_MODEL_SHARE_H

#include "harness/learn/model_train.h"

#define SHARE_MACHINE "machines/v100-node.json"
#define SHARE_SECONDS 40 /* of each run */
#define SHARE_DEPTH   6
#define SHARE_CHILD   10
#define SHARE_DEFAULTS                                                                             \
    {                                                                                              \
        .seed = 1, .epochs = 200, .patience = 20, .rate = 0.1, .quantile = 0.9                     \
    }

int model_share_train(const struct model_train_want *want, struct err *e) MUST_CHECK;

#endif
