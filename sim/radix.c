#include "sim/radix.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum {
    SORT_MAX = 32,   /* a bucket this short is sorted rather than split */
    GATHER_MAX = 16, /* with this few left in all buckets, take them all */
    RUN_ROOM = 128,  /* entries that fit before those gone are cleared away */
    RUN_MAX = 64,    /* a run that grows past this goes back into buckets */
    FETCH_MAX = 2048 /* a bucket this short is near enough in time to fetch its events */
};

void radix_init(struct radix *q, struct pool *pool)
{
    memset(q, 0, sizeof *q);
    q->pool = pool;
}

void radix_free(struct radix *q)
{
    lanes_free(&q->lanes);
    for (int l = 0; l < RADIX_LEVELS; l++)
        for (int d = 0; d < RADIX_WIDTH; d++)
            free(q->bucket[l][d].at);
    free(q->run.at);
}

/* ---- arrays of entries ---- */

static bool entries_grow(struct entries *v)
{
    uint32_t cap = v->cap ? 2 * v->cap : 8;
    struct entry *at = realloc(v->at, cap * sizeof *at);
    if (!at)
        return false;
    v->at = at;
    v->cap = cap;
    return true;
}

static inline void entries_add(struct radix *q, struct entries *v, sim_time when, sim_event ev)
{
    if (v->n == v->cap && !entries_grow(v)) {
        q->failed = true;
        return;
    }
    struct entry *e = &v->at[v->n++];
    e->when = when;
    e->ev = ev;
}

/* ---- buckets: beyond the front ---- */

static inline void bucket_push(struct radix *q, sim_time when, sim_event ev)
{
    assert(when > q->base);
    int level = (63 - __builtin_clzll(when ^ q->base)) / RADIX_BITS;
    int digit = (int)(when >> (level * RADIX_BITS)) & (RADIX_WIDTH - 1);
    q->levels |= 1u << level;
    q->used[level] |= 1u << digit;
    q->in_buckets++;
    entries_add(q, &q->bucket[level][digit], when, ev);
}

static void bucket_clear(struct radix *q, int level, int digit)
{
    q->in_buckets -= q->bucket[level][digit].n;
    q->bucket[level][digit].n = 0;
    q->used[level] &= ~(1u << digit);
    if (!q->used[level])
        q->levels &= ~(1u << level);
}

/* ---- the run ---- */

/* Stable, and fetches what the handlers will touch first. */
static void run_sort(struct radix *q)
{
    struct entry *at = q->run.at;
    for (uint32_t i = 0; i < q->run.n; i++) {
        struct entry e = at[i];
        __builtin_prefetch(pool_at(q->pool, e.ev)->ctx, 1);
        uint32_t j = i;
        for (; j > 0 && at[j - 1].when > e.when; j--)
            entry_move(&at[j], &at[j - 1]);
        at[j] = e;
    }
}

/* Puts the rest of the run back into buckets, when new events keep falling into
 * it: with base moved up to now, they spread over finer buckets. */
static void run_spill(struct radix *q, sim_time now)
{
    struct entries old = q->run;
    uint32_t from = q->run_at;
    q->run = (struct entries){0};
    q->run_at = 0;
    q->base = q->front = now;
    for (uint32_t i = from; i < old.n; i++)
        if (old.at[i].when > now)
            bucket_push(q, old.at[i].when, old.at[i].ev);
        else /* of this very moment, and not yet fired */
            entries_add(q, &q->run, old.at[i].when, old.at[i].ev);
    free(old.at);
}

static void run_insert(struct radix *q, sim_time now, sim_time when, sim_event ev)
{
    if (q->run.n - q->run_at >= RUN_MAX && now >= q->base) {
        run_spill(q, now);
        bucket_push(q, when, ev);
        return;
    }
    if (q->run.n == q->run.cap && q->run_at) {
        q->run.n -= q->run_at;
        memmove(q->run.at, q->run.at + q->run_at, q->run.n * sizeof *q->run.at);
        q->run_at = 0;
        while (q->run.cap < RUN_ROOM) /* so that a model with two events seldom comes here */
            if (!entries_grow(&q->run))
                break;
    }
    entries_add(q, &q->run, when, ev);
    struct entry *at = q->run.at;
    uint32_t j = q->run.n - 1;
    for (; j > q->run_at && at[j - 1].when > when; j--)
        entry_move(&at[j], &at[j - 1]);
    at[j].when = when;
    at[j].ev = ev;
}

/* A handful left in all: one sorted array is the fastest queue there is. */
static void gather(struct radix *q)
{
    for (uint32_t ls = q->levels; ls; ls &= ls - 1) {
        int l = __builtin_ctz(ls);
        for (uint32_t ds = q->used[l]; ds; ds &= ds - 1) {
            int d = __builtin_ctz(ds);
            for (uint32_t i = 0; i < q->bucket[l][d].n; i++)
                entries_add(q, &q->run, q->bucket[l][d].at[i].when, q->bucket[l][d].at[i].ev);
            bucket_clear(q, l, d);
        }
    }
    q->front = SIM_NEVER;
    run_sort(q);
}

