/* Unified memory: costs in closed form, the prefetch tree against a recursive one, what a cyclic
 * pattern does to LRU, and what advice changes. */
#include <criterion/criterion.h>
#include <string.h>

#include "models/gpu/uvm_model.h"
#include "sim/rng.h"
#include "tests/models/uvm_rig.h"

#define MIB (UINT64_C(1) << 20)
#define US  UINT64_C(1000000)

/* A stream of one leaf after the other: 1, 1, 2 (of 4: 75 %), 4, 8, 16 leaves, six services. */
Test(gpu_uvm, the_first_touch_costs_services_and_bytes_and_the_second_nothing)
{
    struct uvm *u = uvm_fresh(&uvm_usual);
    uint64_t at = uvm_managed(u, 2 * MIB, true);
    cr_expect_eq(uvm_touched(u, at, 2 * MIB, false), 6 * 20 * US + 2 * MIB * 100);
    cr_expect_eq(uvm_touched(u, at, 2 * MIB, true), 0);
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
    struct uvm *u = uvm_fresh(&uvm_usual);
    uint64_t at = uvm_managed(u, 2 * MIB, false);
    cr_expect_eq(uvm_touched(u, at, 2 * MIB, true), 6 * 20 * US);
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
        struct uvm_params p = uvm_usual;
        struct rng r;
        p.threshold = threshold;
        rng_init(&r, threshold, "test", "leaves");
        for (int round = 0; round < 200; round++) {
            struct uvm *u = uvm_fresh(&p);
            uint64_t at = uvm_managed(u, 2 * MIB, true);
            uint32_t have = 0;
            for (int i = 0; i < 20; i++) {
                uint32_t leaf = (uint32_t)rng_below(&r, 32);
                if (!(have >> leaf & 1))
                    have = reference(have, leaf, threshold);
                uvm_touched(u, at + leaf * UVM_LEAF, 4, false);
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
        struct uvm *u = uvm_fresh(&uvm_usual);
        uint64_t at = uvm_managed(u, n * UVM_BLOCK, true);
        struct uvm_stats before, after;
        uvm_touched(u, at, n * UVM_BLOCK, false);
        uvm_used(u, &before);
        uvm_touched(u, at, n * UVM_BLOCK, false);
        uvm_used(u, &after);
        cr_expect_eq(after.in - before.in, n > 64 ? n * UVM_BLOCK : 0, "%lu", (unsigned long)n);
        cr_expect_eq(after.out - before.out, n > 64 ? n * UVM_BLOCK : 0);
        cr_expect_eq(after.in - after.out, uvm_resident(u, at, n * UVM_BLOCK));
        uvm_free(u);
    }
}

Test(gpu_uvm, prefetch_is_one_service_for_each_block)
{
    struct uvm *u = uvm_fresh(&uvm_usual);
    uint64_t at = uvm_managed(u, 8 * UVM_BLOCK, true);
    struct uvm_stats s;
    uvm_prefetch(u, at, 8 * UVM_BLOCK);
    uvm_used(u, &s);
    cr_expect_eq(s.time, 8 * (20 * US + UVM_BLOCK * 100));
    cr_expect_eq(uvm_touched(u, at, 8 * UVM_BLOCK, true), 0);
    uvm_free(u);
}

Test(gpu_uvm, advice_decides_what_crosses_the_link)
{
    struct uvm *u = uvm_fresh(&uvm_usual);
    uint64_t host = uvm_managed(u, UVM_BLOCK, true), much = uvm_managed(u, 65 * UVM_BLOCK, true);
    struct uvm_stats s;
    uvm_advise(u, host, UVM_BLOCK, UVM_PREFER_HOST);
    cr_expect_eq(uvm_touched(u, host, UVM_BLOCK, false), UVM_BLOCK * 100);
    uvm_used(u, &s);
    cr_expect_eq(s.over, UVM_BLOCK);
    cr_expect_eq(s.faults, 0);
    uvm_advise(u, much, 65 * UVM_BLOCK, UVM_READ_MOSTLY);
    uvm_touched(u, much, 65 * UVM_BLOCK, false); /* the first goes, and the host has it still */
    uvm_used(u, &s);
    cr_expect_eq(s.evictions, 1);
    cr_expect_eq(s.out, 0);
    uvm_touched(u, much + UVM_BLOCK, UVM_LEAF, true); /* the oldest, written: it must go back */
    uvm_touched(u, much, UVM_BLOCK, false);
    uvm_used(u, &s);
    cr_expect_eq(s.out, UVM_LEAF);
    uvm_free(u);
}

/* Two blocks and room for one.  The driver skips evictions when it looks for thrashing
 * (thrashing_event_cb of the open driver): one GPU alone is never throttled, however often. */
Test(gpu_uvm, a_block_that_bounces_pays_the_same_each_time)
{
    struct uvm_params p = uvm_usual;
    struct uvm_stats s;
    p.memory = UVM_BLOCK;
    struct uvm *u = uvm_fresh(&p);
    uint64_t at = uvm_managed(u, 2 * UVM_BLOCK, true);
    const sim_cost in = 20 * US + UVM_LEAF * 100, out = UVM_LEAF * 50;
    for (uint64_t i = 0; i < 200; i++)
        cr_expect_eq(uvm_touched(u, at + i % 2 * UVM_BLOCK, 4, false), in + (i ? out : 0));
    uvm_used(u, &s);
    cr_expect_eq(s.evictions, 199);
    cr_expect_eq(s.over, 0);
    uvm_free(u);
}

static uint64_t divisor(uint64_t a, uint64_t b)
{
    return b ? divisor(b, a % b) : a;
}

static uint64_t copied(enum uvm_order order, uint32_t elements)
{
    struct uvm_params p = uvm_usual;
    p.memory = 2048 * UVM_BLOCK;
    p.threshold = 100; /* more than that is never there: no tree */
    const struct uvm_setup s = {.pattern = UVM_STREAM,
                                .order = order,
                                .bytes = UINT64_C(2) * 64 * elements * UVM_LEAF,
                                .stride = UVM_LEAF,
                                .threads = 64,
                                .block = 32,
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

/* Half as long, and half as long again: passes in the order of their length. */
Test(gpu_uvm, passes_are_told_apart)
{
    struct uvm_params p = uvm_usual;
    const struct uvm_setup s = {.pattern = UVM_STREAM,
                                .bytes = 2 * UVM_BLOCK,
                                .stride = 4096,
                                .threads = 256,
                                .block = 256,
                                .passes = 3,
                                .on_host = true};
    struct uvm_result r;
    cr_assert_eq(uvm_simulate(&s, &p, 1, &r, NULL), 0);
    cr_expect_eq(r.pass[0], 0);
    cr_expect_eq(r.pass[1], 0);
    cr_expect_gt(r.pass[2], 2 * UVM_BLOCK * 100);
    cr_expect_eq(r.pass[2], r.s.time);
}
