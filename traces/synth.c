/* synth.c - one request after another: whose, when, how long. */
#include "traces/synth.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sim/dmath.h"
#include "sim/rng.h"
#include "traces/sessions.h"

#define NS_PER_S 1e9
#define SLICES   96 /* of a diurnal period: the rate is constant in each */

struct tenant {
    double habit; /* of its outputs: standardised over the class */
    double mood;  /* AR(1), standard normal in the long run */
};

struct class_state {
    const struct synth_class *c;
    struct tenant *tenant;
    struct rng_zipf *popular;
    uint32_t first_tenant;
    double starts_below;                           /* cumulative share of session starts */
    double w_prompt, w_tenant, w_history, w_noise; /* weights of the output's parts */
};

struct synth {
    struct request_source base;
    struct synth_params p;
    struct class_state cls[SYNTH_CLASSES];
    struct rng arrivals, sizes, choices;
    struct sessions *follow_ups;
    uint64_t made, sessions_begun;
    uint64_t now; /* of the last session start, ns */
    uint64_t next_start;
    double gap_mean_s; /* between session starts, without lulls */
    double lull_mean_s;
    double slice_ns, slice[SLICES];
    uint64_t *prefix;
    uint32_t prefix_cap;
};

/* Habits are drawn, then standardised under the tenants' popularity, so that a class meets its
 * published moments whatever the seed.                                      */
static bool draw_habits(struct class_state *s, uint64_t seed, uint32_t index)
{
    uint32_t n = s->c->tenants;
    struct rng r;
    double sum = 0, mean = 0, var = 0;
    rng_init_indexed(&r, seed, "synth", "habits", index);
    s->tenant = calloc(n, sizeof *s->tenant);
    double *w = malloc(n * sizeof *w);
    for (uint32_t i = 0; w && s->tenant && i < n; i++) {
        w[i] = dmath_pow(i + 1.0, -SYNTH_ZIPF);
        s->tenant[i].habit = rng_normal(&r, 0, 1);
        s->tenant[i].mood = rng_normal(&r, 0, 1);
        sum += w[i];
        mean += w[i] * s->tenant[i].habit;
    }
    mean /= sum;
    for (uint32_t i = 0; w && s->tenant && i < n; i++)
        var += w[i] / sum * (s->tenant[i].habit - mean) * (s->tenant[i].habit - mean);
    double scale = var > 0 ? 1 / sqrt(var) : 0;
    for (uint32_t i = 0; w && s->tenant && i < n; i++)
        s->tenant[i].habit = (s->tenant[i].habit - mean) * scale;
    free(w);
    return w && s->tenant;
}

static bool begin_class(struct synth *s, uint32_t i, uint64_t seed)
{
    struct class_state *cs = &s->cls[i];
    const struct synth_class *c = cs->c;
    double told = c->correlation * c->correlation + c->tenant_share + c->history_share;
    cs->w_prompt = c->correlation;
    cs->w_tenant = sqrt(c->tenant_share);
    cs->w_history = sqrt(c->history_share);
    cs->w_noise = told < 1 ? sqrt(1 - told) : 0;
    cs->popular = rng_zipf_new(c->tenants, SYNTH_ZIPF);
    return cs->popular && draw_habits(cs, seed, i);
}

/* Weights are shares of requests; a session makes 1 / (1 - follow) of them on average. */
static void share_starts(struct synth *s)
{
    double total = 0, starts = 0, below = 0;
    for (uint32_t i = 0; i < s->p.classes; i++) {
        total += s->p.cls[i].weight;
        starts += s->p.cls[i].weight * (1 - s->p.cls[i].follow);
    }
    for (uint32_t i = 0; i < s->p.classes; i++) {
        below += s->p.cls[i].weight * (1 - s->p.cls[i].follow) / starts;
        s->cls[i].starts_below = below;
    }
    double gap = total / (starts * s->p.rate_per_s), q = s->p.lull_share;
    s->lull_mean_s = s->p.lull_gaps * gap;
    s->gap_mean_s = (gap - q * s->lull_mean_s) / (1 - q);
}

