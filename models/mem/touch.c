#include "models/mem/touch.h"

#include <assert.h>
#include <stdlib.h>

#include "models/mem/ahead.h"

#define X(name, what) PATTERN_##name,
enum { MEM_PATTERNS(X) };
#undef X
#define X(name, what) #name,
static const char *const patterns[] = {MEM_PATTERNS(X) NULL};
#undef X

/* ---- the section ---- */

struct section {
    const struct config *pattern;
    uint64_t pages, count, hot, phase, stride, gap_ns;
    double skew, hot_share, writes;
};

static const struct config_field fields[] = {CONFIG_ANY(struct section, pattern, true),
                                             CONFIG_U64(struct section, pages, 1, 1e12, true),
                                             CONFIG_U64(struct section, count, 1, 1e15, true),
                                             CONFIG_U64(struct section, hot, 1, 1e12, false),
                                             CONFIG_U64(struct section, phase, 1, 1e15, false),
                                             CONFIG_U64(struct section, stride, 1, 1e12, false),
                                             CONFIG_U64(struct section, gap_ns, 0, 1e9, false),
                                             CONFIG_F64(struct section, skew, 0, 10, false),
                                             CONFIG_F64(struct section, hot_share, 0, 1, false),
                                             CONFIG_F64(struct section, writes, 0, 1, false),
                                             CONFIG_END};

int mem_pattern_config(const struct config *c, struct mem_pattern *p, struct err *e)
{
    struct section s = {.stride = 7, .skew = 0.99, .hot_share = 0.9, .gap_ns = 100};
    int rc = config_fill(c, fields, &s, e);
    if (!rc)
        rc = config_choice(s.pattern, patterns, &p->kind, e);
    if (rc)
        return rc;
    p->pages = s.pages, p->count = s.count, p->stride = s.stride, p->gap_ns = s.gap_ns;
    p->skew = s.skew, p->hot_share = s.hot_share, p->writes = s.writes;
    p->hot = s.hot ? s.hot : (s.pages + 9) / 10;
    p->phase = s.phase ? s.phase : (s.count + 9) / 10;
    if (p->hot > p->pages)
        return config_complain(config_get(c, "hot"), e, "at most \"pages\"");
    return 0;
}

/* ---- the source ---- */

struct mem_source {
    struct mem_pattern pattern;
    struct rng which, write;
    struct rng_zipf *zipf;
    struct row_source *rows; /* NULL: the pattern */
    uint64_t made;
    struct mem_ahead *ahead; /* NULL: no look-ahead */
};

/* Odd multipliers are one to one modulo a power of two, and what lies beyond the pages is walked
 * over (cycle walking). */
uint64_t mem_scattered(uint64_t rank, uint64_t pages)
{
    uint64_t mask = 1;
    while (mask < pages)
        mask <<= 1;
    mask--;
    do
        rank = (rank * UINT64_C(0x9e3779b97f4a7c15) + 12345) & mask;
    while (rank >= pages);
    return rank;
}

static uint64_t phased(struct mem_source *s)
{
    const struct mem_pattern *p = &s->pattern;
    uint64_t from = s->made / p->phase * p->hot % p->pages;
    if (rng_unit(&s->which) < p->hot_share)
        return (from + rng_below(&s->which, p->hot)) % p->pages;
    return rng_below(&s->which, p->pages);
}

static uint64_t pick(struct mem_source *s)
{
    const struct mem_pattern *p = &s->pattern;
    uint64_t i = s->made % p->pages;
    switch (p->kind) {
    case PATTERN_uniform:
        return rng_below(&s->which, p->pages);
    case PATTERN_zipf:
        return mem_scattered(rng_zipf_draw(s->zipf, &s->which) - 1, p->pages);
    case PATTERN_reverse:
        return p->pages - 1 - i;
    case PATTERN_strided:
        return (uint64_t)((unsigned __int128)s->made * p->stride % p->pages);
    case PATTERN_phases:
        return phased(s);
    }
    return i;
}

static int make(struct mem_source *s, struct mem_touch *t)
{
    const struct mem_pattern *p = &s->pattern;
    if (s->made == p->count)
        return 0;
    *t = (struct mem_touch){.time_ns = s->made * p->gap_ns, .pages = 1, .count = 1};
    t->page = pick(s);
    t->write = p->writes > 0 && rng_unit(&s->write) < p->writes;
    s->made++;
    return 1;
}

static int pull(struct mem_source *s, struct mem_touch *t, struct err *e)
{
    union trace_row row;
    int got;
    do
        got = s->rows->next(s->rows, &row, e);
    while (got > 0 && row.page.count == 0);
    if (got <= 0)
        return got;
    const struct trace_page *p = &row.page;
    *t = (struct mem_touch){.time_ns = p->time_ns,
                            .page = p->page,
                            .tenant = p->tenant,
                            .pages = p->pages ? p->pages : 1,
                            .write = p->write,
                            .count = p->count};
    return 1;
}

static int one(void *ctx, struct mem_touch *t, struct err *e)
{
    struct mem_source *s = ctx;
    int got = s->rows ? pull(s, t, e) : make(s, t);
    t->next = UINT64_MAX;
    return got;
}

struct mem_source *mem_source_new(const struct mem_pattern *pattern, struct row_source *rows,
                                  uint64_t seed, uint64_t window)
{
    assert(!pattern != !rows);
    struct mem_source *s = calloc(1, sizeof *s);
    if (!s)
        return NULL;
    s->rows = rows;
    if (pattern)
        s->pattern = *pattern;
    rng_init(&s->which, seed, "memory", "pages");
    rng_init(&s->write, seed, "memory", "writes");
    bool zipf = pattern && pattern->kind == PATTERN_zipf;
    if (zipf)
        s->zipf = rng_zipf_new(pattern->pages, pattern->skew);
    if (window)
        s->ahead = mem_ahead_new(window, one, s);
    if ((zipf && !s->zipf) || (window && !s->ahead)) {
        mem_source_free(s);
        return NULL;
    }
    return s;
}

void mem_source_free(struct mem_source *s)
{
    if (!s)
        return;
    mem_ahead_free(s->ahead);
    rng_zipf_free(s->zipf);
    free(s);
}

const struct mem_touch *mem_source_peek(const struct mem_source *s, uint64_t i)
{
    return s->ahead ? mem_ahead_peek(s->ahead, i) : NULL;
}

int mem_source_next(struct mem_source *s, struct mem_touch *t, struct err *e)
{
    return s->ahead ? mem_ahead_next(s->ahead, t, e) : one(s, t, e);
}
