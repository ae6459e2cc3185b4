/* tiers.h - pages on tiers of memory: first touch, migration, reclaim, queueing.
 *
 * Tier 0 is the fastest.  A page that is touched for the first time gets a
 * frame by the placing rule; when every frame is taken, a hand passes over
 * the frames of the slowest tier and gives up the first that was not touched
 * since it came by (second chance).  Once a period the policy behind
 * mem.place may move pages; a region is a frame's page, in order of frames,
 * and a page that takes over a frame takes over its region.
 *
 * Time of an access: the tier's latency, the transfer of a line, and waiting:
 *   closed  the program waits for each access: nothing queues, but other
 *           traffic on the tier (load) delays it as M/G/1 does,
 *               rho / (1 - rho) x residual        (Pollaczek-Khinchine)
 *           where residual is E[S^2] / 2 E[S], what is left of a service in
 *           progress; for DRAM banks about half a row cycle
 *   open    accesses come at their own times, one server per tier, first come
 *           first served, a line's transfer each (Lindley's recursion)
 * Migrations cost their own time and carry 4096 bytes over both tiers.      */
#ifndef MODELS_MEM_TIERS_H
#define MODELS_MEM_TIERS_H

#include <stdbool.h>

#include "models/machine.h"
#include "models/policy_slot.h"

enum { TIERS_MAX = 4, TIER_PAGE = 4096, TIER_LINE = 64 };
enum tier_first { FIRST_FASTEST, FIRST_INTERLEAVE, FIRST_SLOWEST };

struct mem_tier {
    uint64_t pages;
    double latency_ns, bytes_per_ns;
    double residual_ns, load; /* load: bytes per ns of other traffic, below bytes_per_ns */
};

struct mem_tiers_config {
    uint32_t n;
    struct mem_tier tier[TIERS_MAX];
    enum tier_first first;
    bool open;
    double period_ns, migrate_ns; /* each period; each page moved */
    double swap_ns;               /* a page read back after it was reclaimed, or written out */
};

struct mem_tiers_stats {
    uint64_t accesses, touched[TIERS_MAX]; /* accesses, by tier */
    uint64_t first_touches, migrations, reclaims, writebacks, refaults, periods;
    double memory_ns, queue_ns, migrate_ns, swap_ns;
};

struct mem_tiers;
/* place may be NULL (nothing moves).  NULL: out of memory. */
struct mem_tiers *mem_tiers_new(const struct mem_tiers_config *c, struct policy_slot *place);
void mem_tiers_free(struct mem_tiers *t);
void mem_tiers_under(struct mem_tiers *t, struct policy_slot *place); /* from now on; has begun */

/* `count` accesses to a page at time now (open: when they come; never earlier than before). */
void mem_tiers_touch(struct mem_tiers *t, uint64_t page, bool write, uint32_t count,
                     uint64_t now_ns);
/* Before a period ends: what will be accessed in the next, for oracles. */
void mem_tiers_expect(struct mem_tiers *t, uint64_t page, uint32_t count);
void mem_tiers_period(struct mem_tiers *t, uint64_t now_ns);

void mem_tiers_stats(const struct mem_tiers *t, struct mem_tiers_stats *out);
double mem_tiers_wait(const struct mem_tier *tier); /* ns, of the load */
/* No frame lost or doubled, no tier beyond its pages; for tests. */
bool mem_tiers_sound(const struct mem_tiers *t);

#endif
