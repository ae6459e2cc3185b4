#include "models/mem/tiers.h"

#include <assert.h>
#include <stdlib.h>

#include "models/mem/page_table.h"

enum { TOUCHED = 1, DIRTY = 2 };

struct mem_tiers {
    struct mem_tiers_config c;
    struct policy_slot *place;
    struct page_table table;
    struct policy_region *region; /* [frames]: page, tier, counts; the first n are taken */
    uint8_t *flags;               /* [frames] */
    uint32_t *where;              /* [frames]: the policy's answer */
    uint32_t frames, n, hand, turn;
    uint64_t used[TIERS_MAX], room[TIERS_MAX];
    double free_at[TIERS_MAX]; /* ns, open only: when the tier's server is free */
    struct mem_tiers_stats stats;
};

struct mem_tiers *mem_tiers_new(const struct mem_tiers_config *c, struct policy_slot *place)
{
    uint64_t frames = 0;
    struct mem_tiers *t = calloc(1, sizeof *t);
    if (!t)
        return NULL;
    t->c = *c, t->place = place;
    for (uint32_t i = 0; i < c->n; i++) {
        assert(c->tier[i].pages >= 1 && c->tier[i].load < c->tier[i].bytes_per_ns);
        frames += t->room[i] = c->tier[i].pages;
    }
    assert(c->n >= 1 && c->n <= TIERS_MAX && frames < PAGE_TABLE_NONE);
    t->frames = (uint32_t)frames;
    t->region = calloc(frames, sizeof *t->region);
    t->flags = calloc(frames, 1);
    t->where = calloc(frames, sizeof *t->where);
    if (!t->region || !t->flags || !t->where || !page_table_init(&t->table, t->frames)) {
        mem_tiers_free(t);
        return NULL;
    }
    const struct policy_mem about = {.frames = t->frames, .tiers = c->n, .page_bytes = TIER_PAGE};
    if (place)
        (void)policy_slot_mem_begin(place, &about);
    return t;
}

void mem_tiers_free(struct mem_tiers *t)
{
    if (!t)
        return;
    page_table_free(&t->table);
    free(t->region);
    free(t->flags);
    free(t->where);
    free(t);
}

void mem_tiers_under(struct mem_tiers *t, struct policy_slot *place)
{
    t->place = place;
}

/* ---- frames ---- */

/* A tier with room, by the placing rule.  There is one. */
static uint32_t first_tier(struct mem_tiers *t)
{
    uint32_t n = t->c.n, from = 0, step = 1;
    if (t->c.first == FIRST_INTERLEAVE)
        from = t->turn++ % n;
    else if (t->c.first == FIRST_SLOWEST)
        from = n - 1, step = n - 1;
    while (t->used[from] == t->room[from])
        from = (from + step) % n;
    return from;
}

static uint32_t reclaim(struct mem_tiers *t)
{
    for (;;) {
        uint32_t f = t->hand;
        t->hand = f + 1 < t->frames ? f + 1 : 0;
        if (t->region[f].tier != t->c.n - 1)
            continue;
        if (t->flags[f] & TOUCHED) {
            t->flags[f] &= (uint8_t)~TOUCHED;
            continue;
        }
        if (t->flags[f] & DIRTY) {
            t->stats.writebacks++;
            t->stats.swap_ns += t->c.swap_ns;
        }
        page_table_remove(&t->table, t->region[f].page);
        t->stats.reclaims++;
        return f;
    }
}

/* Once frames run out, every new page may be one that was given up before: it is read back. */
static uint32_t admit(struct mem_tiers *t, uint64_t page)
{
    uint32_t f, tier;
    if (t->n < t->frames) {
        tier = first_tier(t);
        f = t->n++;
        t->used[tier]++;
        t->stats.first_touches++;
    } else {
        f = reclaim(t);
        tier = t->region[f].tier;
        t->stats.refaults++;
        t->stats.swap_ns += t->c.swap_ns;
    }
    t->region[f] = (struct policy_region){.page = page, .pages = 1, .tier = tier};
    t->flags[f] = 0;
    page_table_put(&t->table, page, f);
    return f;
}

/* ---- time ---- */

double mem_tiers_wait(const struct mem_tier *tier)
{
    double rho = tier->load / tier->bytes_per_ns;
    return rho / (1 - rho) * tier->residual_ns;
}

