/* train_lstm.h - fits a recurrent network to say which of several classes
 * follows a series of words of a vocabulary (lstm_net.h).
 *
 * Back-propagation through all steps of a row, cross entropy of the softmax,
 * mini-batches in a seeded order, Adam (Kingma & Ba, ICLR'15) with a rate that
 * falls to zero over the planned epochs; the best epoch by the validation rows
 * is kept, and `patience` epochs without a better one end it.  Sums run in a
 * fixed order in doubles and exp is ours: the same rows, options and seed give
 * the same bytes anywhere.                                                   */
#ifndef HARNESS_LEARN_TRAIN_LSTM_H
#define HARNESS_LEARN_TRAIN_LSTM_H

#include <stddef.h>

#include "gpu-kernels/lstm_net.h"
#include "sim/err.h"

struct train_lstm_task {
    uint32_t steps, vocab, n_out;
    const uint8_t *id;    /* rows of `steps`, each below vocab */
    const uint8_t *class; /* of a row, below n_out */
};

struct train_lstm_options {
    uint64_t seed;
    uint32_t layers, width, epochs, batch, patience;
    double rate;
};

struct train_lstm_fit {
    struct infer_lstm net; /* softmax; its arrays are in `weights` */
    float *weights;
    uint32_t epochs, best_epoch;   /* run; kept, from 1 */
    double train_loss, valid_loss; /* nats a row, of the kept one */
};

/* Rows 0..train-1 are fitted, the next `valid` decide when to stop. */
int train_lstm(const struct train_lstm_task *task, size_t train, size_t valid,
               const struct train_lstm_options *o, bool quiet, struct train_lstm_fit *fit,
               struct err *e) MUST_CHECK;
void train_lstm_fit_free(struct train_lstm_fit *fit);

/* For tests: the loss of a row and, into slope[params], its slope at each parameter. */
size_t train_lstm_params(const struct train_lstm_task *task, const struct train_lstm_options *o);
double train_lstm_slope(const struct train_lstm_task *task, const struct train_lstm_options *o,
                        const double *params, size_t row, double *slope);

#endif
