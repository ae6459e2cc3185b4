/* Many units at once: who hits, who waits, whose faults a batch takes, against what was measured of
 * the hardware. */
#include <criterion/criterion.h>

#include "tests/models/uvm_rig.h"

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
Test(gpu_uvm_walk, those_who_hit_do_not_wait_for_those_who_miss)
{
    struct uvm *u = uvm_fresh(&uvm_usual);
    struct grid g = {uvm_managed(u, 70 * UVM_BLOCK, true), 70, 35};
    struct uvm_walk w = {.units = g.units, .step = step_of_grid, .ctx = &g};
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

Test(gpu_uvm_walk, accesses_of_one_step_need_not_be_there_together)
{
    struct uvm_params p = uvm_usual;
    struct uvm_stats s;
    p.memory = UVM_BLOCK;
    struct uvm *u = uvm_fresh(&p);
    struct grid g = {uvm_managed(u, 2 * UVM_BLOCK, true), 2, 1};
    struct uvm_walk w = {.units = 1, .step = both, .ctx = &g};
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

Test(gpu_uvm_walk, a_batch_is_serviced_by_address)
{
    struct uvm_params p = uvm_usual;
    p.memory = 2 * UVM_BLOCK;
    struct uvm *u = uvm_fresh(&p);
    struct grid g = {uvm_managed(u, 3 * UVM_BLOCK, true), 3, 2};
    struct uvm_walk w = {.units = 2, .step = backwards, .ctx = &g};
    cr_assert_eq(uvm_walk(u, &w, NULL), 0);
    uvm_touched(u, g.at + 2 * UVM_BLOCK, 4, false);
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

Test(gpu_uvm_walk, a_step_that_can_not_fit_is_said)
{
    struct uvm_params p = uvm_usual;
    struct err e = {0};
    p.memory = 4 * UVM_BLOCK;
    struct uvm *u = uvm_fresh(&p);
    struct grid g = {uvm_managed(u, 8 * UVM_BLOCK, true), 4, 1};
    struct uvm_walk w = {.units = 1, .step = everything, .ctx = &g};
    cr_expect_eq(uvm_walk(u, &w, &e), 0);
    g.blocks = 8;
    cr_expect_neq(uvm_walk(u, &w, &e), 0);
    cr_expect_str_eq(e.msg, "unified memory: what one step needs never fits into 4 blocks");
    uvm_free(u);
}

/* What a test sees of a walk: batches serviced when a unit first asked for its second step. */
enum { WARPS = 64, LANES = 32 };
struct seen {
    struct uvm *u;
    uint64_t at, second[WARPS];
    uint32_t reads;
};

static void look_at(struct seen *s, uint32_t unit, uint64_t step)
{
    struct uvm_stats now;
    if (step != 1 || s->second[unit])
        return;
    uvm_used(s->u, &now);
    s->second[unit] = now.batches + 1;
}

/* A warp reads `reads` pages, each in a block of its own, then writes a page for each lane. */
static uint32_t add_vectors(void *ctx, uint32_t unit, uint64_t step,
                            struct uvm_access out[UVM_ACCESSES])
{
    struct seen *s = ctx;
    const uint32_t n = step ? LANES : s->reads;
    look_at(s, unit, step);
    for (uint32_t i = 0; i < n; i++)
        out[i] = (struct uvm_access){s->at + (unit * 96 + step * s->reads + i) * UVM_BLOCK, 4, 32,
                                     step == 1};
    return step < 2 ? n : 0;
}

static void add(uint32_t warps, uint32_t block, struct seen *s, struct uvm_stats *out)
{
    struct uvm_params p = uvm_usual;
    struct err e = {0};
    p.memory = (uint64_t)warps * 96 * UVM_BLOCK;
    s->u = uvm_fresh(&p);
    s->at = uvm_managed(s->u, p.memory, true);
    const struct uvm_walk w = {
        .units = warps, .threads = LANES, .block = block, .step = add_vectors, .ctx = s};
    cr_assert_eq(uvm_walk(s->u, &w, &e), 0, "%s", e.msg);
    uvm_used(s->u, out);
    uvm_free(s->u);
}

/* Allen and Ge, SC'21, figure 3: one warp adds two vectors, a page for each lane and vector.  The
 * first batch has 56 of the 64 reads, and no write comes before the last of them. */
Test(gpu_uvm_walk, a_micro_tlb_holds_56_faults)
{
    struct seen s = {.reads = 2 * LANES};
    struct uvm_stats out;
    add(1, LANES, &s, &out);
    cr_expect_eq(s.second[0] - 1, 2);
    cr_expect_eq(out.batches, 3);
    cr_expect_eq(out.faults, 3 * LANES);
}

/* The same, table 2: a batch has as many faults of each SM (80: at most 3.2).  40 warps, each
 * behind a TLB of its own, want 32 pages: 6.4 of each in a batch of 256, so that all have to wait
 * for the fifth; were they served one after the other, eight would be done after the first. */
Test(gpu_uvm_walk, a_batch_has_faults_of_all_tlbs_alike)
{
    struct seen s = {.reads = LANES};
    struct uvm_stats out;
    add(40, LANES / 2, &s, &out); /* a warp is two blocks: SMs 0 and 1, 2 and 3, .. */
    for (uint32_t i = 0; i < 40; i++)
        cr_expect_eq(s.second[i] - 1, 5, "%u: %lu", i, (unsigned long)s.second[i]);
    cr_expect_eq(out.batches, 10);
}

/* Warp 0 misses 64 pages, warp 1 none: who shares the TLB waits until it has room. */
static uint32_t one_of_two(void *ctx, uint32_t unit, uint64_t step,
                           struct uvm_access out[UVM_ACCESSES])
{
    struct seen *s = ctx;
    look_at(s, unit, step);
    for (uint32_t i = 0; i < 2 * LANES; i++)
        out[i] = (struct uvm_access){s->at + (unit ? 0 : i + 1) * UVM_BLOCK, 4, 32, false};
    return step < 1 ? 2 * LANES : 0;
}

static void who_waits(uint32_t block, struct seen *s)
{
    struct uvm_params p = uvm_usual;
    p.memory = 128 * UVM_BLOCK;
    s->u = uvm_fresh(&p);
    s->at = uvm_managed(s->u, 65 * UVM_BLOCK, true);
    const struct uvm_walk w = {
        .units = 2, .threads = LANES, .block = block, .step = one_of_two, .ctx = s};
    uvm_touched(s->u, s->at, 4, false);
    struct uvm_stats before;
    uvm_used(s->u, &before);
    cr_assert_eq(uvm_walk(s->u, &w, NULL), 0);
    for (uint32_t i = 0; i < 2; i++)
        s->second[i] -= before.batches + 1;
    uvm_free(s->u);
}

Test(gpu_uvm_walk, a_full_tlb_keeps_those_waiting_who_would_hit)
{
    struct seen same = {0}, apart = {0};
    who_waits(2 * LANES, &same); /* one block, one SM */
    cr_expect_eq(same.second[0], 2);
    cr_expect_eq(same.second[1], 1);
    who_waits(LANES / 2, &apart); /* four blocks: SMs 0 and 1, SMs 2 and 3 */
    cr_expect_eq(apart.second[0], 2);
    cr_expect_eq(apart.second[1], 0);
}

/* Two warps behind one TLB take turns: each brings its blocks in again, where there is room for one
 * warp's.  `held` of one: a fault, a batch. */
static uint32_t to_and_fro(void *ctx, uint32_t unit, uint64_t step,
                           struct uvm_access out[UVM_ACCESSES])
{
    const struct grid *g = ctx;
    out[0] = (struct uvm_access){g->at + (unit * 4 + step % 4) * UVM_BLOCK, 4, 0, false};
    return step < 40;
}

Test(gpu_uvm_walk, units_of_a_tlb_take_turns)
{
    for (uint32_t room = 4; room <= 8; room += 4) {
        struct uvm_params p = uvm_usual;
        struct uvm_stats s;
        p.memory = room * UVM_BLOCK;
        p.held = 1;
        struct uvm *u = uvm_fresh(&p);
        struct grid g = {uvm_managed(u, 8 * UVM_BLOCK, true), 8, 2};
        const struct uvm_walk w = {
            .units = 2, .threads = LANES, .block = 2 * LANES, .step = to_and_fro, .ctx = &g};
        cr_assert_eq(uvm_walk(u, &w, NULL), 0);
        uvm_used(u, &s);
        cr_expect_eq(s.services, room == 4 ? 80 : 8);
        uvm_free(u);
    }
}
