/* clients.c - whose request comes next, and how long it is. */
#include "traces/clients.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sim/dmath.h"
#include "sim/rng.h"

#define NS_PER_S 1e9
#define NEVER    UINT64_MAX

struct actor { /* one client at work */
    const struct client *c;
    struct rng arrivals, sizes;
    uint64_t next_ns;    /* NEVER: it is done */
    double at_s, base_s; /* the same time; where the current period began */
    size_t window;
    uint64_t session; /* 0: none yet */
    uint64_t talks, said;
};

struct stream {
    struct row_source base;
    struct clients *all;
    struct actor *actor;
    uint32_t *heap; /* of actors, the next one first */
    uint32_t alive;
    uint64_t seed, made, until_ns;
    uint64_t *prefix;
    uint32_t prefix_cap;
};

static double window_end(const struct actor *a)
{
    const struct client *c = a->c;
    if (a->window + 1 < c->n_rate)
        return a->base_s + c->rate[a->window + 1].at_s;
    return c->period_s > 0 ? a->base_s + c->period_s : INFINITY;
}

/* Into the next window; false: there is none. */
static bool turn(struct actor *a)
{
    const double end = window_end(a);
    if (isinf(end))
        return false;
    if (++a->window == a->c->n_rate) {
        a->window = 0;
        a->base_s = end;
    }
    a->at_s = end;
    return true;
}

static double draw_gap(struct actor *a)
{
    const struct client_rate *r = &a->c->rate[a->window];
    if (r->process == CLIENT_WEIBULL)
        return rng_weibull(&a->arrivals, r->shape, r->scale);
    return r->process == CLIENT_GAMMA ? rng_gamma(&a->arrivals, r->shape, r->scale)
                                      : rng_exponential(&a->arrivals, 1);
}

/* Whole periods at once: a long gap of a short period is no long loop. */
static double skip_periods(struct actor *a, double gap)
{
    const double k = a->c->mass > 0 ? floor(gap / a->c->mass) : 0;
    if (k < 1)
        return gap;
    a->base_s += k * a->c->period_s;
    a->at_s += k * a->c->period_s;
    gap -= k * a->c->mass;
    return gap > 0 ? gap : 0;
}

/* The gap has mean 1 in a time in which rate(t) dt passes in dt. */
static void next_arrival(struct actor *a)
{
    while (a->c->rate[a->window].rate_per_s <= 0)
        if (!turn(a)) {
            a->next_ns = NEVER;
            return;
        }
    for (double gap = skip_periods(a, draw_gap(a));;) {
        const double rate = a->c->rate[a->window].rate_per_s;
        const double room = (window_end(a) - a->at_s) * rate;
        if (rate > 0 && gap <= room) {
            a->at_s += gap / rate;
            break;
        }
        gap -= rate > 0 ? room : 0;
        if (!turn(a)) {
            a->next_ns = NEVER;
            return;
        }
    }
    const double ns = a->at_s * NS_PER_S;
    const uint64_t at = ns < 1e18 ? (uint64_t)(ns + 0.5) : NEVER;
    a->next_ns = at > a->next_ns ? at : a->next_ns;
}

static bool earlier(const struct stream *s, uint32_t x, uint32_t y)
{
    const uint64_t a = s->actor[x].next_ns, b = s->actor[y].next_ns;
    return a != b ? a < b : x < y;
}

static void sift(struct stream *s, uint32_t i)
{
    for (;;) {
        uint32_t least = i, left = 2 * i + 1;
        for (uint32_t k = left; k < left + 2 && k < s->alive; k++)
            if (earlier(s, s->heap[k], s->heap[least]))
                least = k;
        if (least == i)
            return;
        const uint32_t was = s->heap[i];
        s->heap[i] = s->heap[least];
        s->heap[least] = was;
        i = least;
    }
}

static void begin(struct stream *s)
{
    uint32_t n = 0;
    for (size_t i = 0; i < s->all->n; i++)
        for (uint32_t k = 0; k < s->all->c[i].count; k++, n++) {
            struct actor *a = &s->actor[n];
            *a = (struct actor){.c = &s->all->c[i]};
            rng_init_indexed(&a->arrivals, s->seed, "clients", "arrivals", n);
            rng_init_indexed(&a->sizes, s->seed, "clients", "sizes", n);
            next_arrival(a);
            s->heap[n] = n;
        }
    s->alive = n;
    s->made = 0;
    for (uint32_t i = n / 2; i-- > 0;)
        sift(s, i);
}

static double draw(const struct client_length *l, struct rng *r)
{
    size_t low = 0, high = l->n;
    double u;
    switch (l->kind) {
    case LENGTH_VALUES:
        for (u = rng_unit(r); low + 1 < high;) { /* the first whose cumulative share is above u */
            const size_t mid = (low + high) / 2;
            if (l->below[mid - 1] <= u)
                low = mid;
            else
                high = mid;
        }
        return l->value[low];
    case LENGTH_LOGNORMAL:
        return l->a * dmath_exp(l->b * rng_normal(r, 0, 1));
    case LENGTH_EXPONENTIAL:
        return rng_exponential(r, l->a);
    case LENGTH_PARETO:
        return rng_pareto(r, l->a, l->b);
    default:
        return l->a;
    }
}

static uint32_t tokens(const struct client_length *l, struct rng *r)
{
    const double v = draw(l, r);
    return (uint32_t)((v < l->min ? l->min : v > l->max ? l->max : v) + 0.5);
}

