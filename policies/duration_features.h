/* duration_features.h - what a cluster knows about how long a job will run
 * before it starts, as DURATION_N numbers, in the manner of Helios (SC'21).
 *
 * Shared, as source, by the policies that order jobs and by the trainer: both
 * compute the same floats from the same history of submissions and ends.  Only
 * + - * / and sqrt on floats, so the bits are the same everywhere.  What is not
 * known (a job without a user, a first job) is NaN, which a forest sends the
 * way it was trained to.  State is of fixed size: users and groups are hashed
 * into slots, and those that collide share statistics.
 *
 * Durations are on a logarithmic scale, exact in both directions: log2 of
 * 1 + seconds, straight lines between powers of two.                        */
#ifndef DURATION_FEATURES_H
#define DURATION_FEATURES_H

#include <math.h>
#include <stdint.h>

#define DURATION_VERSION 1 /* goes up when a feature changes: weights name it */
#define DURATION_N       27
#define DURATION_SLOTS   1024
#define DURATION_NONE    UINT32_MAX

struct duration_job {
    uint64_t submitted_ns; /* since any midnight */
    uint32_t user, group;  /* DURATION_NONE: not said */
    uint32_t gpus, gpu_milli, cpu_milli, spec;
    uint64_t mem_bytes;
};

static inline float duration_log(uint64_t seconds)
{
    uint64_t v = seconds + 1;
    int octave = 63 - __builtin_clzll(v);
    return (float)octave + (float)(v - (UINT64_C(1) << octave)) / (float)(UINT64_C(1) << octave);
}

/* The inverse, for predictions: anything that is not a duration becomes one. */
static inline double duration_seconds(float y)
{
    if (!(y > 0))
        return 0;
    if (y > 40)
        y = 40;
    int octave = (int)y;
    return (double)(UINT64_C(1) << octave) * (1.0 + (double)(y - (float)octave)) - 1.0;
}

/* A running mean and variance that forgets: the plain average at first, then
 * weights fall off by `keep` samples. */
struct duration_stat {
    float mean, var;
    uint32_t n;
};

static inline void duration_stat_add(struct duration_stat *s, float y, uint32_t keep)
{
    if (s->n < keep)
        s->n++;
    float gain = 1.0f / (float)s->n, d = y - s->mean;
    s->mean += gain * d;
    s->var = (1.0f - gain) * (s->var + gain * d * d);
}

struct duration_owner {
    struct duration_stat far, near; /* of the last hundred jobs, of the last few */
    float last, before;             /* the last ones' logs */
    uint32_t done, submitted, running;
    uint64_t last_submitted;
    float last_gap;
    uint32_t last_gpus;
};

struct duration_shape {
    struct duration_stat far, near;
    float last;
};

struct duration_state {
    struct duration_stat all, recent;
    struct duration_owner user[DURATION_SLOTS], group[DURATION_SLOTS];
    struct duration_shape shape[DURATION_SLOTS]; /* owner and shape of the job together */
};

enum { DURATION_FAR = 100, DURATION_NEAR = 4 };

static inline uint32_t duration_slot(uint32_t a, uint32_t b)
{
    uint64_t h = ((uint64_t)a << 32 | b) * UINT64_C(0x9e3779b97f4a7c15);
    return (uint32_t)(h >> 54); /* the top ten bits: DURATION_SLOTS */
}

/* Whose habit it is: the user's, where users are named. */
static inline uint32_t duration_whose(const struct duration_job *j)
{
    return j->user == DURATION_NONE ? j->group : j->user;
}

static inline struct duration_shape *duration_shape_of(struct duration_state *s,
                                                       const struct duration_job *j)
{
    return &s->shape[duration_slot(duration_whose(j), 1 + j->gpus * 1009 + j->gpu_milli +
                                                          j->cpu_milli * 7 + j->spec * 31)];
}

