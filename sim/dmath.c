/* dmath.c - argument reduction to a small interval, then a Chebyshev-fitted
 * polynomial whose own error is below 2^-56 of the result.                  */
#include "sim/dmath.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

/* ln 2 in two parts: the first has 32 bits, so k * LN2_HI is exact. */
#define LN2_HI  0x1.62e42fee00000p-1
#define LN2_LO  0x1.a39ef35793c76p-33
#define INV_LN2 0x1.71547652b82fep+0

static uint64_t bits_of(double x)
{
    uint64_t u;
    memcpy(&u, &x, sizeof u);
    return u;
}

static double of_bits(uint64_t u)
{
    double x;
    memcpy(&x, &u, sizeof x);
    return x;
}

/* 2^k for normal results only. */
static double power_of_two(int k)
{
    return of_bits((uint64_t)(k + 1023) << 52);
}

/* x * 2^k in two exact steps and one rounding, so that subnormal results round once. */
static double scale(double x, int k)
{
    if (k > 1000)
        return x * power_of_two(1000) * power_of_two(k - 1000);
    if (k < -1000)
        return x * power_of_two(k + 1000) * power_of_two(-1000);
    return x * power_of_two(k);
}

/* log((1+s)/(1-s)) = 2s + s z P(z) with z = s^2 <= 0.0295. */
static double log_poly(double z)
{
    double p = 0x1.2b58f4c8d5f63p-3;
    p = 0x1.39fe52a20dc69p-3 + z * p;
    p = 0x1.7462b5152e8a6p-3 + z * p;
    p = 0x1.c71c62e40b94ep-3 + z * p;
    p = 0x1.2492492df26cep-2 + z * p;
    p = 0x1.99999999952d8p-2 + z * p;
    return 0x1.5555555555558p-1 + z * p;
}

/* x = m 2^k with m in [sqrt(1/2), sqrt(2)); x is finite and positive. */
static double split(double x, int *k)
{
    uint64_t u = bits_of(x);
    int e = 0;
    if (u < UINT64_C(1) << 52) {
        u = bits_of(x * 0x1p54);
        e = -54;
    }
    u += UINT64_C(0x3ff0000000000000) - UINT64_C(0x3fe6a09e667f3bcd); /* 1 - sqrt(1/2) */
    *k = e + (int)(u >> 52) - 1023;
    return of_bits((u & ((UINT64_C(1) << 52) - 1)) + UINT64_C(0x3fe6a09e667f3bcd));
}

/* Zero, negative, infinite or NaN: what log says. */
static double log_special(double x)
{
    if (x == 0)
        return -INFINITY;
    return x < 0 ? NAN : x; /* +inf and NaN are themselves */
}

/* log(1+f) + k ln 2 + c, for 1+f in [sqrt(1/2), sqrt(2)).  The leading f is kept exact
 * and added last: that is what holds the error under one ulp. */
static double log_sum(double f, int k, double c)
{
    double s = f / (2 + f), z = s * s, half = 0.5 * f * f;
    return k * LN2_HI - ((half - (s * (half + z * log_poly(z)) + (k * LN2_LO + c))) - f);
}

double dmath_log(double x)
{
    if (!(x > 0 && x < INFINITY))
        return log_special(x);
    int k;
    double m = split(x, &k);
    return log_sum(m - 1, k, 0);
}

double dmath_log1p(double x)
{
    if (!(x > -1 && x < INFINITY))
        return x == -1 ? -INFINITY : x < -1 ? NAN : x;
    if (x > -0.29 && x < 0.41)
        return x == 0 ? x : log_sum(x, 0, 0);
    double u = 1 + x; /* what rounding lost is put back through the derivative 1/u */
    double lost = x < 1 ? x - (u - 1) : 1 - (u - x);
    int k;
    double m = split(u, &k);
    return log_sum(m - 1, k, lost / u);
}

/* (exp(r) - 1 - r) / r^2 for |r| <= ln2 / 2. */
static double exp_poly(double r)
{
    double p = 0x1.1f7315649f2d7p-29;
    p = 0x1.af4e092e1705bp-26 + r * p;
    p = 0x1.27e4db5bb725ap-22 + r * p;
    p = 0x1.71de02225a2f3p-19 + r * p;
    p = 0x1.a01a01a6db488p-16 + r * p;
    p = 0x1.a01a01abeccc3p-13 + r * p;
    p = 0x1.6c16c16c162cfp-10 + r * p;
    p = 0x1.11111111100d3p-7 + r * p;
    p = 0x1.5555555555556p-5 + r * p;
    p = 0x1.5555555555557p-3 + r * p;
    return 0.5 + r * p;
}

