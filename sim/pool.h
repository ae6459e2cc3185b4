/* pool.h - the events of one simulation: 64-byte records in one block,
 * addressed by slot and generation.
 *
 * A slot is reused at once and last-in-first-out, so that the next event lands
 * in a line that is still in the cache; its generation moves on with every
 * reuse, which is what makes a stale handle harmless.  A slot whose generation
 * is used up is retired, so no handle ever means two events.  Private to sim/. */
#ifndef SIM_POOL_H
#define SIM_POOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sim/sim.h"

struct event {
    _Alignas(64) sim_fn *fn;
    void *ctx;
    uint64_t arg;
    sim_time when;
    uint64_t seq; /* how many events were scheduled before it */
    int32_t prio;
    uint32_t gen;       /* 0: retired */
    uint32_t next_free; /* slot + 1; 0 ends the list */
};

_Static_assert(sizeof(struct event) == 64, "one event, one cache line");

struct pool {
    struct event *at;
    uint32_t used, cap; /* slots touched so far, and there */
    uint32_t free;      /* slot + 1 */
    bool small_pages;
};

/* A handle is a generation and a slot. */
static inline sim_event pool_handle(uint32_t slot, uint32_t gen)
{
    return (uint64_t)gen << 32 | slot;
}

static inline struct event *pool_at(const struct pool *p, sim_event ev)
{
    return &p->at[(uint32_t)ev];
}

static inline bool pool_live(const struct pool *p, sim_event ev)
{
    return pool_at(p, ev)->gen == ev >> 32;
}

bool pool_grow(struct pool *p); /* false when out of memory */
void pool_free(struct pool *p);

/* A slot to fill; false when out of memory. */
static inline bool pool_take(struct pool *p, uint32_t *slot)
{
    if (p->free) {
        *slot = p->free - 1;
        p->free = p->at[*slot].next_free;
        return true;
    }
    if (p->used == p->cap && !pool_grow(p))
        return false;
    *slot = p->used++;
    p->at[*slot].gen = 1;
    return true;
}

static inline void pool_give(struct pool *p, uint32_t slot)
{
    struct event *ev = &p->at[slot];
    if (++ev->gen == 0)
        return;
    ev->next_free = p->free;
    p->free = slot + 1;
}

#endif
