/* rng_table.c - distributions that are prepared once: Zipf and empirical. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "sim/dmath.h"
#include "sim/rng.h"

/* Rejection-inversion (Hormann & Derflinger, 1996): constant memory for any
 * n.  H is the integral of the hat k^-s; both it and its inverse are written
 * through expm1 and log1p so that s = 1 is no special case.                 */
struct rng_zipf {
    uint64_t n;
    double s;
    double top, bottom; /* H(n + 1/2), H(3/2) - 1 */
    double sure;        /* x this close below its rank needs no test */
};

static double hat(const struct rng_zipf *z, double x)
{
    return dmath_exp(-z->s * dmath_log(x));
}

static double hat_integral(const struct rng_zipf *z, double x)
{
    double l = dmath_log(x), t = (1 - z->s) * l;
    return t == 0 ? l : dmath_expm1(t) / t * l;
}

static double hat_inverse(const struct rng_zipf *z, double y)
{
    double t = y * (1 - z->s);
    if (t < -1) /* only by rounding at the lower end */
        t = -1;
    return dmath_exp(t == 0 ? y : dmath_log1p(t) / t * y);
}

struct rng_zipf *rng_zipf_new(uint64_t n, double s)
{
    assert(n > 0 && s >= 0);
    struct rng_zipf *z = calloc(1, sizeof *z);
    if (!z)
        return NULL;
    z->n = n;
    z->s = s;
    z->top = hat_integral(z, (double)n + 0.5);
    z->bottom = hat_integral(z, 1.5) - 1;
    z->sure = 2 - hat_inverse(z, hat_integral(z, 2.5) - hat(z, 2));
    return z;
}

uint64_t rng_zipf_draw(const struct rng_zipf *z, struct rng *r)
{
    for (;;) {
        double u = z->top + rng_unit(r) * (z->bottom - z->top);
        double x = hat_inverse(z, u);
        uint64_t k = x < 1.5 ? 1 : x >= (double)z->n ? z->n : (uint64_t)(x + 0.5);
        if ((double)k - x <= z->sure || u >= hat_integral(z, (double)k + 0.5) - hat(z, (double)k))
            return k;
    }
}

void rng_zipf_free(struct rng_zipf *z)
{
    free(z);
}

struct rng_empirical {
    size_t n;
    double *value, *p;
};

struct rng_empirical *rng_empirical_new(const double *value, const double *p, size_t n)
{
    assert(n > 0);
    struct rng_empirical *d = calloc(1, sizeof *d);
    double *both = calloc(n, 2 * sizeof *both);
    if (!d || !both) {
        free(d);
        free(both);
        return NULL;
    }
    *d = (struct rng_empirical){n, both, both + n};
    memcpy(d->value, value, n * sizeof *value);
    memcpy(d->p, p, n * sizeof *p);
    for (size_t i = 1; i < n; i++)
        assert(d->p[i] >= d->p[i - 1] && d->value[i] >= d->value[i - 1]);
    return d;
}

/* The first point whose p is above u; n when there is none. */
static size_t above(const struct rng_empirical *d, double u)
{
    size_t lo = 0, hi = d->n;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (d->p[mid] > u)
            hi = mid;
        else
            lo = mid + 1;
    }
    return lo;
}

double rng_empirical_draw(const struct rng_empirical *d, struct rng *r)
{
    double u = rng_unit(r);
    size_t i = above(d, u);
    if (i == 0)
        return d->value[0]; /* an atom at the first point when p[0] > 0 */
    if (i == d->n)
        return d->value[d->n - 1];
    double part = (u - d->p[i - 1]) / (d->p[i] - d->p[i - 1]);
    return d->value[i - 1] + part * (d->value[i] - d->value[i - 1]);
}

void rng_empirical_free(struct rng_empirical *d)
{
    if (d)
        free(d->value);
    free(d);
}
