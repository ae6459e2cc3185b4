/* route_oracle.c - the engine with the least work ahead, told how long every answer will be.
 *
 * Join the least work left (what a router could do that predicts lengths
 * perfectly): a request's work is its answer's tokens and `prompt_weight` for
 * each of its prompt's, and stays an engine's until the request is done.  A
 * bound on what knowing lengths is worth to a router, not an optimum.
 *
 * Parameters
 *   prompt_weight    (0.2)    as in oracle-sjf, 0..1000                        */
#include "engine_tree.h"

struct oracle {
    double weight;
    uint32_t n;
    uint64_t *work; /* [n] */
    struct engine_tree decode;
};

static int create(void **self, const struct policy_host *h)
{
    struct oracle *s = calloc(1, sizeof *s);
    if (!s)
        return -1;
    s->weight = h->param(h->host, "prompt_weight", 0.2);
    if (!(s->weight >= 0 && s->weight <= 1000)) {
        h->log(h->host, "\"prompt_weight\" is out of range, want 0 to 1000");
        free(s);
        return -1;
    }
    *self = s;
    return 0;
}

static void destroy(void *self)
{
    struct oracle *s = self;
    engine_tree_free(&s->decode);
    free(s->work);
    free(s);
}

static uint64_t work(const struct oracle *s, const struct policy_request *r, uint32_t output)
{
    return (uint64_t)(s->weight * r->prompt_tokens) + output;
}

static uint64_t cached(const struct policy_engine *e, uint32_t stage)
{
    (void)stage;
    return e->cached_tokens + e->shipped_tokens;
}

static uint32_t route(void *self, const struct policy_route_obs *o)
{
    struct oracle *s = self;
    if (o->stage == POLICY_PREFILLED)
        return engine_tree_least(&s->decode, o, cached);
    if (s->n != o->n) {
        free(s->work);
        s->n = 0;
        s->work = calloc(o->n, sizeof *s->work);
        if (!s->work)
            return o->n;
        s->n = o->n;
    }
    uint32_t best = POLICY_NONE;
    for (uint32_t i = 0; i < o->n; i++)
        if (o->engine[i].takes && (best == POLICY_NONE || s->work[i] < s->work[best]))
            best = i;
    s->work[best] += work(s, &o->request, o->request.oracle_output_tokens);
    return best;
}

static void done(void *self, const struct policy_done *d)
{
    struct oracle *s = self;
    if (d->engine >= s->n)
        return;
    const uint64_t w = work(s, &d->request, d->output_tokens);
    s->work[d->engine] -= w < s->work[d->engine] ? w : s->work[d->engine];
}

POLICY(.name = "route-oracle",
       .summary = "requests go where the least work is left, by true lengths", .oracle = 1,
       .create = create, .destroy = destroy, .serve_route = route, .serve_done = done);
