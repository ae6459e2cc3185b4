/* lstms.h - random recurrent networks and two references for the tests of
 * lstm.cu and its twins.
 *
 * Neither shares code with gpu-kernels/: one computes in double with libm, row
 * by row of the trained matrices, and says what is right; one spells out the
 * order of lstm.h, and says which of the nearly right answers is wanted.     */
#ifndef TESTS_LSTMS_H
#define TESTS_LSTMS_H

#include <stddef.h>

#include "gpu-kernels/infer.h"
#include "gpu-kernels/kind.h"
#include "gpu-kernels/lstm_net.h"

struct lstm {
    struct infer_lstm net;
    struct infer_net of; /* the same, as backends take it */
    uint32_t n_in;
    float *own[4 * INFER_LSTM_LAYERS + 2];
};

/* steps, n_step, vocab, layers, width, n_out, softmax are those of `shape`. */
struct lstm *lstm_make(const struct infer_lstm *shape, uint64_t seed);
struct lstm *lstm_make_any(uint32_t widest, uint64_t seed);
void lstm_free(struct lstm *l);

float *lstm_inputs(const struct lstm *l, uint32_t rows, uint64_t seed);
float *lstm_outputs(const struct lstm *l, uint32_t rows); /* poisoned, and beyond the end */
int lstm_overran(const struct lstm *l, uint32_t rows, const float *y);
size_t lstm_differ(const struct lstm *l, uint32_t rows, const float *a, const float *b);

void lstm_exact(const struct lstm *l, const float *x, double *y); /* of a row */
void lstm_canonical(const struct lstm *l, uint32_t rows, const float *x, float *y);

/* Packs, plans for at most `blocks` blocks, and gives every launch to `run`; memory that nothing
 * has written yet is NaN.  add and remove, if any, are told of what kernels may touch. */
struct lstm_machine {
    void *ctx;
    void (*run)(void *ctx, const struct kind *kind, const struct kind_launch *l);
    void (*add)(const void *at, size_t size);
    void (*remove)(const void *at);
};
void lstm_launch(const struct lstm *l, uint32_t rows, const float *x, float *y, uint32_t blocks,
                 const struct lstm_machine *on);

#endif
