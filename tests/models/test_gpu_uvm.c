/* Unified memory: costs in closed form, the prefetch tree against a recursive one, what a cyclic
 * pattern does to LRU, and what advice changes. */
#include <criterion/criterion.h>
#include <string.h>

#include "models/gpu/uvm_model.h"
#include "sim/rng.h"

#define MIB (UINT64_C(1) << 20)
#define US  UINT64_C(1000000)

static const struct uvm_params usual = {.memory = 64 * UVM_BLOCK,
                                        .in = 100,
                                        .out = 50,
                                        .batch = 256,
                                        .threshold = 51,
                                        .service = 20 * US};

static struct uvm *fresh(const struct uvm_params *p)
{
    struct uvm *u;
    struct err e = {0};
    cr_assert_eq(uvm_new(&u, p, &e), 0, "%s", e.msg);
    return u;
}

static uint64_t alloc(struct uvm *u, uint64_t bytes, bool on_host)
{
    uint64_t at;
    cr_assert_eq(uvm_alloc(u, bytes, on_host, &at, NULL), 0);
    return at;
}

static sim_cost touch(struct uvm *u, uint64_t at, uint64_t bytes, bool write)
{
    sim_cost t;
    struct err e = {0};
    cr_assert_eq(uvm_touch(u, at, bytes, write, &t, &e), 0, "%s", e.msg);
    return t;
}

/* A stream of one leaf after the other: 1, 1, 2 (of 4: 75 %), 4, 8, 16 leaves, six services. */
Test(gpu_uvm, the_first_touch_costs_services_and_bytes_and_the_second_nothing)
{
    struct uvm *u = fresh(&usual);
    uint64_t at = alloc(u, 2 * MIB, true);
    cr_expect_eq(touch(u, at, 2 * MIB, false), 6 * 20 * US + 2 * MIB * 100);
    cr_expect_eq(touch(u, at, 2 * MIB, true), 0);
    struct uvm_stats s;
    uvm_used(u, &s);
    cr_expect_eq(s.services, 6);
    cr_expect_eq(s.in, 2 * MIB);
    cr_expect_eq(s.out, 0);
    cr_expect_eq(uvm_resident(u, at, 2 * MIB), 2 * MIB);
    uvm_free(u);
}

Test(gpu_uvm, what_has_no_contents_is_not_copied)
{
    struct uvm *u = fresh(&usual);
    uint64_t at = alloc(u, 2 * MIB, false);
    cr_expect_eq(touch(u, at, 2 * MIB, true), 6 * 20 * US);
    uvm_free(u);
}

/* The same rule, top down: the largest subtree around a leaf that is full enough. */
static uint32_t reference(uint32_t have, uint32_t leaf, uint32_t threshold)
{
    uint32_t want = have | 1u << leaf;
    for (uint32_t size = 32; size > 1; size /= 2) {
        uint32_t at = leaf / size * size, n = 0;
        for (uint32_t i = at; i < at + size; i++)
            n += want >> i & 1;
        if (n * 100 <= size * threshold)
            continue;
        for (uint32_t i = at; i < at + size; i++)
            want |= 1u << i;
        return want;
    }
    return want;
}

Test(gpu_uvm, the_tree_fetches_what_a_recursive_one_does)
{
    for (uint32_t threshold = 26; threshold <= 100; threshold += 25) {
        struct uvm_params p = usual;
        struct rng r;
        p.threshold = threshold;
        rng_init(&r, threshold, "test", "leaves");
        for (int round = 0; round < 200; round++) {
            struct uvm *u = fresh(&p);
            uint64_t at = alloc(u, 2 * MIB, true);
            uint32_t have = 0;
            for (int i = 0; i < 20; i++) {
                uint32_t leaf = (uint32_t)rng_below(&r, 32);
                if (!(have >> leaf & 1))
                    have = reference(have, leaf, threshold);
                touch(u, at + leaf * UVM_LEAF, 4, false);
                for (uint32_t k = 0; k < 32; k++)
                    cr_assert_eq(uvm_resident(u, at + k * UVM_LEAF, UVM_LEAF) > 0, have >> k & 1);
            }
            uvm_free(u);
        }
    }
}

/* One block more than there is room for: LRU evicts each just before it is wanted. */
Test(gpu_uvm, a_cycle_of_one_block_too_many_misses_everything)
{
    for (uint64_t n = 63; n <= 66; n++) {
        struct uvm *u = fresh(&usual);
        uint64_t at = alloc(u, n * UVM_BLOCK, true);
        struct uvm_stats before, after;
        touch(u, at, n * UVM_BLOCK, false);
        uvm_used(u, &before);
        touch(u, at, n * UVM_BLOCK, false);
        uvm_used(u, &after);
        cr_expect_eq(after.in - before.in, n > 64 ? n * UVM_BLOCK : 0, "%lu", (unsigned long)n);
        cr_expect_eq(after.out - before.out, n > 64 ? n * UVM_BLOCK : 0);
        cr_expect_eq(after.in - after.out, uvm_resident(u, at, n * UVM_BLOCK));
        uvm_free(u);
    }
}