static void shape_day(struct synth *s)
{
    s->slice_ns = s->p.period_h * 3600 * NS_PER_S / SLICES;
    for (int i = 0; i < SLICES; i++) {
        double hour = (i + 0.5) * s->p.period_h / SLICES;
        s->slice[i] = 1 + s->p.amplitude * dmath_cospi(2 * (hour - s->p.peak_h) / s->p.period_h);
    }
}

/* Stretches a gap of operational time: a slice with rate r passes r ns of it per ns. */
static uint64_t stretch(const struct synth *s, uint64_t from, double gap_ns)
{
    if (s->p.amplitude == 0)
        return from + (uint64_t)(gap_ns + 0.5);
    double at = (double)from, done = 0;
    for (;;) {
        double slot = floor((at + done) / s->slice_ns);
        double room = (slot + 1) * s->slice_ns - (at + done);
        double rate = s->slice[(uint64_t)slot % SLICES];
        if (room < 1)
            room = 1; /* a rounded slice end must not stop the clock */
        if (gap_ns <= room * rate)
            return from + (uint64_t)(done + gap_ns / rate + 0.5);
        gap_ns -= room * rate;
        done += room;
    }
}

static void next_start(struct synth *s)
{
    double shape = 1 / (s->p.cv * s->p.cv), gap_s;
    if (s->p.lull_share > 0 && rng_unit(&s->arrivals) < s->p.lull_share)
        gap_s = rng_exponential(&s->arrivals, s->lull_mean_s);
    else
        gap_s = rng_gamma(&s->arrivals, shape, s->gap_mean_s / shape);
    s->next_start = stretch(s, s->next_start, gap_s * NS_PER_S);
}

static uint32_t clamp_round(double v, const struct synth_length *l)
{
    v = v < l->min ? l->min : v > l->max ? l->max : v;
    return (uint32_t)(v + 0.5);
}

/* z is the log's distance from its median in standard deviations. */
static uint32_t length_at(const struct synth_length *l, double z)
{
    return clamp_round(l->median * dmath_exp(l->sigma * z), l);
}

static void begin_session(struct synth *s, struct session *n)
{
    uint32_t i = 0;
    double u = rng_unit(&s->choices);
    while (i + 1 < s->p.classes && u >= s->cls[i].starts_below)
        i++;
    *n = (struct session){.when = s->next_start, .cls = i, .id = ++s->sessions_begun};
    n->tenant = (uint32_t)rng_zipf_draw(s->cls[i].popular, &s->choices) - 1;
    assert(n->tenant < s->cls[i].c->tenants);
    next_start(s);
}

static void draw_lengths(struct synth *s, const struct session *n, struct trace_request *r)
{
    struct class_state *cs = &s->cls[n->cls];
    const struct synth_class *c = cs->c;
    struct tenant *t = &cs->tenant[n->tenant];
    double z = rng_normal(&s->sizes, 0, 1);
    r->prompt_tokens = length_at(&c->prompt, z);
    if (n->turn && c->more.median > 0) {
        r->prompt_tokens = clamp_round((double)n->said + length_at(&c->more, z), &c->prompt);
        z = dmath_log(r->prompt_tokens / c->prompt.median) /
            (c->prompt.sigma > 0 ? c->prompt.sigma : 1);
        z = z > 2 ? 2 : z; /* a long talk is no reason for an endless answer */
    }
    t->mood = SYNTH_AR * t->mood + sqrt(1 - SYNTH_AR * SYNTH_AR) * rng_normal(&s->sizes, 0, 1);
    r->output_tokens =
        length_at(&c->output, cs->w_prompt * z + cs->w_tenant * t->habit + cs->w_history * t->mood +
                                  cs->w_noise * rng_normal(&s->sizes, 0, 1));
}

static uint64_t mix(uint64_t a, uint64_t b)
{
    uint64_t h = (a ^ b * UINT64_C(0x9e3779b97f4a7c15)) * UINT64_C(0xbf58476d1ce4e5b9);
    return (h ^ h >> 31) >> 1; /* 63 bits: fits every reader's signed integers */
}

/* Block k of a prompt: of the class's system prompt, of what the session said
 * before, or new.  A partial last block is a block of its own.              */
