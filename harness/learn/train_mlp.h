/* train_mlp.h - fits a one-hidden-layer perceptron to answer lengths.
 *
 * Output 0 is the mean of the log length (squared error), output 1 a quantile
 * of it (pinball loss); how, train_net.h says.                              */
#ifndef HARNESS_LEARN_TRAIN_MLP_H
#define HARNESS_LEARN_TRAIN_MLP_H

#include "harness/learn/train_net.h"
#include "harness/learn/train_rows.h"

#define TRAIN_DEFAULTS                                                                             \
    {                                                                                              \
        .seed = 1, .hidden = 64, .epochs = 40, .batch = 64, .patience = 6, .rate = 2e-3,           \
        .quantile = 0.9                                                                            \
    }

/* Rows 0..train-1 are fitted, the next `valid` decide when to stop. */
int train_mlp(const struct train_rows *rows, size_t train, size_t valid,
              const struct train_options *o, bool quiet, struct train_fit *fit,
              struct err *e) MUST_CHECK;
#endif