/* mean and spread, NaN while nothing is known */
static inline void duration_put(float *x, const struct duration_stat *s)
{
    x[0] = s->n ? s->mean : NAN;
    x[1] = s->n > 1 ? sqrtf(s->var > 0 ? s->var : 0) : NAN;
}

static inline void duration_put_owner(float *x, const struct duration_owner *o, uint64_t now)
{
    duration_put(x, &o->far);
    duration_put(x + 2, &o->near);
    x[4] = o->done ? o->last : NAN;
    x[5] = o->done > 1 ? o->before : NAN;
    x[6] = o->submitted
               ? duration_log((now > o->last_submitted ? now - o->last_submitted : 0) / 1000000000)
               : NAN;
    x[7] = (float)o->running;
}

static inline void duration_features(struct duration_state *s, const struct duration_job *j,
                                     float x[DURATION_N])
{
    const uint64_t hours = j->submitted_ns / UINT64_C(3600000000000);
    const struct duration_owner *u = &s->user[duration_slot(duration_whose(j), 0)];
    const struct duration_owner *g = &s->group[duration_slot(j->group, 0)];
    const struct duration_shape *like = duration_shape_of(s, j);
    x[0] = duration_log(j->gpus) + (j->gpus == 1 ? (float)j->gpu_milli / 1000.0f - 1.0f : 0.0f);
    x[1] = j->cpu_milli ? duration_log(j->cpu_milli / 100) : NAN;
    x[2] = j->mem_bytes ? duration_log(j->mem_bytes >> 20) : NAN;
    x[3] = (float)(hours % 24);
    x[4] = (float)(hours / 24 % 7);
    duration_put_owner(x + 5, u, j->submitted_ns);
    x[13] = u->submitted ? (float)((int)j->gpus - (int)u->last_gpus) : NAN;
    x[14] = u->submitted > 1 ? u->last_gap : NAN;
    duration_put(x + 15, &g->far);
    x[17] = g->done ? g->last : NAN;
    x[18] = (float)g->running;
    duration_put(x + 19, &like->far);
    duration_put(x + 21, &like->near);
    x[23] = like->far.n ? like->last : NAN;
    duration_put(x + 24, &s->all);
    x[26] = s->recent.n ? s->recent.mean : NAN;
}

static inline void duration_owner_submits(struct duration_owner *o, const struct duration_job *j)
{
    if (o->submitted)
        o->last_gap = duration_log(
            (j->submitted_ns > o->last_submitted ? j->submitted_ns - o->last_submitted : 0) /
            1000000000);
    o->submitted++;
    o->running++;
    o->last_submitted = j->submitted_ns;
    o->last_gpus = j->gpus;
}

/* After its features were taken. */
static inline void duration_submitted(struct duration_state *s, const struct duration_job *j)
{
    duration_owner_submits(&s->user[duration_slot(duration_whose(j), 0)], j);
    duration_owner_submits(&s->group[duration_slot(j->group, 0)], j);
}

static inline void duration_owner_ends(struct duration_owner *o, float y)
{
    duration_stat_add(&o->far, y, DURATION_FAR);
    duration_stat_add(&o->near, y, DURATION_NEAR);
    o->before = o->last;
    o->last = y;
    o->done++;
    o->running -= o->running > 0;
}

static inline void duration_ended(struct duration_state *s, const struct duration_job *j,
                                  uint64_t seconds)
{
    float y = duration_log(seconds);
    duration_stat_add(&s->all, y, 100000);
    duration_stat_add(&s->recent, y, DURATION_FAR);
    duration_owner_ends(&s->user[duration_slot(duration_whose(j), 0)], y);
    duration_owner_ends(&s->group[duration_slot(j->group, 0)], y);
    struct duration_shape *like = duration_shape_of(s, j);
    duration_stat_add(&like->far, y, DURATION_FAR);
    duration_stat_add(&like->near, y, DURATION_NEAR);
    like->last = y;
}

#endif
