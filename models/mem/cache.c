#include "models/mem/cache.h"

#include <assert.h>
#include <stdlib.h>

enum { DIRTY = 1, FETCHED = 2 };
enum { AHEAD = 16 }; /* look-ups in flight: enough to hide main memory, few enough to stay in L1 */

struct mem_cache {
    struct page_table table;
    uint64_t *owner; /* [frames]: the page, POLICY_PAGE_NONE: free */
    uint8_t *flags;  /* [frames]: DIRTY, FETCHED (and not used yet) */
    uint32_t *spare; /* [frames]: free frames, a stack */
    uint32_t frames, n_spare, hand;
    uint64_t truth;            /* all ones when the policy is an oracle, else zero */
    bool fetches;              /* mem_cache_fetch was used */
    struct policy_slot *evict; /* NULL: the hand */
    struct mem_cache_stats stats;
};

struct mem_cache *mem_cache_new(uint32_t frames, struct policy_slot *evict)
{
    assert(frames >= 1 && frames < PAGE_TABLE_NONE);
    struct mem_cache *c = calloc(1, sizeof *c);
    if (!c)
        return NULL;
    c->frames = c->n_spare = frames;
    c->owner = malloc(frames * sizeof *c->owner);
    c->flags = calloc(frames, 1);
    c->spare = malloc(frames * sizeof *c->spare);
    if (!c->owner || !c->flags || !c->spare || !page_table_init(&c->table, frames)) {
        mem_cache_free(c);
        return NULL;
    }
    for (uint32_t f = 0; f < frames; f++) {
        c->owner[f] = POLICY_PAGE_NONE;
        c->spare[f] = frames - 1 - f;
    }
    const struct policy_mem about = {.frames = frames, .tiers = 1, .page_bytes = 4096};
    c->evict = evict && policy_slot_mem_begin(evict, &about) ? evict : NULL;
    c->truth = c->evict && evict->ops->oracle ? UINT64_MAX : 0;
    return c;
}

void mem_cache_free(struct mem_cache *c)
{
    if (!c)
        return;
    page_table_free(&c->table);
    free(c->owner);
    free(c->flags);
    free(c->spare);
    free(c);
}

/* The hand passes over frames that are free. */
static uint32_t hand(struct mem_cache *c)
{
    for (;;) {
        uint32_t f = c->hand;
        c->hand = f + 1 < c->frames ? f + 1 : 0;
        if (c->owner[f] != POLICY_PAGE_NONE)
            return f;
    }
}

static void vacate(struct mem_cache *c, uint32_t f)
{
    page_table_remove(&c->table, c->owner[f]);
    c->stats.writebacks += c->flags[f] & DIRTY;
    c->owner[f] = POLICY_PAGE_NONE;
    c->flags[f] = 0;
}

static uint32_t victim(struct mem_cache *c, const struct policy_access *in)
{
    uint32_t f = POLICY_NONE;
    if (c->evict)
        f = policy_slot_evict(c->evict, in, c->frames, c->owner);
    if (f == POLICY_NONE)
        f = hand(c);
    vacate(c, f);
    c->stats.evicted++;
    return f;
}

static void bring(struct mem_cache *c, struct policy_access *in)
{
    in->frame = POLICY_NONE;
    uint32_t f = c->n_spare ? c->spare[--c->n_spare] : victim(c, in);
    c->owner[f] = in->page;
    c->flags[f] = in->write ? DIRTY : 0;
    page_table_put(&c->table, in->page, f);
    c->stats.inserted++;
    in->frame = f;
    if (c->evict)
        policy_slot_insert(c->evict, in);
}

static inline bool step(struct mem_cache *c, const struct mem_access *a, uint64_t now)
{
    struct policy_access told = {
        .now_ns = now, .page = a->page, .write = a->write, .depth = a->depth};
    told.next = a->next & c->truth;
    c->stats.accesses++;
    told.frame = page_table_find(&c->table, a->page);
    if (told.frame == PAGE_TABLE_NONE) {
        c->stats.misses++;
        bring(c, &told);
        return false;
    }
    if (a->write)
        c->flags[told.frame] |= DIRTY;
    if (c->fetches && c->flags[told.frame] & FETCHED) {
        c->flags[told.frame] &= (uint8_t)~FETCHED;
        c->stats.fetched_used++;
    }
    if (c->evict)
        policy_slot_hit(c->evict, &told);
    return true;
}

bool mem_cache_access(struct mem_cache *c, const struct mem_access *a, uint64_t now)
{
    return step(c, a, now);
}

size_t mem_cache_replay(struct mem_cache *c, const struct mem_access *a, size_t n)
{
    size_t leading = 0;
    for (size_t i = 0; i < n && i < AHEAD; i++)
        page_table_prefetch(&c->table, a[i].page);
    for (size_t i = 0; i < n; i++) {
        if (i + AHEAD < n)
            page_table_prefetch(&c->table, a[i + AHEAD].page);
        leading += step(c, &a[i], c->stats.accesses) & (leading == i);
    }
    return leading;
}

bool mem_cache_holds(const struct mem_cache *c, uint64_t page)
{
    return page_table_find(&c->table, page) != PAGE_TABLE_NONE;
}

bool mem_cache_fetch(struct mem_cache *c, uint64_t page, uint64_t now)
{
    if (mem_cache_holds(c, page))
        return false;
    struct policy_access told = {.now_ns = now, .page = page, .next = 1};
    bring(c, &told);
    c->fetches = true;
    c->flags[told.frame] |= FETCHED;
    c->stats.fetched++;
    return true;
}

bool mem_cache_remove(struct mem_cache *c, uint64_t page, uint64_t now)
{
    uint32_t f = page_table_find(&c->table, page);
    if (f == PAGE_TABLE_NONE)
        return false;
    if (c->evict)
        policy_slot_remove(c->evict, f, page, now);
    vacate(c, f);
    c->stats.removed++;
    c->spare[c->n_spare++] = f;
    return true;
}

void mem_cache_stats(const struct mem_cache *c, struct mem_cache_stats *out)
{
    *out = c->stats;
}

uint32_t mem_cache_held(const struct mem_cache *c)
{
    return c->frames - c->n_spare;
}

bool mem_cache_sound(const struct mem_cache *c)
{
    const struct mem_cache_stats *s = &c->stats;
    uint64_t held = 0, slots = 0, spares = 0;
    for (uint32_t f = 0; f < c->frames; f++) {
        bool taken = c->owner[f] != POLICY_PAGE_NONE;
        held += taken;
        if (taken && page_table_find(&c->table, c->owner[f]) != f)
            return false;
    }
    for (uint64_t i = 0; i <= c->table.mask; i++)
        slots += c->table.slot[i].page != UINT64_MAX;
    for (uint32_t i = 0; i < c->n_spare; i++)
        spares += c->owner[c->spare[i]] == POLICY_PAGE_NONE;
    return held == slots && held == mem_cache_held(c) && spares == c->n_spare &&
           held == s->inserted - s->evicted - s->removed;
}
