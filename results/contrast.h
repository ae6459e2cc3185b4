/* contrast.h - one metric, two settings, pair by pair: which is better, by
 * how much, and is it more than chance?
 *
 * Pairs share their seed.  What has no partner is left out and counted, so
 * that whoever prints the contrast can say so.                              */
#ifndef RESULTS_CONTRAST_H
#define RESULTS_CONTRAST_H

#include "results/cells.h"
#include "results/metric.h"
#include "results/stats.h"

enum verdict {
    VERDICT_NONE,   /* no pairs */
    VERDICT_ONE,    /* one pair, or all alike: nothing can be said about chance */
    VERDICT_SAME,   /* equal in every pair */
    VERDICT_UNSURE, /* the interval contains zero */
    VERDICT_BETTER, /* b is better than a */
    VERDICT_WORSE,
    VERDICT_DIFFERENT /* differs, and nobody said which way is better */
};

struct contrast {
    const struct metric *metric;
    struct paired pair;
    size_t unpaired_a, unpaired_b; /* trials without a partner of the same seed */
    size_t missing;                /* pairs where a side lacks the metric */
    size_t ejected_a, ejected_b;   /* trials in the pairs in which a policy was ejected */
    bool alike; /* the metric does not depend on the seed: n pairs that are one observation,
                   without an interval or a p-value */
    enum verdict verdict;
};

#define CONFIDENCE 0.95

/* family: how many comparisons are read together.  Intervals and p-values then
 * hold for all of them at once (Bonferroni), so that a verdict, its p-value
 * and its interval never disagree.                                          */
int contrast_cells(const struct cell *a, const struct cell *b, const struct metric *metric,
                   size_t family, struct contrast *out, struct err *e) MUST_CHECK;
/* "better: 12.3 % lower, significant (p = 0.004)" */
void contrast_words(const struct contrast *c, char *out, size_t size);
/* b / a: the geometric mean over pairs where it exists, else the ratio of the means. */
double contrast_ratio(const struct contrast *c);
/* Some cell has several seeds, and in none does any metric depend on the seed. */
bool contrast_seeds_alike(const struct cells *c, const struct metric_list *metrics);
bool trial_ejected(const struct result_trial *t);

#endif