Test(gpu_uvm, prefetch_is_one_service_for_each_block)
{
    struct uvm *u = fresh(&usual);
    uint64_t at = alloc(u, 8 * UVM_BLOCK, true);
    struct uvm_stats s;
    uvm_prefetch(u, at, 8 * UVM_BLOCK);
    uvm_used(u, &s);
    cr_expect_eq(s.time, 8 * (20 * US + UVM_BLOCK * 100));
    cr_expect_eq(touch(u, at, 8 * UVM_BLOCK, true), 0);
    uvm_free(u);
}

Test(gpu_uvm, advice_decides_what_crosses_the_link)
{
    struct uvm *u = fresh(&usual);
    uint64_t host = alloc(u, UVM_BLOCK, true), much = alloc(u, 65 * UVM_BLOCK, true);
    struct uvm_stats s;
    uvm_advise(u, host, UVM_BLOCK, UVM_PREFER_HOST);
    cr_expect_eq(touch(u, host, UVM_BLOCK, false), UVM_BLOCK * 100);
    uvm_used(u, &s);
    cr_expect_eq(s.over, UVM_BLOCK);
    cr_expect_eq(s.faults, 0);
    uvm_advise(u, much, 65 * UVM_BLOCK, UVM_READ_MOSTLY);
    touch(u, much, 65 * UVM_BLOCK, false); /* the first goes, and the host has it still */
    uvm_used(u, &s);
    cr_expect_eq(s.evictions, 1);
    cr_expect_eq(s.out, 0);
    touch(u, much + UVM_BLOCK, UVM_LEAF, true); /* the oldest, written: it must go back */
    touch(u, much, UVM_BLOCK, false);
    uvm_used(u, &s);
    cr_expect_eq(s.out, UVM_LEAF);
    uvm_free(u);
}

/* Two blocks and room for one.  The driver skips evictions when it looks for thrashing
 * (thrashing_event_cb of the open driver): one GPU alone is never throttled, however often. */
Test(gpu_uvm, a_block_that_bounces_pays_the_same_each_time)
{
    struct uvm_params p = usual;
    struct uvm_stats s;
    p.memory = UVM_BLOCK;
    struct uvm *u = fresh(&p);
    uint64_t at = alloc(u, 2 * UVM_BLOCK, true);
    const sim_cost in = 20 * US + UVM_LEAF * 100, out = UVM_LEAF * 50;
    for (uint64_t i = 0; i < 200; i++)
        cr_expect_eq(touch(u, at + i % 2 * UVM_BLOCK, 4, false), in + (i ? out : 0));
    uvm_used(u, &s);
    cr_expect_eq(s.evictions, 199);
    cr_expect_eq(s.over, 0);
    uvm_free(u);
}

struct grid {
    uint64_t at, blocks;
    uint32_t units;
};

static uint32_t step_of_grid(void *ctx, uint32_t unit, uint64_t step,
                             struct uvm_access out[UVM_ACCESSES])
{
    const struct grid *g = ctx;
    uint64_t block = step * g->units + unit;
    if (block >= g->blocks)
        return 0;
    out[0] = (struct uvm_access){g->at + block * UVM_BLOCK, UVM_BLOCK, 0, false};
    return 1;
}

/* Who hits runs on, so that only what was missing is fetched: 70 blocks, room for 64, 35 units that
 * each see the same two blocks.  In order, by one unit, all 70 would be. */
Test(gpu_uvm, those_who_hit_do_not_wait_for_those_who_miss)
{
    struct uvm *u = fresh(&usual);
    struct grid g = {alloc(u, 70 * UVM_BLOCK, true), 70, 35};
    struct uvm_walk w = {g.units, step_of_grid, &g};
    struct uvm_stats before, after;
    cr_assert_eq(uvm_walk(u, &w, NULL), 0);
    uvm_used(u, &before);
    cr_assert_eq(uvm_walk(u, &w, NULL), 0);
    uvm_used(u, &after);
    cr_expect_eq(after.in - before.in, 6 * UVM_BLOCK);
    uvm_free(u);
}

/* Room for one block: a step that reads two is done when each has been there once. */
static uint32_t both(void *ctx, uint32_t unit, uint64_t step, struct uvm_access out[UVM_ACCESSES])
{
    const struct grid *g = ctx;
    (void)unit;
    for (uint64_t i = 0; i < 2; i++)
        out[i] = (struct uvm_access){g->at + i * UVM_BLOCK, 4, 0, false};
    return step < 1 ? 2 : 0;
}

Test(gpu_uvm, accesses_of_one_step_need_not_be_there_together)
{
    struct uvm_params p = usual;
    struct uvm_stats s;
    p.memory = UVM_BLOCK;
    struct uvm *u = fresh(&p);
    struct grid g = {alloc(u, 2 * UVM_BLOCK, true), 2, 1};
    struct uvm_walk w = {1, both, &g};
    struct err e = {0};
    cr_assert_eq(uvm_walk(u, &w, &e), 0, "%s", e.msg);
    uvm_used(u, &s);
    cr_expect_leq(s.services, 3); /* at most one of the two is there, gone and there again */
    cr_expect_geq(s.services, 2);
    uvm_free(u);
}

