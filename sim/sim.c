#include "sim/sim.h"

#include <assert.h>
#include <stdlib.h>

#include "sim/heap.h"
#include "sim/pool.h"
#include "sim/radix.h"

struct sim {
    sim_time now;
    uint64_t seq, fired, cancelled, print; /* seq: how many were scheduled */
    bool stopped, by_heap, failed;
    struct sim_options opt;
    struct pool pool;
    struct heap heap;
    struct radix radix;
};

_Static_assert(offsetof(struct sim, now) == 0, "sim_now reads it there");

struct sim *sim_new(const struct sim_options *opt)
{
    struct sim *s = aligned_alloc(64, (sizeof *s + 63) / 64 * 64);
    if (!s)
        return NULL;
    *s = (struct sim){0};
    if (opt)
        s->opt = *opt;
    s->pool.small_pages = s->opt.small_pages;
    /* The radix queue keeps ties in order by construction; only the heap can shuffle them. */
    s->by_heap = s->opt.queue == SIM_QUEUE_HEAP || s->opt.shuffle_ties;
    radix_init(&s->radix, &s->pool);
    return s;
}

void sim_free(struct sim *s)
{
    if (!s)
        return;
    radix_free(&s->radix);
    heap_free(&s->heap);
    pool_free(&s->pool);
    free(s);
}

uint64_t sim_seed(const struct sim *s)
{
    return s->opt.seed;
}

struct spans *sim_spans(const struct sim *s)
{
    return s->opt.spans;
}

size_t sim_pending(const struct sim *s)
{
    return s->seq - s->fired - s->cancelled;
}

uint64_t sim_fired(const struct sim *s)
{
    return s->fired;
}

uint64_t sim_fingerprint(const struct sim *s)
{
    return s->print;
}

bool sim_failed(const struct sim *s)
{
    return s->failed | radix_failed(&s->radix) | s->heap.failed;
}

void sim_fail(struct sim *s)
{
    s->failed = s->stopped = true;
}

/* splitmix64's finalizer, keyed: a bijection, so shuffled ties stay a total order. */
static uint64_t shuffled(uint64_t seq, uint64_t seed)
{
    uint64_t x = seq + seed * UINT64_C(0x9e3779b97f4a7c15);
    x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
    return x ^ x >> 31;
}

static void heap_schedule(struct sim *s, sim_time when, int prio, sim_event ev)
{
    uint64_t key = s->opt.shuffle_ties ? shuffled(s->seq, s->opt.shuffle_seed) : s->seq;
    heap_push(&s->heap, (struct heap_entry){when, key, ev, prio});
}

static inline sim_event schedule(struct sim *s, sim_time when, int prio, sim_fn *fn, void *ctx,
                                 uint64_t arg)
{
    uint32_t slot;
    if (!pool_take(&s->pool, &slot)) {
        sim_fail(s);
        return 0;
    }
    struct event *at = &s->pool.at[slot];
    sim_event ev = pool_handle(slot, at->gen);
    at->fn = fn;
    at->ctx = ctx;
    at->arg = arg;
    at->when = when;
    at->seq = s->seq;
    at->prio = prio;
    if (s->by_heap)
        heap_schedule(s, when, prio, ev);
    else
        radix_push(&s->radix, s->now, when, ev, prio);
    s->seq++;
    return ev;
}

sim_event sim_at(struct sim *s, sim_time when, int prio, sim_fn *fn, void *ctx, uint64_t arg)
{
    assert(when >= s->now);
    return schedule(s, when, prio, fn, ctx, arg);
}

sim_event sim_after(struct sim *s, sim_time delay, int prio, sim_fn *fn, void *ctx, uint64_t arg)
{
    sim_time when = s->now + delay;
    return schedule(s, when < delay ? SIM_NEVER : when, prio, fn, ctx, arg);
}

bool sim_cancel(struct sim *s, sim_event ev)
{
    if (!(ev >> 32) || (uint32_t)ev >= s->pool.used || !pool_live(&s->pool, ev))
        return false;
    pool_give(&s->pool, (uint32_t)ev);
    s->cancelled++;
    if (s->by_heap)
        heap_stale(&s->heap, &s->pool, sim_pending(s));
    else
        radix_stale(&s->radix, sim_pending(s));
    return true;
}

/* The next live event due by `until`; 0: none. */
static inline sim_event next(struct sim *s, sim_time until)
{
    sim_event ev;
    if (s->by_heap)
        while ((ev = heap_pop(&s->heap, until)) && !pool_live(&s->pool, ev))
            s->heap.stale--;
    else
        while ((ev = radix_pop(&s->radix, s->now, until)) && !pool_live(&s->pool, ev))
            s->radix.stale--;
    return ev;
}

static inline void stamp(struct sim *s, const struct event *at)
{
    uint64_t x = at->when * UINT64_C(0x9e3779b97f4a7c15) ^
                 (at->seq + ((uint64_t)(uint32_t)at->prio << 40)) * UINT64_C(0xd6e8feb86659fd93);
    s->print = (s->print ^ x) * UINT64_C(0xff51afd7ed558ccd);
    s->print ^= s->print >> 32;
}

/* The slot is free before the handler runs: what it schedules lands in the same line. */
static inline bool fire_next(struct sim *s, sim_time until)
{
    sim_event ev = next(s, until);
    if (!ev)
        return false;
    struct event *at = pool_at(&s->pool, ev);
    sim_fn *fn = at->fn;
    void *ctx = at->ctx;
    uint64_t arg = at->arg;
    s->now = at->when;
    stamp(s, at);
    pool_give(&s->pool, (uint32_t)ev);
    s->fired++;
    fn(ctx, arg);
    return true;
}

bool sim_step(struct sim *s)
{
    return !sim_failed(s) && fire_next(s, SIM_NEVER);
}

void sim_run(struct sim *s, sim_time until)
{
    s->stopped = sim_failed(s);
    if (until < s->now)
        return;
    while (!s->stopped)
        if (!fire_next(s, until)) {
            if (until != SIM_NEVER && !sim_failed(s))
                s->now = until;
            return;
        }
}

void sim_stop(struct sim *s)
{
    s->stopped = true;
}