/* x = k ln 2 + hi + lo, |hi| <= ln2 / 2; |x| < 800. */
static int reduce(double x, double *hi, double *lo)
{
    double t = x * INV_LN2;
    int k = (int)(t < 0 ? t - 0.5 : t + 0.5);
    double a = x - k * LN2_HI, b = k * LN2_LO;
    *hi = a - b;
    *lo = (a - *hi) - b;
    return k;
}

/* exp(x + tail) with a tail far below x: pow needs more bits than x can hold. */
static double exp_tail(double x, double tail)
{
    if (!(x < 709.79))
        return x != x ? x : INFINITY;
    if (x < -745.2)
        return 0;
    double r, lo;
    int k = reduce(x, &r, &lo);
    lo += tail;
    double square = r * r * exp_poly(r);
    return scale(1 + (r + (lo * (1 + (r + square)) + square)), k);
}

double dmath_exp(double x)
{
    return exp_tail(x, 0);
}

double dmath_expm1(double x)
{
    if (!(x < 709.79))
        return x != x ? x : INFINITY;
    if (x < -40)
        return -1;
    if (x == 0)
        return x;
    double r, lo;
    int k = reduce(x, &r, &lo);
    double q = r + (lo + (r * lo + r * r * exp_poly(r))); /* exp(r) - 1 */
    if (k == 0)
        return q;
    if (k > 60) /* the one is below the last bit */
        return scale(1 + q, k);
    double p = power_of_two(k);
    return p * q + (p - 1);
}

/* ---- pow: log to 2^-65 in two doubles, times y, then exp ---- */

struct dd {
    double hi, lo;
};

static struct dd dd_sum(double a, double b) /* exact; |a| >= |b| or a = 0 */
{
    double s = a + b;
    return (struct dd){s, b - (s - a)};
}

static double top_half(double x) /* the upper 26 bits: products of two are exact */
{
    return of_bits(bits_of(x) & ~((UINT64_C(1) << 27) - 1));
}

static struct dd dd_mul(double a, double b) /* exact (Dekker) */
{
    double ah = top_half(a), al = a - ah, bh = top_half(b), bl = b - bh, p = a * b;
    return (struct dd){p, ((ah * bh - p) + ah * bl + al * bh) + al * bl};
}

static double log_poly2(double z) /* (log((1+s)/(1-s)) - 2s - 2/3 s^3) / s^5 */
{
    double p = 0x1.0878816aa2ffap-3;
    p = 0x1.1018af16a6335p-3 + z * p;
    p = 0x1.3b18b8e7bb15fp-3 + z * p;
    p = 0x1.745d09f085360p-3 + z * p;
    p = 0x1.c71c71d7e7d70p-3 + z * p;
    p = 0x1.249249248e532p-2 + z * p;
    return 0x1.999999999999ep-2 + z * p;
}

static struct dd log_dd(double x)
{
    int k;
    double m = split(x, &k), f = m - 1;
    double d = m + 1, d_lo = m - (d - 1);
    double s = f / d;
    struct dd sd = dd_mul(s, d);
    double s_lo = ((f - sd.hi) - sd.lo - s * d_lo) / d;
    struct dd z = dd_mul(s, s);
    z.lo += 2 * s * s_lo;
    struct dd c = dd_mul(s, z.hi); /* s^3 */
    c.lo += s * z.lo + s_lo * z.hi;
    struct dd t = dd_mul(0x1.5555555555555p-1, c.hi); /* 2/3 s^3 */
    t.lo += 0x1.5555555555555p-1 * c.lo + 0x1.5555555555555p-55 * c.hi;
    struct dd a = dd_sum(2 * s, t.hi);
    struct dd b = dd_sum(k * LN2_HI, a.hi);
    double tail = s * z.hi * z.hi * log_poly2(z.hi) + t.lo;
    return dd_sum(b.hi, b.lo + (a.lo + (tail + (2 * s_lo + k * LN2_LO))));
}

