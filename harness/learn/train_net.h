/* train_net.h - fits a perceptron to any loss.
 *
 * Hidden layers are ReLU or sigmoid, outputs linear: a loss takes them as they
 * are (train_loss.h has the usual ones).  Mini-batches in a seeded order, Adam
 * (Kingma & Ba, ICLR'15) with a rate that falls to zero over the planned
 * epochs; after each epoch the loss on the validation rows is taken, the best
 * epoch is kept, and `patience` epochs without a better one end it.  Sums run
 * in a fixed order in doubles: the same rows, options and seed give the same
 * bytes anywhere.                                                           */
#ifndef HARNESS_LEARN_TRAIN_NET_H
#define HARNESS_LEARN_TRAIN_NET_H

#include <stdbool.h>
#include <stddef.h>

#include "gpu-kernels/infer.h"
#include "sim/err.h"

#define TRAIN_OUT_MAX 16

struct train_options {
    uint64_t seed;
    uint32_t hidden, epochs, batch, patience;
    double rate, quantile;
};

struct train_task {
    uint32_t n_in, n_out;
    uint32_t n_deep, deep[INFER_DEEP_MAX]; /* hidden layers after the first: their widths */
    bool sigmoid;                          /* of the hidden layers; else ReLU */
    bool sigmoid_out;                      /* the runtime's outputs; the loss sees them before */
    bool keras;     /* as Keras does where nothing is said: weights by Glorot & Bengio (AISTATS'10,
                       uniform), a rate that stays, and the last epoch is kept, after all of them */
    const float *x; /* rows of n_in */
    /* Loss of one row; d: its slope at each output. */
    double (*loss)(const void *ctx, size_t row, const double *y, double *d);
    const void *ctx;
    double start; /* all outputs' bias before the first step */
};

struct train_fit {
    struct infer_mlp mlp; /* fp32; its arrays are in `weights` */
    float *weights;
    uint32_t epochs, best_epoch;   /* run; kept, from 1 */
    double train_loss, valid_loss; /* of the kept one, in the loss's own terms */
};

/* Rows 0..train-1 are fitted, the next `valid` decide when to stop. */
int train_net(const struct train_task *task, size_t train, size_t valid,
              const struct train_options *o, bool quiet, struct train_fit *fit,
              struct err *e) MUST_CHECK;
void train_fit_free(struct train_fit *fit);

#endif
