/* The guard at mem.evict, mem.place, mem.readahead. */
#include <criterion/criterion.h>
#include <stdio.h>

#include "tests/policies/guarded.h"

static uint32_t frame, pages, place_on[3], told_next;
static uint64_t told;
static int begun, asked;

static int begin(void *self, const struct policy_mem *m)
{
    (void)self;
    cr_expect_eq(m->frames, 4);
    return begun;
}

static void access_told(void *self, const struct policy_access *a)
{
    (void)self;
    asked++;
    told = a->next;
}

static uint32_t evict(void *self, const struct policy_access *a)
{
    access_told(self, a);
    return frame;
}

static void removed(void *self, uint32_t f, uint64_t page)
{
    (void)self, (void)f, (void)page;
    asked++;
}

static void place(void *self, const struct policy_place_obs *o, uint32_t *tier)
{
    (void)self;
    told_next = o->region[1].next_accesses;
    for (int i = 0; i < 3; i++)
        tier[i] = place_on[i];
}

static uint32_t readahead(void *self, const struct policy_readahead_obs *o)
{
    (void)self, (void)o;
    return pages;
}

#define HOOKS                                                                                      \
    .create = guarded_create, .destroy = guarded_destroy, .mem_begin = begin,                      \
    .mem_hit = access_told, .mem_insert = access_told, .mem_evict = evict, .mem_remove = removed,  \
    .mem_place = place, .mem_readahead = readahead
static const struct policy_ops plain = {.name = "mem", HOOKS};
static const struct policy_ops oracle = {.name = "mem-oracle", .oracle = 1, HOOKS};
static const struct policy_ops places = {
    .name = "places", .create = guarded_create, .destroy = guarded_destroy, .mem_place = place};
static const struct policy_mem size = {.frames = 4, .tiers = 2, .page_bytes = 4096};
static const uint64_t owner[] = {11, POLICY_PAGE_NONE, 13, 14};
static const struct policy_access a = {.now_ns = 9, .page = 20, .frame = 2, .next = 5};
static const struct policy_region region[] = {{.page = 0, .pages = 10, .tier = 1},
                                              {.page = 10, .pages = 20, .next_accesses = 7},
                                              {.page = 30, .pages = 30, .tier = 1}};
static const uint64_t room[] = {30, 60};
static const struct policy_place_obs period = {
    .now_ns = 88, .n = 3, .region = region, .tier_pages = room};

Test(guard_mem, who_keeps_the_order)
{
    struct policy_slot p = guarded(&plain), q = guarded(&places), r = guarded(&plain);
    cr_expect(policy_slot_mem_begin(&p, &size));
    cr_expect_not(policy_slot_mem_begin(&q, &size));
    cr_expect_not(policy_slot_mem_begin(NULL, &size));
    begun = 3;
    cr_expect_not(policy_slot_mem_begin(&r, &size));
    guarded_expect(&r, 1, 0, "mem_begin answered 3, want 0");
    cr_expect_eq(policy_slot_evict(&r, &a, 4, owner), POLICY_NONE);
    guarded_end(&p);
    guarded_end(&q);
    guarded_end(&r);
}

Test(guard_mem, a_taken_frame_is_a_good_answer)
{
    struct policy_slot p = guarded(&plain);
    for (uint32_t f = 0; f < 4; f += 1 + (f == 0)) {
        frame = f;
        cr_expect_eq(policy_slot_evict(&p, &a, 4, owner), f);
    }
    guarded_expect_none(&p);
    guarded_end(&p);
    cr_expect_eq(policy_slot_evict(NULL, &a, 4, owner), POLICY_NONE);
}

static const struct {
    uint32_t frame;
    const char *said;
} bad_frame[] = {{4, "mem_evict answered frame 4, want a taken one of 4"},
                 {1, "mem_evict answered frame 1, want a taken one of 4"},
                 {POLICY_NONE, "mem_evict answered frame 4294967295, want a taken one of 4"}};

Test(guard_mem, a_bad_frame_is_said_and_the_hand_goes_on)
{
    for (size_t i = 0; i < sizeof bad_frame / sizeof *bad_frame; i++) {
        struct policy_slot p = guarded(&plain);
        frame = bad_frame[i].frame;
        asked = 0;
        cr_expect_eq(policy_slot_evict(&p, &a, 4, owner), POLICY_NONE);
        frame = 0;
        cr_expect_eq(policy_slot_evict(&p, &a, 4, owner), POLICY_NONE);
        policy_slot_hit(&p, &a);
        policy_slot_insert(&p, &a);
        policy_slot_remove(&p, 2, 13, 10);
        cr_expect_eq(asked, 1);
        guarded_expect(&p, 1, 9, bad_frame[i].said);
        guarded_end(&p);
    }
}

