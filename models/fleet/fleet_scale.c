/* fleet_scale.c - engines start and end, once a period, as serve.scale says.
 *
 * A new engine is cold: it costs from the moment it is asked for and takes
 * requests after the cold start.  One that is to go takes none any more,
 * finishes what it has, and is off then.  Of those that could go, whoever has
 * least to do goes.                                                         */
#include <assert.h>

#include "models/fleet/fleet_state.h"

void fleet_scale_engines(struct pool *p, sim_time now)
{
    const double up = p->serving + p->starting + p->ending + p->down;
    const double ns = (double)(now - p->since);
    p->engine_ns += up * ns;
    p->up_ns += (p->serving + p->ending) * ns;
    p->down_ns += p->down * ns;
    p->since = now;
    if (p->s_engines)
        series_level(p->s_engines, now, up);
    if (p->s_serving)
        series_level(p->s_serving, now, p->serving);
}

/* Of one that fails or comes back the router hears when it looks (fleet_failures.c). */
static void tell_router(struct engine *e, enum engine_state from)
{
    const bool takes = e->state == ENGINE_SERVING;
    if (from == ENGINE_DOWN || e->state == ENGINE_DOWN || e->seen->takes == takes)
        return;
    fleet_route_takes(e, takes);
    if (takes)
        fleet_retry_parked(e->f, fleet_route_gate(e));
}

void fleet_scale_become(struct engine *e, enum engine_state to)
{
    struct pool *p = e->pool;
    const enum engine_state from = e->state;
    uint32_t *const of[] = {NULL, &p->starting, &p->serving, &p->ending, &p->down};
    fleet_scale_engines(p, sim_now(e->f->sim));
    if (e->state != ENGINE_OFF)
        --*of[e->state];
    if (to != ENGINE_OFF)
        ++*of[to];
    if (to == ENGINE_OFF)
        reuse_clear(&e->reuse, sim_now(e->f->sim));
    if (to == ENGINE_OFF && e->mem)
        engine_memory_clear(e);
    e->state = to;
    fleet_scale_engines(p, sim_now(e->f->sim));
    fleet_failures_became(e, from);
    tell_router(e, from);
}

static void warm(void *ctx, uint64_t arg)
{
    (void)arg;
    fleet_scale_become(ctx, ENGINE_SERVING);
}

static bool busy(const struct engine *e)
{
    return e->iterating || e->head != NO_SLOT || e->n_running || e->leaving || e->incoming;
}

void fleet_scale_empty(struct engine *e)
{
    if (!busy(e))
        fleet_scale_become(e, ENGINE_OFF);
}

static struct engine *any(struct fleet *f, const struct pool *p, enum engine_state state)
{
    for (uint32_t i = 0; i < p->most; i++)
        if (f->engine[p->first + i].state == state)
            return &f->engine[p->first + i];
    return NULL;
}

static struct engine *idlest(struct fleet *f, const struct pool *p)
{
    struct engine *best = NULL;
    for (uint32_t i = p->most; i-- > 0;) {
        struct engine *e = &f->engine[p->first + i];
        if (e->state == ENGINE_SERVING && (!best || e->seen->waiting + e->seen->running <
                                                        best->seen->waiting + best->seen->running))
            best = e;
    }
    return best;
}

/* false: all that there are run, start, or have failed. */
static bool one_more(struct fleet *f, struct pool *p)
{
    struct engine *e = any(f, p, ENGINE_ENDING);
    if (e) { /* still warm */
        fleet_scale_become(e, ENGINE_SERVING);
        return true;
    }
    e = any(f, p, ENGINE_OFF);
    assert(e || p->down);
    if (!e)
        return false;
    fleet_scale_become(e, ENGINE_STARTING);
    e->ev = sim_after(f->sim, (sim_time)(p->c->scale.cold_start_s * 1e9), 2, warm, e, 0);
    f->n.cold_starts++;
    return true;
}

