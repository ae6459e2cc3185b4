/* template_route.c - a small router and autoscaler of serving engines, to be copied.
 *
 * A request goes to the engine with the fewest tokens to compute; a pool gets
 * one more engine while requests wait, one less when most are idle.  To make
 * your own: `malv policy new NAME --hook serve.route`; the steps and the rules
 * stand in template.c.                                                      */
#include <stdlib.h>

#include "policy.h"

struct template_route_state {
    const struct policy_host *h; /* stays valid until destroy */
    double decode_weight, idle;
};

static int create(void **self, const struct policy_host *h)
{
    struct template_route_state *s = calloc(1, sizeof *s);
    if (!s) {
        h->log(h->host, "out of memory"); /* the last line logged is shown as the reason */
        return -1;
    }
    s->h = h;
    s->decode_weight = h->param(h->host, "decode_weight", 20); /* tokens that one answer weighs */
    s->idle = h->param(h->host, "idle", 0.5);
    *self = s;
    return 0;
}

static void destroy(void *self)
{
    free(self);
}

/* Which engine takes the request?  One that takes any; here, the one with the least ahead. */
static uint32_t route(void *self, const struct policy_route_obs *o)
{
    const struct template_route_state *s = self;
    uint32_t best = POLICY_NONE;
    double least = 0;
    for (uint32_t i = 0; i < o->n; i++) {
        const struct policy_engine *e = &o->engine[i];
        const double ahead =
            (double)e->waiting_prompt_tokens + s->decode_weight * ((double)e->running + e->waiting);
        if (e->takes && (best == POLICY_NONE || ahead < least)) {
            best = i;
            least = ahead;
        }
    }
    return best;
}

/* How many engines shall the pool have?  Between o->least and o->most. */
static uint32_t scale(void *self, const struct policy_scale_obs *o)
{
    const struct template_route_state *s = self;
    const uint32_t now = o->serving + o->starting;
    uint32_t want = now;
    if (o->waiting > o->serving && !o->starting)
        want = now + 1;
    else if (!o->waiting && o->busy_milli < 1000 * s->idle && now)
        want = now - 1;
    return want < o->least ? o->least : want > o->most ? o->most : want;
}

POLICY(.name = "template-route", .summary = "fewest tokens ahead (the one to copy)",
       .create = create, .destroy = destroy, .serve_route = route, .serve_scale = scale);
