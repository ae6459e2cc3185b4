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
    mem_cache_victim *asks;    /* NULL: `evict` is asked */
    void *asks_ctx;
    /* With `asks` [frames]: the truth of its last access; when the page came in; the order of that.
     */
    uint64_t *due, *came, now;
    uint32_t *aged;
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
    free(c->due);
    free(c->came);
    free(c->aged);
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
    if (c->asks)
        f = c->asks(c->asks_ctx, in, c->owner);
    else if (c->evict)
        f = policy_slot_evict(c->evict, in, c->frames, c->owner);
    if (f == POLICY_NONE)
        f = hand(c);
    vacate(c, f);
    c->stats.evicted++;
    return f;
}

/* Of a page's next access, for oracles that come later. */
static void remember(struct mem_cache *c, uint32_t f, uint64_t next, uint64_t now)
{
    c->now = now;
    c->due[f] = next > UINT64_MAX - now ? UINT64_MAX : now + next;
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
    if (c->due) {
        remember(c, f, in->next, in->now_ns);
        c->came[f] = c->stats.inserted;
    }
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
    if (c->due)
        remember(c, told.frame, a->next, now);
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

/* ---- another policy ---- */

bool mem_cache_asks(struct mem_cache *c, mem_cache_victim *how, void *ctx)
{
    c->asks = how;
    c->asks_ctx = ctx;
    c->due = calloc(c->frames, sizeof *c->due);
    c->came = calloc(c->frames, sizeof *c->came);
    c->aged = malloc(c->frames * sizeof *c->aged);
    return c->due && c->came && c->aged;
}

static int by_age(const void *a, const void *b, void *came)
{
    const uint64_t x = ((const uint64_t *)came)[*(const uint32_t *)a],
                   y = ((const uint64_t *)came)[*(const uint32_t *)b];
    return (x > y) - (x < y);
}

static void tell(struct mem_cache *c, uint32_t f)
{
    const uint64_t left = c->due[f] > c->now ? c->due[f] - c->now : 1;
    struct policy_access told = {.now_ns = c->now, .page = c->owner[f], .frame = f};
    told.next = (c->due[f] == UINT64_MAX ? UINT64_MAX : left) & c->truth;
    policy_slot_insert(c->evict, &told);
}

/* The hand begins at the page that came in first. */
static void hand_over(struct mem_cache *c)
{
    for (uint32_t f = 0; f < c->frames; f++)
        if (c->owner[f] != POLICY_PAGE_NONE &&
            (c->owner[c->hand] == POLICY_PAGE_NONE || c->came[f] < c->came[c->hand]))
            c->hand = f;
}

void mem_cache_under(struct mem_cache *c, struct policy_slot *evict, const uint64_t *seen)
{
    uint32_t n = 0;
    c->evict = evict;
    c->truth = evict && evict->ops->oracle ? UINT64_MAX : 0;
    if (!evict)
        hand_over(c);
    for (uint32_t f = 0; evict && seen && f < c->frames; f++)
        if (seen[f] != c->owner[f] && seen[f] != POLICY_PAGE_NONE)
            policy_slot_remove(evict, f, seen[f], c->now);
    for (uint32_t f = 0; evict && f < c->frames; f++)
        if (c->owner[f] != POLICY_PAGE_NONE && (!seen || seen[f] != c->owner[f]))
            c->aged[n++] = f;
    qsort_r(c->aged, n, sizeof *c->aged, by_age, c->came);
    for (uint32_t i = 0; i < n; i++)
        tell(c, c->aged[i]);
}

const uint64_t *mem_cache_owners(const struct mem_cache *c)
{
    return c->owner;
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
