/* heap.h - the pending events as a plain 4-ary heap: the reference.
 *
 * Compares the whole order (time, prio, key) on every step and knows nothing
 * clever, which is its use: the radix queue must agree with it, event by
 * event.  key is the sequence number, or a seeded hash of it when ties are
 * shuffled.  Private to sim/.                                               */
#ifndef SIM_HEAP_H
#define SIM_HEAP_H

#include "sim/pool.h"

struct heap_entry {
    sim_time when;
    uint64_t key;
    sim_event ev;
    int32_t prio;
};

struct heap {
    struct heap_entry *at;
    size_t n, cap, stale;
    bool failed; /* out of memory: sticky */
};

void heap_free(struct heap *h);
void heap_push(struct heap *h, struct heap_entry e);
sim_event heap_pop(struct heap *h, sim_time until); /* may be stale; 0: none is due */
void heap_stale(struct heap *h, const struct pool *pool, size_t live);

#endif
