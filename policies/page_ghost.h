/* page_ghost.h - pages that a cache has lost but a policy still remembers; for mem.evict policies.
 *
 * Bounded by the capacity given at the start.  Entries lie in lists in order
 * of arrival (one list, or two as in ARC) and are found by page through an
 * open-addressing table at most half full.                                  */
#ifndef POLICIES_PAGE_GHOST_H
#define POLICIES_PAGE_GHOST_H

#include "frame_list.h"

#define GHOST_NONE UINT32_MAX

struct page_ghost {
    struct frame_list list; /* over entries; the last anchor is the free list */
    uint64_t *page;         /* [capacity] */
    uint8_t *on;            /* [capacity]: which list */
    uint32_t *slot;         /* entry + 1; 0: empty */
    uint32_t n[2];          /* entries on each list */
    uint32_t capacity, mask;
};

static inline void page_ghost_free(struct page_ghost *g)
{
    free(g->list.at);
    free(g->page);
    free(g->on);
    free(g->slot);
}

/* 0, or -1 when out of memory; page_ghost_free either way. */
static inline int page_ghost_init(struct page_ghost *g, uint32_t capacity)
{
    uint64_t slots = 8;
    while (slots < 2 * (uint64_t)capacity)
        slots *= 2;
    *g = (struct page_ghost){.capacity = capacity, .mask = (uint32_t)(slots - 1)};
    g->page = malloc(((size_t)capacity + 1) * sizeof *g->page);
    g->on = malloc((size_t)capacity + 1);
    g->slot = calloc(slots, sizeof *g->slot);
    if (frame_list_init(&g->list, capacity, 3) || !g->page || !g->on || !g->slot)
        return -1;
    for (uint32_t i = 0; i < capacity; i++)
        frame_list_push(&g->list, capacity + 2, i);
    return 0;
}

static inline uint32_t page_ghost_home(const struct page_ghost *g, uint64_t page)
{
    return (uint32_t)(page * UINT64_C(0x9e3779b97f4a7c15) >> 32) & g->mask;
}

static inline uint32_t page_ghost_probe(const struct page_ghost *g, uint64_t page)
{
    uint32_t s = page_ghost_home(g, page);
    while (g->slot[s] && g->page[g->slot[s] - 1] != page)
        s = (s + 1) & g->mask;
    return s;
}

/* The list it is on: 0 or 1; GHOST_NONE: forgotten. */
static inline uint32_t page_ghost_find(const struct page_ghost *g, uint64_t page)
{
    uint32_t s = g->slot[page_ghost_probe(g, page)];
    return s ? g->on[s - 1] : GHOST_NONE;
}

/* Empties a slot and moves back what had been pushed on by it. */
static inline void page_ghost_close_gap(struct page_ghost *g, uint32_t gap)
{
    for (uint32_t s = gap;;) {
        s = (s + 1) & g->mask;
        if (!g->slot[s])
            break;
        uint32_t home = page_ghost_home(g, g->page[g->slot[s] - 1]);
        if (((s - home) & g->mask) < ((s - gap) & g->mask))
            continue; /* its home lies after the gap */
        g->slot[gap] = g->slot[s];
        gap = s;
    }
    g->slot[gap] = 0;
}

static inline void page_ghost_remove(struct page_ghost *g, uint64_t page)
{
    uint32_t s = page_ghost_probe(g, page);
    if (!g->slot[s])
        return;
    uint32_t entry = g->slot[s] - 1;
    page_ghost_close_gap(g, s);
    frame_list_unlink(&g->list, entry);
    g->n[g->on[entry]]--;
    frame_list_push(&g->list, g->capacity + 2, entry);
}

/* Forgets the one that came first on a list; nothing when it is empty. */
static inline void page_ghost_drop(struct page_ghost *g, uint32_t list)
{
    if (g->n[list])
        page_ghost_remove(g, g->page[frame_list_back(&g->list, g->capacity + list)]);
}

/* The page is not there yet; when there is no room, the list forgets its first. */
static inline void page_ghost_add(struct page_ghost *g, uint32_t list, uint64_t page)
{
    if (g->n[0] + g->n[1] >= g->capacity)
        page_ghost_drop(g, g->n[list] ? list : 1 - list);
    uint32_t entry = frame_list_back(&g->list, g->capacity + 2);
    if (entry >= g->capacity)
        return; /* a ghost of capacity 0 */
    frame_list_unlink(&g->list, entry);
    frame_list_push(&g->list, g->capacity + list, entry);
    g->page[entry] = page;
    g->on[entry] = (uint8_t)list;
    g->n[list]++;
    g->slot[page_ghost_probe(g, page)] = entry + 1;
}

#endif
