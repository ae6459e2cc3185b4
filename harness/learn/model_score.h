/* model_score.h - a length network beside what needs no network.
 *
 * The network runs on the inference runtime, so these are the very numbers
 * that a policy gets.  Baselines: one length for all (the mean log length of
 * the known rows), what the tenant's and what the prompt class's recent
 * answers were (features both), and the prompt itself, which says nothing
 * about the length but can be ranked by.                                    */
#ifndef HARNESS_LEARN_MODEL_SCORE_H
#define HARNESS_LEARN_MODEL_SCORE_H

#include <stdio.h>

#include "gpu-kernels/infer.h"
#include "harness/learn/train_rows.h"
#include "harness/learn/train_score.h"

enum { PREDICT_NET, PREDICT_ALL, PREDICT_TENANT, PREDICT_CLASS, PREDICT_PROMPT, PREDICTORS };

/* What is known before the first scored row. */
struct model_known {
    double mean_log;                 /* of length_log(tokens) */
    double edges[SCORE_CLASSES - 1]; /* quartiles */
};

struct model_score {
    size_t rows;
    struct model_known known;
    double covered; /* share of answers within the network's quantile output */
    struct score by[PREDICTORS];
    struct score_bin bin[SCORE_BINS]; /* the network's mean output, LENGTH_SCALE-ths of octaves */
    double importance[LENGTH_N];      /* octaves of mean absolute error gained by shuffling */
};

int model_known(struct model_known *k, const struct train_rows *rows, size_t n,
                struct err *e) MUST_CHECK;
/* LENGTH_N inputs, two outputs: x[n][LENGTH_N] into y[n][2]. */
int model_predict(struct infer_model *net, const float *x, size_t n, float *y,
                  struct err *e) MUST_CHECK;
/* seed: of the shuffles. */
int model_score(struct model_score *s, struct infer_model *net, const struct train_rows *rows,
                size_t from, size_t n, const struct model_known *known, uint64_t seed,
                struct err *e) MUST_CHECK;

void model_score_print(FILE *f, const struct model_score *s);
void model_score_json(FILE *f, const struct model_score *s);

#endif