static bool name_blocks(struct synth *s, struct session *n, struct trace_request *r)
{
    uint32_t size = s->p.prefix_block, blocks = (r->prompt_tokens + size - 1) / size;
    uint32_t shared = (uint32_t)s->cls[n->cls].c->system_tokens / size;
    if (blocks > s->prefix_cap) {
        uint64_t *more = realloc(s->prefix, blocks * sizeof *more);
        if (!more)
            return false;
        s->prefix = more;
        s->prefix_cap = blocks;
    }
    for (uint32_t k = 0; k < blocks; k++) {
        bool whole = (k + 1) * (uint64_t)size <= r->prompt_tokens;
        if (k < shared && whole)
            s->prefix[k] = mix(n->cls + 1, k);
        else if (whole)
            s->prefix[k] = mix(n->id << 8, k);
        else
            s->prefix[k] = mix(n->id << 8 | 255, (uint64_t)n->turn << 32 | k);
    }
    r->n_prefix = blocks;
    r->prefix = s->prefix;
    return true;
}

static bool follow_up(struct synth *s, struct session *n, const struct trace_request *r)
{
    const struct synth_class *c = s->cls[n->cls].c;
    if (c->follow <= 0 || rng_unit(&s->choices) >= c->follow)
        return true;
    double think = rng_exponential(&s->choices, c->think_s);
    n->when += (uint64_t)(think * NS_PER_S + 0.5);
    n->turn++;
    n->said = r->prompt_tokens + r->output_tokens;
    return sessions_push(s->follow_ups, n);
}

static bool talks(const struct synth *s)
{
    for (uint32_t i = 0; i < s->p.classes; i++)
        if (s->p.cls[i].follow > 0)
            return true;
    return false;
}

static int synth_next(struct request_source *self, struct trace_request *out, struct err *e)
{
    struct synth *s = (struct synth *)self;
    struct session n;
    if (s->made == s->p.requests)
        return 0;
    if (!sessions_pop_before(s->follow_ups, s->next_start, &n))
        begin_session(s, &n);
    assert(n.when >= s->now);
    s->now = n.when;
    *out = (struct trace_request){.time_ns = n.when, .model = TRACE_NAME_NONE};
    out->tenant = s->cls[n.cls].first_tenant + n.tenant;
    out->session = talks(s) ? n.id : 0;
    draw_lengths(s, &n, out);
    if (s->p.prefix_block && !name_blocks(s, &n, out))
        return err_set(e, ERR_ENOMEM, "out of memory");
    if (!follow_up(s, &n, out))
        return err_set(e, ERR_ENOMEM, "out of memory");
    s->made++;
    return 1;
}

static void synth_close(struct request_source *self)
{
    struct synth *s = (struct synth *)self;
    for (uint32_t i = 0; i < s->p.classes; i++) {
        free(s->cls[i].tenant);
        rng_zipf_free(s->cls[i].popular);
    }
    sessions_free(s->follow_ups);
    free(s->prefix);
    free(s);
}

int synth_open(struct request_source **out, const struct synth_params *p, uint64_t seed,
               struct err *e)
{
    struct synth *s = calloc(1, sizeof *s);
    *out = NULL;
    if (!s)
        return err_set(e, ERR_ENOMEM, "out of memory");
    assert(p->classes >= 1 && p->classes <= SYNTH_CLASSES);
    s->base = (struct request_source){synth_next, synth_close, p->requests};
    s->p = *p;
    seed = p->seeded ? p->seed : seed;
    rng_init(&s->arrivals, seed, "synth", "arrivals");
    rng_init(&s->sizes, seed, "synth", "sizes");
    rng_init(&s->choices, seed, "synth", "choices");
    bool ok = (s->follow_ups = sessions_new()) != NULL;
    uint32_t tenants = 0;
    for (uint32_t i = 0; i < p->classes; i++) {
        s->cls[i].c = &s->p.cls[i];
        s->cls[i].first_tenant = tenants;
        tenants += p->cls[i].tenants;
        ok = ok && begin_class(s, i, seed);
    }
    if (!ok) {
        synth_close(&s->base);
        return err_set(e, ERR_ENOMEM, "out of memory");
    }
    share_starts(s);
    shape_day(s);
    next_start(s);
    *out = &s->base;
    return 0;
}
