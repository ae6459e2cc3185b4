/* admit_oracle.c - turns away what would get its first token too late, told every answer's length.
 *
 * admit-slo predicts the wait from prompts alone.  This one knows how many
 * tokens each admitted request still has to write, so when seats and KV blocks
 * come free: the wait is until enough of those that are in have ended for all
 * who wait and the newcomer to be let in, and then their prompts.  How long a
 * prompt's token and an answer's token take is learned, as there.  A bound on
 * what lengths are worth to this rule, not an optimum: it admits in order of
 * arrival, and never one that is late for the sake of its being short.
 *
 * Parameters
 *   slo_ms      (1000)    first token within, 0..1e9
 *   base_ms     (20)      without any tokens, 0..1e9; the fastest seen, if that is less
 *   token_us    (50)      per prompt token at first, 0..1e9
 *   step_ms     (30)      per token of an answer at first, 0..1e9
 *   learn       (0.02)    weight of each new observation, 0..1               */
#include <stdlib.h>

#include "policy.h"

struct inside { /* an admitted request that has not ended */
    uint64_t id, came_ns;
    uint32_t prompt, output;
    double ahead; /* prompt tokens until its first token, when it came */
};

struct ending {
    double ms;       /* from now */
    uint64_t blocks; /* that it gives back */
};

struct oracle {
    double slo, base, token, step, learn; /* ms */
    struct inside *in;
    struct ending *end;
    uint32_t n, room;
};

static int create(void **self, const struct policy_host *h)
{
    struct oracle *s = calloc(1, sizeof *s);
    if (!s)
        return -1;
    s->slo = h->param(h->host, "slo_ms", 1000);
    s->base = h->param(h->host, "base_ms", 20);
    s->token = h->param(h->host, "token_us", 50) / 1e3;
    s->step = h->param(h->host, "step_ms", 30);
    s->learn = h->param(h->host, "learn", 0.02);
    if (!(s->slo >= 0 && s->base >= 0 && s->token >= 0 && s->step >= 0 && s->learn >= 0 &&
          s->learn <= 1)) {
        h->log(h->host, "times must be 0 or more, \"learn\" 0 to 1");
        free(s);
        return -1;
    }
    *self = s;
    return 0;
}

static void destroy(void *self)
{
    struct oracle *s = self;
    free(s->in);
    free(s->end);
    free(s);
}

static int sooner(const void *a, const void *b)
{
    const double x = ((const struct ending *)a)->ms, y = ((const struct ending *)b)->ms;
    return (x > y) - (x < y);
}

static uint64_t blocks(uint64_t tokens, const struct policy_server *v)
{
    return v->block_tokens ? (tokens + v->block_tokens - 1) / v->block_tokens : 0;
}

/* When each of those inside ends, the soonest first. */
static void foresee(struct oracle *s, const struct policy_server *v)
{
    for (uint32_t i = 0; i < s->n; i++) {
        const struct inside *r = &s->in[i];
        const double age = (double)(v->now_ns - r->came_ns) / 1e6;
        const double left = s->base + s->token * r->ahead + s->step * r->output - age;
        s->end[i] = (struct ending){left > 0 ? left : 0, blocks(r->prompt + r->output, v)};
    }
    if (s->n)
        qsort(s->end, s->n, sizeof *s->end, sooner);
}

/* Until there are seats and blocks for all who wait and this one, ms. */
static double until_room(struct oracle *s, const struct policy_admit_obs *o)
{
    const struct policy_server *v = &o->server;
    const uint64_t seats = (uint64_t)v->running + v->waiting + 1;
    const uint64_t wants = blocks(v->waiting_prompt_tokens + o->request.prompt_tokens, v);
    uint64_t more = seats > v->max_running ? seats - v->max_running : 0, got = v->kv_blocks_free;
    if (!more && got >= wants)
        return 0;
    foresee(s, v);
    for (uint32_t i = 0; i < s->n; i++) {
        got += s->end[i].blocks;
        more -= more > 0;
        if (!more && got >= wants)
            return s->end[i].ms;
    }
    return 0;
}

static int enter(struct oracle *s, const struct policy_admit_obs *o, double ahead)
{
    if (s->n == s->room) {
        const uint32_t room = s->room ? 2 * s->room : 256;
        struct inside *in = realloc(s->in, room * sizeof *in);
        if (in)
            s->in = in;
        struct ending *end = realloc(s->end, room * sizeof *end);
        if (end)
            s->end = end;
        if (!in || !end)
            return POLICY_REJECT;
        s->room = room;
    }
    s->in[s->n++] = (struct inside){.id = o->request.id,
                                    .came_ns = o->server.now_ns,
                                    .prompt = o->request.prompt_tokens,
                                    .output = o->request.oracle_output_tokens,
                                    .ahead = ahead};
    return POLICY_ADMIT;
}

static int admit(void *self, const struct policy_admit_obs *o)
{
    struct oracle *s = self;
    const double tokens = (double)o->server.waiting_prompt_tokens + o->request.prompt_tokens;
    const double wait = until_room(s, o);
    if (wait + s->base + s->token * tokens > s->slo)
        return POLICY_REJECT;
    return enter(s, o, tokens + (s->token > 0 ? wait / s->token : 0));
}

static void done(void *self, const struct policy_done *d)
{
    struct oracle *s = self;
    uint32_t i = 0;
    while (i < s->n && s->in[i].id != d->request.id)
        i++;
    if (i == s->n)
        return;
    const struct inside r = s->in[i];
    s->in[i] = s->in[--s->n];
    const double ms = (double)(d->first_token_ns - d->request.arrived_ns) / 1e6;
    if (ms < s->base)
        s->base = ms;
    if (r.ahead > 0)
        s->token += s->learn * ((ms - s->base) / r.ahead - s->token);
    if (d->output_tokens > 1)
        s->step += s->learn *
                   ((double)(d->last_token_ns - d->first_token_ns) / 1e6 / (d->output_tokens - 1) -
                    s->step);
}

POLICY(.name = "admit-oracle",
       .summary = "turns away what would be late, told every answer's length (oracle)", .oracle = 1,
       .create = create, .destroy = destroy, .serve_admit = admit, .serve_done = done);
