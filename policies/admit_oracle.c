/* admit_oracle.c - turns away what would get its first token too late, told every answer's length.
 *
 * admit-slo predicts the wait from prompts alone.  This one knows how many
 * tokens each admitted request still has to write, so when seats and KV blocks
 * come free: the wait is until enough of those that are in have ended for all
 * who wait and the newcomer to be let in, and then their prompts.  How long a
 * prompt's token and an answer's token take is learned, as there, and how far
 * off such waits were so far.  And where there is no room, who takes longer than
 * the mean of those that asked is turned away for the sake of shorter ones that
 * come: more are served in time.  A bound on what lengths are worth to such
 * rules, not an optimum.
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
    uint32_t prompt, output, engine;
    double tokens; /* of prompts before its first one */
    double wait;   /* until there was room, as foreseen, ms */
};

struct ending {
    double ms;       /* from now */
    uint64_t blocks; /* that it gives back */
};

struct oracle {
    double slo, base, token, step, learn; /* ms */
    double off;                           /* what a wait took, over what was foreseen */
    double mean;                          /* of those that asked: how long they take, ms */
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
    s->off = 1;
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

/* When each of those inside this engine ends, the soonest first; how many. */
static uint32_t foresee(struct oracle *s, const struct policy_admit_obs *o)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < s->n; i++) {
        const struct inside *r = &s->in[i];
        if (r->engine != o->engine)
            continue;
        const double age = (double)(o->server.now_ns - r->came_ns) / 1e6;
        const double left =
            s->base + s->token * r->tokens + s->off * r->wait + s->step * r->output - age;
        s->end[n++] =
            (struct ending){left > 0 ? left : 0, blocks(r->prompt + r->output, &o->server)};
    }
    if (n)
        qsort(s->end, n, sizeof *s->end, sooner);
    return n;
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
    const uint32_t n = foresee(s, o);
    for (uint32_t i = 0; i < n; i++) {
        got += s->end[i].blocks;
        more -= more > 0;
        if (!more && got >= wants)
            return s->end[i].ms;
    }
    return 0;
}

static int enter(struct oracle *s, const struct policy_admit_obs *o, double tokens, double wait)
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
                                    .engine = o->engine,
                                    .tokens = tokens,
                                    .wait = wait};
    return POLICY_ADMIT;
}

static int admit(void *self, const struct policy_admit_obs *o)
{
    struct oracle *s = self;
    const double tokens = (double)o->server.waiting_prompt_tokens + o->request.prompt_tokens;
    const double wait = until_room(s, o);
    const double own =
        s->token * o->request.prompt_tokens + s->step * o->request.oracle_output_tokens;
    s->mean += s->learn * (own - s->mean);
    if (s->off * wait + s->base + s->token * tokens > s->slo || (wait > 0 && own > s->mean))
        return POLICY_REJECT;
    return enter(s, o, tokens, wait);
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
    if (r.wait > 0) {
        s->off += s->learn * ((ms - s->base - s->token * r.tokens) / r.wait - s->off);
        s->off = s->off > 0 ? s->off : 0;
    } else if (r.tokens > 0) {
        s->token += s->learn * ((ms - s->base) / r.tokens - s->token);
    }
    if (d->output_tokens > 1)
        s->step += s->learn *
                   ((double)(d->last_token_ns - d->first_token_ns) / 1e6 / (d->output_tokens - 1) -
                    s->step);
}

POLICY(.name = "admit-oracle",
       .summary = "turns away what would be late, told every answer's length (oracle)", .oracle = 1,
       .create = create, .destroy = destroy, .serve_admit = admit, .serve_done = done);
