#include "results/stats.h"

#include <assert.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

#include "sim/dmath.h"

/* ---- Student's t ------------------------------------------------------------ */

static double power(double x, unsigned n)
{
    double r = 1;
    for (; n; n >>= 1, x *= x)
        if (n & 1)
            r *= x;
    return r;
}

/* B(df/2, 1/2) by B(a+1, b) = B(a, b) a/(a+b), from B(1/2, 1/2) = pi and B(1, 1/2) = 2. */
static double beta_half(unsigned df)
{
    double b = df % 2 ? 3.14159265358979323846 : 2.0;
    for (double a = df % 2 ? 0.5 : 1.0; a < df / 2.0; a += 1)
        b *= a / (a + 0.5);
    return b;
}

/* The continued fraction of the incomplete beta function (DLMF 8.17.22),
 * evaluated front to back (Lentz).  Converges fast for x < (a+1)/(a+b+2).    */
static double beta_fraction(double a, double b, double x)
{
    const double tiny = 1e-300;
    double c = 1, d = 1 - (a + b) * x / (a + 1);
    d = 1 / (fabs(d) < tiny ? tiny : d);
    double h = d;
    for (int m = 1; m < 100000; m++) {
        const double even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
        const double odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
        const double term[2] = {even, odd};
        double step = 1;
        for (int i = 0; i < 2; i++) {
            d = 1 + term[i] * d;
            d = 1 / (fabs(d) < tiny ? tiny : d);
            c = 1 + term[i] / c;
            c = fabs(c) < tiny ? tiny : c;
            step = c * d;
            h *= step;
        }
        if (fabs(step - 1) < 1e-16)
            break;
    }
    return h;
}

double stats_t_tail(double t, unsigned df)
{
    assert(df >= 1);
    if (isnan(t))
        return NAN;
    if (isinf(t))
        return 0;
    const double a = df / 2.0, sum = df + t * t, x = df / sum, y = t * t / sum;
    const double front = power(sqrt(x), df) * sqrt(y) / beta_half(df);
    if (x < (a + 1) / (a + 2.5))
        return front * beta_fraction(a, 0.5, x) / a;
    return 1 - front * beta_fraction(0.5, a, y) / 0.5;
}

double stats_t_width(double confidence, unsigned df)
{
    assert(confidence > 0 && confidence < 1);
    const double tail = 1 - confidence;
    double lo = 0, hi = 1;
    while (stats_t_tail(hi, df) > tail && hi < 1e12)
        hi *= 2;
    for (int i = 0; i < 100 && lo < hi; i++) { /* the tail falls with t: halve until it settles */
        const double mid = lo + (hi - lo) / 2;
        if (mid <= lo || mid >= hi)
            break;
        if (stats_t_tail(mid, df) > tail)
            lo = mid;
        else
            hi = mid;
    }
    return hi;
}

/* ---- samples ---------------------------------------------------------------- */

void stats_summary(const double *x, size_t n, double confidence, struct summary *out)
{
    *out = (struct summary){.n = n, NAN, NAN, NAN, NAN, NAN, NAN};
    if (!n)
        return;
    double sum = 0, square = 0;
    out->min = out->max = x[0];
    for (size_t i = 0; i < n; i++) {
        sum += x[i];
        out->min = fmin(out->min, x[i]);
        out->max = fmax(out->max, x[i]);
    }
    out->mean = sum / (double)n;
    if (n < 2)
        return;
    for (size_t i = 0; i < n; i++)
        square += (x[i] - out->mean) * (x[i] - out->mean);
    out->sd = sqrt(square / (double)(n - 1));
    const double half = stats_t_width(confidence, (unsigned)(n - 1)) * out->sd / sqrt((double)n);
    out->lo = out->mean - half;
    out->hi = out->mean + half;
}

/* A standard error of zero is no doubt at all: either all pairs are equal or
 * all differ by the very same amount.                                       */
static double t_test(const struct summary *d)
{
    if (d->n < 2)
        return NAN;
    if (d->sd == 0)
        return d->mean == 0 ? 1 : 0;
    return stats_t_tail(d->mean / (d->sd / sqrt((double)d->n)), (unsigned)(d->n - 1));
}

/* The log ratios, where they exist; false otherwise. */
static bool log_ratios(const double *a, const double *b, size_t n, double *d)
{
    for (size_t i = 0; i < n; i++) {
        if (!(a[i] > 0 && b[i] > 0))
            return false;
        d[i] = a[i] == b[i] ? 0 : dmath_log(b[i] / a[i]);
    }
    return n > 0;
}

