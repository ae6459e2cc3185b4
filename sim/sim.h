/* sim.h - one simulation: the clock and the future, in order.
 *
 * Order is total: earlier time, then higher prio, then first scheduled.  Two
 * runs that schedule the same things fire them in the same order, on any
 * machine.  There are no globals: any number of simulations live side by
 * side.  A simulation belongs to one thread.
 *
 * Ownership: the simulation owns its events; ctx belongs to the caller and
 * must outlive the event or be cancelled.  A handle is never reused, so a
 * stale one is harmless: sim_cancel says false.                             */
#ifndef SIM_SIM_H
#define SIM_SIM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sim/time.h"

struct sim;
struct spans;

typedef uint64_t sim_event; /* handle; 0 is "no event" */
typedef void sim_fn(void *ctx, uint64_t arg);

enum sim_queue { SIM_QUEUE_RADIX, SIM_QUEUE_HEAP }; /* heap: the reference, for tests */

struct sim_options {
    uint64_t seed;
    enum sim_queue queue;
    bool shuffle_ties; /* seeded random order among equal (time, prio): flushes out models
                          that depend on tie order; seeded by shuffle_seed */
    uint64_t shuffle_seed;
    struct spans *spans; /* optional, borrowed: where spans are recorded */
    bool small_pages;    /* do not ask for 2 MiB pages for the events of a large run */
};

struct sim *
sim_new(const struct sim_options *opt); /* opt NULL: all zero; NULL when out of memory */
void sim_free(struct sim *s);           /* NULL is fine; pending events are dropped */

/* Models ask at every turn: the time is the first thing in struct sim (asserted there). */
static inline sim_time sim_now(const struct sim *s)
{
    return *(const sim_time *)(const void *)s;
}
uint64_t sim_seed(const struct sim *s);
struct spans *sim_spans(const struct sim *s); /* NULL when not recorded */

/* Fires fn(ctx, arg) at `when` >= now (asserted).  Larger prio fires first. */
sim_event sim_at(struct sim *s, sim_time when, int prio, sim_fn *fn, void *ctx, uint64_t arg);
sim_event sim_after(struct sim *s, sim_time delay, int prio, sim_fn *fn, void *ctx, uint64_t arg);
bool sim_cancel(struct sim *s, sim_event ev); /* O(1); false when it fired or was cancelled */

bool sim_step(struct sim *s);                /* fires one; false when nothing is left */
void sim_run(struct sim *s, sim_time until); /* fires all with time <= until, which is then
                                                the time; SIM_NEVER: all */
void sim_stop(struct sim *s);                /* sim_run returns after the current event */

bool sim_failed(const struct sim *s); /* out of memory: an event was lost, the run
                                         stopped, its results are void */
void sim_fail(struct sim *s);         /* for resources that ran out of memory */
size_t sim_pending(const struct sim *s);
uint64_t sim_fired(const struct sim *s);
uint64_t
sim_fingerprint(const struct sim *s); /* hash of the trajectory: every (time, prio, seq) fired */

#endif