static const struct client_lengths *lengths_at(const struct actor *a)
{
    const struct client *c = a->c;
    const double t = a->at_s - a->base_s;
    size_t i = c->n_lengths - 1;
    while (i && c->lengths[i].at_s > t)
        i--;
    return &c->lengths[i];
}

static void fill(struct actor *a, uint32_t index, struct trace_request *r)
{
    const struct client_lengths *l = lengths_at(a);
    bool goes_on = a->session && a->c->follow > 0 && rng_unit(&a->sizes) < a->c->follow;
    uint64_t prompt = 0;
    if (goes_on) {
        prompt = a->said + tokens(l->more.kind ? &l->more : &l->prompt, &a->sizes);
        goes_on = (double)prompt <= a->c->max_prompt;
    }
    if (!goes_on) {
        prompt = tokens(&l->prompt, &a->sizes);
        a->session = (uint64_t)index << 32 | ++a->talks;
    }
    r->prompt_tokens = (uint32_t)prompt;
    r->output_tokens = tokens(&l->output, &a->sizes);
    a->said = prompt + r->output_tokens;
    r->time_ns = a->next_ns;
    r->tenant = index;
    r->model = a->c->model;
    r->session = a->session;
}

static uint64_t mix(uint64_t a, uint64_t b)
{
    uint64_t h = (a ^ b * UINT64_C(0x9e3779b97f4a7c15)) * UINT64_C(0xbf58476d1ce4e5b9);
    return (h ^ h >> 31) >> 1; /* 63 bits: fits every reader's signed integers */
}

/* Blocks of the shared beginning, of the talk, and a last one that is only partly full. */
static int name_blocks(struct stream *s, const struct actor *a, struct trace_request *r,
                       struct err *e)
{
    const uint32_t size = s->all->prefix_block, n = (r->prompt_tokens + size - 1) / size;
    const uint32_t shared = (uint32_t)a->c->system_tokens / size;
    const uint64_t kind = (uint64_t)(a->c - s->all->c);
    if (n > s->prefix_cap) {
        uint64_t *more = realloc(s->prefix, n * sizeof *more);
        if (!more)
            return err_set(e, ERR_ENOMEM, "out of memory");
        s->prefix = more;
        s->prefix_cap = n;
    }
    for (uint32_t i = 0; i < n; i++)
        s->prefix[i] = i < shared ? mix(~kind, i)
                       : (i + 1) * (uint64_t)size <= r->prompt_tokens
                           ? mix(a->session, i)
                           : mix(a->session, ~(uint64_t)r->prompt_tokens);
    r->prefix = s->prefix;
    r->n_prefix = n;
    return 0;
}

static int pull(struct row_source *self, union trace_row *out, struct err *e)
{
    struct stream *s = (struct stream *)self;
    struct actor *a = &s->actor[s->heap[0]];
    if ((s->all->requests && s->made == s->all->requests) || a->next_ns == NEVER ||
        a->next_ns >= s->until_ns)
        return 0;
    memset(out, 0, sizeof *out);
    fill(a, s->heap[0], &out->request);
    int rc = s->all->prefix_block ? name_blocks(s, a, &out->request, e) : 0;
    next_arrival(a);
    sift(s, 0);
    s->made++;
    return rc ? rc : 1;
}

static int begin_again(struct row_source *self, struct err *e)
{
    (void)e;
    begin((struct stream *)self);
    return 0;
}

static void done(struct row_source *self)
{
    struct stream *s = (struct stream *)self;
    clients_free(s->all);
    free(s->actor);
    free(s->heap);
    free(s->prefix);
    free(s);
}

const struct trace_names *clients_names(const struct row_source *rows)
{
    return ((const struct stream *)rows)->all->models;
}

static const char *name(const struct row_source *self, uint32_t id)
{
    return names_text(clients_names(self), id);
}

int clients_open(struct row_source **out, struct clients *c, uint64_t seed, struct err *e)
{
    struct stream *s = calloc(1, sizeof *s);
    *out = NULL;
    if (!s) {
        clients_free(c);
        return err_set(e, ERR_ENOMEM, "out of memory");
    }
    s->base = (struct row_source){TRACE_REQUESTS, pull, begin_again, done, c->requests, name};
    s->all = c;
    s->seed = seed;
    s->until_ns = c->duration_s > 0 ? (uint64_t)(c->duration_s * NS_PER_S + 0.5) : NEVER;
    s->actor = calloc(c->all, sizeof *s->actor);
    s->heap = calloc(c->all, sizeof *s->heap);
    if (!s->actor || !s->heap) {
        done(&s->base);
        return err_set(e, ERR_ENOMEM, "out of memory");
    }
    begin(s);
    *out = &s->base;
    return 0;
}

static double mean_rate(const struct client *c)
{
    return c->count * (c->period_s > 0 ? c->mass / c->period_s : c->rate[c->n_rate - 1].rate_per_s);
}

double clients_span_s(const struct clients *c)
{
    double rate = 0;
    for (size_t i = 0; i < c->n; i++)
        rate += mean_rate(&c->c[i]);
    const double by_rows = c->requests && rate > 0 ? (double)c->requests / rate : 0;
    if (c->duration_s > 0 && (by_rows <= 0 || c->duration_s < by_rows))
        return c->duration_s;
    return by_rows;
}
