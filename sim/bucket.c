/* bucket.c - token bucket.  The level is a straight line between takes, so it
 * is kept as its value at one time; nothing ticks.                          */
#include <assert.h>
#include <math.h>
#include <stdlib.h>

#include "sim/station.h"

struct taker {
    double n;
    sim_fn *fn;
    void *ctx;
    uint64_t arg;
};

struct bucket {
    struct sim *sim;
    const char *name;
    double per_ns, burst, level;
    sim_time since;   /* when the level was so */
    struct taker *at; /* a ring of those who wait; cap is a power of two */
    size_t head, n, cap;
    sim_event next;
};

struct bucket *bucket_new(struct sim *s, const char *name, double rate_per_s, double burst)
{
    assert(rate_per_s > 0 && burst > 0);
    struct bucket *b = calloc(1, sizeof *b);
    if (!b)
        return NULL;
    b->sim = s;
    b->name = name;
    b->per_ns = rate_per_s / 1e9;
    b->burst = b->level = burst;
    b->since = sim_now(s);
    return b;
}

void bucket_free(struct bucket *b)
{
    if (!b)
        return;
    sim_cancel(b->sim, b->next);
    free(b->at);
    free(b);
}

static void refill(struct bucket *b)
{
    sim_time now = sim_now(b->sim);
    double level = b->level + (double)(now - b->since) * b->per_ns;
    b->level = level < b->burst ? level : b->burst;
    b->since = now;
}

static void serve(void *ctx, uint64_t unused);

/* An event for when the first in line can be served: now, if there is enough. */
static void plan(struct bucket *b)
{
    if (!b->n || b->next)
        return;
    double lack = b->at[b->head].n - b->level;
    double ns = lack > 0 ? ceil(lack / b->per_ns) : 0;
    sim_time wait = ns < 0x1p63 ? (sim_time)ns : SIM_NEVER;
    b->next = sim_after(b->sim, wait, 0, serve, b, 0);
}

static void serve(void *ctx, uint64_t unused)
{
    (void)unused;
    struct bucket *b = ctx;
    struct taker t = b->at[b->head];
    b->next = 0;
    refill(b);
    b->level = b->level > t.n ? b->level - t.n : 0; /* rounding may leave it a hair short */
    b->head = (b->head + 1) & (b->cap - 1);
    b->n--;
    plan(b);
    t.fn(t.ctx, t.arg);
}

static bool grow(struct bucket *b)
{
    size_t cap = b->cap ? 2 * b->cap : 8;
    struct taker *at = malloc(cap * sizeof *at);
    if (!at)
        return false;
    for (size_t i = 0; i < b->n; i++)
        at[i] = b->at[(b->head + i) & (b->cap - 1)];
    free(b->at);
    b->at = at;
    b->head = 0;
    b->cap = cap;
    return true;
}

void bucket_take(struct bucket *b, double n, sim_fn *fn, void *ctx, uint64_t arg)
{
    assert(n >= 0 && n <= b->burst && fn);
    if (b->n == b->cap && !grow(b)) {
        sim_fail(b->sim);
        return;
    }
    refill(b);
    b->at[(b->head + b->n++) & (b->cap - 1)] = (struct taker){n, fn, ctx, arg};
    plan(b);
}