/* Units 1 and 0 miss blocks 1 and 0, in that order, in one batch: the driver sorts it, and the
 * block that goes first is 0. */
static uint32_t backwards(void *ctx, uint32_t unit, uint64_t step,
                          struct uvm_access out[UVM_ACCESSES])
{
    const struct grid *g = ctx;
    out[0] = (struct uvm_access){g->at + (1 - unit) * UVM_BLOCK, 4, 0, false};
    return step < 1;
}

Test(gpu_uvm, a_batch_is_serviced_by_address)
{
    struct uvm_params p = usual;
    p.memory = 2 * UVM_BLOCK;
    struct uvm *u = fresh(&p);
    struct grid g = {alloc(u, 3 * UVM_BLOCK, true), 3, 2};
    struct uvm_walk w = {2, backwards, &g};
    cr_assert_eq(uvm_walk(u, &w, NULL), 0);
    touch(u, g.at + 2 * UVM_BLOCK, 4, false);
    cr_expect_eq(uvm_resident(u, g.at, UVM_BLOCK), 0);
    cr_expect_eq(uvm_resident(u, g.at + UVM_BLOCK, UVM_BLOCK), UVM_LEAF);
    uvm_free(u);
}

static uint32_t everything(void *ctx, uint32_t unit, uint64_t step,
                           struct uvm_access out[UVM_ACCESSES])
{
    const struct grid *g = ctx;
    (void)unit;
    out[0] = (struct uvm_access){g->at, g->blocks * UVM_BLOCK, 0, false};
    return step < 1;
}

Test(gpu_uvm, a_step_that_can_not_fit_is_said)
{
    struct uvm_params p = usual;
    struct err e = {0};
    p.memory = 4 * UVM_BLOCK;
    struct uvm *u = fresh(&p);
    struct grid g = {alloc(u, 8 * UVM_BLOCK, true), 4, 1};
    struct uvm_walk w = {1, everything, &g};
    cr_expect_eq(uvm_walk(u, &w, &e), 0);
    g.blocks = 8;
    cr_expect_neq(uvm_walk(u, &w, &e), 0);
    cr_expect_str_eq(e.msg, "unified memory: what one step needs never fits into 4 blocks");
    uvm_free(u);
}

static uint64_t divisor(uint64_t a, uint64_t b)
{
    return b ? divisor(b, a % b) : a;
}

static uint64_t copied(enum uvm_order order, uint32_t elements)
{
    struct uvm_params p = usual;
    p.memory = 2048 * UVM_BLOCK;
    p.threshold = 100; /* more than that is never there: no tree */
    const struct uvm_setup s = {.pattern = UVM_STREAM,
                                .order = order,
                                .bytes = UINT64_C(2) * 64 * elements * UVM_LEAF,
                                .stride = UVM_LEAF,
                                .threads = 64,
                                .passes = 1,
                                .on_host = true};
    struct uvm_result r;
    struct err e = {0};
    cr_assert_eq(uvm_simulate(&s, &p, 1, &r, &e), 0, "%s", e.msg);
    return r.s.in / UVM_LEAF;
}

/* A step through n elements that has a divisor with n comes round early: n over it are visited. */
Test(gpu_uvm, a_shuffled_chunk_leaves_out_what_its_step_skips)
{
    for (uint32_t n = 7; n <= 12; n++) {
        uint64_t want = 0;
        for (uint32_t t = 0; t < 64; t++) {
            uint32_t step = (1664525 * (0x12345678 ^ t) + 1013904223) | 1;
            want += n / divisor(step, n);
        }
        cr_expect_eq(copied(UVM_CHUNKS, n), 2 * 64 * n);
        cr_expect_eq(copied(UVM_SHUFFLED, n), 2 * want, "%u", n);
    }
}

/* What was just served comes first: two units of four blocks each, room for four and a batch of
 * one.  In turn they would take each other's blocks away. */
static uint32_t to_and_fro(void *ctx, uint32_t unit, uint64_t step,
                           struct uvm_access out[UVM_ACCESSES])
{
    const struct grid *g = ctx;
    out[0] = (struct uvm_access){g->at + (unit * 4 + step % 4) * UVM_BLOCK, 4, 0, false};
    return step < 40;
}

Test(gpu_uvm, few_blocks_are_in_use_at_once)
{
    struct uvm_params p = usual;
    struct uvm_stats s;
    p.memory = 4 * UVM_BLOCK;
    p.batch = 1;
    struct uvm *u = fresh(&p);
    struct grid g = {alloc(u, 8 * UVM_BLOCK, true), 8, 2};
    struct uvm_walk w = {2, to_and_fro, &g};
    cr_assert_eq(uvm_walk(u, &w, NULL), 0);
    uvm_used(u, &s);
    cr_expect_eq(s.services, 8);
    cr_expect_eq(s.evictions, 4);
    uvm_free(u);
}