/* Lindley: one server, first come first served. */
static double serve(struct mem_tiers *t, uint32_t tier, double now, double bytes)
{
    double begins = t->free_at[tier] > now ? t->free_at[tier] : now;
    t->free_at[tier] = begins + bytes / t->c.tier[tier].bytes_per_ns;
    return begins - now;
}

static void charge(struct mem_tiers *t, uint32_t tier, uint32_t count, uint64_t now_ns)
{
    const struct mem_tier *m = &t->c.tier[tier];
    double n = count;
    t->stats.memory_ns += n * (m->latency_ns + TIER_LINE / m->bytes_per_ns);
    t->stats.queue_ns += n * mem_tiers_wait(m);
    for (uint32_t i = 0; t->c.open && i < count; i++)
        t->stats.queue_ns += serve(t, tier, (double)now_ns, TIER_LINE);
}

void mem_tiers_touch(struct mem_tiers *t, uint64_t page, bool write, uint32_t count,
                     uint64_t now_ns)
{
    uint32_t f = page_table_find(&t->table, page);
    if (f == PAGE_TABLE_NONE)
        f = admit(t, page);
    struct policy_region *r = &t->region[f];
    r->accesses = r->accesses > UINT32_MAX - count ? UINT32_MAX : r->accesses + count;
    t->flags[f] |= (uint8_t)(TOUCHED | (write ? DIRTY : 0));
    t->stats.accesses += count;
    t->stats.touched[r->tier] += count;
    charge(t, r->tier, count, now_ns);
}

/* ---- periods ---- */

void mem_tiers_expect(struct mem_tiers *t, uint64_t page, uint32_t count)
{
    uint32_t f = page_table_find(&t->table, page);
    if (f != PAGE_TABLE_NONE)
        t->region[f].next_accesses += count;
}

static void move(struct mem_tiers *t, uint32_t f, uint32_t to, uint64_t now_ns)
{
    uint32_t from = t->region[f].tier;
    double slower = t->c.tier[from].bytes_per_ns < t->c.tier[to].bytes_per_ns
                        ? t->c.tier[from].bytes_per_ns
                        : t->c.tier[to].bytes_per_ns;
    t->used[from]--, t->used[to]++;
    t->region[f].tier = to;
    t->stats.migrations++;
    t->stats.migrate_ns += t->c.migrate_ns + TIER_PAGE / slower;
    if (t->c.open) {
        (void)serve(t, from, (double)now_ns, TIER_PAGE);
        (void)serve(t, to, (double)now_ns, TIER_PAGE);
    }
}

void mem_tiers_period(struct mem_tiers *t, uint64_t now_ns)
{
    const struct policy_place_obs o = {.now_ns = now_ns,
                                       .period = t->stats.periods,
                                       .n = t->n,
                                       .region = t->region,
                                       .tier_pages = t->room};
    for (uint32_t f = 0; f < t->n; f++)
        t->where[f] = t->region[f].tier;
    if (t->place) {
        policy_slot_place(t->place, &o, t->c.n, t->where);
        t->stats.migrate_ns += t->c.period_ns;
    }
    t->stats.periods++;
    for (uint32_t f = 0; f < t->n; f++) {
        if (t->where[f] != t->region[f].tier)
            move(t, f, t->where[f], now_ns);
        t->region[f].accesses = t->region[f].next_accesses = 0;
    }
}

void mem_tiers_stats(const struct mem_tiers *t, struct mem_tiers_stats *out)
{
    *out = t->stats;
}

bool mem_tiers_sound(const struct mem_tiers *t)
{
    uint64_t used[TIERS_MAX] = {0}, slots = 0;
    for (uint32_t f = 0; f < t->n; f++) {
        if (t->region[f].tier >= t->c.n || page_table_find(&t->table, t->region[f].page) != f)
            return false;
        used[t->region[f].tier]++;
    }
    for (uint64_t i = 0; i <= t->table.mask; i++)
        slots += t->table.slot[i].page != UINT64_MAX;
    for (uint32_t i = 0; i < t->c.n; i++)
        if (used[i] != t->used[i] || used[i] > t->room[i])
            return false;
    return slots == t->n && t->stats.first_touches == t->n &&
           t->stats.refaults == t->stats.reclaims;
}
