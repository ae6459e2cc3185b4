/* Against what others published: t tables, the sleep data of Student (1908),
 * and the signed-rank example of Hollander and Wolfe.                                 */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <math.h>

#include "results/stats.h"

/* NIST/SEMATECH e-Handbook of Statistical Methods, table 1.3.6.7.2: upper
 * critical values of Student's t at 0.10, 0.05, 0.025, 0.01, 0.005, 0.001.   */
static const struct {
    unsigned df;
    double t[6];
} table[] = {
    {1, {3.078, 6.314, 12.706, 31.821, 63.657, 318.313}},
    {2, {1.886, 2.920, 4.303, 6.965, 9.925, 22.327}},
    {3, {1.638, 2.353, 3.182, 4.541, 5.841, 10.215}},
    {4, {1.533, 2.132, 2.776, 3.747, 4.604, 7.173}},
    {5, {1.476, 2.015, 2.571, 3.365, 4.032, 5.893}},
    {9, {1.383, 1.833, 2.262, 2.821, 3.250, 4.297}},
    {10, {1.372, 1.812, 2.228, 2.764, 3.169, 4.143}},
    {29, {1.311, 1.699, 2.045, 2.462, 2.756, 3.396}},
    {60, {1.296, 1.671, 2.000, 2.390, 2.660, 3.232}},
    {100, {1.290, 1.660, 1.984, 2.364, 2.626, 3.174}},
    {1000000, {1.282, 1.645, 1.960, 2.326, 2.576, 3.090}}, /* the normal limit */
};
static const double upper[6] = {0.10, 0.05, 0.025, 0.01, 0.005, 0.001};

ParameterizedTestParameters(stats, t_matches_the_published_table)
{
    static int row[sizeof table / sizeof *table];
    for (size_t i = 0; i < sizeof row / sizeof *row; i++)
        row[i] = (int)i;
    return cr_make_param_array(int, row, sizeof row / sizeof *row);
}

ParameterizedTest(int *row, stats, t_matches_the_published_table)
{
    for (int i = 0; i < 6; i++) {
        const double t = table[*row].t[i], ours = stats_t_width(1 - 2 * upper[i], table[*row].df);
        cr_expect_lt(fabs(ours - t), t > 100 ? 0.006 : 0.00101, "df %u: %.6f, table %.3f",
                     table[*row].df, ours, t);
        cr_expect_float_eq(stats_t_tail(ours, table[*row].df), 2 * upper[i], 1e-12);
    }
}

Test(stats, t_tails_have_their_closed_forms)
{
    /* df 1 is Cauchy, df 2 is algebraic; far tails keep their relative accuracy. */
    for (double t = 0.001; t < 1e6; t *= 3) {
        const double cauchy = 2 * atan(1 / t) / 3.14159265358979323846;
        const double root = sqrt(2 + t * t), two = 2 / (root * (root + t));
        cr_expect_float_eq(stats_t_tail(t, 1) / cauchy, 1, 1e-12, "t %g", t);
        cr_expect_float_eq(stats_t_tail(t, 2) / two, 1, 1e-12, "t %g", t);
    }
    cr_expect_eq(stats_t_tail(0, 7), 1);
    cr_expect_eq(stats_t_tail(INFINITY, 7), 0);
}

/* Student (1908), The probable error of a mean: extra hours of sleep under two
 * drugs, ten patients.  R's documentation (?sleep) prints the same paired test:
 * t = 4.0621, df = 9, p = 0.002833, mean 1.58, 95 % 0.7001142 .. 2.4598858.   */
static const double drug_a[10] = {0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0};
static const double drug_b[10] = {1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4};

Test(stats, students_sleep_data)
{
    struct paired p;
    stats_paired(drug_a, drug_b, 10, 0.95, &p);
    cr_expect_float_eq(p.mean_a, 0.75, 1e-12);
    cr_expect_float_eq(p.mean_b, 2.33, 1e-12);
    cr_expect_float_eq(p.diff, 1.58, 1e-12);
    cr_expect_float_eq(p.lo, 0.7001142, 5e-8);
    cr_expect_float_eq(p.hi, 2.4598858, 5e-8);
    cr_expect_float_eq(p.p, 0.002833, 5e-7);
}

