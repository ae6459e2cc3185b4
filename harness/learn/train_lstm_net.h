/* train_lstm_net.h - the network that train_lstm.c fits, in doubles: there and
 * back through all steps of a row.                                           */
#ifndef HARNESS_LEARN_TRAIN_LSTM_NET_H
#define HARNESS_LEARN_TRAIN_LSTM_NET_H

#include <stdbool.h>

#include "harness/learn/train_lstm.h"

enum { TRAIN_LSTM_LAYERS = INFER_LSTM_LAYERS, TRAIN_LSTM_STEPS = INFER_LSTM_STEPS };

/* Weights lie with the gates innermost, [value][4 * width], so that every loop runs along them and
 * a compiler may use vectors without another order of any sum. */
struct train_lstm_shape {
    uint32_t steps, vocab, n_out, layers, width, gates;
};

struct train_lstm_params { /* all in one array, so that Adam is one loop */
    double *x[TRAIN_LSTM_LAYERS], *h[TRAIN_LSTM_LAYERS], *b[TRAIN_LSTM_LAYERS], *out, *b_out;
};

/* What a row's steps leave for the way back. */
struct train_lstm_tape {
    double *z[TRAIN_LSTM_LAYERS][TRAIN_LSTM_STEPS]; /* [gates]: i, f, g, o after their functions */
    double *c[TRAIN_LSTM_LAYERS][TRAIN_LSTM_STEPS + 1];    /* [width]; 0: before the first step */
    double *h[TRAIN_LSTM_LAYERS][TRAIN_LSTM_STEPS + 1];    /* the same */
    double *tanh_c[TRAIN_LSTM_LAYERS][TRAIN_LSTM_STEPS];   /* [width] */
    double *dh[TRAIN_LSTM_LAYERS], *dc[TRAIN_LSTM_LAYERS]; /* [width]: from the step after */
    double *below;  /* [TRAIN_LSTM_STEPS][width]: what the layer above wants of the first */
    double *dz, *y; /* [gates], [n_out] */
    double *room;
};

struct train_lstm_shape train_lstm_shape(const struct train_lstm_task *t,
                                         const struct train_lstm_options *o);
/* Where in p everything lies; how many parameters there are. */
size_t train_lstm_map(const struct train_lstm_shape *s, double *p, struct train_lstm_params *to);
bool train_lstm_tape(struct train_lstm_tape *t, const struct train_lstm_shape *s);

void train_lstm_forward(const struct train_lstm_shape *s, const struct train_lstm_params *p,
                        const struct train_lstm_tape *t, const uint8_t *id);
/* The loss; y becomes its slope at the outputs. */
double train_lstm_loss(double *y, uint32_t n, uint32_t class);
/* Adds the slopes at all parameters to g, from those at the outputs. */
void train_lstm_backward(const struct train_lstm_shape *s, const struct train_lstm_params *p,
                         const struct train_lstm_params *g, const struct train_lstm_tape *t,
                         const uint8_t *id);

#endif
