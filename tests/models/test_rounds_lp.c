/* Linear programs: small ones whose answer is known, those without one, and what is no program. */
#include <criterion/criterion.h>
#include <math.h>

#include "models/rounds/lp.h"
#include "sim/rng.h"

#define LP(rows_, cols_, n_, gain_, most_, row_, col_, value_)                                     \
    &(struct policy_lp)                                                                            \
    {                                                                                              \
        .rows = rows_, .cols = cols_, .entries = n_, .gain = gain_, .most = most_, .row = row_,    \
        .col = col_, .value = value_                                                               \
    }

/* max 3x + 5y, x <= 4, 2y <= 12, 3x + 2y <= 18: (2, 6); Hillier and Lieberman's first example. */
static const double gain[] = {3, 5}, most[] = {4, 12, 18}, value[] = {1, 2, 3, 2};
static const uint32_t row[] = {0, 1, 2, 2}, col[] = {0, 1, 0, 1};

Test(rounds_lp, a_textbook_s_first_example)
{
    double x[2] = {0};
    cr_assert_eq(lp_solve(LP(3, 2, 4, gain, most, row, col, value), x), 0);
    cr_expect_eq(x[0], 2);
    cr_expect_eq(x[1], 6);
}

Test(rounds_lp, no_answer_is_said_to_be_none)
{
    static const double below[] = {-1, 1, 1}; /* x <= -1, x >= 0 */
    double x[2] = {7, 7};
    cr_expect_eq(lp_solve(LP(3, 2, 4, gain, below, row, col, value), x), 1);
    cr_expect_eq(lp_solve(LP(1, 2, 1, gain, most, row, col, value), x), 1, "y has no end");
}

Test(rounds_lp, what_is_no_program_is_refused)
{
    static const uint32_t far[] = {0, 1, 3, 2}, twice[] = {0, 1, 1, 1};
    static const double nan_gain[] = {3, NAN}, inf_most[] = {4, INFINITY, 18};
    double x[2];
    cr_expect_eq(lp_solve(LP(3, 2, 4, gain, most, far, col, value), x), -1, "a row too far");
    cr_expect_eq(lp_solve(LP(3, 2, 4, gain, most, row, far, value), x), -1, "a column too far");
    cr_expect_eq(lp_solve(LP(3, 2, 4, gain, most, twice, twice, value), x), -1, "one place twice");
    cr_expect_eq(lp_solve(LP(3, 2, 4, nan_gain, most, row, col, value), x), -1, "no number");
    cr_expect_eq(lp_solve(LP(3, 2, 4, gain, inf_most, row, col, value), x), -1, "no end");
    cr_expect_eq(lp_solve(LP(0, 2, 0, gain, most, row, col, value), x), -1, "no rows");
    cr_expect_eq(lp_solve(LP(3, POLICY_LP_MAX + 1, 4, gain, most, row, col, value), x), -1);
    cr_expect_eq(lp_solve(LP(3, 2, 4, gain, most, row, col, value), x), 0, "and goes on");
}

/* One row sum(w x) <= 1, x <= 1 each: the best fills what is worth most by weight (the fractional
 * knapsack). */
Test(rounds_lp, knapsacks_of_any_size)
{
    enum { N = 40 };
    struct rng r;
    rng_init(&r, 1, "test", "lp");
    for (int round = 0; round < 50; round++) {
        double worth[N], weight[N], cap[N + 1], v[2 * N], x[N];
        uint32_t at[2 * N], in[2 * N];
        for (int i = 0; i < N; i++) {
            worth[i] = 1 + rng_unit(&r);
            weight[i] = 0.01 + rng_unit(&r);
            cap[i] = 1;
            at[i] = in[i] = in[N + i] = (uint32_t)i;
            at[N + i] = N;
            v[i] = 1;
            v[N + i] = weight[i];
        }
        cap[N] = 1;
        cr_assert_eq(lp_solve(LP(N + 1, N, 2 * N, worth, cap, at, in, v), x), 0);
        double left = 1, want = 0, got = 0;
        bool used[N] = {0};
        for (int k = 0; k < N; k++) {
            int best = -1;
            for (int i = 0; i < N; i++)
                if (!used[i] && (best < 0 || worth[i] / weight[i] > worth[best] / weight[best]))
                    best = i;
            const double take = left < weight[best] ? left / weight[best] : 1;
            used[best] = true;
            want += take * worth[best];
            left -= take * weight[best];
            got += x[k] * worth[k];
        }
        cr_expect_float_eq(got, want, 1e-7);
    }
}
