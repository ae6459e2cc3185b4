/* steer_net.h - what policies have in common that ask a network whether a read would be slow. */
#ifndef POLICIES_STEER_NET_H
#define POLICIES_STEER_NET_H

#include "open_net.h"

struct steer_net {
    const struct policy_host *h;
    int model;
    double margin; /* how far "slow" must be ahead of "fast" in its outputs */
};

/* The parameter "margin", within +-most; 0, or -1 after saying why. */
static inline int steer_net_margin(struct steer_net *s, const struct policy_host *h, double most)
{
    s->h = h;
    s->margin = h->param(h->host, "margin", 0);
    if (s->margin >= -most && s->margin <= most)
        return 0;
    h->log(h->host, most == 32 ? "margin: want -32..32" : "margin: want -1000..1000");
    return -1;
}

/* The parameters "model" and "margin", the same. */
static inline int steer_net_open(struct steer_net *s, const struct policy_host *h,
                                 const char *model, double most, uint32_t inputs, uint32_t outputs)
{
    if (steer_net_margin(s, h, most))
        return -1;
    s->model = open_net(h, model, inputs, outputs);
    return s->model < 0 ? -1 : 0;
}

/* The next replica in turn that has not turned the read away; else home. */
static inline uint32_t steer_next(const struct policy_steer_obs *o)
{
    for (uint32_t k = 1; k < o->n; k++) {
        const uint32_t d = (o->home + k) % o->n;
        if (!(o->tried & (UINT32_C(1) << d)))
            return d;
    }
    return o->home;
}

/* y: for fast, for slow, .. */
static inline uint32_t steer_net_answer(const struct steer_net *s, const struct policy_steer_obs *o,
                                        const float *x, float *y)
{
    if (s->h->infer(s->h->host, s->model, 1, x, y))
        return o->home; /* the host fails the trial */
    return (double)y[1] - (double)y[0] > s->margin ? steer_next(o) : o->home;
}

#endif
