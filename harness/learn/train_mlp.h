/* train_mlp.h - fits a one-hidden-layer perceptron to answer lengths.
 *
 * Output 0 is the mean of the log length (squared error), output 1 a quantile
 * of it (pinball loss).  Mini-batches in a seeded order, Adam (Kingma & Ba,
 * ICLR'15) with a rate that falls to zero over the planned epochs; after each
 * epoch the loss on the validation rows is taken, the best epoch is kept, and
 * `patience` epochs without a better one end it.  Sums run in a fixed order in
 * doubles: the same rows, options and seed give the same bytes anywhere.    */
#ifndef HARNESS_LEARN_TRAIN_MLP_H
#define HARNESS_LEARN_TRAIN_MLP_H

#include <stdbool.h>

#include "gpu-kernels/infer.h"
#include "harness/learn/train_rows.h"

struct train_options {
    uint64_t seed;
    uint32_t hidden, epochs, batch, patience;
    double rate, quantile;
};
#define TRAIN_DEFAULTS                                                                             \
    {                                                                                              \
        .seed = 1, .hidden = 64, .epochs = 40, .batch = 64, .patience = 6, .rate = 2e-3,           \
        .quantile = 0.9                                                                            \
    }

struct train_fit {
    struct infer_mlp mlp; /* fp32; its arrays are in `weights` */
    float *weights;
    uint32_t epochs, best_epoch;   /* run; kept, from 1 */
    double train_loss, valid_loss; /* of the kept one, squared octaves plus pinball */
};

/* Rows 0..train-1 are fitted, the next `valid` decide when to stop. */
int train_mlp(const struct train_rows *rows, size_t train, size_t valid,
              const struct train_options *o, bool quiet, struct train_fit *fit,
              struct err *e) MUST_CHECK;
void train_fit_free(struct train_fit *fit);

#endif
