/* route_prefix.c - the engine that has most of the prompt in its prefix cache, unless it is busy.
 *
 * What is already cached need not be computed, so a session stays where it
 * was; but popular prefixes would pile up on one engine.  An engine counts as
 * busy when it has more prompt tokens ahead than the least loaded one by what
 * the cache would save, times `weight`.  The idea is that of SGLang's and
 * llm-d's cache-aware routers; the rule is our own.
 *
 * Parameters
 *   weight    (1)    tokens of waiting that a cached token is worth, 0..1000   */
#include <stdlib.h>

#include "policy.h"

struct prefix {
    double weight;
};

static int create(void **self, const struct policy_host *h)
{
    struct prefix *s = calloc(1, sizeof *s);
    if (!s)
        return -1;
    s->weight = h->param(h->host, "weight", 1);
    if (!(s->weight >= 0 && s->weight <= 1000)) {
        h->log(h->host, "\"weight\" is out of range, want 0 to 1000");
        free(s);
        return -1;
    }
    *self = s;
    return 0;
}

static void destroy(void *self)
{
    free(self);
}

/* Tokens to be computed there before this prompt is, its own among them. */
static double cost(const struct prefix *s, const struct policy_engine *e, uint32_t stage)
{
    const double cached = (double)e->cached_tokens + (double)e->shipped_tokens;
    const double ahead = stage == POLICY_PREFILLED ? cached : (double)e->waiting_prompt_tokens;
    return ahead + (double)e->waiting + (double)e->running - s->weight * e->prefix_tokens;
}

static uint32_t route(void *self, const struct policy_route_obs *o)
{
    const struct prefix *s = self;
    uint32_t best = POLICY_NONE;
    double least = 0;
    for (uint32_t i = 0; i < o->n; i++) {
        const double c = cost(s, &o->engine[i], o->stage);
        if (o->engine[i].takes && (best == POLICY_NONE || c < least)) {
            best = i;
            least = c;
        }
    }
    return best;
}

POLICY(.name = "route-prefix", .summary = "requests go where their prompt's prefix is cached",
       .create = create, .destroy = destroy, .serve_route = route);
