/* jobs_score.h - how good predictions of durations are, beside what needs no
 * forest: one duration for all, the owner's mean, its last job, and the mean of
 * its jobs of the same shape (the owner: the user, or where none is named the
 * virtual cluster).  What a baseline does not know yet it takes from the mean
 * of all.  The forest runs on the inference runtime, as for a policy.        */
#ifndef HARNESS_LEARN_JOBS_SCORE_H
#define HARNESS_LEARN_JOBS_SCORE_H

#include <stdio.h>

#include "gpu-kernels/infer.h"
#include "harness/learn/job_rows.h"
#include "harness/learn/train_score.h"

enum { JOBS_FOREST, JOBS_ALL, JOBS_OWNER, JOBS_LAST, JOBS_SHAPE, JOBS_PREDICTORS };

struct jobs_score {
    size_t rows;
    struct score by[JOBS_PREDICTORS];
    double covered;                   /* share of jobs within the quantile output */
    struct score_bin bin[SCORE_BINS]; /* log2 of 1 + seconds */
    double importance[DURATION_N];    /* mean absolute log error gained by shuffling a feature */
};

/* Rows from..from+n-1, known: those before. */
int jobs_score(struct jobs_score *s, struct infer_model *net, const struct job_rows *rows,
               size_t from, size_t n, size_t known, uint64_t seed, struct err *e) MUST_CHECK;
void jobs_score_print(FILE *f, const struct jobs_score *s);
void jobs_score_json(FILE *f, const struct jobs_score *s);

#endif
