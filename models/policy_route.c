/* policy_route.c - the guard at serve.route, serve.scale. */
#include <assert.h>

#include "models/policy_guard.h"

static uint32_t round_robin(const struct policy_route_obs *o, uint32_t *next)
{
    uint32_t at = *next < o->n ? *next : 0;
    for (uint32_t seen = 0; !o->engine[at].takes; seen++) {
        assert(seen < o->n && "nobody takes requests");
        at = at + 1 < o->n ? at + 1 : 0;
    }
    *next = at + 1;
    return at;
}

uint32_t policy_slot_route(struct policy_slot *p, const struct policy_route_obs *o, uint32_t *next)
{
    if (!slot_asks(p) || !p->ops->serve_route)
        return round_robin(o, next);
    struct policy_route_obs seen = *o;
    if (!p->ops->oracle)
        seen.request.oracle_output_tokens = 0;
    if (!slot_enter(p, "serve_route", o->now_ns))
        return round_robin(o, next);
    uint32_t at = p->ops->serve_route(p->self, &seen);
    slot_leave(p);
    p->decisions++;
    if (at < o->n && o->engine[at].takes)
        return at;
    if (at < o->n)
        slot_bad(p, o->now_ns, "serve_route answered engine %u, which takes no requests", at);
    else
        slot_bad(p, o->now_ns, "serve_route answered engine %u, want one of %u", at, o->n);
    return round_robin(o, next);
}

static uint32_t as_they_are(const struct policy_scale_obs *o)
{
    const uint32_t now = o->serving + o->starting;
    return now < o->least ? o->least : now > o->most ? o->most : now;
}

uint32_t policy_slot_scale(struct policy_slot *p, const struct policy_scale_obs *o)
{
    if (!slot_asks(p) || !p->ops->serve_scale || !slot_enter(p, "serve_scale", o->now_ns))
        return as_they_are(o);
    struct policy_scale_obs seen = *o;
    if (!p->ops->oracle)
        seen.oracle = NULL;
    uint32_t want = p->ops->serve_scale(p->self, &seen);
    slot_leave(p);
    p->decisions++;
    if (want >= o->least && want <= o->most)
        return want;
    slot_bad(p, o->now_ns, "serve_scale answered %u engines, want %u to %u", want, o->least,
             o->most);
    return as_they_are(o);
}