static int is_integer(double y) /* 0 no, 1 odd, 2 even */
{
    double a = y < 0 ? -y : y;
    if (a >= 0x1p53)
        return 2;
    uint64_t n = (uint64_t)a;
    return (double)n != a ? 0 : n & 1 ? 1 : 2;
}

/* x is zero or infinite (x = |x| already), y finite and not zero. */
static double pow_edge(double x, double y)
{
    return (x == 0) == (y > 0) ? 0 : INFINITY;
}

static double pow_positive(double x, double y)
{
    if (x == 0 || x == INFINITY)
        return pow_edge(x, y);
    if (y > 0x1p64 || y < -0x1p64) /* also keeps y * log x finite */
        return x == 1 ? 1 : (x > 1) == (y > 0) ? INFINITY : 0;
    struct dd l = log_dd(x);
    double rough = y * l.hi;
    if (rough > 800 || rough < -800)
        return rough > 0 ? INFINITY : 0;
    struct dd p = dd_mul(y, l.hi);
    return exp_tail(p.hi, p.lo + y * l.lo);
}

double dmath_pow(double x, double y)
{
    if (y == 0 || x == 1)
        return 1;
    if (x != x || y != y)
        return NAN;
    if (y == INFINITY || y == -INFINITY) {
        double a = x < 0 ? -x : x;
        return a == 1 ? 1 : (a > 1) == (y > 0) ? INFINITY : 0;
    }
    int whole = is_integer(y);
    if (!(bits_of(x) >> 63))
        return pow_positive(x, y);
    if (!whole && x != 0 && x != -INFINITY)
        return NAN;
    double r = pow_positive(-x, y);
    return whole == 1 ? -r : r;
}

/* ---- sine and cosine of half turns ---- */

static double sin_poly(double r) /* sin(pi r), |r| <= 1/4 */
{
    double z = r * r, p = -0x1.6cc577dadd922p-16;
    p = 0x1.e8f036bcd3237p-12 + z * p;
    p = -0x1.e3074d2614b2dp-8 + z * p;
    p = 0x1.50783486facaap-4 + z * p;
    p = -0x1.32d2cce62b872p-1 + z * p;
    p = 0x1.466bc6775aae1p+1 + z * p;
    p = -0x1.4abbce625be53p+2 + z * p;
    struct dd pi_r = dd_mul(0x1.921fb54442d18p+1, r);
    return pi_r.hi + (r * z * p + (pi_r.lo + 0x1.1a62633145c07p-53 * r));
}

static double cos_poly(double r) /* cos(pi r), |r| <= 1/4 */
{
    double z = r * r, p = 0x1.1ebe62242e9d8p-18;
    p = -0x1.b6df855cc99ffp-14 + z * p;
    p = 0x1.f9d38850e5eedp-10 + z * p;
    p = -0x1.a6d1f2a15a701p-6 + z * p;
    p = 0x1.e1f506891b72fp-3 + z * p;
    p = -0x1.55d3c7e3cbffap+0 + z * p;
    p = 0x1.03c1f081b5ac4p+2 + z * p;
    struct dd zz = dd_mul(r, r), a = dd_mul(0x1.3bd3cc9be45dep+2, zz.hi);
    a.lo += 0x1.3bd3cc9be45dep+2 * zz.lo + 0x1.692b71366cc04p-52 * z;
    return 1 - (a.hi - (z * z * p - a.lo));
}

/* quarter 0..3 of the turn, and |r| <= 1/4 from its middle; exact. */
static double half_turns(double x, int *quarter)
{
    double t = fmod(x, 2); /* exact by definition, on every libm */
    int q = (int)(t < 0 ? 2 * t - 0.5 : 2 * t + 0.5);
    *quarter = q & 3;
    return t - 0.5 * q;
}

static double sin_quarter(double r, int quarter)
{
    double v = quarter & 1 ? cos_poly(r) : sin_poly(r);
    return quarter & 2 ? -v : v;
}

double dmath_sinpi(double x)
{
    if (!(x > -INFINITY && x < INFINITY))
        return NAN;
    int q;
    double r = half_turns(x, &q);
    return sin_quarter(r, q);
}

double dmath_cospi(double x)
{
    if (!(x > -INFINITY && x < INFINITY))
        return NAN;
    int q;
    double r = half_turns(x, &q);
    return sin_quarter(r, q + 1);
}
