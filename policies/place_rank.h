/* place_rank.h - fills tiers from the hottest page down; for mem.place policies. */
#ifndef POLICIES_PLACE_RANK_H
#define POLICIES_PLACE_RANK_H

#include "policy.h"

#include <stdlib.h>

enum { PLACE_TIERS_MAX = 8 };

struct place_entry {
    double heat;
    uint32_t tier, region;
};

struct place_rank {
    struct place_entry *entry; /* [regions] */
    uint32_t regions;
};

static inline int place_rank_init(struct place_rank *r, uint32_t regions)
{
    r->entry = malloc(regions * sizeof *r->entry);
    r->regions = regions;
    return r->entry ? 0 : -1;
}

static inline void place_rank_free(struct place_rank *r)
{
    free(r->entry);
}

/* Hottest first; of equals those on the faster tier, then in order of regions. */
static inline int place_rank_order(const void *a, const void *b)
{
    const struct place_entry *x = a, *y = b;
    if (x->heat != y->heat)
        return x->heat > y->heat ? -1 : 1;
    if (x->tier != y->tier)
        return x->tier < y->tier ? -1 : 1;
    return x->region < y->region ? -1 : x->region > y->region;
}

/* The fastest tier from `on` with room for so many pages; tiers when there is none. */
static inline uint32_t place_rank_room(const uint64_t *left, uint32_t tiers, uint32_t on,
                                       uint32_t pages)
{
    while (on < tiers && left[on] < pages)
        on++;
    return on;
}

/* The hot ones from the fastest tier (0) down; what nobody used (heat 0) stays unless it is in the
 * way.  heat, tier: [o->n], of the regions; o->n is at most what init was given.  tier keeps what
 * it has where there are more tiers than PLACE_TIERS_MAX. */
static inline void place_rank(struct place_rank *r, const struct policy_place_obs *o,
                              const double *heat, uint32_t tiers, uint32_t *tier)
{
    uint64_t left[PLACE_TIERS_MAX];
    if (tiers > PLACE_TIERS_MAX)
        return;
    for (uint32_t t = 0; t < tiers; t++)
        left[t] = o->tier_pages[t];
    for (uint32_t i = 0; i < o->n; i++)
        r->entry[i] = (struct place_entry){heat[i], o->region[i].tier, i};
    qsort(r->entry, o->n, sizeof *r->entry, place_rank_order);
    for (uint32_t i = 0; i < o->n; i++) {
        uint32_t k = r->entry[i].region, pages = o->region[k].pages;
        uint32_t on = r->entry[i].heat > 0 ? 0 : o->region[k].tier;
        on = place_rank_room(left, tiers, on, pages);
        if (on == tiers)
            on = place_rank_room(left, tiers, 0, pages);
        if (on == tiers)
            on = o->region[k].tier; /* regions too large to fit: the host will say so */
        tier[k] = on;
        left[on] -= left[on] < pages ? left[on] : pages;
    }
}

#endif
