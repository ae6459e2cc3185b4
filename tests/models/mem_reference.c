#include "tests/models/mem_reference.h"

#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* A queue in an array: [0] is the oldest.  O(n) in everything, on purpose. */
struct queue {
    uint32_t *at;
    uint32_t n;
};

struct ref {
    const struct page_trace *t;
    uint32_t frames;
    bool *in, *dirty;          /* [pages] */
    uint64_t *stamp, *uses;    /* [pages]: last use (or arrival), count since it came in */
    uint64_t *next;            /* [n]: position of the next access to the same page */
    uint64_t *next_of;         /* [pages]: next use of a page in the cache */
    struct queue a, b, ga, gb; /* lists of CLOCK, S3-FIFO, ARC */
    uint32_t held;
    double p;
    struct reference_count c;
};

static int where(const struct queue *q, uint32_t page)
{
    for (uint32_t i = 0; i < q->n; i++)
        if (q->at[i] == page)
            return (int)i;
    return -1;
}

static void append(struct queue *q, uint32_t page)
{
    q->at[q->n++] = page;
}

static uint32_t cut(struct queue *q, int i)
{
    uint32_t page = q->at[i];
    memmove(&q->at[i], &q->at[i + 1], (q->n - (uint32_t)i - 1) * sizeof *q->at);
    q->n--;
    return page;
}

static void out(struct ref *r, uint32_t page)
{
    assert(r->in[page]);
    r->c.writebacks += r->dirty[page];
    r->in[page] = r->dirty[page] = false;
    r->held--;
}

static void in(struct ref *r, uint32_t page)
{
    assert(!r->in[page] && r->held < r->frames);
    r->in[page] = true;
    r->uses[page] = 0;
    r->held++;
}

/* ---- those that look for the least of something ---- */

typedef bool worse_fn(const struct ref *r, uint32_t x, uint32_t y); /* x goes before y */

static bool older(const struct ref *r, uint32_t x, uint32_t y)
{
    return r->stamp[x] < r->stamp[y];
}

static bool rarer(const struct ref *r, uint32_t x, uint32_t y)
{
    return r->uses[x] != r->uses[y] ? r->uses[x] < r->uses[y] : older(r, x, y);
}

static bool farther(const struct ref *r, uint32_t x, uint32_t y)
{
    return r->next_of[x] > r->next_of[y];
}

static void by_rank(struct ref *r, size_t i, worse_fn *worse, bool stamp_hits)
{
    uint32_t page = r->t->page[i];
    bool hit = r->in[page];
    if (!hit && r->held == r->frames) {
        uint32_t worst = UINT32_MAX;
        for (uint32_t x = 0; x < r->t->pages; x++)
            if (r->in[x] && (worst == UINT32_MAX || worse(r, x, worst)))
                worst = x;
        out(r, worst);
    }
    if (!hit)
        in(r, page);
    if (!hit || stamp_hits)
        r->stamp[page] = i;
    r->uses[page]++;
    r->next_of[page] = r->next[i];
}

static void fifo(struct ref *r, size_t i)
{
    by_rank(r, i, older, false);
}
static void lru(struct ref *r, size_t i)
{
    by_rank(r, i, older, true);
}
static void lfu(struct ref *r, size_t i)
{
    by_rank(r, i, rarer, true);
}
static void belady(struct ref *r, size_t i)
{
    by_rank(r, i, farther, true);
}

/* ---- CLOCK as FIFO with reinsertion ---- */

static void clock_queue(struct ref *r, size_t i)
{
    uint32_t page = r->t->page[i];
    if (r->in[page]) {
        r->uses[page] = 1;
        return;
    }
    while (r->held == r->frames) {
        uint32_t first = cut(&r->a, 0);
        if (r->uses[first]) {
            r->uses[first] = 0;
            append(&r->a, first);
        } else {
            out(r, first);
        }
    }
    in(r, page);
    append(&r->a, page);
}

/* ---- S3-FIFO, Algorithm 1 of the paper; the order of its tests as in libCacheSim's S3FIFOv0:
 * the main queue gives way when it has grown beyond its share or the small one is empty. ---- */

static void s3_evict(struct ref *r, uint32_t main_size, uint32_t ghosts)
{
    struct queue *S = &r->a, *M = &r->b, *G = &r->ga;
    bool done = false;
    if (M->n > main_size || S->n == 0) {
        while (!done) {
            uint32_t t = cut(M, 0);
            if (r->uses[t] > 0) {
                r->uses[t] = (r->uses[t] < 3 ? r->uses[t] : 3) - 1;
                append(M, t);
            } else {
                out(r, t);
                done = true;
            }
        }
        return;
    }
    while (!done && S->n > 0) {
        uint32_t t = cut(S, 0);
        if (r->uses[t] > 1) {
            r->uses[t] = 0;
            append(M, t);
            continue;
        }
        if (ghosts > 0 && G->n == ghosts)
            cut(G, 0);
        if (ghosts > 0)
            append(G, t);
        out(r, t);
        done = true;
    }
}

