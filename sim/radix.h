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

#include "sim/lanes.h"
#include "sim/pool.h"

#define RADIX_BITS   4 /* per digit; measured, see docs/engine.md */
#define RADIX_WIDTH  (1 << RADIX_BITS)
#define RADIX_LEVELS ((64 + RADIX_BITS - 1) / RADIX_BITS)

struct entry {
    sim_time when;
    sim_event ev;
};

/* Word by word: a vector copy would read sixteen bytes that were just written in halves, and
 * the processor cannot forward those from its store buffer.                                  */
static inline void entry_move(struct entry *to, const struct entry *from)
{
    sim_time when = from->when;
    sim_event ev = from->ev;
    __asm__("" : "+r"(when), "+r"(ev)); /* keeps the compiler from joining the two */
    to->when = when;
    to->ev = ev;
}

struct entries {
    struct entry *at;
    uint32_t n, cap;
};

struct radix {
    struct pool *pool;
    sim_time base;  /* buckets are relative to it */
    sim_time front; /* no bucket holds an entry at or before it, unless front < base */
    struct entries run;
    uint32_t run_at; /* run entries before it are gone */

    /* While all events have one priority, entries of one time leave the run in its order, and the
     * lane holds only what was scheduled at that time for that time. */
    bool begun, mixed;
    int32_t prio;

    struct lanes lanes;

    size_t in_buckets;
    size_t stale; /* entries of cancelled events, not yet seen again */
    bool failed;
    uint32_t levels; /* bit per level with a bucket in use */
    uint32_t used[RADIX_LEVELS];
    struct entries bucket[RADIX_LEVELS][RADIX_WIDTH];
};

void radix_init(struct radix *q, struct pool *pool);
void radix_free(struct radix *q);
/* Counts one stale entry; sweeps when there are more of them than live ones. */
void radix_stale(struct radix *q, size_t live);

static inline bool radix_failed(const struct radix *q)
{
    return q->failed | q->lanes.failed;
}

/* The general cases, for radix_push and radix_pop below. */
void radix_push_any(struct radix *q, sim_time now, sim_time when, sim_event ev, int32_t prio);
sim_event radix_pop_any(struct radix *q, sim_time now, sim_time until);

/* when >= now.  Out of memory is sticky: radix_failed().  Time and event travel as two words, not
 * as a struct entry: that would be put together in memory and read back at once as one vector,
 * which stalls (see entry_move) and doubled the cost of an event.                            */
static inline void radix_push(struct radix *q, sim_time now, sim_time when, sim_event ev,
                              int32_t prio)
{
    uint32_t n = q->run.n;
    if (when == now || when > q->front || n == q->run.cap || n - q->run_at > 16 ||
        (prio != q->prio && !q->mixed)) {
        radix_push_any(q, now, when, ev, prio);
        return;
    }
    struct entry *at = q->run.at, *end = at + n, *first = at + q->run_at;
    for (; end > first && end[-1].when > when; end--)
        entry_move(end, end - 1);
    end->when = when;
    end->ev = ev;
    q->run.n = n + 1;
}

/* Takes the first entry when it is due by `until`: its event, which may be stale; 0: none.
 * One register comes back and not an entry, which would travel through memory.               */
static inline sim_event radix_pop(struct radix *q, sim_time now, sim_time until)
{
    uint32_t i = q->run_at, n = q->run.n;
    if (i == n || q->mixed)
        return radix_pop_any(q, now, until);
    const struct entry *at = q->run.at + i;
    if (q->lanes.held && at->when != now)
        return radix_pop_any(q, now, until);
    if (at->when > until)
        return 0;
    if (++i == n)
        q->run.n = i = 0;
    q->run_at = i;
    return at->ev;
}

#endif