/* Hollander & Wolfe (1973), Nonparametric Statistical Methods, p. 29: nine
 * depression scores, as in R's ?wilcox.test: V = 40, one-sided p = 0.01953.   */
Test(stats, wilcoxon_of_hollander_and_wolfe)
{
    const double first[9] = {1.83, 0.50, 1.62, 2.48, 1.68, 1.88, 1.55, 3.06, 1.30};
    const double second[9] = {0.878, 0.647, 0.598, 2.05, 1.06, 1.29, 1.06, 3.14, 1.29};
    double d[9];
    for (int i = 0; i < 9; i++)
        d[i] = first[i] - second[i];
    cr_expect_float_eq(stats_wilcoxon(d, 9), 2 * 0.01953125, 1e-12);
}

Test(stats, wilcoxon_by_hand)
{
    const double up[5] = {1, 2, 3, 4, 5}, tied[4] = {1, -1, 1, 1}, none[3] = {0, 0, 0};
    cr_expect_float_eq(stats_wilcoxon(up, 5), 2.0 / 32, 1e-15);
    /* every rank is 2.5: the sum of the minus side is 2.5 or less in 1 + 4 of 16 */
    cr_expect_float_eq(stats_wilcoxon(tied, 4), 10.0 / 16, 1e-15);
    cr_expect_eq(stats_wilcoxon(none, 3), 1);
}

Test(stats, wilcoxon_exact_and_normal_meet)
{
    double d[201];
    for (int i = 0; i < 201; i++)
        d[i] = (i % 5 < 2 ? -1.0 : 1.0) * (i + 1);
    d[200] = 0.5; /* the least of all: it changes next to nothing */
    const double exact = stats_wilcoxon(d, 200), normal = stats_wilcoxon(d, 201);
    cr_expect(exact > 0 && exact < 0.01, "exact %g", exact);
    cr_expect_float_eq(normal / exact, 1, 0.1, "exact %g normal %g", exact, normal);
}

/* Positive values are compared as ratios: a tenth less in every pair is certain,
 * whatever the scale of the pair, and the test is Student's on the logarithms. */
Test(stats, positive_pairs_are_compared_as_ratios)
{
    const double a[4] = {1, 10, 100, 1000}, b[4] = {0.9, 9, 90, 900}, c[4] = {2, 5, 200, 500};
    struct paired p;
    stats_paired(a, b, 4, 0.95, &p);
    cr_expect_float_eq(p.change, 0.9, 1e-12);
    cr_expect_lt(p.p, 1e-12);
    cr_expect(p.lo < 0 && p.hi > 0, "the differences alone would show nothing");
    stats_paired(a, c, 4, 0.95, &p); /* logs of 2, 1/2, 2, 1/2: mean 0 */
    cr_expect_float_eq(p.change, 1, 1e-12);
    cr_expect_float_eq(p.p, 1, 1e-12);
    /* sd of the logs is ln 2 * sqrt(4/3), the table's t for 3 degrees of freedom 3.182 */
    cr_expect_float_eq(p.change_hi, exp(3.182 * log(2) * sqrt(4.0 / 3) / 2), 0.001);
}

Test(stats, one_trial_has_no_interval)
{
    struct summary s;
    const double x = 3, y = 4;
    stats_summary(&x, 1, 0.95, &s);
    cr_expect_eq(s.mean, 3);
    cr_expect(isnan(s.lo) && isnan(s.hi) && isnan(s.sd));
    struct paired p;
    stats_paired(&x, &y, 1, 0.95, &p);
    cr_expect_eq(p.diff, 1);
    cr_expect(isnan(p.p) && isnan(p.lo));
}

Test(stats, differences_that_never_vary)
{
    const double a[3] = {0, 2, 3}, b[3] = {1, 3, 4};
    struct paired p;
    stats_paired(a, a, 3, 0.95, &p);
    cr_expect_eq(p.p, 1);
    stats_paired(a, b, 3, 0.95, &p);
    cr_expect_eq(p.p, 0);
    cr_expect(p.lo == 1 && p.hi == 1);
}