static void s3fifo(struct ref *r, size_t i)
{
    uint32_t page = r->t->page[i], small = r->frames / 10 ? r->frames / 10 : 1;
    if (r->in[page]) {
        r->uses[page]++;
        return;
    }
    int g = where(&r->ga, page);
    if (g >= 0)
        cut(&r->ga, g);
    while (r->held == r->frames)
        s3_evict(r, r->frames - small, r->frames * 9 / 10);
    in(r, page);
    append(g >= 0 ? &r->b : &r->a, page);
}

/* ---- ARC, figure 4 of the paper; a = T1, b = T2, ga = B1, gb = B2, newest last ---- */

static void arc_replace(struct ref *r, bool in_b2)
{
    if (r->a.n >= 1 && ((in_b2 && (double)r->a.n == r->p) || (double)r->a.n > r->p)) {
        uint32_t x = cut(&r->a, 0);
        append(&r->ga, x);
        out(r, x);
    } else {
        uint32_t x = cut(&r->b, 0);
        append(&r->gb, x);
        out(r, x);
    }
}

static void arc_remembered(struct ref *r, uint32_t page, int i1, int i2)
{
    double b1 = r->ga.n, b2 = r->gb.n, c = r->frames;
    if (i1 >= 0) {
        double d = b1 >= b2 ? 1 : b2 / b1;
        r->p = r->p + d < c ? r->p + d : c;
        arc_replace(r, false);
        cut(&r->ga, i1);
    } else {
        double d = b2 >= b1 ? 1 : b1 / b2;
        r->p = r->p - d > 0 ? r->p - d : 0;
        arc_replace(r, true);
        cut(&r->gb, i2);
    }
    in(r, page);
    append(&r->b, page);
}

static void arc_new(struct ref *r, uint32_t page)
{
    uint32_t c = r->frames, l1 = r->a.n + r->ga.n, l2 = r->b.n + r->gb.n;
    if (l1 == c) {
        if (r->a.n < c) {
            cut(&r->ga, 0);
            arc_replace(r, false);
        } else {
            out(r, cut(&r->a, 0));
        }
    } else if (l1 + l2 >= c) {
        if (l1 + l2 == 2 * c)
            cut(&r->gb, 0);
        arc_replace(r, false);
    }
    in(r, page);
    append(&r->a, page);
}

static void arc(struct ref *r, size_t i)
{
    uint32_t page = r->t->page[i];
    int t1 = where(&r->a, page), t2 = where(&r->b, page);
    if (t1 >= 0)
        append(&r->b, cut(&r->a, t1));
    else if (t2 >= 0)
        append(&r->b, cut(&r->b, t2));
    if (t1 >= 0 || t2 >= 0)
        return;
    int b1 = where(&r->ga, page), b2 = where(&r->gb, page);
    if (b1 >= 0 || b2 >= 0)
        arc_remembered(r, page, b1, b2);
    else
        arc_new(r, page);
}

static const struct {
    const char *name;
    void (*access)(struct ref *r, size_t i);
} models[] = {{"fifo-cache", fifo}, {"lru", lru}, {"lfu", lfu},      {"clock", clock_queue},
              {"s3fifo", s3fifo},   {"arc", arc}, {"belady", belady}};
enum { MODELS_N = sizeof models / sizeof *models };
const char *const reference_policies[] = {"fifo-cache", "lru", "lfu",    "clock",
                                          "s3fifo",     "arc", "belady", NULL};

static void look_ahead(struct ref *r)
{
    uint64_t *seen = malloc(r->t->pages * sizeof *seen);
    for (uint32_t p = 0; p < r->t->pages; p++)
        seen[p] = UINT64_MAX;
    for (size_t i = r->t->n; i-- > 0;) {
        r->next[i] = seen[r->t->page[i]];
        seen[r->t->page[i]] = i;
    }
    free(seen);
}

struct reference_count reference_replay(const char *policy, const struct page_trace *t,
                                        uint32_t frames)
{
    struct ref r = {.t = t, .frames = frames};
    struct queue *queues[] = {&r.a, &r.b, &r.ga, &r.gb};
    int which = 0;
    while (strcmp(models[which].name, policy))
        which++;
    r.in = calloc(t->pages, sizeof *r.in);
    r.dirty = calloc(t->pages, sizeof *r.dirty);
    r.stamp = calloc(t->pages, sizeof *r.stamp);
    r.uses = calloc(t->pages, sizeof *r.uses);
    r.next = calloc(t->n, sizeof *r.next);
    r.next_of = calloc(t->pages, sizeof *r.next_of);
    for (int q = 0; q < 4; q++)
        queues[q]->at = calloc((size_t)t->pages + 2, sizeof *r.a.at);
    look_ahead(&r);
    for (size_t i = 0; i < t->n; i++) {
        r.c.misses += !r.in[t->page[i]];
        models[which].access(&r, i);
        r.dirty[t->page[i]] |= t->write[i];
    }
    for (int q = 0; q < 4; q++)
        free(queues[q]->at);
    free(r.in), free(r.dirty), free(r.stamp), free(r.uses), free(r.next), free(r.next_of);
    return r.c;
}
