/* admit_slo.c - turns away a request that would get its first token too late.
 *
 * Predicts the time to the first token from the prompt tokens ahead of it and
 * its own: `base_ms` and so much per token.  How long a token takes is learned
 * from what was served, by exponential smoothing, beginning with `token_us`.
 * A request that is turned away costs nothing and keeps those behind it in
 * time: goodput instead of throughput.  It knows nothing of decoding.
 *
 * Parameters
 *   slo_ms      (1000)    first token within, 0..1e9
 *   base_ms     (20)      without any tokens, 0..1e9; the fastest seen, if that is less
 *   token_us    (50)      per prompt token at first, 0..1e9
 *   learn       (0.02)    weight of each new observation, 0..1               */
#include <stdlib.h>

#include "policy.h"

#define ASKED 65536 /* of the last questions, what was predicted from */

struct slo {
    double slo, base, token, learn; /* ms */
    uint64_t id[ASKED];
    double tokens[ASKED];
};

static int create(void **self, const struct policy_host *h)
{
    struct slo *s = calloc(1, sizeof *s);
    if (!s)
        return -1;
    s->slo = h->param(h->host, "slo_ms", 1000);
    s->base = h->param(h->host, "base_ms", 20);
    s->token = h->param(h->host, "token_us", 50) / 1e3;
    s->learn = h->param(h->host, "learn", 0.02);
    if (!(s->slo >= 0 && s->base >= 0 && s->token >= 0 && s->learn >= 0 && s->learn <= 1)) {
        h->log(h->host, "times must be 0 or more, \"learn\" 0 to 1");
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

static int admit(void *self, const struct policy_admit_obs *o)
{
    struct slo *s = self;
    const uint64_t at = o->request.id % ASKED;
    const double tokens = (double)o->server.waiting_prompt_tokens + o->request.prompt_tokens;
    s->id[at] = o->request.id;
    s->tokens[at] = tokens;
    return s->base + s->token * tokens > s->slo ? POLICY_REJECT : POLICY_ADMIT;
}

static void done(void *self, const struct policy_done *d)
{
    struct slo *s = self;
    const uint64_t at = d->request.id % ASKED;
    if (s->id[at] != d->request.id || !(s->tokens[at] > 0))
        return;
    const double ms = (double)(d->first_token_ns - d->request.arrived_ns) / 1e6;
    if (ms < s->base)
        s->base = ms;
    s->token += s->learn * ((ms - s->base) / s->tokens[at] - s->token);
}

POLICY(.name = "admit-slo", .summary = "turns away what would get its first token too late",
       .create = create, .destroy = destroy, .serve_admit = admit, .serve_done = done);
