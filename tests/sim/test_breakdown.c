/* Against all the totals, sorted. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>

#include "sim/breakdown.h"
#include "sim/rng.h"

#define N 20000

struct sample {
    uint64_t total, part[3];
};

static int by_total(const void *a, const void *b)
{
    const struct sample *x = a, *y = b;
    return x->total < y->total ? -1 : x->total > y->total;
}

static struct sample *drawn(struct breakdown *b)
{
    struct rng r;
    rng_init(&r, 7, "test", "breakdown");
    struct sample *s = calloc(N, sizeof *s);
    cr_assert_not_null(s);
    for (int i = 0; i < N; i++) {
        s[i].part[0] = rng_below(&r, 50);
        s[i].part[1] = (uint64_t)rng_lognormal(&r, 10, 3);
        s[i].part[2] = i % 3 ? 0 : rng_below(&r, UINT64_C(1) << 40);
        s[i].total = s[i].part[0] + s[i].part[1] + s[i].part[2];
        breakdown_add(b, s[i].part);
    }
    qsort(s, N, sizeof *s, by_total);
    return s;
}

Test(breakdown, the_whole_is_exact)
{
    struct breakdown b = {.parts = 3};
    struct sample *s = drawn(&b);
    uint64_t sum[3], want[3] = {0};
    for (int i = 0; i < N; i++)
        for (int k = 0; k < 3; k++)
            want[k] += s[i].part[k];
    cr_expect_eq(breakdown_from(&b, 0, sum), N);
    cr_expect_arr_eq(sum, want, sizeof want);
    breakdown_free(&b);
    free(s);
}

/* What is added up is everything from the rank on, and of its bucket at most 1.6 % below it. */
Test(breakdown, a_tail_begins_at_the_rank_or_a_bucket_before)
{
    static const double q[] = {0.001, 0.25, 0.5, 0.9, 0.99, 0.9999, 1};
    struct breakdown b = {.parts = 3};
    struct sample *s = drawn(&b);
    for (size_t i = 0; i < sizeof q / sizeof *q; i++) {
        uint64_t sum[3], want = 0, got = 0, n = breakdown_from(&b, q[i], sum);
        const int rank = (int)ceil(q[i] * N);
        cr_expect_geq(n, (uint64_t)(N - rank + 1), "%g", q[i]);
        for (uint64_t k = N - n; k < N; k++)
            want += s[k].total;
        for (int k = 0; k < 3; k++)
            got += sum[k];
        cr_expect_eq(got, want, "%g: %lu of %lu", q[i], got, want);
        cr_expect_geq((double)s[N - n].total, (double)s[rank - 1].total / (1 + 1 / 64.), "%g",
                      q[i]);
    }
    breakdown_free(&b);
    free(s);
}

Test(breakdown, extremes)
{
    struct breakdown b = {.parts = 2};
    uint64_t sum[2], part[2] = {0, 0};
    cr_expect_eq(breakdown_from(&b, 0.99, sum), 0);
    breakdown_add(&b, part);
    part[1] = UINT64_MAX;
    breakdown_add(&b, part);
    cr_expect_eq(breakdown_from(&b, 1, sum), 1);
    cr_expect_eq(sum[1], UINT64_MAX);
    cr_expect_eq(breakdown_from(&b, 0, sum), 2);
    breakdown_free(&b);
}
