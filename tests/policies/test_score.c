/* Against worked examples of others: the rank correlations in SciPy's manual. */
#include <criterion/criterion.h>
#include <math.h>

#include "harness/learn/train_score.h"

static const double quartiles[3] = {10, 20, 30};

static struct score of(const double *p, const uint32_t *t, size_t n)
{
    struct score s;
    struct err e = {0};
    cr_assert_eq(score_rows(&s, p, t, n, quartiles, &e), 0);
    return s;
}

Test(score, kendall_is_scipys_with_ties_on_both_sides)
{
    const double p[] = {12, 2, 1, 12, 2};
    const uint32_t t[] = {1, 4, 7, 1, 0};
    cr_expect_float_eq(of(p, t, 5).kendall, -0.47140452079103173, 1e-12);
}

Test(score, spearman_is_scipys)
{
    const double p[] = {1, 2, 3, 4, 5};
    const uint32_t t[] = {5, 6, 7, 8, 7};
    cr_expect_float_eq(of(p, t, 5).spearman, 0.8207826816681233, 1e-12);
}

Test(score, kendall_by_merging_equals_kendall_by_all_pairs)
{
    enum { N = 300 };
    double p[N];
    uint32_t t[N], x = 12345;
    for (int i = 0; i < N; i++) {
        x = x * 1664525u + 1013904223u;
        p[i] = (double)(x >> 28);
        t[i] = (x >> 20 & 31) + (uint32_t)p[i];
    }
    double sum = 0, tp = 0, tt = 0;
    for (int i = 0; i < N; i++)
        for (int j = 0; j < i; j++) {
            int a = (p[i] > p[j]) - (p[i] < p[j]), b = (t[i] > t[j]) - (t[i] < t[j]);
            sum += a * b;
            tp += !a;
            tt += !b;
        }
    double all = N * (N - 1) / 2.0;
    cr_expect_float_eq(of(p, t, N).kendall, sum / sqrt((all - tp) * (all - tt)), 1e-12);
}

Test(score, errors_and_classes_by_hand)
{
    const double p[] = {0, 15, 35, 35};
    const uint32_t t[] = {1, 15, 31, 25};
    struct score s = of(p, t, 4);
    cr_expect_float_eq(s.mae, (1 + 0 + 4 + 10) / 4.0, 1e-12);
    cr_expect_float_eq(s.accuracy, 0.75, 1e-12);
    cr_expect_float_eq(s.top_precision, 0.5, 1e-12);
    cr_expect_float_eq(s.top_recall, 1, 1e-12);
    cr_expect_eq(s.confusion[2][3], 1);
    double a = log2(1.0 / 2), c = log2(36.0 / 32), d = log2(36.0 / 26);
    cr_expect_float_eq(s.log2_rmse, sqrt((a * a + c * c + d * d) / 4), 1e-12);
}

Test(score, a_constant_prediction_has_no_rank_correlation)
{
    const double p[] = {7, 7, 7};
    const uint32_t t[] = {1, 2, 3};
    cr_expect(isnan(of(p, t, 3).spearman));
    cr_expect(isnan(of(p, t, 3).kendall));
}

Test(score, edges_are_the_quartiles)
{
    uint32_t t[100];
    double edges[3];
    struct err e = {0};
    for (uint32_t i = 0; i < 100; i++)
        t[i] = 99 - i;
    cr_assert_eq(score_edges(edges, t, 100, &e), 0);
    cr_expect_eq(edges[0], 25);
    cr_expect_eq(edges[1], 50);
    cr_expect_eq(edges[2], 75);
    cr_expect_eq(score_edges(edges, t, 0, &e), ERR_ERANGE);
}
