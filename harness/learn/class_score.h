/* class_score.h - how good a classifier is, by what its runtime answers.
 *
 * Accuracy, the confusion matrix, a calibration curve (rows in ten bins of the
 * probability that the network gave to what it said: mean probability and
 * share that was right), the expected calibration error, and the importance of
 * every input: the accuracy lost when that input is permuted among the rows
 * (Breiman 2001), in one seeded order.
 *
 * A network of one output is a "yes" of that probability; of several, softmax
 * makes probabilities of them, or they are votes, each as probable as its share. */
#ifndef HARNESS_LEARN_CLASS_SCORE_H
#define HARNESS_LEARN_CLASS_SCORE_H

#include <stdio.h>

#include "gpu-kernels/infer.h"
#include "harness/learn/class_rows.h"
#include "sim/err.h"

#define CLASS_MAX    16
#define CLASS_INPUTS 64
#define CLASS_BINS   10

struct class_bin {
    size_t n;
    double said, right; /* means of the bin */
};

struct class_score {
    size_t rows;
    uint32_t classes, inputs;
    double accuracy, calibration_error;
    double majority; /* accuracy of always saying the most frequent class of these rows */
    uint64_t confusion[CLASS_MAX][CLASS_MAX]; /* [true][said] */
    struct class_bin bin[CLASS_BINS];
    double importance[CLASS_INPUTS]; /* accuracy lost; below 0: it did better without */
};

struct class_net {
    struct infer_model *model;
    uint32_t n_out; /* that are classes; what comes after them is left alone */
    bool votes;
};

/* Rows from .. from+n-1.  seed: of the permutations. */
int class_score(struct class_score *s, const struct class_net *net, const struct class_rows *rows,
                size_t from, size_t n, uint64_t seed, struct err *e) MUST_CHECK;

/* input[inputs], class_name[classes]: what they are called. */
void class_score_json(FILE *f, const struct class_score *s, const char *const *input,
                      const char *const *class_name);
void class_score_print(FILE *f, const struct class_score *s, const char *const *input,
                       const char *const *class_name);

#endif