void stats_paired(const double *a, const double *b, size_t n, double confidence, struct paired *out)
{
    struct summary sa, sb, sd;
    stats_summary(a, n, confidence, &sa);
    stats_summary(b, n, confidence, &sb);
    double *d = malloc((n ? n : 1) * sizeof *d);
    *out = (struct paired){.n = n, .mean_a = sa.mean, .mean_b = sb.mean, .p = NAN, .p_rank = NAN};
    out->diff = out->lo = out->hi = out->change = out->change_lo = out->change_hi = NAN;
    if (!d)
        return;
    for (size_t i = 0; i < n; i++)
        d[i] = b[i] - a[i];
    stats_summary(d, n, confidence, &sd);
    out->diff = sd.mean;
    out->lo = sd.lo;
    out->hi = sd.hi;
    out->p = t_test(&sd);
    out->p_rank = n < 2 ? NAN : stats_wilcoxon(d, n);
    if (log_ratios(a, b, n, d)) {
        stats_summary(d, n, confidence, &sd);
        out->change = dmath_exp(sd.mean);
        out->change_lo = n < 2 ? NAN : dmath_exp(sd.lo);
        out->change_hi = n < 2 ? NAN : dmath_exp(sd.hi);
        out->p = t_test(&sd);
    }
    free(d);
}

/* ---- ranks ------------------------------------------------------------------ */

#define WILCOXON_EXACT 200

static int by_size(const void *a, const void *b)
{
    const double x = fabs(*(const double *)a), y = fabs(*(const double *)b);
    return (x > y) - (x < y);
}

/* Fills twice the rank of every |d| (d sorted by size), so that the mean rank
 * of a tie is whole; returns twice the rank sum of the positive ones.        */
static size_t double_ranks(const double *d, size_t n, size_t *rank2)
{
    size_t positive = 0;
    for (size_t i = 0, end; i < n; i = end) {
        for (end = i + 1; end < n && fabs(d[end]) == fabs(d[i]);)
            end++;
        for (size_t k = i; k < end; k++) {
            rank2[k] = i + 1 + end; /* 2 * ((i + 1) + end) / 2 */
            positive += d[k] > 0 ? rank2[k] : 0;
        }
    }
    return positive;
}

/* P(rank sum <= w2 / 2) when every sign is a fair coin: the distribution is
 * built one difference at a time.                                           */
static double rank_sum_below(const size_t *rank2, size_t n, size_t w2)
{
    const size_t top = n * (n + 1);
    double *prob = calloc(top + 1, sizeof *prob);
    if (!prob)
        return NAN;
    prob[0] = 1;
    for (size_t i = 0; i < n; i++)
        for (size_t w = top + 1; w-- > 0;)
            prob[w] = 0.5 * (prob[w] + (w >= rank2[i] ? prob[w - rank2[i]] : 0));
    double sum = 0;
    for (size_t w = 0; w <= w2; w++)
        sum += prob[w];
    free(prob);
    return sum;
}

static double rank_normal(const size_t *rank2, size_t n, size_t w2)
{
    double var = 0;
    for (size_t i = 0; i < n; i++)
        var += (double)rank2[i] * (double)rank2[i] / 4;
    const double middle = (double)n * (double)(n + 1) / 2;
    const double gap = fmax(0, middle - (double)w2 - 1); /* w2 counts halves: 1 is half a rank */
    return stats_t_tail(gap / sqrt(var), 1000000);       /* t with that many is normal to 1e-6 */
}

double stats_wilcoxon(const double *d, size_t n)
{
    double *left = malloc((n ? n : 1) * sizeof *left);
    size_t *rank2 = malloc((n ? n : 1) * sizeof *rank2), m = 0;
    double p = NAN;
    if (left && rank2) {
        for (size_t i = 0; i < n; i++)
            if (d[i] != 0)
                left[m++] = d[i];
        qsort(left, m, sizeof *left, by_size);
        const size_t up = double_ranks(left, m, rank2), all = m * (m + 1);
        const size_t small = up < all - up ? up : all - up;
        if (!m)
            p = 1;
        else if (m <= WILCOXON_EXACT)
            p = fmin(1, 2 * rank_sum_below(rank2, m, small));
        else
            p = rank_normal(rank2, m, small);
    }
    free(left);
    free(rank2);
    return p;
}
