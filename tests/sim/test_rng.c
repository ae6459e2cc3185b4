/* Known answers of Random123; distributions against their closed-form CDFs
 * (Kolmogorov-Smirnov, 0.1 % level, fixed seed: a failure is a defect).     */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sim/rng.h"
#include "sim/ziggurat.h"

#define N 200000

static const struct kat {
    uint32_t counter[4], key[2], want[4];
} kats[] = {
    {{0, 0, 0, 0}, {0, 0}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
    {{~0u, ~0u, ~0u, ~0u}, {~0u, ~0u}, {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
    {{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
     {0xa4093822, 0x299f31d0},
     {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
};

Test(rng, philox_gives_the_known_answers_of_random123)
{
    for (size_t i = 0; i < sizeof kats / sizeof *kats; i++) {
        uint32_t got[4];
        rng_philox(kats[i].counter, kats[i].key, got);
        cr_expect_arr_eq(got, kats[i].want, sizeof got, "vector %zu", i);
    }
}

Test(rng, a_stream_is_philox_over_its_counter)
{
    struct rng r;
    rng_init(&r, 5, "a", "b");
    uint32_t key[2] = {(uint32_t)r.key, (uint32_t)(r.key >> 32)};
    for (uint32_t block = 0; block < 9; block++) {
        uint32_t c[4] = {block, 0, (uint32_t)r.stream, (uint32_t)(r.stream >> 32)}, w[4];
        rng_philox(c, key, w);
        cr_expect_eq(rng_u64(&r), w[0] | (uint64_t)w[1] << 32);
        cr_expect_eq(rng_u64(&r), w[2] | (uint64_t)w[3] << 32);
    }
}

Test(rng, every_part_of_the_name_makes_another_stream)
{
    struct rng r[6];
    rng_init(&r[0], 1, "gpu", "service");
    rng_init(&r[1], 2, "gpu", "service");
    rng_init(&r[2], 1, "gpus", "ervice");
    rng_init(&r[3], 1, "gpu", "arrival");
    rng_init_indexed(&r[4], 1, "gpu", "service", 0);
    rng_init_indexed(&r[5], 1, "gpu", "service", 1);
    uint64_t first[6];
    for (int i = 0; i < 6; i++) {
        first[i] = rng_u64(&r[i]);
        for (int j = 0; j < i; j++)
            cr_expect_neq(first[i], first[j], "streams %d and %d", i, j);
    }
    struct rng again;
    rng_init(&again, 1, "gpu", "service");
    cr_expect_eq(rng_u64(&again), first[0]);
}

Test(rng, below_is_even_and_in_range)
{
    struct rng r;
    rng_init(&r, 3, "test", "below");
    uint64_t count[10] = {0};
    for (int i = 0; i < N; i++) {
        uint64_t v = rng_below(&r, 10);
        cr_assert_lt(v, 10);
        count[v]++;
    }
    double chi = 0;
    for (int i = 0; i < 10; i++)
        chi += pow((double)count[i] - N / 10.0, 2) / (N / 10.0);
    cr_expect_lt(chi, 27.9, "chi-square %g, 9 degrees", chi); /* 0.1 % */
    cr_expect_eq(rng_below(&r, 1), 0);
    for (int i = 0; i < 100; i++) /* nearly half of the words are rejected here */
        cr_expect_lt(rng_below(&r, (UINT64_C(1) << 63) + 1), (UINT64_C(1) << 63) + 1);
}

/* ---- distributions ---- */

static double normal_cdf(double x)
{
    return 0.5 * erfc(-x / sqrt(2));
}
/* Regularized gamma for a = base + whole, by its recurrence from a = 1 or 1/2. */
static double gamma_cdf(double a, double x)
{
    double b = a == floor(a) ? 1 : 0.5;
    double p = b == 1 ? -expm1(-x) : erf(sqrt(x));
    for (; b < a; b++)
        p -= pow(x, b) * exp(-x) / tgamma(b + 1);
    return p;
}

static const double point_value[] = {1, 2, 10}, point_p[] = {0.25, 0.5, 1};
static struct rng_empirical *empirical;

static double d_unit(struct rng *r)
{
    return rng_unit(r);
}
static double d_exp(struct rng *r)
{
    return rng_exponential(r, 3);
}
static double d_normal(struct rng *r)
{
    return rng_normal(r, -1, 2);
}
static double d_lognormal(struct rng *r)
{
    return rng_lognormal(r, 0.5, 0.75);
}
static double d_gamma(struct rng *r)
{
    return rng_gamma(r, 2.5, 2);
}
static double d_gamma_half(struct rng *r)
{
    return rng_gamma(r, 0.5, 1);
}
static double d_gamma_one(struct rng *r)
{
    return rng_gamma(r, 1, 4);
}
static double d_gamma_nine(struct rng *r)
{
    return rng_gamma(r, 9, 0.5);
}
static double d_weibull(struct rng *r)
{
    return rng_weibull(r, 0.7, 2);
}
static double d_pareto(struct rng *r)
{
    return rng_pareto(r, 2.5, 3);
}
static double d_empirical(struct rng *r)
{
    return rng_empirical_draw(empirical, r);
}

static double c_unit(double x)
{
    return x;
}
static double c_exp(double x)
{
    return -expm1(-x / 3);
}
static double c_normal(double x)
{
    return normal_cdf((x + 1) / 2);
}
static double c_lognormal(double x)
{
    return normal_cdf((log(x) - 0.5) / 0.75);
}
static double c_gamma(double x)
{
    return gamma_cdf(2.5, x / 2);
}
static double c_gamma_half(double x)
{
    return gamma_cdf(0.5, x);
}
static double c_gamma_one(double x)
{
    return gamma_cdf(1, x / 4);
}
static double c_gamma_nine(double x)
{
    return gamma_cdf(9, x / 0.5);
}
static double c_weibull(double x)
{
    return -expm1(-pow(x / 2, 0.7));
}
static double c_pareto(double x)
{
    return 1 - pow(3 / x, 2.5);
}
static double c_empirical(double x) /* an atom of 1/4 at 1, then straight lines */
{
    return x < 1 ? 0 : x < 2 ? 0.25 * x : 0.5 + (x - 2) / 16;
}

static const struct dist {
    const char *name;
    double (*draw)(struct rng *);
    double (*cdf)(double);
    double mean, sd;
} dists[] = {
    {"unit", d_unit, c_unit, 0.5, 0.28867513},
    {"exponential", d_exp, c_exp, 3, 3},
    {"normal", d_normal, c_normal, -1, 2},
    {"lognormal", d_lognormal, c_lognormal, 2.18419, 1.89723},
    {"gamma 2.5", d_gamma, c_gamma, 5, 3.16227766},
    {"gamma 0.5", d_gamma_half, c_gamma_half, 0.5, 0.70710678},
    {"gamma 1", d_gamma_one, c_gamma_one, 4, 4},
    {"gamma 9", d_gamma_nine, c_gamma_nine, 4.5, 1.5},
    {"weibull", d_weibull, c_weibull, 2.53165, 3.71249},
    {"pareto", d_pareto, c_pareto, 5, 4.47213595},
    {"empirical", d_empirical, c_empirical, 3.625, 2.97297},
};

ParameterizedTestParameters(rng, follows_its_distribution)
{
    static size_t index[sizeof dists / sizeof *dists];
    for (size_t i = 0; i < sizeof dists / sizeof *dists; i++)
        index[i] = i;
    return cr_make_param_array(size_t, index, sizeof dists / sizeof *dists);
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Largest distance of the two staircases; equal values (an atom) count once. */
static double distance(const double *v, double (*cdf)(double))
{
    double worst = 0;
    for (int i = 0, j; i < N; i = j) {
        for (j = i + 1; j < N && v[j] == v[i]; j++)
            ;
        double below = cdf(nextafter(v[i], -INFINITY)), at = cdf(v[i]);
        worst = fmax(worst, fmax(fabs(below - (double)i / N), fabs(at - (double)j / N)));
    }
    return worst;
}

ParameterizedTest(size_t *index, rng, follows_its_distribution)
{
    const struct dist *d = &dists[*index];
    empirical = rng_empirical_new(point_value, point_p, 3);
    double *v = calloc(N, sizeof *v), sum = 0;
    struct rng r;
    rng_init(&r, 42, "test", d->name);
    for (int i = 0; i < N; i++)
        sum += v[i] = d->draw(&r);
    qsort(v, N, sizeof *v, by_value);
    double off = distance(v, d->cdf) * sqrt(N);
    cr_expect_lt(off, 1.95, "%s: Kolmogorov-Smirnov %g", d->name, off);
    cr_expect_lt(fabs(sum / N - d->mean), 3.3 * d->sd / sqrt(N), "%s: mean %g, want %g", d->name,
                 sum / N, d->mean);
    free(v);
    rng_empirical_free(empirical);
}

static const struct zipf_row {
    uint64_t n;
    double s;
} zipfs[] = {{10, 1}, {10, 0}, {1000, 0.8}, {50, 2.5}, {1, 1.1}, {1000000, 1.0001}};

ParameterizedTestParameters(rng, zipf_ranks_have_their_odds)
{
    return cr_make_param_array(struct zipf_row, (void *)zipfs, sizeof zipfs / sizeof *zipfs);
}

ParameterizedTest(struct zipf_row *row, rng, zipf_ranks_have_their_odds)
{
    enum { SHOWN = 10 }; /* the first ranks one by one, the rest together */
    double total = 0, p[SHOWN + 1] = {0};
    for (uint64_t k = 1; k <= row->n; k++)
        total += pow((double)k, -row->s);
    for (uint64_t k = 1; k <= row->n; k++)
        p[k <= SHOWN ? k - 1 : SHOWN] += pow((double)k, -row->s) / total;
    uint64_t count[SHOWN + 1] = {0};
    struct rng_zipf *z = rng_zipf_new(row->n, row->s);
    struct rng r;
    rng_init(&r, 8, "test", "zipf");
    for (int i = 0; i < N; i++) {
        uint64_t k = rng_zipf_draw(z, &r);
        cr_assert(k >= 1 && k <= row->n, "rank %lu of %lu", (unsigned long)k,
                  (unsigned long)row->n);
        count[k <= SHOWN ? k - 1 : SHOWN]++;
    }
    double chi = 0;
    for (int i = 0; i <= SHOWN; i++)
        if (p[i] > 0)
            chi += pow((double)count[i] - N * p[i], 2) / (N * p[i]);
    cr_expect_lt(chi, 29.6, "n %lu s %g: chi-square %g", (unsigned long)row->n, row->s, chi);
    rng_zipf_free(z);
}

/* The tables themselves: heights lie on the curve, layers have one area. */
Test(rng, ziggurat_tables_are_the_curves)
{
    for (int i = 1; i < 256; i++) {
        double xe = ziggurat_exp.layer[i].width * 0x1p53,
               xn = ziggurat_normal.layer[i].width * 0x1p53;
        cr_expect_float_eq(ziggurat_exp.height[i], exp(-xe), 1e-15);
        cr_expect_float_eq(ziggurat_normal.height[i], exp(-xn * xn / 2), 1e-15);
        cr_expect_float_eq(xe * (ziggurat_exp.height[i + 1] - ziggurat_exp.height[i]),
                           0.0039496598225815571993, 1e-15);
        cr_expect_float_eq(xn * (ziggurat_normal.height[i + 1] - ziggurat_normal.height[i]),
                           0.00492867323399, 1e-13);
    }
}

Test(rng, draws_are_pinned)
{
    struct rng r;
    rng_init(&r, 2026, "pin", "all");
    uint64_t h = 0;
    for (int i = 0; i < 1000; i++) {
        double v[] = {rng_unit(&r),          rng_exponential(&r, 1),
                      rng_normal(&r, 0, 1),  rng_lognormal(&r, 0, 1),
                      rng_gamma(&r, 0.3, 1), rng_weibull(&r, 2, 1),
                      rng_pareto(&r, 1, 1)};
        for (size_t k = 0; k < sizeof v / sizeof *v; k++) {
            uint64_t b;
            memcpy(&b, &v[k], sizeof b);
            h = (h ^ b) * UINT64_C(0x9e3779b97f4a7c15);
            h ^= h >> 29;
        }
    }
    cr_expect_eq(h, UINT64_C(0x7833f558398ff6b6), "hash %#lx", (unsigned long)h);
}
