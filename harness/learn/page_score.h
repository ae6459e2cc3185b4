/* page_score.h - how well a network foresees the warmth of pages, beside the
 * guess that every page stays as it was.                                     */
#ifndef HARNESS_LEARN_PAGE_SCORE_H
#define HARNESS_LEARN_PAGE_SCORE_H

#include <stdio.h>

#include "gpu-kernels/infer.h"
#include "harness/learn/page_rows.h"

enum { PAGE_WARMTHS = 4, PAGE_TENTHS = 10 };

struct page_score {
    size_t rows;
    double accuracy, error;           /* share of right bins; mean |expected - real| accesses */
    double stay_accuracy, stay_error; /* of the guess: the last period's */
    /* [real][foreseen]: none, 1..3 accesses, 4..15, more */
    size_t confusion[PAGE_WARMTHS][PAGE_WARMTHS];
    /* By the probability of the likeliest bin, in tenths: rows, mean of it, share right. */
    size_t sure_rows[PAGE_TENTHS];
    double sure_mean[PAGE_TENTHS], sure_right[PAGE_TENTHS];
    double importance[PLACE_STEPS]; /* accuracy that is lost when this step is permuted */
};

/* Rows from .. from + n - 1.  seed: of the permutations. */
int page_score(struct page_score *s, struct infer_model *net, const struct page_rows *rows,
               size_t from, size_t n, uint64_t seed, struct err *e) MUST_CHECK;
void page_score_json(FILE *f, const struct page_score *s);

#endif
