/* radix.h - the pending events as a monotone radix queue.
 *
 * Three places, by distance from now:
 *   lanes    everything due at this very instant: one FIFO per priority
 *   run      a short array sorted by time, up to and including `front`
 *   buckets  the rest, by the highest digit in which their time differs from
 *            `base`; a bucket that comes first is sorted into the run when it
 *            is short, and split by its next digits when it is long
 *
 * Where an entry lies is a function of its time alone, so entries of one time
 * always lie together, in the order in which they were scheduled: no sequence
 * number is compared.  When a run is formed its events are prefetched; that,
 * not the sorting, is what makes a million pending events cheap.
 *
 * Cancelled events leave a stale entry (its generation no longer matches),
 * skipped when it surfaces and swept out when half of all are stale.
 * Private to sim/.                                                          */
#ifndef SIM_RADIX_H
#define SIM_RADIX_H

#include "sim/pool.h"

#define RADIX_BITS   4 /* per digit; measured, see docs/engine.md */
#define RADIX_WIDTH  (1 << RADIX_BITS)
#define RADIX_LEVELS ((64 + RADIX_BITS - 1) / RADIX_BITS)

struct entry {
    sim_time when;
    uint32_t slot, gen;
};

struct entries {
    struct entry *at;
    uint32_t n, cap;
};

struct lane {
    int32_t prio;
    uint32_t head, n, cap; /* a ring; cap is a power of two */
    struct entry *at;
};

struct radix {
    struct pool *pool;
    sim_time base;  /* buckets are relative to it */
    sim_time front; /* no bucket holds an entry at or before it, unless front < base */
    struct entries run;
    uint32_t run_at; /* run entries before it are gone */

    struct lane *lane; /* higher prio first */
    uint32_t lanes, lanes_cap;
    size_t in_lanes;

    size_t in_buckets;
    size_t stale; /* entries of cancelled events, not yet seen again */
    bool failed;
    uint32_t levels; /* bit per level with a bucket in use */
    uint32_t used[RADIX_LEVELS];
    struct entries bucket[RADIX_LEVELS][RADIX_WIDTH];
};

void radix_init(struct radix *q, struct pool *pool);
void radix_free(struct radix *q);
/* e.when >= now.  Out of memory is sticky in `failed`. */
void radix_push(struct radix *q, sim_time now, struct entry e, int32_t prio);
/* Takes the first entry when it is due by `until`; it may be stale. */
bool radix_pop(struct radix *q, sim_time until, struct entry *e);
/* Counts one stale entry; sweeps when there are more of them than live ones. */
void radix_stale(struct radix *q, size_t live);

#endif
