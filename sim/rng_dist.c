/* rng_dist.c - continuous distributions. */
#include <assert.h>
#include <math.h>

#include "sim/dmath.h"
#include "sim/rng.h"
#include "sim/ziggurat.h"

/* The low 8 bits choose the layer, the high 53 the place in it: disjoint. */
static double unit_exponential(struct rng *r)
{
    const struct ziggurat *z = &ziggurat_exp;
    double shift = 0; /* beyond the edge the curve repeats itself */
    for (;;) {
        uint64_t u = rng_u64(r), place = u >> 11;
        unsigned i = u & 255;
        double x = (double)place * z->layer[i].width;
        if (place < z->layer[i].inside)
            return shift + x;
        if (i == 0) {
            shift += z->edge;
            continue;
        }
        double y = z->height[i] + rng_unit(r) * (z->height[i + 1] - z->height[i]);
        if (y < dmath_exp(-x))
            return shift + x;
    }
}

/* Marsaglia's tail: exponential proposals beyond the edge. */
static double normal_tail(struct rng *r, double edge)
{
    double x, y;
    do {
        x = unit_exponential(r) / edge;
        y = unit_exponential(r);
    } while (2 * y < x * x);
    return edge + x;
}

static double unit_normal(struct rng *r)
{
    const struct ziggurat *z = &ziggurat_normal;
    for (;;) {
        uint64_t u = rng_u64(r), place = u >> 11;
        unsigned i = u & 255;
        double sign = u & 256 ? -1 : 1, x = (double)place * z->layer[i].width;
        if (place < z->layer[i].inside)
            return sign * x;
        if (i == 0)
            return sign * normal_tail(r, z->edge);
        double y = z->height[i] + rng_unit(r) * (z->height[i + 1] - z->height[i]);
        if (y < dmath_exp(-0.5 * x * x))
            return sign * x;
    }
}

double rng_exponential(struct rng *r, double mean)
{
    assert(mean >= 0);
    return mean * unit_exponential(r);
}

double rng_normal(struct rng *r, double mean, double sd)
{
    assert(sd >= 0);
    return mean + sd * unit_normal(r);
}

double rng_lognormal(struct rng *r, double mu, double sigma)
{
    return dmath_exp(rng_normal(r, mu, sigma));
}

/* Marsaglia & Tsang (2000): a cubed normal, squeezed; shape >= 1.  Their squeeze accepts nothing
 * that the logarithms would not; SURE keeps it off what those round, so that it changes no draw. */
#define SURE 1e-8
static double gamma_large(struct rng *r, double shape)
{
    double d = shape - 1.0 / 3, c = 1 / sqrt(9 * d);
    for (;;) {
        double x = unit_normal(r), t = 1 + c * x;
        if (t <= 0)
            continue;
        double v = t * t * t, u = 1 - rng_unit(r); /* (0, 1]: log is finite */
        if (u < 1 - SURE - 0.0331 * (x * x) * (x * x) && d < 1e6)
            return d * v;
        if (dmath_log(u) < 0.5 * x * x + d - d * v + d * dmath_log(v))
            return d * v;
    }
}

double rng_gamma(struct rng *r, double shape, double scale)
{
    assert(shape > 0 && scale >= 0);
    if (shape >= 1)
        return scale * gamma_large(r, shape);
    double boost = dmath_exp(-unit_exponential(r) / shape); /* U^(1/shape) */
    return scale * gamma_large(r, shape + 1) * boost;
}

double rng_weibull(struct rng *r, double shape, double scale)
{
    assert(shape > 0 && scale >= 0);
    return scale * dmath_pow(unit_exponential(r), 1 / shape);
}

double rng_pareto(struct rng *r, double alpha, double minimum)
{
    assert(alpha > 0 && minimum > 0);
    return minimum * dmath_exp(unit_exponential(r) / alpha);
}
