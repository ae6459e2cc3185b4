/* synth_pages.c - the next page of a pattern. */
#include "traces/synth_pages.h"

#include <stdlib.h>

#include "sim/rng.h"

struct file {
    enum synth_mode mode;
    uint64_t at, left;    /* the next page; accesses until its mode ends */
    uint64_t run, in_run; /* pages of a run; how many of this one are still to come */
};

struct walk {
    struct synth_rows rows;
    struct synth_pages p;
    struct rng choices, writes;
    struct rng_zipf *zipf; /* of the patterns that need one */
    uint64_t scatter;      /* prime to p.pages */
    uint64_t at, round;    /* of the loops */
    uint64_t hot_pages;
    struct file *file; /* [p.files] */
    uint32_t now;      /* the file of the last access */
};

static uint64_t gcd(uint64_t a, uint64_t b)
{
    while (b) {
        uint64_t r = a % b;
        a = b;
        b = r;
    }
    return a;
}

/* Near the golden section of n, so that neighbouring ranks lie far apart. */
static uint64_t scatter_of(uint64_t n)
{
    uint64_t s = (uint64_t)((double)n * 0.6180339887498949);
    for (s = s ? s : 1; gcd(s, n) != 1; s++) {
    }
    return s;
}

static void begin(struct synth_rows *r)
{
    struct walk *s = (struct walk *)r;
    rng_init(&s->choices, r->seed, "synth-pages", "choices");
    rng_init(&s->writes, r->seed, "synth-pages", "writes");
    s->at = s->round = 0;
    for (uint32_t i = 0; s->file && i < s->p.files; i++)
        s->file[i] = (struct file){0};
}

__extension__ typedef unsigned __int128 u128;

static uint64_t zipf_page(struct walk *s)
{
    uint64_t rank = rng_zipf_draw(s->zipf, &s->choices) - 1;
    return (uint64_t)((u128)rank * s->scatter % s->p.pages);
}

static uint64_t loop_page(struct walk *s, uint64_t pages)
{
    uint64_t page = s->at;
    s->at = s->at + 1 == pages ? 0 : s->at + 1;
    return page;
}

static uint64_t strided_page(struct walk *s)
{
    uint64_t page = s->at;
    s->at += s->p.stride;
    if (s->at >= s->p.pages) {
        s->round = s->round + 1 == s->p.stride ? 0 : s->round + 1;
        s->at = s->round;
    }
    return page;
}

static uint64_t phase_page(struct walk *s)
{
    uint64_t begin_at =
        (uint64_t)((u128)(s->rows.made / s->p.phase_accesses) * s->hot_pages % s->p.pages);
    bool hot = rng_unit(&s->choices) < s->p.hot_share;
    uint64_t from = hot ? 0 : s->hot_pages, n = hot ? s->hot_pages : s->p.pages - s->hot_pages;
    return (begin_at + from + rng_below(&s->choices, n)) % s->p.pages;
}

static uint64_t drift_page(struct walk *s)
{
    uint64_t begin_at = s->rows.made / s->p.drift_accesses % s->p.pages;
    return (begin_at + rng_below(&s->choices, s->p.window)) % s->p.pages;
}

static void draw_mode(struct walk *s, struct file *f)
{
    f->mode = s->p.mode == MODE_ANY ? (enum synth_mode)rng_below(&s->choices, MODE_ANY) : s->p.mode;
    f->run = s->p.run_pages ? s->p.run_pages : 2u << rng_below(&s->choices, SYNTH_RUN_DRAWN);
    f->at = rng_below(&s->choices, s->p.pages);
    f->in_run = 0;
    f->left = s->p.mode_accesses;
}

static uint64_t step_in(struct walk *s, struct file *f)
{
    const uint64_t page = f->at, last = s->p.pages - 1;
    f->at = page == last ? 0 : page + 1;
    if (f->mode == MODE_REVERSE)
        f->at = page ? page - 1 : last;
    else if (f->mode == MODE_RANDOM || (f->mode == MODE_RUNS && f->in_run == 0))
        f->at = rng_below(&s->choices, s->p.pages);
    f->in_run = f->in_run ? f->in_run - 1 : f->run - 1;
    return page;
}

static uint64_t file_page(struct walk *s)
{
    s->now = (uint32_t)rng_below(&s->choices, s->p.files);
    struct file *f = &s->file[s->now];
    if (f->left == 0)
        draw_mode(s, f);
    f->left--;
    return s->now * s->p.pages + step_in(s, f);
}

static uint64_t next_page(struct walk *s)
{
    switch (s->p.pattern) {
    case PAGES_SEQUENTIAL:
        return loop_page(s, s->p.pages);
    case PAGES_STRIDED:
        return strided_page(s);
    case PAGES_UNIFORM:
        return rng_below(&s->choices, s->p.pages);
    case PAGES_ZIPF:
        return zipf_page(s);
    case PAGES_PHASES:
        return phase_page(s);
    case PAGES_DRIFT:
        return drift_page(s);
    case PAGES_FILES:
        return file_page(s);
    default:
        return rng_unit(&s->choices) < s->p.scan ? s->p.pages + loop_page(s, s->p.scan_pages)
                                                 : zipf_page(s);
    }
}

static void make(struct synth_rows *r, union trace_row *out)
{
    struct walk *s = (struct walk *)r;
    const uint64_t page = next_page(s);
    out->page = (struct trace_page){.time_ns = r->made * s->p.gap_ns,
                                    .tenant = s->now,
                                    .page = page,
                                    .pages = 1,
                                    .write = rng_unit(&s->writes) < s->p.write,
                                    .count = 1};
}

static void end(struct synth_rows *r)
{
    struct walk *s = (struct walk *)r;
    if (s->zipf)
        rng_zipf_free(s->zipf);
    free(s->file);
    free(s);
}

int synth_pages_open(struct row_source **out, const void *params, uint64_t seed, struct err *e)
{
    const struct synth_pages *p = params;
    struct walk *s = calloc(1, sizeof *s);
    bool zipf = p->pattern == PAGES_ZIPF || p->pattern == PAGES_SCAN;
    bool files = p->pattern == PAGES_FILES;
    *out = NULL;
    if (!s || (zipf && !(s->zipf = rng_zipf_new(p->pages, p->zipf))) ||
        (files && !(s->file = calloc(p->files, sizeof *s->file)))) {
        free(s);
        return err_set(e, ERR_ENOMEM, "out of memory");
    }
    s->p = *p;
    s->scatter = scatter_of(p->pages);
    s->hot_pages = (uint64_t)((double)p->pages * p->hot);
    s->hot_pages = s->hot_pages ? s->hot_pages : 1;
    s->rows.begin = begin;
    s->rows.make = make;
    s->rows.end = end;
    synth_rows_open(&s->rows, TRACE_PAGES, &p->head, seed);
    *out = &s->rows.base;
    return 0;
}
