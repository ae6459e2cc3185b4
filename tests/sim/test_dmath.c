/* Against libm's 80-bit functions, which nobody here wrote. */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

#include "sim/dmath.h"

static long double sinpil_ref(long double x)
{
    return sinl(3.14159265358979323846264338327950288L * x);
}
static long double cospil_ref(long double x)
{
    return cosl(3.14159265358979323846264338327950288L * x);
}

static const struct row {
    const char *name;
    double (*ours)(double);
    long double (*reference)(long double);
    double lo, hi, ulps;
} rows[] = {
    {"log near 1", dmath_log, logl, 0.5, 2, 1},
    {"log", dmath_log, logl, 1e-308, 1e308, 1},
    {"log1p small", dmath_log1p, log1pl, -0.5, 0.5, 2},
    {"log1p", dmath_log1p, log1pl, -0.999, 100, 2},
    {"exp", dmath_exp, expl, -700, 700, 1},
    {"exp small", dmath_exp, expl, -1, 1, 1},
    {"expm1", dmath_expm1, expm1l, -40, 100, 2},
    {"expm1 small", dmath_expm1, expm1l, -1, 1, 2},
    {"sinpi", dmath_sinpi, sinpil_ref, -0.49, 0.49, 1},
    {"cospi", dmath_cospi, cospil_ref, -0.49, 0.49, 1},
};

ParameterizedTestParameters(dmath, stays_within_its_stated_error)
{
    static size_t index[sizeof rows / sizeof *rows];
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        index[i] = i;
    return cr_make_param_array(size_t, index, sizeof rows / sizeof *rows);
}

static double ulp(long double exact)
{
    double d = fabs((double)exact);
    return nextafter(d, INFINITY) - d;
}

static uint64_t next(uint64_t *x)
{
    *x = *x * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return *x >> 11;
}

/* Half the points spread evenly, half over the exponents. */
static double point(uint64_t *x, const struct row *r, int i)
{
    double u = (double)next(x) * 0x1p-53;
    if (i & 1 || r->lo < 0)
        return r->lo + u * (r->hi - r->lo);
    return exp(log(r->lo) + u * (log(r->hi) - log(r->lo)));
}

ParameterizedTest(size_t *index, dmath, stays_within_its_stated_error)
{
    const struct row *r = &rows[*index];
    uint64_t x = *index + 1;
    double worst = 0, at = 0;
    for (int i = 0; i < 200000; i++) {
        double v = point(&x, r, i);
        long double want = r->reference(v);
        double off = (double)fabsl(r->ours(v) - want) / ulp(want);
        if (off > worst)
            worst = off, at = v;
    }
    cr_expect(worst <= r->ulps, "%s: %.3f ulp at %a", r->name, worst, at);
    cr_log_info("%s: worst %.3f ulp at %a", r->name, worst, at);
}

Test(dmath, pow_is_within_one_ulp)
{
    uint64_t s = 7;
    double worst = 0, wx = 0, wy = 0;
    for (int i = 0; i < 300000; i++) {
        double x = exp(((double)next(&s) * 0x1p-53 - 0.5) * (i & 1 ? 4 : 1400));
        double y = ((double)next(&s) * 0x1p-53 - 0.5) * (i % 3 ? 3 : 300);
        long double want = powl(x, y);
        if (!(want < 1e308L && want > 1e-307L))
            continue;
        double off = (double)fabsl(dmath_pow(x, y) - want) / ulp(want);
        if (off > worst)
            worst = off, wx = x, wy = y;
    }
    cr_expect(worst <= 1, "%.3f ulp at pow(%a, %a)", worst, wx, wy);
    cr_log_info("pow: worst %.3f ulp", worst);
}

static int same(double a, double b)
{
    return (a != a && b != b) || !memcmp(&a, &b, sizeof a);
}

Test(dmath, edges_are_those_of_the_standard)
{
    static const double v[] = {0.0,       -0.0,     1,         -1,    2,      -2,        3,
                               -3,        0.5,      -0.5,      1e300, -1e300, 0x1p-1074, -0x1p-1074,
                               0x1p-1060, INFINITY, -INFINITY, NAN,   1e17,   -1e17};
    for (size_t i = 0; i < sizeof v / sizeof *v; i++) {
        cr_expect(same(dmath_log(v[i]), log(v[i])) || fabs(dmath_log(v[i]) / log(v[i]) - 1) < 1e-15,
                  "log(%a)", v[i]);
        cr_expect(same(dmath_log1p(v[i]), log1p(v[i])) ||
                      fabs(dmath_log1p(v[i]) / log1p(v[i]) - 1) < 1e-15,
                  "log1p(%a)", v[i]);
        cr_expect(same(dmath_exp(v[i]), exp(v[i])) || fabs(dmath_exp(v[i]) / exp(v[i]) - 1) < 1e-15,
                  "exp(%a)", v[i]);
        for (size_t j = 0; j < sizeof v / sizeof *v; j++) {
            double a = dmath_pow(v[i], v[j]), b = pow(v[i], v[j]);
            cr_expect(same(a, b) || fabs(a / b - 1) < 1e-15, "pow(%a, %a) = %a, libm %a", v[i],
                      v[j], a, b);
        }
    }
}

Test(dmath, subnormal_results_round_once)
{
    for (int i = 0; i < 2000; i++) {
        double x = -708 - i * 0.0186, want = (double)expl(x);
        cr_expect(fabs(dmath_exp(x) - want) <= 0x1p-1074, "exp(%a)", x);
    }
}

/* The very bits: a compiler that contracts or reorders changes one of them. */
Test(dmath, bits_are_pinned)
{
    uint64_t s = 99, h = 0;
    for (int i = 0; i < 100000; i++) {
        double u = (double)(next(&s) + 1) * 0x1p-53, w = (double)next(&s) * 0x1p-50;
        double v[] = {dmath_log(u),   dmath_exp(-w),  dmath_pow(u, w), dmath_log1p(w),
                      dmath_expm1(u), dmath_sinpi(w), dmath_cospi(w)};
        for (size_t k = 0; k < sizeof v / sizeof *v; k++) {
            uint64_t b;
            memcpy(&b, &v[k], sizeof b);
            h = (h ^ b) * UINT64_C(0x9e3779b97f4a7c15);
            h ^= h >> 29;
        }
    }
    cr_expect_eq(h, UINT64_C(0xd4ae9a8383016364), "hash of the bits is %#lx", (unsigned long)h);
}
