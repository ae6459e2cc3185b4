/* template_mem.c - a small cache, tiers and readahead policy, to be copied.
 *
 * Evicts by second chance: a hand goes round the frames, and who was used
 * since it last came by stays.  Each period the busiest regions go to the
 * fastest tier that has room.  Readahead doubles while a stream moves in small
 * steps and halves when it jumps.  To make your own: `malv policy new NAME
 * --hook mem.evict`; leave out the hooks that you have no opinion on.  The
 * steps and the rules stand in template.c.                                  */
#include <stdlib.h>

#include "policy.h"

struct template_mem_state {
    const struct policy_host *h; /* stays valid until destroy */
    uint32_t frames, tiers, hand;
    unsigned char *used; /* [frames]: since the hand came by */
    double near;         /* pages: a mean step up to this is going straight on */
};

static int create(void **self, const struct policy_host *h)
{
    struct template_mem_state *s = calloc(1, sizeof *s);
    if (!s) {
        h->log(h->host, "out of memory"); /* the last line logged is shown as the reason */
        return -1;
    }
    s->h = h;
    s->near = h->param(h->host, "near", 8);
    *self = s;
    return 0;
}

static void destroy(void *self)
{
    struct template_mem_state *s = self;
    free(s->used);
    free(s);
}

/* Before all other mem hooks: how large the cache is.  0: agreed. */
static int begin(void *self, const struct policy_mem *m)
{
    struct template_mem_state *s = self;
    s->frames = m->frames;
    s->tiers = m->tiers;
    s->used = calloc(m->frames ? m->frames : 1, 1);
    return s->used ? 0 : -1;
}

/* ---- mem.evict: told of every access, asked when all frames are taken ---- */

static void touch(void *self, const struct policy_access *a)
{
    struct template_mem_state *s = self;
    s->used[a->frame] = 1;
}

static void insert(void *self, const struct policy_access *a)
{
    struct template_mem_state *s = self;
    s->used[a->frame] = 0;
}

static uint32_t evict(void *self, const struct policy_access *incoming)
{
    struct template_mem_state *s = self;
    (void)incoming;
    for (;;) {
        uint32_t frame = s->hand;
        s->hand = (s->hand + 1) % s->frames;
        if (!s->used[frame])
            return frame;
        s->used[frame] = 0;
    }
}

/* Somebody else freed the frame. */
static void removed(void *self, uint32_t frame, uint64_t page)
{
    struct template_mem_state *s = self;
    (void)page;
    s->used[frame] = 0;
}

/* ---- mem.place: where regions shall be in the period that begins ---- */

struct ranked {
    uint32_t accesses, pages, index;
};

/* Accesses per page, most first; ties in order. */
static int by_heat(const void *a, const void *b)
{
    const struct ranked *x = a, *y = b;
    double left = (double)x->accesses * y->pages, right = (double)y->accesses * x->pages;
    return left > right ? -1 : left < right ? 1 : x->index < y->index ? -1 : 1;
}

static void fill(const struct template_mem_state *s, const struct policy_place_obs *o,
                 const struct ranked *r, uint64_t *room, uint32_t *tier)
{
    for (uint32_t t = 0; t < s->tiers; t++)
        room[t] = o->tier_pages[t];
    for (uint32_t i = 0; i < o->n; i++) {
        uint32_t t = 0;
        while (t + 1 < s->tiers && room[t] < r[i].pages)
            t++;
        room[t] -= room[t] < r[i].pages ? room[t] : r[i].pages;
        tier[r[i].index] = t;
    }
}

/* The last tier must hold whatever found no room before; else all stays as it is, which is what
 * tier[] comes filled with. */
static void place(void *self, const struct policy_place_obs *o, uint32_t *tier)
{
    const struct template_mem_state *s = self;
    uint64_t total = 0, *room = calloc(s->tiers, sizeof *room);
    struct ranked *r = calloc(o->n ? o->n : 1, sizeof *r);
    for (uint32_t i = 0; r && i < o->n; i++) {
        r[i] = (struct ranked){o->region[i].accesses, o->region[i].pages, i};
        total += o->region[i].pages;
    }
    if (r && room && s->tiers && total <= o->tier_pages[s->tiers - 1]) {
        qsort(r, o->n, sizeof *r, by_heat);
        fill(s, o, r, room, tier);
    }
    free(r);
    free(room);
}

/* ---- mem.readahead: how many pages to fetch behind a missed one ---- */

static uint32_t readahead(void *self, const struct policy_readahead_obs *o)
{
    const struct template_mem_state *s = self;
    uint32_t was = o->readahead ? o->readahead : 4;
    if (o->feature[3] > s->near)
        return was / 2;
    return was < POLICY_READAHEAD_MAX / 2 ? 2 * was : POLICY_READAHEAD_MAX;
}

POLICY(.name = "template-mem", .summary = "second chance; hot regions to fast tiers (to copy)",
       .create = create, .destroy = destroy, .mem_begin = begin, .mem_hit = touch,
       .mem_insert = insert, .mem_evict = evict, .mem_remove = removed, .mem_place = place,
       .mem_readahead = readahead);
