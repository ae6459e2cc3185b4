/* oracle_sjf.c - shortest job first with the true length of every answer.
 *
 * Nobody can build this one: it is the bound for policies that predict.  The
 * work of a request is its answer's tokens plus `prompt_weight` per prompt
 * token still to be computed, as in sjf_mlp.c, so that the two differ only in
 * what they know.                                                           */
#include "policy.h"

#include <stdlib.h>

struct oracle {
    double prompt_weight;
};

static int create(void **self, const struct policy_host *h)
{
    struct oracle *s = malloc(sizeof *s);
    if (!s) {
        h->log(h->host, "out of memory");
        return -1;
    }
    s->prompt_weight = h->param(h->host, "prompt_weight", 0.2);
    *self = s;
    if (s->prompt_weight >= 0 && s->prompt_weight <= 1e3)
        return 0;
    h->log(h->host, "prompt_weight: want 0..1000");
    free(s);
    return -1;
}

static void destroy(void *self)
{
    free(self);
}

static int64_t batch(void *self, const struct policy_batch_obs *o)
{
    const struct oracle *s = self;
    const struct policy_request *r = &o->request;
    double prompt = (double)r->prompt_tokens - (double)r->cached_tokens;
    return (int64_t)(1024 * ((double)r->oracle_output_tokens + s->prompt_weight * prompt));
}

POLICY(.name = "oracle-sjf", .summary = "shortest job first, told the truth (bound)", .oracle = 1,
       .create = create, .destroy = destroy, .serve_batch = batch);