Test(guard_mem, only_an_oracle_is_told_the_future)
{
    struct policy_slot p = guarded(&plain), q = guarded(&oracle);
    uint32_t tier[] = {1, 0, 1};
    frame = 0;
    struct {
        struct policy_slot *slot;
        uint64_t next;
        uint32_t accesses;
    } rows[] = {{&p, 0, 0}, {&q, 5, 7}};
    for (size_t i = 0; i < 2; i++) {
        told = 99;
        policy_slot_hit(rows[i].slot, &a);
        cr_expect_eq(told, rows[i].next);
        told = 99;
        policy_slot_insert(rows[i].slot, &a);
        cr_expect_eq(told, rows[i].next);
        told = 99;
        policy_slot_evict(rows[i].slot, &a, 4, owner);
        cr_expect_eq(told, rows[i].next);
        place_on[0] = place_on[2] = 1, place_on[1] = 0, told_next = 99;
        policy_slot_place(rows[i].slot, &period, 2, tier);
        cr_expect_eq(told_next, rows[i].accesses);
        cr_expect_eq(policy_slot_oracle(rows[i].slot), i == 1);
    }
    guarded_expect_none(&p);
    guarded_expect_none(&q);
    guarded_end(&p);
    guarded_end(&q);
}

static const struct {
    uint32_t on[3];
    const char *said; /* NULL: good */
} placed[] = {
    {{0, 0, 1}, NULL},
    {{1, 1, 0}, NULL},
    {{1, 2, 0}, "mem_place put region 1 on tier 2, want one of 2"},
    {{0, 1, 0}, "mem_place put 40 pages on tier 0, want at most 30"},
};

Test(guard_mem, places_exist_and_have_room)
{
    for (size_t i = 0; i < sizeof placed / sizeof *placed; i++) {
        struct policy_slot p = guarded(&places);
        uint32_t tier[] = {1, 0, 1};
        for (int k = 0; k < 3; k++)
            place_on[k] = placed[i].on[k];
        policy_slot_place(&p, &period, 2, tier);
        for (int k = 0; k < 3; k++)
            cr_expect_eq(tier[k], placed[i].said ? region[k].tier : placed[i].on[k]);
        if (placed[i].said)
            guarded_expect(&p, 1, 88, placed[i].said);
        else
            guarded_expect_none(&p);
        guarded_end(&p);
    }
    uint32_t tier[] = {1, 0, 1};
    policy_slot_place(NULL, &period, 2, tier); /* the default leaves all where it is */
    for (int k = 0; k < 3; k++)
        cr_expect_eq(tier[k], region[k].tier);
}

Test(guard_mem, readahead_has_an_upper_end)
{
    struct policy_slot p = guarded(&plain);
    struct policy_readahead_obs o = {.now_ns = 3};
    cr_expect_eq(policy_slot_readahead(NULL, &o), POLICY_READAHEAD_DEFAULT);
    for (pages = 0; pages <= POLICY_READAHEAD_MAX; pages += POLICY_READAHEAD_MAX)
        cr_expect_eq(policy_slot_readahead(&p, &o), pages);
    pages = POLICY_READAHEAD_MAX + 1;
    cr_expect_eq(policy_slot_readahead(&p, &o), POLICY_READAHEAD_DEFAULT);
    guarded_expect(&p, 3, 3, "mem_readahead answered 1025 pages, want at most 1024");
    guarded_end(&p);
}

/* Calls: create 0, begin 1, hit 2, insert 3, evict 4, remove 5, place 6, readahead 7. */
static const char *const doomed[] = {"create",    "mem_begin",  "mem_hit",   "mem_insert",
                                     "mem_evict", "mem_remove", "mem_place", "mem_readahead"};

Test(guard_mem, a_known_crash_is_not_made_again_wherever_it_was)
{
    for (uint64_t at = 0; at < sizeof doomed / sizeof *doomed; at++) {
        struct policy_slot p = guarded_doomed(&plain, at);
        uint32_t tier[] = {1, 0, 1};
        struct policy_readahead_obs o = {.now_ns = 9};
        struct policy_place_obs now = period;
        char want[80];
        begun = 0, frame = 0, asked = 0, pages = 1, now.now_ns = 9;
        place_on[0] = place_on[2] = 1, place_on[1] = 0;
        policy_slot_mem_begin(&p, &size);
        policy_slot_hit(&p, &a);
        policy_slot_insert(&p, &a);
        uint32_t victim = policy_slot_evict(&p, &a, 4, owner);
        policy_slot_remove(&p, 2, 13, 9);
        policy_slot_place(&p, &now, 2, tier);
        policy_slot_readahead(&p, &o);
        cr_expect_eq(victim, at > 4 ? 0 : POLICY_NONE);
        cr_expect_eq(asked,
                     at < 2   ? 0
                     : at > 5 ? 4
                              : (int)at - 2,
                     "%s: %d calls", doomed[at], asked);
        snprintf(want, sizeof want, "%s crashed: signal 11", doomed[at]);
        guarded_expect(&p, at, at < 2 ? 0 : 9, want);
        guarded_end(&p);
    }
}
