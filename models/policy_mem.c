/* policy_mem.c - the guard at mem.evict, mem.place, mem.readahead. */
#include <inttypes.h>
#include <stdlib.h>

#include "models/policy_guard.h"

bool policy_slot_mem_begin(struct policy_slot *p, const struct policy_mem *m)
{
    if (!slot_asks(p) || !p->ops->mem_begin)
        return slot_asks(p) && p->ops->mem_evict;
    if (!slot_enter(p, "mem_begin", 0))
        return false;
    int rc = p->ops->mem_begin(p->self, m);
    slot_leave(p);
    if (rc)
        slot_bad(p, 0, "mem_begin answered %d, want 0", rc);
    return !rc && p->ops->mem_evict;
}

/* The truth is for oracles.  Copied only where there is something to hide: loads of a struct that
 * was stored by halves a moment ago would cost more than the rest of the call. */
static const struct policy_access *shown(const struct policy_slot *p, const struct policy_access *a,
                                         struct policy_access *seen)
{
    if (a->next == 0 || p->ops->oracle)
        return a;
    *seen = *a;
    seen->next = 0;
    return seen;
}

void policy_slot_hit(struct policy_slot *p, const struct policy_access *a)
{
    if (!slot_asks(p) || !p->ops->mem_hit || !slot_enter(p, "mem_hit", a->now_ns))
        return;
    struct policy_access seen;
    p->ops->mem_hit(p->self, shown(p, a, &seen));
    slot_leave(p);
}

void policy_slot_insert(struct policy_slot *p, const struct policy_access *a)
{
    if (!slot_asks(p) || !p->ops->mem_insert || !slot_enter(p, "mem_insert", a->now_ns))
        return;
    struct policy_access seen;
    p->ops->mem_insert(p->self, shown(p, a, &seen));
    slot_leave(p);
}

uint32_t policy_slot_evict(struct policy_slot *p, const struct policy_access *incoming,
                           uint32_t frames, const uint64_t *owner)
{
    if (!slot_asks(p) || !p->ops->mem_evict || !slot_enter(p, "mem_evict", incoming->now_ns))
        return POLICY_NONE;
    struct policy_access seen;
    uint32_t frame = p->ops->mem_evict(p->self, shown(p, incoming, &seen));
    slot_leave(p);
    p->decisions++;
    if (frame < frames && owner[frame] != POLICY_PAGE_NONE)
        return frame;
    slot_bad(p, incoming->now_ns, "mem_evict answered frame %u, want a taken one of %u", frame,
             frames);
    return POLICY_NONE;
}

void policy_slot_remove(struct policy_slot *p, uint32_t frame, uint64_t page, uint64_t now_ns)
{
    if (!slot_asks(p) || !p->ops->mem_remove || !slot_enter(p, "mem_remove", now_ns))
        return;
    p->ops->mem_remove(p->self, frame, page);
    slot_leave(p);
}

/* Every region on a tier that exists, no tier beyond its capacity. */
static bool good_places(struct policy_slot *p, const struct policy_place_obs *o, uint32_t tiers,
                        const uint32_t *tier)
{
    for (uint32_t i = 0; i < o->n; i++)
        if (tier[i] >= tiers) {
            slot_bad(p, o->now_ns, "mem_place put region %u on tier %u, want one of %u", i, tier[i],
                     tiers);
            return false;
        }
    for (uint32_t t = 0; t < tiers; t++) {
        uint64_t pages = 0;
        for (uint32_t i = 0; i < o->n; i++)
            pages += tier[i] == t ? o->region[i].pages : 0;
        if (pages <= o->tier_pages[t])
            continue;
        slot_bad(p, o->now_ns, "mem_place put %" PRIu64 " pages on tier %u, want at most %" PRIu64,
                 pages, t, o->tier_pages[t]);
        return false;
    }
    return true;
}

static void judge_places(struct policy_slot *p, const struct policy_place_obs *o, uint32_t tiers,
                         uint32_t *tier)
{
    p->decisions++;
    if (!good_places(p, o, tiers, tier))
        for (uint32_t i = 0; i < o->n; i++)
            tier[i] = o->region[i].tier;
}

/* The regions without the truth; NULL: no memory. */
static struct policy_region *blinded(const struct policy_place_obs *o)
{
    struct policy_region *r = malloc((o->n ? o->n : 1) * sizeof *r);
    for (uint32_t i = 0; r && i < o->n; i++) {
        r[i] = o->region[i];
        r[i].next_accesses = 0;
    }
    return r;
}

void policy_slot_place(struct policy_slot *p, const struct policy_place_obs *o, uint32_t tiers,
                       uint32_t *tier)
{
    if (!slot_asks(p) || !p->ops->mem_place)
        return;
    struct policy_place_obs seen = *o;
    struct policy_region *own = p->ops->oracle ? NULL : blinded(o);
    if (!p->ops->oracle && !own) {
        if (p->out)
            p->out->failed = true; /* the trial fails */
        return;
    }
    seen.region = own ? own : o->region;
    if (slot_enter(p, "mem_place", o->now_ns)) {
        p->ops->mem_place(p->self, &seen, tier);
        slot_leave(p);
        judge_places(p, o, tiers, tier);
    }
    free(own);
}

uint32_t policy_slot_readahead(struct policy_slot *p, const struct policy_readahead_obs *o)
{
    if (!slot_asks(p) || !p->ops->mem_readahead || !slot_enter(p, "mem_readahead", o->now_ns))
        return POLICY_READAHEAD_DEFAULT;
    struct policy_readahead_obs seen = *o;
    if (!p->ops->oracle)
        seen.oracle_next = NULL, seen.n_next = 0;
    uint32_t pages = p->ops->mem_readahead(p->self, &seen);
    slot_leave(p);
    p->decisions++;
    if (pages <= POLICY_READAHEAD_MAX)
        return pages;
    slot_bad(p, o->now_ns, "mem_readahead answered %u pages, want at most %d", pages,
             POLICY_READAHEAD_MAX);
    return POLICY_READAHEAD_DEFAULT;
}
