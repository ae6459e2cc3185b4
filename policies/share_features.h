/* share_features.h - what gpu.share shows of a GPU's tenants over a window of
 * its periods, as SHARE_N numbers: the profile of one critical tenant, that of
 * all others together, and the part that it might be given.
 *
 * Shared, as source, by the policy that predicts latencies and by the trainer.
 * Only + - * / on floats, so the bits are the same everywhere.  A latency is on
 * a logarithmic scale, exact in both directions: log2 of microseconds, straight
 * lines between powers of two; that of a window is the mean over the requests
 * that were answered in it, of which every period shows the last.            */
#ifndef SHARE_FEATURES_H
#define SHARE_FEATURES_H

#include <math.h>

#include "policy.h"

#define SHARE_VERSION 1 /* goes up when a feature changes: weights name it */
#define SHARE_N       17

static inline float share_log(uint64_t ns)
{
    uint64_t v = ns / 1000 + 1;
    int octave = 63 - __builtin_clzll(v);
    return (float)octave + (float)(v - (UINT64_C(1) << octave)) / (float)(UINT64_C(1) << octave);
}

/* One tenant over the window. */
struct share_watched {
    uint32_t id, periods;
    uint64_t used_from, done_from, used_to, done_to; /* at the window's ends */
    uint64_t latency;                                /* the last one that was counted */
    float latency_sum;
    uint32_t answered, inside; /* requests answered; periods that found it in one */
    uint64_t sms, milli;       /* sums over periods, of what ran */
    uint64_t oldest;           /* the longest that a request has been waiting, ns */
};

struct share_window {
    uint32_t n;
    uint64_t from_ns, to_ns, busy, periods;
    struct share_watched tenant[POLICY_GPU_TENANTS_MAX];
};

static inline struct share_watched *share_find(struct share_window *w, uint32_t id)
{
    for (uint32_t i = 0; i < w->n; i++)
        if (w->tenant[i].id == id)
            return &w->tenant[i];
    return NULL;
}

/* A new window begins with what there is now. */
static inline void share_begin(struct share_window *w, const struct policy_share_obs *o)
{
    *w = (struct share_window){.n = o->n, .from_ns = o->now_ns, .to_ns = o->now_ns};
    for (uint32_t i = 0; i < o->n; i++) {
        const struct policy_gpu_tenant *t = &o->tenant[i];
        w->tenant[i] = (struct share_watched){.id = t->id,
                                              .used_from = t->used_ns,
                                              .used_to = t->used_ns,
                                              .done_from = t->done,
                                              .done_to = t->done,
                                              .latency = t->latency_ns};
    }
}

static inline void share_watch_one(struct share_watched *s, const struct policy_gpu_tenant *t,
                                   uint64_t now)
{
    s->periods++;
    s->used_to = t->used_ns;
    s->done_to = t->done;
    s->sms += t->running_sms;
    s->milli += t->running_milli;
    s->inside += t->request_ns != 0;
    if (t->latency_ns != s->latency) { /* two of the very same length count as one */
        s->latency = t->latency_ns;
        s->latency_sum += share_log(t->latency_ns);
        s->answered++;
    }
    if (t->request_ns && now - t->request_ns > s->oldest)
        s->oldest = now - t->request_ns;
}

/* Another period of the same tenants; one that came or went is for share_begin. */
static inline void share_watch(struct share_window *w, const struct policy_share_obs *o)
{
    for (uint32_t i = 0; i < o->n; i++) {
        struct share_watched *s = share_find(w, o->tenant[i].id);
        if (s)
            share_watch_one(s, &o->tenant[i], o->now_ns);
    }
    w->busy += o->busy;
    w->periods++;
    w->to_ns = o->now_ns;
}

static inline int share_same(const struct share_window *w, const struct policy_share_obs *o)
{
    if (w->n != o->n)
        return 0;
    for (uint32_t i = 0; i < o->n; i++)
        if (w->tenant[i].id != o->tenant[i].id)
            return 0;
    return 1;
}

/* Mean log latency of a tenant's answers; NaN: there were none. */
static inline float share_latency(const struct share_watched *s)
{
    return s->answered ? s->latency_sum / (float)s->answered : NAN;
}

static inline void share_put(float *x, const struct share_watched *s, uint64_t span, float sms)
{
    const float ms = (float)span / 1e6f, periods = s->periods ? (float)s->periods : 1.0f;
    x[0] += ms > 0 ? (float)(s->used_to - s->used_from) / (float)span : 0;
    x[1] += ms > 0 ? (float)(s->done_to - s->done_from) / ms : 0;
    x[2] += (float)s->sms / periods / sms;
    x[3] += (float)s->milli / periods / (float)POLICY_MILLI;
}

/* Of the critical tenant `who`, which had `had` of the SMs in this window and the others `rest`
 * together, if it is given `part`; all in 1/1000. */
static inline void share_features(const struct share_window *w, uint32_t who, uint32_t had,
                                  uint32_t rest, uint32_t part, float x[SHARE_N])
{
    const struct share_watched *me = &w->tenant[who];
    const uint64_t span = w->to_ns - w->from_ns;
    for (int k = 0; k < SHARE_N; k++)
        x[k] = 0;
    x[0] = share_latency(me);
    x[1] = (float)had / (float)POLICY_MILLI;
    x[2] = (float)part / (float)POLICY_MILLI;
    x[3] = (float)rest / (float)POLICY_MILLI;
    share_put(x + 4, me, span, 100);
    x[8] = me->periods ? (float)me->inside / (float)me->periods : 0;
    x[9] = me->oldest ? share_log(me->oldest) : 0;
    x[10] = (float)me->answered;
    for (uint32_t i = 0; i < w->n; i++)
        if (i != who)
            share_put(x + 11, &w->tenant[i], span, 100);
    x[15] = (float)(w->n - 1);
    x[16] = w->periods ? (float)w->busy / (float)w->periods / (float)POLICY_MILLI : 0;
}

#endif
