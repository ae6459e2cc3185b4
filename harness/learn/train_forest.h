/* train_forest.h - boosts trees with XGBoost, where it is installed.
 *
 * malv-xgboost.so (forest_xgboost.c) is built where the header is and opened
 * beside the program, which otherwise runs without it.  One thread, a seed, no
 * subsampling: the same rows and options give the same bytes with one version
 * of XGBoost, which provenance files name.  Gradients are ours, of one loss or
 * the other; rounds end when the validation rows have not gained for
 * `patience` of them, and those after the best are cut off.                  */
#ifndef HARNESS_LEARN_TRAIN_FOREST_H
#define HARNESS_LEARN_TRAIN_FOREST_H

#include <stdbool.h>

#include "harness/learn/model_file_forest.h"

struct forest_task {
    uint32_t n_in;
    const float *x, *y;  /* rows of n_in; NaN is missing */
    size_t train, valid; /* rows 0..train-1 are fitted, the next `valid` decide when to stop */
    double quantile;     /* of y; 0: its mean */
    uint32_t rounds, patience, depth;
    double rate, child; /* child: rows that a leaf needs, at least */
    uint64_t seed;
};

struct forest_fit {
    uint32_t rounds, best; /* run; kept */
    double valid_loss;     /* of those kept: mean squared error, or pinball loss */
    char version[16];      /* of XGBoost */
};

/* What the shared object exports, by this name. */
struct forest_xgboost {
    /* json: XGBoost's own, from malloc.  0, or -1 with a sentence in why[0..n). */
    int (*train)(const struct forest_task *t, struct forest_fit *fit, char **json, size_t *size,
                 char *why, size_t n);
};
#define FOREST_XGBOOST_LIBRARY "malv-xgboost.so"
#define FOREST_XGBOOST_SYMBOL  "malv_xgboost"

bool train_forest_possible(void);
int train_forest(const struct forest_task *t, struct forest_fit *fit, struct model_forest **m,
                 struct err *e) MUST_CHECK;

/* The outputs of several forests of one output as one forest; inputs and transform are theirs. */
int train_forest_join(struct model_forest *const *one, uint32_t n, struct model_forest **all,
                      struct err *e) MUST_CHECK;

#endif
