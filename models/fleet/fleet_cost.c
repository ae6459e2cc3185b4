/* fleet_cost.c - see fleet_cost.h. */
#include "models/fleet/fleet_cost.h"

#include <assert.h>

void fleet_curve_add(struct fleet_curve *k, uint64_t x, int64_t y)
{
    assert(k->n < FLEET_KNOTS && (!k->n || k->x[k->n - 1] < x));
    k->x[k->n] = x;
    k->y[k->n++] = y;
}

sim_cost fleet_curve_at(const struct fleet_curve *k, uint64_t x)
{
    uint32_t i = 1;
    assert(k->n >= 1);
    if (k->n == 1)
        return (sim_cost)k->y[0];
    while (i + 1 < k->n && k->x[i] < x)
        i++;
    const __int128 dx = (__int128)x - k->x[i - 1], dy = k->y[i] - k->y[i - 1];
    const __int128 y = k->y[i - 1] + dy * dx / (__int128)(k->x[i] - k->x[i - 1]);
    return y < 1 ? 1 : (sim_cost)y;
}

/* ---- llm: as model "serve" composes it (serve_engine.c) ---- */

static inline sim_cost host_of(const struct fleet_cost *c, const struct llm_batch *l)
{
    return c->step + (l->decoding + l->chunks) * c->seq + c->launch + c->complete;
}

sim_cost fleet_cost_host(const struct fleet_cost *c, const struct fleet_batch *b)
{
    return host_of(c, &b->llm);
}

static struct fleet_time llm_time(const struct fleet_cost *c, const struct fleet_batch *b)
{
    const struct llm_batch *l = &b->llm;
    const uint64_t launches = c->graphs && !l->chunks ? 1 : c->llm.kernels;
    const sim_cost work = llm_cost_iteration(&c->llm, l), submit = launches * c->launch;
    const sim_cost host = host_of(c, l);
    const sim_cost floor = c->overlap && host > submit ? host : submit;
    struct fleet_time t = {.straight = 1};
    t.gpu = work > submit ? work : submit; /* the host may be the slower one */
    t.all = !c->overlap ? host + t.gpu : host > t.gpu ? host : t.gpu;
    if (!l->chunks && work >= floor) {
        t.growth = llm_cost_growth(&c->llm, l, &t.straight);
        t.most = work - floor;
    }
    return t;
}

/* ---- linear ---- */

static sim_cost at_least_one(int64_t ps)
{
    return ps < 1 ? 1 : (sim_cost)ps;
}

static struct fleet_time linear_time(const struct fleet_cost *c, const struct fleet_batch *b)
{
    const struct fleet_linear *f = &c->linear;
    const struct llm_batch *l = &b->llm;
    const int64_t *d = l->decoding >= f->large_from ? f->large : f->decode, *p = f->prompt;
    const int64_t n = (int64_t)l->decoding;
    struct fleet_time t = {.straight = l->chunks ? 1 : UINT64_MAX};
    if (l->chunks) { /* with decoding sequences beside them: a token each */
        t.all = at_least_one(p[0] + p[1] * ((int64_t)l->prompt_tokens + n) +
                             p[2] * (int64_t)b->squares);
    } else {
        t.all = at_least_one(d[0] + d[1] * ((int64_t)l->cached + n) + d[2] * n);
        t.growth = d[1] * n;
        t.most = t.all - 1;
    }
    t.gpu = t.all;
    return t;
}

/* ---- curve ---- */

static struct fleet_time curve_time(const struct fleet_cost *c, const struct fleet_batch *b)
{
    const struct llm_batch *l = &b->llm;
    const uint64_t tokens = l->prompt_tokens + l->decoding;
    struct fleet_time t = {.straight = l->chunks ? 1 : UINT64_MAX};
    if (l->chunks)
        t.all = fleet_curve_at(c->prompt, tokens) * (l->decoding ? 11 : 10) / 10;
    else
        t.all = fleet_curve_at(c->token, tokens);
    t.gpu = t.all;
    return t;
}

struct fleet_time fleet_cost_iteration(const struct fleet_cost *c, const struct fleet_batch *b)
{
    switch (c->kind) {
    case FLEET_LLM:
        return llm_time(c, b);
    case FLEET_LINEAR:
        return linear_time(c, b);
    case FLEET_CURVE:
        return curve_time(c, b);
    }
    return (struct fleet_time){0};
}