/* Takes over the whole bucket: all of its range is now before the front. */
static void sort_bucket(struct radix *q, int level, int digit)
{
    struct entries *b = &q->bucket[level][digit], old = q->run;
    int shift = level * RADIX_BITS;
    q->run = *b;
    q->base = q->run.at[0].when >> shift << shift;
    q->front = q->base | ((UINT64_C(1) << shift) - 1);
    bucket_clear(q, level, digit);
    *b = (struct entries){old.at, 0, old.cap};
    run_sort(q);
}

/* Moves base up to the bucket's first time; all else in it falls to lower levels. */
static void split_bucket(struct radix *q, int level, int digit)
{
    struct entries *b = &q->bucket[level][digit], old = q->run;
    sim_time first = SIM_NEVER, last = 0;
    for (uint32_t i = 0; i < b->n; i++) {
        first = b->at[i].when < first ? b->at[i].when : first;
        last = b->at[i].when > last ? b->at[i].when : last;
        if (b->n <= FETCH_MAX)
            __builtin_prefetch(pool_at(q->pool, b->at[i].ev));
    }
    q->base = q->front = first;
    uint32_t n = b->n;
    bucket_clear(q, level, digit);
    if (first == last) { /* a tick of a clock: the bucket is the run */
        q->run = (struct entries){b->at, n, b->cap};
        *b = (struct entries){old.at, 0, old.cap};
        return;
    }
    for (uint32_t i = 0; i < n; i++) {
        struct entry e = b->at[i];
        if (e.when == first)
            entries_add(q, &q->run, e.when, e.ev);
        else
            bucket_push(q, e.when, e.ev);
    }
}

/* Fills the empty run from the first bucket; false when nothing is left. */
static bool refill(struct radix *q)
{
    if (!q->in_buckets || radix_failed(q))
        return false;
    q->run.n = q->run_at = 0;
    if (q->in_buckets <= GATHER_MAX) {
        gather(q);
        return true;
    }
    int level = __builtin_ctz(q->levels);
    int digit = __builtin_ctz(q->used[level]);
    if (q->bucket[level][digit].n > SORT_MAX)
        split_bucket(q, level, digit);
    else
        sort_bucket(q, level, digit);
    return true;
}

/* ---- the whole ---- */

/* All entries of the run's first time go to their lanes. */
static void board(struct radix *q)
{
    sim_time when = q->run.at[q->run_at].when;
    for (; q->run_at < q->run.n && q->run.at[q->run_at].when == when; q->run_at++) {
        sim_event ev = q->run.at[q->run_at].ev;
        lanes_push(&q->lanes, ev, pool_at(q->pool, ev)->prio);
    }
}

/* A second priority appears.  What the run still holds for now was scheduled before all that
 * waits in the lane, so it boards first and the lane's events again behind it. */
static void mix(struct radix *q, sim_time now)
{
    q->mixed = true;
    if (q->run_at == q->run.n || q->run.at[q->run_at].when != now)
        return;
    struct lanes waiting = q->lanes;
    q->lanes = (struct lanes){.failed = waiting.failed};
    board(q);
    while (waiting.held)
        lanes_push(&q->lanes, lanes_pop(&waiting), q->prio);
    lanes_free(&waiting);
}

void radix_push_any(struct radix *q, sim_time now, sim_time when, sim_event ev, int32_t prio)
{
    if (!q->begun) {
        q->begun = true;
        q->prio = prio;
    }
    if (prio != q->prio && !q->mixed)
        mix(q, now);
    if (when == now)
        lanes_push(&q->lanes, ev, prio);
    else if (when <= q->front)
        run_insert(q, now, when, ev);
    else
        bucket_push(q, when, ev);
}

sim_event radix_pop_any(struct radix *q, sim_time now, sim_time until)
{
    if (q->lanes.held && (q->mixed || q->run_at == q->run.n || q->run.at[q->run_at].when != now))
        return lanes_pop(&q->lanes);
    while (q->run_at == q->run.n)
        if (!refill(q))
            return 0;
    const struct entry *first = &q->run.at[q->run_at];
    if (first->when > until)
        return 0;
    if (q->mixed && q->run.n - q->run_at > 1 && first[1].when == first->when) {
        board(q);
        return q->lanes.held ? lanes_pop(&q->lanes) : 0;
    }
    q->run_at++;
    return first->ev;
}

static uint32_t drop_stale(const struct radix *q, struct entry *at, uint32_t n)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < n; i++)
        if (pool_live(q->pool, at[i].ev))
            at[kept++] = at[i];
    return kept;
}

static void bucket_sweep(struct radix *q, int level, int digit)
{
    struct entries *b = &q->bucket[level][digit];
    uint32_t kept = drop_stale(q, b->at, b->n);
    bucket_clear(q, level, digit);
    for (uint32_t i = 0; i < kept; i++)
        bucket_push(q, b->at[i].when, b->at[i].ev); /* back to where it was */
}

static void sweep(struct radix *q)
{
    lanes_sweep(&q->lanes, q->pool);
    for (int l = 0; l < RADIX_LEVELS; l++)
        for (int d = 0; d < RADIX_WIDTH; d++)
            if (q->bucket[l][d].n)
                bucket_sweep(q, l, d);
    if (q->run.n > q->run_at)
        q->run.n = q->run_at + drop_stale(q, &q->run.at[q->run_at], q->run.n - q->run_at);
    q->stale = 0;
}

void radix_stale(struct radix *q, size_t live)
{
    if (++q->stale > live + 64)
        sweep(q);
}
