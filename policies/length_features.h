/* length_features.h - what a server knows about a request's answer before it
 * is written, as LENGTH_N numbers near [0, 1].
 *
 * Shared, as source, by the policies that predict lengths and by the trainer:
 * both compute the same floats from the same history of arrivals and
 * completions.  Only + - * / and sqrt on floats, so the bits are the same
 * everywhere.  State is of fixed size: tenants and models are hashed into
 * slots, and those that collide share statistics.
 *
 * Lengths are on a logarithmic scale that is exact in both directions: log2,
 * straight lines between powers of two, divided by LENGTH_SCALE.            */
#ifndef LENGTH_FEATURES_H
#define LENGTH_FEATURES_H

#include <math.h>
#include <string.h>

#include "policy.h"

#define LENGTH_VERSION 1 /* goes up when a feature changes: weights name it */
#define LENGTH_N       20
#define LENGTH_SCALE   16.0f
#define LENGTH_SLOTS   1024
#define LENGTH_BUCKETS 48 /* of prompt length: thirds of an octave, all up to 65535 */

static inline float length_log(uint64_t tokens)
{
    uint64_t v = tokens + 1;
    int octave = 63 - __builtin_clzll(v);
    float above = (float)(v - (UINT64_C(1) << octave)) / (float)(UINT64_C(1) << octave);
    return ((float)octave + above) / LENGTH_SCALE;
}

/* The inverse, for predictions: anything that is not a length becomes one. */
static inline double length_tokens(float y)
{
    float lg = y * LENGTH_SCALE;
    if (!(lg > 0))
        return 0;
    if (lg > 24)
        lg = 24;
    int octave = (int)lg;
    return (double)(1u << octave) * (1.0 + (double)(lg - (float)octave)) - 1.0;
}

/* A running mean and variance that forgets: the plain average at first, then
 * weights fall off by LENGTH_KEEP per sample. */
#define LENGTH_KEEP 64
struct length_stat {
    float mean, var;
    uint32_t n;
};

static inline void length_stat_add(struct length_stat *s, float y)
{
    if (s->n < LENGTH_KEEP)
        s->n++;
    float gain = 1.0f / (float)s->n, d = y - s->mean;
    s->mean += gain * d;
    s->var = (1.0f - gain) * (s->var + gain * d * d);
}

struct length_tenant {
    struct length_stat out, gap;
    float last_out, last_prompt;
    uint64_t last_arrival;
    uint32_t arrivals;
};

struct length_state {
    struct length_stat all, gap, bucket[LENGTH_BUCKETS];
    struct length_stat pair[LENGTH_SLOTS]; /* tenant and prompt bucket together */
    struct length_stat model[64];
    struct length_tenant tenant[LENGTH_SLOTS];
    uint64_t last_arrival, arrivals;
};

static inline uint32_t length_slot(uint32_t a, uint32_t b)
{
    uint64_t h = ((uint64_t)a << 32 | b) * UINT64_C(0x9e3779b97f4a7c15);
    return (uint32_t)(h >> 54); /* the top ten bits: LENGTH_SLOTS */
}

static inline uint32_t length_bucket(const struct policy_request *r)
{
    uint32_t b = (uint32_t)(length_log(r->prompt_tokens) * LENGTH_SCALE * 3.0f);
    return b < LENGTH_BUCKETS ? b : LENGTH_BUCKETS - 1;
}

static inline float length_gap(uint64_t from, uint64_t to) /* in us, on the same scale, halved */
{
    return length_log((to > from ? to - from : 0) / 1000) * 0.5f;
}

static inline struct length_tenant *length_of(struct length_state *s,
                                              const struct policy_request *r)
{
    return &s->tenant[length_slot(r->tenant, 0)];
}

/* mean, spread, how much is known; `otherwise` stands in while nothing is. */
static inline void length_put(float *x, const struct length_stat *s,
                              const struct length_stat *otherwise)
{
    const struct length_stat *from = s->n ? s : otherwise;
    x[0] = from->mean;
    x[1] = sqrtf(from->var > 0 ? from->var : 0);
    x[2] = (float)s->n / (float)LENGTH_KEEP;
}

static inline void length_features(struct length_state *s, const struct policy_request *r,
                                   float x[LENGTH_N])
{
    const struct length_tenant *t = length_of(s, r);
    const struct length_stat *bucket = &s->bucket[length_bucket(r)];
    float prompt = length_log(r->prompt_tokens);
    x[0] = prompt;
    x[1] = t->arrivals ? prompt - t->last_prompt : 0;
    length_put(x + 2, &t->out, &s->all);
    x[5] = t->out.n ? t->last_out : s->all.mean;
    length_put(x + 6, bucket, &s->all);
    length_put(x + 9, &s->pair[length_slot(r->tenant, 1 + length_bucket(r))],
               t->out.n ? &t->out : bucket);
    length_put(x + 12, &s->model[length_slot(r->model, 0) & 63], &s->all);
    x[15] = s->all.mean;
    x[16] = t->arrivals ? length_gap(t->last_arrival, r->arrived_ns) : 1;
    x[17] = t->gap.mean;
    x[18] = s->gap.mean;
    x[19] = t->arrivals ? 0 : 1;
}

/* After its features were taken; once per request, not when it comes back. */
static inline void length_arrived(struct length_state *s, const struct policy_request *r)
{
    struct length_tenant *t = length_of(s, r);
    if (t->arrivals)
        length_stat_add(&t->gap, length_gap(t->last_arrival, r->arrived_ns));
    if (s->arrivals)
        length_stat_add(&s->gap, length_gap(s->last_arrival, r->arrived_ns));
    t->arrivals++;
    t->last_prompt = length_log(r->prompt_tokens);
    s->arrivals++;
    s->last_arrival = t->last_arrival = r->arrived_ns;
}

static inline void length_done(struct length_state *s, const struct policy_request *r,
                               uint32_t output_tokens)
{
    struct length_tenant *t = length_of(s, r);
    float y = length_log(output_tokens);
    length_stat_add(&s->all, y);
    length_stat_add(&t->out, y);
    length_stat_add(&s->bucket[length_bucket(r)], y);
    length_stat_add(&s->pair[length_slot(r->tenant, 1 + length_bucket(r))], y);
    length_stat_add(&s->model[length_slot(r->model, 0) & 63], y);
    t->last_out = y;
}

#endif