static void one_less(struct fleet *f, struct pool *p)
{
    struct engine *e = any(f, p, ENGINE_STARTING);
    if (e) {
        sim_cancel(f->sim, e->ev);
        fleet_scale_become(e, ENGINE_OFF);
        return;
    }
    e = idlest(f, p);
    fleet_scale_become(e, ENGINE_ENDING);
    fleet_scale_empty(e);
}

static void look(struct fleet *f, struct pool *p, struct policy_scale_obs *o)
{
    const struct scale_config *c = &p->c->scale;
    const double period_ns = c->period_s * 1e9, up = p->serving + p->ending;
    const double share = up > 0 ? (double)(p->busy - p->busy_then) / 1e3 / (period_ns * up) : 0;
    *o = (struct policy_scale_obs){
        .now_ns = sim_now(f->sim),
        .period = p->period++,
        .period_ns = (uint64_t)period_ns,
        .role = p->c->role,
        .serving = p->serving,
        .starting = p->starting,
        .ending = p->ending,
        .least = c->least,
        .most = c->most,
        .arrived = p->arrived,
        .arrived_tokens = p->arrived_tokens,
        .done = p->done,
        .good = p->good,
        .busy_milli = share < 1 ? (uint32_t)(share * 1000) : 1000,
        .start_ns = (uint64_t)(c->cold_start_s * 1e9),
    };
    for (uint32_t i = 0; i < p->most; i++) {
        const struct policy_engine *s = f->engine[p->first + i].seen;
        o->waiting += s->waiting;
        o->running += s->running;
    }
    p->busy_then = p->busy;
    p->arrived = p->arrived_tokens = p->done = p->good = 0;
}

/* Held back by a step of the policy's life, it comes here again. */
static void may_ask(void *ctx, uint64_t pool)
{
    struct fleet *f = ctx;
    struct pool *p = &f->pool[pool];
    if (policy_life_ask(f->scales, 0, &p->asked, may_ask, f, pool) &&
        !desk_put(f->scaler, pool, p->asked_at))
        fleet_fail(f, err_set(f->e, ERR_ENOMEM, "fleet: out of memory"));
}

static void ask(void *ctx, uint64_t pool)
{
    struct fleet *f = ctx;
    struct pool *p = &f->pool[pool];
    if (f->trace_over && !f->n.in_system)
        return;
    p->asked = (struct policy_ticket){.size = p->most};
    p->asked_at = sim_now(f->sim);
    may_ask(f, pool);
}

static void turn(void *ctx, uint64_t pool, uint64_t period_over)
{
    struct fleet *f = ctx;
    struct policy_scale_obs o;
    struct policy_coming coming[2];
    (void)period_over;
    look(f, &f->pool[pool], &o);
    if (f->ahead) {
        int rc =
            fleet_ahead_look(f, o.now_ns + o.start_ns, o.now_ns + o.start_ns + o.period_ns, coming);
        if (rc) {
            fleet_fail(f, rc);
            return;
        }
        o.oracle = coming;
    }
    f->scaled_to = policy_slot_scale(policy_life_of(f->scales, f->pool[pool].asked.version), &o);
    policy_life_watch(f->scales, 0);
}

/* The next period began when this one was over, whatever the answer took. */
static void answered(void *ctx, uint64_t pool, uint64_t period_over)
{
    struct fleet *f = ctx;
    struct pool *p = &f->pool[pool];
    policy_life_answered(f->scales, 0, &p->asked);
    if (f->rc)
        return;
    while (p->serving + p->starting < f->scaled_to && one_more(f, p))
        ;
    while (p->serving + p->starting > f->scaled_to)
        one_less(f, p);
    const sim_time at = period_over + (uint64_t)(p->c->scale.period_s * 1e9), now = sim_now(f->sim);
    sim_at(f->sim, at > now ? at : now, 2, ask, f, pool);
}

const struct desk_calls fleet_scale_calls = {turn, answered, NULL};

void fleet_scale_begin(struct fleet *f)
{
    for (uint32_t i = 0; i < f->c.pools; i++) {
        const struct scale_config *c = &f->pool[i].c->scale;
        if (c->on)
            sim_after(f->sim, (sim_time)(c->period_s * 1e9), 2, ask, f, i);
    }
}
