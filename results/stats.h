/* stats.h - statistics over trials: how sure may one be?
 *
 * Trials of one setting differ only in their seed, so a mean over trials has
 * a Student-t interval, and two policies run on the same seeds are compared
 * pair by pair, which cancels what the seeds have in common.
 *
 * Everything is sums, products, square roots and sim/dmath.h: degrees of
 * freedom are whole, which makes the incomplete beta function elementary, so
 * a printed p-value has the same digits on every machine.  NAN is "cannot be said"
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

/* The effect of a policy grows with the load that a seed draws, so where all
 * values are positive it is a ratio that the seeds have in common: the test
 * is then on log(b / a), and `change` is the geometric mean of b / a.       */
struct paired {
    size_t n;
    double mean_a, mean_b;
    double diff, lo, hi;                 /* mean of b - a and its interval */
    double change, change_lo, change_hi; /* of b / a; NAN when a value is not positive */
    double p;      /* paired t test, two-sided, of log(b / a), else of b - a; 1: every pair equal */
    double p_rank; /* Wilcoxon signed-rank, two-sided, of b - a */
};
void stats_paired(const double *a, const double *b, size_t n, double confidence,
                  struct paired *out);

/* Wilcoxon signed-rank test of differences d, two-sided.  Zeros are dropped,
 * ties share their mean rank.  Exact up to 200 differences (ties included),
 * the normal limit beyond.  1 when nothing is left.  NAN: out of memory.     */
double stats_wilcoxon(const double *d, size_t n);

#endif
