#include "tests/models/prefix_requests.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sim/rng.h"

static void grow_chain(struct trace_request *r, const struct trace_request *from, uint32_t keep,
                       uint32_t more, uint64_t *id)
{
    uint64_t *chain = malloc((keep + more) * sizeof *chain);
    for (uint32_t i = 0; i < keep; i++)
        chain[i] = from->prefix[i];
    for (uint32_t i = keep; i < keep + more; i++)
        chain[i] = ++*id * UINT64_C(0x9e3779b97f4a7c15) >> 1; /* all different: the factor is odd */
    r->prefix = chain;
    r->n_prefix = keep + more;
}

void prefix_requests_make(struct prefix_requests *p, size_t n, uint32_t block_tokens, uint64_t seed)
{
    struct rng g;
    uint64_t id = 0;
    double at = 0;
    rng_init(&g, seed, "test", "prefix");
    *p = (struct prefix_requests){.r = calloc(n, sizeof *p->r), .n = n};
    for (size_t i = 0; i < n; i++) {
        struct trace_request *r = &p->r[i];
        const struct trace_request *from = i ? &p->r[i - 1 - rng_below(&g, i < 40 ? i : 40)] : NULL;
        const bool follows = from && rng_below(&g, 100) < 65;
        uint32_t keep = from ? follows ? from->n_prefix - (uint32_t)rng_below(&g, 2) : 1 : 0;
        if (keep > 30)
            keep = 2;
        grow_chain(r, from, keep, 1 + (uint32_t)rng_below(&g, 6), &id);
        at += rng_exponential(&g, 1e9 / 20);
        r->time_ns = (uint64_t)at;
        r->prompt_tokens = r->n_prefix * block_tokens - (uint32_t)rng_below(&g, block_tokens);
        r->output_tokens = 1 + (uint32_t)rng_below(&g, 200);
        r->model = TRACE_NAME_NONE;
        p->blocks += r->n_prefix;
    }
}

void prefix_requests_free(struct prefix_requests *p)
{
    for (size_t i = 0; i < p->n; i++)
        free((void *)p->r[i].prefix);
    free(p->r);
}

int prefix_source_next(struct request_source *self, struct trace_request *out, struct err *e)
{
    struct prefix_source *s = (struct prefix_source *)self;
    (void)e;
    if (s->at == s->p->n)
        return 0;
    *out = s->p->r[s->at++];
    return 1;
}

const char *prefix_requests_mooncake(void)
{
    static char path[1024];
    const char *data = getenv("MALV_DATA");
    snprintf(path, sizeof path, "%s/mooncake-fast25/conversation_trace.jsonl.xz",
             data ? data : "../shared/traces");
    return access(path, R_OK) ? NULL : path;
}

/* ---- the slow cache ---- */

struct slow_block {
    uint64_t id, uses, last, came;
    uint32_t depth;
};

struct slow {
    const char *policy;
    struct slow_block *b;
    size_t n, capacity;
    uint64_t now;
};

static struct slow_block *find(struct slow *s, uint64_t id)
{
    for (size_t i = 0; i < s->n; i++)
        if (s->b[i].id == id)
            return &s->b[i];
    return NULL;
}

static bool goes_before(const struct slow *s, const struct slow_block *a,
                        const struct slow_block *b)
{
    if (!strcmp(s->policy, "fifo-cache"))
        return a->came < b->came;
    if (strcmp(s->policy, "lru") && a->uses != b->uses)
        return a->uses < b->uses;
    if (!strcmp(s->policy, "length-aware") && a->depth != b->depth)
        return a->depth > b->depth;
    return a->last < b->last;
}

static void make_room(struct slow *s)
{
    size_t victim = 0;
    if (!s->capacity || s->n < s->capacity)
        return;
    for (size_t i = 1; i < s->n; i++)
        if (goes_before(s, &s->b[i], &s->b[victim]))
            victim = i;
    s->b[victim] = s->b[--s->n];
}

static bool look_up(struct slow *s, uint64_t id, uint32_t depth)
{
    struct slow_block *b = find(s, id);
    const bool hit = b;
    s->now++;
    if (!hit) {
        make_room(s);
        b = &s->b[s->n++];
        *b = (struct slow_block){.id = id, .came = s->now};
    }
    b->uses++;
    b->last = s->now;
    b->depth = depth;
    return hit;
}

struct prefix_count prefix_reference(const char *policy, const struct prefix_requests *p,
                                     size_t capacity, bool backward)
{
    struct prefix_count c = {0};
    struct slow s = {.policy = policy, .capacity = capacity};
    s.b = malloc((p->blocks + 1) * sizeof *s.b);
    for (size_t i = 0; i < p->n; i++) {
        const struct trace_request *r = &p->r[i];
        for (uint32_t k = 0; k < r->n_prefix && find(&s, r->prefix[k]); k++)
            c.leading++;
        for (uint32_t k = 0; k < r->n_prefix; k++) {
            uint32_t depth = backward ? r->n_prefix - 1 - k : k;
            c.hits += look_up(&s, r->prefix[depth], depth);
        }
    }
    free(s.b);
    return c;
}
