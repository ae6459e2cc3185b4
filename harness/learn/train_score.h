/* train_score.h - how good predictions of answer lengths are.
 *
 * Scheduling needs the order more than the value, so rank correlations stand
 * beside the errors.  Classes cut the true lengths at the given edges (the
 * quartiles of the training rows); the top class is the longest.            */
#ifndef HARNESS_LEARN_TRAIN_SCORE_H
#define HARNESS_LEARN_TRAIN_SCORE_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "sim/err.h"
#include "sim/rng.h"

#define SCORE_CLASSES 4
#define SCORE_BINS    10

struct score {
    double mae;                       /* mean absolute error, tokens */
    double log2_rmse;                 /* root mean square of log2((1 + predicted) / (1 + true)) */
    double spearman, kendall;         /* NaN when either side is constant; ties as in tau-b */
    double accuracy;                  /* of the class */
    double top_precision, top_recall; /* of the longest class; NaN: none said, none there */
    uint64_t confusion[SCORE_CLASSES][SCORE_CLASSES]; /* [true][predicted] */
};

/* predicted: tokens.  edges: ascending, a length above edge[k] is past class k. */
int score_rows(struct score *s, const double *predicted, const uint32_t *tokens, size_t n,
               const double edges[SCORE_CLASSES - 1], struct err *e) MUST_CHECK;
int score_edges(double edges[SCORE_CLASSES - 1], const uint32_t *tokens, size_t n,
                struct err *e) MUST_CHECK;

/* Whether what is predicted is what comes: rows by rank of the prediction, a bin for an even part
 * of them.  predicted[i * stride] and was[i] belong together. */
struct score_bin {
    double predicted, was; /* means */
};
int score_calibration(struct score_bin *bin, size_t bins, const float *predicted, size_t stride,
                      const float *was, size_t n, struct err *e) MUST_CHECK;

/* What each input is worth (Breiman 2001): by how much the error grows when it is permuted among
 * the rows, in an order of its own that seed and component draw.  x[n][n_in], gain[n_in]; `of` says
 * how wrong the answers to other inputs of the same rows are, by `plain` those to x itself. */
typedef int score_error(void *ctx, const float *x, double *error, struct err *e);
struct score_inputs {
    const float *x;
    size_t n;
    uint32_t n_in;
    const char *component;
    uint64_t seed;
    score_error *of;
    void *ctx;
    double plain;
};
int score_importance(double *gain, const struct score_inputs *s, struct err *e) MUST_CHECK;
void score_shuffle(uint32_t *order, size_t n, struct rng *r); /* 0..n-1 */

/* ", "KEY": [..]": numbers; bins as pairs of predicted and real, each times unit. */
void score_put_numbers(FILE *f, const char *key, const double *v, size_t n);
void score_put_bins(FILE *f, const char *key, const struct score_bin *bin, double unit);

#endif
