/* Against sorted samples: every quantile within the stated error. */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <math.h>
#include <stdlib.h>

#include "sim/dmath.h"
#include "sim/err.h"
#include "sim/rng.h"
#include "sim/sketch.h"
#include "tests/sanitized.h"

#define N 50000

static double d_lognormal(struct rng *r)
{
    return rng_lognormal(r, 3, 2);
}
static double d_pareto(struct rng *r)
{
    return rng_pareto(r, 0.6, 1e-3);
}
static double d_tied(struct rng *r)
{
    return (double)rng_below(r, 4) * 2.5;
}
static double d_constant(struct rng *r)
{
    return 7 + 0 * rng_unit(r);
}
static double d_wide(struct rng *r)
{
    return exp(rng_unit(r) * 50 - 18);
}

static const struct sample {
    const char *name;
    double (*draw)(struct rng *);
    int n;
} samples[] = {{"lognormal", d_lognormal, N}, {"pareto", d_pareto, N}, {"tied", d_tied, N},
               {"constant", d_constant, N},   {"wide", d_wide, N},     {"three", d_wide, 3},
               {"one", d_lognormal, 1}};

ParameterizedTestParameters(sketch, quantiles_are_within_the_stated_error)
{
    static size_t index[sizeof samples / sizeof *samples];
    for (size_t i = 0; i < sizeof samples / sizeof *samples; i++)
        index[i] = i;
    return cr_make_param_array(size_t, index, sizeof samples / sizeof *samples);
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

ParameterizedTest(size_t *index, sketch, quantiles_are_within_the_stated_error)
{
    const struct sample *sm = &samples[*index];
    struct sketch *s = sketch_new(false), *x = sketch_new(true);
    double *v = calloc((size_t)sm->n, sizeof *v);
    struct rng r;
    rng_init(&r, 1, "test", sm->name);
    for (int i = 0; i < sm->n; i++) {
        v[i] = sm->draw(&r);
        sketch_add(s, v[i]);
        sketch_add(x, v[i]);
    }
    qsort(v, (size_t)sm->n, sizeof *v, by_value);
    for (int k = 0; k <= 1000; k++) {
        double q = k / 1000.0;
        int rank = (int)ceil(q * sm->n);
        double want = v[rank < 1 ? 0 : rank - 1];
        double got = sketch_quantile(s, q);
        cr_expect(fabs(got - want) <= want * SKETCH_ERROR * (1 + 1e-9), "%s q %g: %g, want %g",
                  sm->name, q, got, want);
        cr_expect_eq(sketch_quantile(x, q), want);
    }
    cr_expect_eq(sketch_count(s), (uint64_t)sm->n);
    cr_expect_eq(sketch_min(s), v[0]);
    cr_expect_eq(sketch_max(s), v[sm->n - 1]);
    sketch_free(s);
    sketch_free(x);
    free(v);
}

Test(sketch, sum_is_exact_where_naive_addition_is_not)
{
    struct sketch *s = sketch_new(false);
    sketch_add(s, 1e16);
    for (int i = 0; i < 1000; i++)
        sketch_add(s, 1);
    cr_expect_eq(sketch_sum(s), 1e16 + 1000);
    sketch_free(s);
}

Test(sketch, zero_tiny_and_huge_values_count)
{
    struct sketch *s = sketch_new(false);
    cr_expect_eq(sketch_quantile(s, 0.5), 0);
    cr_expect_eq(sketch_mean(s), 0);
    for (int i = 0; i < 50; i++)
        sketch_add(s, 0);
    for (int i = 0; i < 50; i++)
        sketch_add(s, 1e300);
    cr_expect_eq(sketch_quantile(s, 0.4), 0);
    cr_expect_eq(sketch_quantile(s, 0.6), 1e300);
    cr_expect_eq(sketch_count(s), 100);
    sketch_free(s);
}

struct flat {
    double value[200];
    uint64_t count[200];
    int n;
};

static void flatten(void *ctx, double value, uint64_t count)
{
    struct flat *f = ctx;
    if (f->n == 200)
        return;
    f->value[f->n] = value;
    f->count[f->n++] = count;
}

static void expect_same(const struct sketch *a, const struct sketch *b)
{
    struct flat fa = {.n = 0}, fb = {.n = 0};
    sketch_each(a, flatten, &fa);
    sketch_each(b, flatten, &fb);
    cr_expect_eq(sketch_count(a), sketch_count(b));
    cr_expect_eq(sketch_sum(a), sketch_sum(b));
    cr_expect_eq(fa.n, fb.n);
    for (int i = 0; i < fa.n; i++) {
        cr_expect_eq(fa.value[i], fb.value[i]);
        cr_expect_eq(fa.count[i], fb.count[i]);
    }
}

static const bool modes[] = {false, true};

ParameterizedTestParameters(sketch, merging_equals_adding_together)
{
    return cr_make_param_array(bool, (void *)modes, 2);
}

ParameterizedTest(bool *exact, sketch, merging_equals_adding_together)
{
    struct sketch *part[3], *all = sketch_new(*exact);
    struct rng r;
    rng_init(&r, 1, "test", "merge");
    for (int k = 0; k < 3; k++) {
        part[k] = sketch_new(*exact);
        for (int i = 0; i < 20 * k; i++) { /* the first stays empty */
            double v = floor(rng_exponential(&r, 10) * 64) / 64;
            sketch_add(part[k], v);
            sketch_add(all, v);
        }
    }
    cr_expect_eq(sketch_merge(part[0], part[1]), 0);
    cr_expect_eq(sketch_merge(part[0], part[2]), 0);
    expect_same(part[0], all);
    for (int k = 0; k < 3; k++)
        sketch_free(part[k]);
    sketch_free(all);
}

Test(sketch, buckets_do_not_merge_into_exact_values)
{
    struct sketch *a = sketch_new(true), *b = sketch_new(false);
    sketch_add(a, 2);
    cr_expect_eq(sketch_merge(a, b), ERR_EUSAGE);
    cr_expect_eq(sketch_merge(b, a), 0);
    cr_expect_eq(sketch_count(b), 1);
    sketch_free(a);
    sketch_free(b);
}

ParameterizedTestParameters(sketch, packing_round_trips_and_refuses_damage)
{
    return cr_make_param_array(bool, (void *)modes, 2);
}

ParameterizedTest(bool *exact, sketch, packing_round_trips_and_refuses_damage)
{
    struct sketch *s = sketch_new(*exact);
    for (int i = 1; i < 60; i++)
        sketch_add(s, i * 1.7);
    struct buf b = {0};
    sketch_pack(s, &b);
    struct sketch *back = sketch_unpack(&b);
    cr_assert_not_null(back);
    expect_same(s, back);
    sketch_free(back);
    for (size_t cut = 0; cut < b.len; cut++) { /* every truncation */
        struct buf c = {.data = b.data, .len = cut};
        cr_expect_null(sketch_unpack(&c), "cut at %zu", cut);
    }
    for (size_t i = 0; i < b.len; i++) { /* any damage: refused or harmless, never a crash */
        b.data[i] ^= 0x80;
        b.at = 0;
        b.failed = false;
        struct sketch *d = sketch_unpack(&b);
        if (d)
            (void)sketch_quantile(d, 0.5);
        sketch_free(d);
        b.data[i] ^= 0x80;
    }
    sketch_free(s);
    buf_free(&b);
}

/* Packed, a sketch says which bucket it begins with. */
static uint64_t bucket_of(double v)
{
    struct sketch *s = sketch_new(false);
    struct buf b = {0};
    sketch_add(s, v);
    sketch_pack(s, &b);
    sketch_free(s);
    for (int word = 0; word < 7; word++)
        buf_take_u64(&b);
    const uint64_t first = buf_take_u64(&b);
    buf_free(&b);
    return first;
}

static void lies_by_its_logarithm(double v, double log_gamma)
{
    const double want = 2074 + ceil(dmath_log(v) * (1 / log_gamma));
    cr_assert_eq((double)bucket_of(v), want, "%a in bucket %g, want %g", v, (double)bucket_of(v),
                 want);
}

Test(sketch, each_value_lies_by_its_logarithm_close_to_borders_too)
{
    const double log_gamma = dmath_log((1 + SKETCH_ERROR) / (1 - SKETCH_ERROR));
    struct rng r;
    rng_init(&r, 1, "sketch", "borders");
    for (int i = -2060; i < 3450; i += SANITIZED ? 17 : 1) {
        const double border = dmath_exp(i * log_gamma);
        double below = border, above = border;
        lies_by_its_logarithm(border, log_gamma);
        for (int ulps = 0; ulps < 3; ulps++) {
            lies_by_its_logarithm(below = nextafter(below, 0), log_gamma);
            lies_by_its_logarithm(above = nextafter(above, 1e300), log_gamma);
        }
        for (int far = 0; far < 3; far++)
            lies_by_its_logarithm(border * (1 + (rng_unit(&r) - 0.5) * 2e-5), log_gamma);
        lies_by_its_logarithm(border * (1 + rng_unit(&r) / 100), log_gamma);
    }
}
