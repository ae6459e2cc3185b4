/* cache.h - a page cache of so many frames, with victims by mem.evict.
 *
 * A page is in at most one frame and a frame holds at most one page.  The
 * policy is told of hits and insertions and asked for a victim when every
 * frame is taken; without one, or after its ejection, a hand goes round the
 * frames (FIFO).  State is bounded by the number of frames.                 */
#ifndef MODELS_MEM_CACHE_H
#define MODELS_MEM_CACHE_H

#include <stddef.h>

#include "models/mem/page_table.h"
#include "models/policy_slot.h"

struct mem_access {
    uint64_t page; /* at most PAGE_NUMBER_MAX */
    uint64_t next; /* accesses until it comes again, for oracles; UINT64_MAX: never */
    uint32_t write;
    uint32_t depth; /* policy_access.depth */
};

struct mem_cache_stats { /* hits + misses = accesses; inserted - evicted - removed = held */
    uint64_t accesses, misses, inserted, evicted, writebacks, removed;
    uint64_t fetched, fetched_used; /* by mem_cache_fetch; of them, those that were then hit */
};

struct mem_cache;

/* NULL: out of memory.  frames >= 1; evict may be NULL. */
struct mem_cache *mem_cache_new(uint32_t frames, struct policy_slot *evict);
void mem_cache_free(struct mem_cache *c);

/* One access, at the simulated time now (or the number of the access): true on a hit. */
bool mem_cache_access(struct mem_cache *c, const struct mem_access *a, uint64_t now);
/* n accesses, numbered on from those before; faster than one by one.  How many of the first hit
 * before one missed. */
size_t mem_cache_replay(struct mem_cache *c, const struct mem_access *a, size_t n);

bool mem_cache_holds(const struct mem_cache *c, uint64_t page);
/* Brings a page in that nobody asked for yet (readahead); false: it was there. */
bool mem_cache_fetch(struct mem_cache *c, uint64_t page, uint64_t now);
/* Gives a page's frame back (ballooning, truncation); false: it was not there. */
bool mem_cache_remove(struct mem_cache *c, uint64_t page, uint64_t now);

/* For a policy that changes while the cache runs.  asks: a victim is asked for here instead; false:
 * out of memory.  under: this one (NULL: the hand) is told of hits and insertions from now on, and
 * first of what lies in the frames, or what has changed there since they were `seen` [frames]: the
 * page that came in first is told first.  */
typedef uint32_t mem_cache_victim(void *ctx, const struct policy_access *in, const uint64_t *owner);
bool mem_cache_asks(struct mem_cache *c, mem_cache_victim *how, void *ctx) MUST_CHECK;
void mem_cache_under(struct mem_cache *c, struct policy_slot *evict, const uint64_t *seen);
const uint64_t *mem_cache_owners(const struct mem_cache *c); /* [frames]; POLICY_PAGE_NONE: free */

void mem_cache_stats(const struct mem_cache *c, struct mem_cache_stats *out);
uint32_t mem_cache_held(const struct mem_cache *c);
/* Whether table, owners, free frames and counts agree, for tests: no frame lost or doubled. */
bool mem_cache_sound(const struct mem_cache *c);

#endif
