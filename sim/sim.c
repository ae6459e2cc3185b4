#include "sim/sim.h"

#include <assert.h>
#include <stdlib.h>

#include "sim/heap.h"
#include "sim/pool.h"
#include "sim/radix.h"

struct sim {
    sim_time now;
    uint64_t seq, fired, print;
    size_t pending;
    bool stopped, by_heap, failed;
    struct sim_options opt;
    struct pool pool;
    struct heap heap;
    struct radix radix;
};

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

sim_time sim_now(const struct sim *s)
{
    return s->now;
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
    return s->pending;
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
    return s->failed || s->radix.failed || s->heap.failed;
}

void sim_fail(struct sim *s)
{
    s->failed = true;
}

/* splitmix64's finalizer, keyed: a bijection, so shuffled ties stay a total order. */
static uint64_t shuffled(uint64_t seq, uint64_t seed)
{
    uint64_t x = seq + seed * UINT64_C(0x9e3779b97f4a7c15);
    x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
    return x ^ x >> 31;
}

static void heap_schedule(struct sim *s, sim_time when, int prio, uint32_t slot, uint32_t gen)
{
    uint64_t key = s->opt.shuffle_ties ? shuffled(s->seq, s->opt.shuffle_seed) : s->seq;
    heap_push(&s->heap, (struct heap_entry){when, key, prio, slot, gen});
}

sim_event sim_at(struct sim *s, sim_time when, int prio, sim_fn *fn, void *ctx, uint64_t arg)
{
    assert(when >= s->now);
    uint32_t slot;
    if (!pool_take(&s->pool, &slot)) {
        s->failed = true;
        return 0;
    }
    struct event *ev = &s->pool.at[slot];
    uint32_t gen = ev->gen;
    ev->fn = fn;
    ev->ctx = ctx;
    ev->arg = arg;
    ev->seq = s->seq;
    ev->prio = prio;
    if (s->by_heap)
        heap_schedule(s, when, prio, slot, gen);
    else
        radix_push(&s->radix, s->now, (struct entry){when, slot, gen}, prio);
    s->seq++;
    s->pending++;
    return (uint64_t)gen << 32 | slot;
}

sim_event sim_after(struct sim *s, sim_time delay, int prio, sim_fn *fn, void *ctx, uint64_t arg)
{
    sim_time when = s->now + delay;
    return sim_at(s, when < delay ? SIM_NEVER : when, prio, fn, ctx, arg);
}

bool sim_cancel(struct sim *s, sim_event ev)
{
    uint32_t slot = (uint32_t)ev, gen = (uint32_t)(ev >> 32);
    if (!gen || slot >= s->pool.used || s->pool.at[slot].gen != gen)
        return false;
    pool_give(&s->pool, slot);
    s->pending--;
    if (s->by_heap)
        heap_stale(&s->heap, &s->pool, s->pending);
    else
        radix_stale(&s->radix, s->pending);
    return true;
}

/* The next live event due by `until`. */
static bool next(struct sim *s, sim_time until, sim_time *when, uint32_t *slot)
{
    if (s->by_heap) {
        struct heap_entry e;
        for (; heap_pop(&s->heap, until, &e); s->heap.stale--)
            if (s->pool.at[e.slot].gen == e.gen) {
                *when = e.when, *slot = e.slot;
                return true;
            }
        return false;
    }
    struct entry e;
    for (; radix_pop(&s->radix, until, &e); s->radix.stale--)
        if (s->pool.at[e.slot].gen == e.gen) {
            *when = e.when, *slot = e.slot;
            return true;
        }
    return false;
}

static inline void stamp(struct sim *s, const struct event *ev)
{
    uint64_t x = s->now * UINT64_C(0x9e3779b97f4a7c15) ^
                 (ev->seq + ((uint64_t)(uint32_t)ev->prio << 40)) * UINT64_C(0xd6e8feb86659fd93);
    s->print = (s->print ^ x) * UINT64_C(0xff51afd7ed558ccd);
    s->print ^= s->print >> 32;
}

/* The slot is free before the handler runs: what it schedules lands in the same line. */
static bool fire_next(struct sim *s, sim_time until)
{
    sim_time when;
    uint32_t slot;
    if (!next(s, until, &when, &slot))
        return false;
    struct event *ev = &s->pool.at[slot];
    sim_fn *fn = ev->fn;
    void *ctx = ev->ctx;
    uint64_t arg = ev->arg;
    s->now = when;
    stamp(s, ev);
    pool_give(&s->pool, slot);
    s->pending--;
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
    s->stopped = false;
    while (until >= s->now && !s->stopped && !sim_failed(s))
        if (!fire_next(s, until)) {
            if (until != SIM_NEVER && s->now < until)
                s->now = until;
            return;
        }
}

void sim_stop(struct sim *s)
{
    s->stopped = true;
}
