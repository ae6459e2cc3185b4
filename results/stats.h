/* stats.h - statistics over trials: how sure may one be?
 *
 * Trials of one setting differ only in their seed, so a mean over trials has
 * a Student-t interval, and two policies run on the same seeds are compared
 * pair by pair, which cancels what the seeds have in common.
 *
 * Everything is sums, products and square roots: degrees of freedom are
 * whole, which makes the incomplete beta function elementary, so a printed
 * p-value has the same digits on every machine.  NAN is "cannot be said"
 * (an interval from one trial).                                             */
#ifndef RESULTS_STATS_H
#define RESULTS_STATS_H

#include <stddef.h>

/* P(|T| >= |t|) of Student's t with df >= 1; accurate far into the tails. */
double stats_t_tail(double t, unsigned df);
/* The t that T stays within with probability `confidence` (0..1) on both sides. */
double stats_t_width(double confidence, unsigned df);

struct summary {
    size_t n;
    double mean, sd, min, max; /* sd: of the sample, n - 1 */
    double lo, hi;             /* confidence interval of the mean; NAN when n < 2 */
};
void stats_summary(const double *x, size_t n, double confidence, struct summary *out);

struct paired {
    size_t n;
    double mean_a, mean_b;
    double ratio;        /* mean_b / mean_a; NAN when mean_a is 0 */
    double diff, lo, hi; /* mean of b - a and its interval */
    double p;            /* paired t test, two-sided; 1 when every pair is equal */
    double p_rank;       /* Wilcoxon signed-rank, two-sided */
};
void stats_paired(const double *a, const double *b, size_t n, double confidence,
                  struct paired *out);

/* Wilcoxon signed-rank test of differences d, two-sided.  Zeros are dropped,
 * ties share their mean rank.  Exact up to 200 differences (ties included),
 * the normal limit beyond.  1 when nothing is left.  NAN: out of memory.     */
double stats_wilcoxon(const double *d, size_t n);

/* Holm's step-down: p-values, in place, such that calling all those below
 * alpha significant is wrong anywhere with probability at most alpha.       */
void stats_holm(double *p, size_t n);

#endif
