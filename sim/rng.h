/* rng.h - counter-based random streams and the distributions drawn from them.
 *
 * A stream is named by (seed, component, purpose): the same name gives the
 * same numbers, whatever else the run draws (common random numbers across
 * policies come for free).  The generator is Philox4x32-10 (Salmon et al.,
 * SC'11).  All distributions use the project's own log/exp (sim/dmath.h), so
 * the bits are the same on every machine and libm.                          */
#ifndef SIM_RNG_H
#define SIM_RNG_H

#include <stddef.h>
#include <stdint.h>

#define RNG_BATCH 8 /* numbers made at once: four Philox blocks, side by side in the pipeline */

struct rng {
    uint64_t key;
    uint64_t stream;
    uint64_t block; /* next counter */
    uint32_t left;  /* numbers of out not yet used */
    uint64_t out[RNG_BATCH];
};

void rng_init(struct rng *r, uint64_t seed, const char *component, const char *purpose);
void rng_init_indexed(struct rng *r, uint64_t seed, const char *component, const char *purpose,
                      uint64_t index); /* one stream per entity */
void rng_refill(struct rng *r);
/* The raw function: Random123's philox4x32, ten rounds. */
void rng_philox(const uint32_t counter[4], const uint32_t key[2], uint32_t out[4]);

static inline uint64_t rng_u64(struct rng *r)
{
    if (!r->left)
        rng_refill(r);
    return r->out[RNG_BATCH - r->left--];
}

static inline double rng_unit(struct rng *r) /* [0, 1), 53 bits */
{
    return (double)(rng_u64(r) >> 11) * 0x1p-53;
}

uint64_t rng_below(struct rng *r, uint64_t n); /* 0..n-1, unbiased; n > 0 */

double rng_exponential(struct rng *r, double mean);
double rng_normal(struct rng *r, double mean, double sd);
double rng_lognormal(struct rng *r, double mu, double sigma); /* of the underlying normal */
double rng_gamma(struct rng *r, double shape, double scale);
double rng_weibull(struct rng *r, double shape, double scale);
double rng_pareto(struct rng *r, double alpha, double minimum);

/* Tables are built once and drawn from often; both own their memory. */
struct rng_zipf; /* ranks 1..n with P(k) ~ k^-s */
struct rng_zipf *rng_zipf_new(uint64_t n, double s);
uint64_t rng_zipf_draw(const struct rng_zipf *z, struct rng *r);
void rng_zipf_free(struct rng_zipf *z);

struct rng_empirical; /* piecewise-linear inverse of a given CDF: value[i] at cumulative p[i] */
struct rng_empirical *rng_empirical_new(const double *value, const double *p, size_t n);
double rng_empirical_draw(const struct rng_empirical *d, struct rng *r);
void rng_empirical_free(struct rng_empirical *d);

#endif
