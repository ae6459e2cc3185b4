/* policy_exercise_mem.c - a small cache, a few regions on tiers, a few streams that read ahead. */
#include "harness/policy/policy_exercise.h"

#define FRAMES  64
#define PAGES   (4 * FRAMES)
#define REGIONS 20
#define TIERS   3
#define STREAMS 3
#define PERIOD  100 /* steps */

struct memory {
    struct exercise *x;
    uint32_t frames, hand, scan;
    uint64_t owner[FRAMES];
    uint32_t frame_of[PAGES]; /* POLICY_NONE: not in */
    uint32_t regions, readahead[STREAMS];
    struct policy_region region[REGIONS];
    uint64_t tier_pages[TIERS], periods, accesses;
};

/* ---- the cache -------------------------------------------------------------------- */

/* Half of it goes to a few pages, the rest everywhere, and sometimes all in a row. */
static uint32_t next_page(struct memory *m)
{
    switch (exercise_below(m->x, 4)) {
    case 0:
        return exercise_below(m->x, PAGES);
    case 1:
        return m->scan++ % PAGES;
    default:
        return exercise_below(m->x, PAGES / 8);
    }
}

static uint32_t free_frame(const struct memory *m)
{
    for (uint32_t f = 0; f < m->frames; f++)
        if (m->owner[f] == POLICY_PAGE_NONE)
            return f;
    return POLICY_NONE;
}

static uint32_t make_room(struct memory *m, const struct policy_access *incoming)
{
    uint32_t f = policy_slot_evict(m->x->slot, incoming, m->frames, m->owner);
    exercise_answer(m->x, f);
    if (f == POLICY_NONE)
        f = m->hand++ % m->frames;
    m->frame_of[m->owner[f]] = POLICY_NONE;
    return f;
}

static void touch(struct memory *m)
{
    uint32_t page = next_page(m), frame = m->frame_of[page];
    struct policy_access a = {.now_ns = m->x->now_ns, .page = page, .frame = frame};
    a.write = exercise_below(m->x, 4) == 0;
    a.next = rng_below(&m->x->r, 10) ? rng_below(&m->x->r, 1000) + 1 : UINT64_MAX;
    if (frame != POLICY_NONE) {
        policy_slot_hit(m->x->slot, &a);
        return;
    }
    if ((a.frame = free_frame(m)) == POLICY_NONE)
        a.frame = make_room(m, &a);
    m->owner[a.frame] = page;
    m->frame_of[page] = a.frame;
    policy_slot_insert(m->x->slot, &a);
}

static void take_away(struct memory *m)
{
    uint32_t f = exercise_below(m->x, m->frames);
    if (m->owner[f] == POLICY_PAGE_NONE)
        return;
    policy_slot_remove(m->x->slot, f, m->owner[f], m->x->now_ns);
    m->frame_of[m->owner[f]] = POLICY_NONE;
    m->owner[f] = POLICY_PAGE_NONE;
}

/* ---- tiers and readahead ----------------------------------------------------------- */

static void place(struct memory *m)
{
    uint32_t tier[REGIONS];
    struct policy_place_obs o = {.now_ns = m->x->now_ns,
                                 .period = m->periods++,
                                 .n = m->regions,
                                 .region = m->region,
                                 .tier_pages = m->tier_pages};
    for (uint32_t i = 0; i < m->regions; i++) {
        tier[i] = m->region[i].tier;
        m->region[i].accesses = exercise_size(m->x, 500);
        m->region[i].next_accesses = exercise_size(m->x, 500);
    }
    policy_slot_place(m->x->slot, &o, TIERS, tier);
    for (uint32_t i = 0; i < m->regions; i++) {
        m->region[i].tier = tier[i];
        exercise_answer(m->x, tier[i]);
    }
    if (m->regions < REGIONS) { /* a new one, where there is always room */
        m->region[m->regions] = (struct policy_region){
            .page = m->regions * 512u, .pages = 1 + exercise_below(m->x, 512), .tier = TIERS - 1};
        m->regions++;
    }
}

static void read_ahead(struct memory *m)
{
    uint32_t s = exercise_below(m->x, STREAMS);
    struct policy_readahead_obs o = {.now_ns = m->x->now_ns,
                                     .page = exercise_below(m->x, 1u << 20),
                                     .stream = s,
                                     .readahead = m->readahead[s],
                                     .accesses = m->accesses};
    for (int i = 0; i < 4; i++)
        o.feature[i] = (float)exercise_size(m->x, 1000);
    o.feature[4] = (float)m->readahead[s];
    m->readahead[s] = policy_slot_readahead(m->x->slot, &o);
    exercise_answer(m->x, m->readahead[s]);
}

void exercise_mem(struct exercise *x, uint32_t steps)
{
    struct memory m = {.x = x, .frames = x->small ? 1 : FRAMES, .regions = x->small ? 0 : 6};
    struct policy_mem size = {.frames = m.frames, .tiers = TIERS, .page_bytes = 4096};
    for (uint32_t f = 0; f < FRAMES; f++)
        m.owner[f] = POLICY_PAGE_NONE;
    for (uint32_t p = 0; p < PAGES; p++)
        m.frame_of[p] = POLICY_NONE;
    for (uint32_t i = 0; i < m.regions; i++)
        m.region[i] = (struct policy_region){.page = i * 512, .pages = 200, .tier = TIERS - 1};
    m.tier_pages[0] = 600, m.tier_pages[1] = 1500, m.tier_pages[2] = REGIONS * 512;
    policy_slot_mem_begin(x->slot, &size);
    for (m.accesses = 0; m.accesses < steps; m.accesses++) {
        exercise_wait(x, 1000);
        touch(&m);
        if (!rng_below(&x->r, 60))
            take_away(&m);
        if (m.accesses % PERIOD == PERIOD - 1)
            place(&m);
        if (m.accesses % 4 == 0)
            read_ahead(&m);
    }
}
