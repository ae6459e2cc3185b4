/* test_parts.c - the serving model's parts against the obvious way to do the same. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "models/cores.h"
#include "models/accel.h"
#include "models/serve/serve_kv.h"
#include "models/serve/slot_heap.h"
#include "sim/rng.h"

/* ---- KV blocks: a histogram against walking over every sequence ------------------- */

static uint64_t walk(const uint64_t *length, size_t n, uint64_t k)
{
    uint64_t blocks = 0;
    for (size_t i = 0; i < n; i++)
        blocks += kv_blocks(length[i] + k) - kv_blocks(length[i]);
    return blocks;
}

Test(serve_kv, blocks_of_k_steps_are_those_of_a_walk)
{
    struct rng g;
    rng_init(&g, 1, "test", "kv");
    for (int round = 0; round < 200; round++) {
        uint64_t length[40];
        size_t n = 1 + rng_below(&g, 40);
        struct serve_kv kv = {.total = 1000, .free = rng_below(&g, 300), .step = rng_u64(&g)};
        for (size_t i = 0; i < n; i++) {
            length[i] = 1 + rng_below(&g, 500);
            kv_join(&kv, length[i]);
        }
        for (uint64_t k = 0; k < 70; k++)
            cr_assert_eq(kv_need_steps(&kv, k), walk(length, n, k));
        cr_assert_eq(kv_need(&kv), walk(length, n, 1));
        uint64_t most = rng_below(&g, 400), fit = kv_steps_that_fit(&kv, most);
        cr_assert_leq(fit, most);
        cr_assert_leq(walk(length, n, fit), kv.free);
        cr_assert(fit == most || walk(length, n, fit + 1) > kv.free);
        uint64_t before = kv.free;
        kv.free -= kv_advance(&kv, fit);
        cr_assert_eq(before - kv.free, walk(length, n, fit));
        for (size_t i = 0; i < n; i++)
            kv_leave(&kv, length[i] + fit);
        cr_assert_eq(kv.decoding, 0);
    }
}

/* ---- the heap against a linear search ------------------------------------------------ */

Test(slot_heap, pops_what_a_search_finds)
{
    enum { SLOTS = 64 };
    struct slot_heap h = {0};
    int64_t key[SLOTS];
    bool in[SLOTS] = {false};
    struct rng g;
    rng_init(&g, 2, "test", "heap");
    cr_assert(slot_heap_reserve(&h, SLOTS));
    for (int step = 0; step < 20000; step++) {
        uint32_t s = (uint32_t)rng_below(&g, SLOTS);
        int64_t k = (int64_t)rng_below(&g, 20) - 10;
        uint64_t what = rng_below(&g, 4);
        if (!in[s]) {
            slot_heap_push(&h, k, s, s);
            key[s] = k;
            in[s] = true;
        } else if (what == 0) {
            slot_heap_remove(&h, s);
            in[s] = false;
        } else if (what == 1) {
            slot_heap_rekey(&h, s, k);
            key[s] = k;
        } else {
            uint32_t best = SLOTS;
            for (uint32_t i = 0; i < SLOTS; i++)
                if (in[i] && (best == SLOTS || key[i] < key[best]))
                    best = i;
            cr_assert_eq(slot_heap_pop(&h), best);
            in[best] = false;
        }
        cr_assert_eq(slot_heap_has(&h, s), in[s]);
    }
    slot_heap_free(&h);
}

/* ---- the GPU's turns -------------------------------------------------------------------- */

struct stamps {
    struct sim *sim;
    sim_time tenant, side[3];
};

static void tenant_done(void *ctx, uint64_t arg)
{
    (void)arg;
    struct stamps *s = ctx;
    s->tenant = sim_now(s->sim);
}

static void side_done(void *ctx, uint64_t arg)
{
    struct stamps *s = ctx;
    s->side[arg] = sim_now(s->sim);
}

struct turn {
    struct accel *g;
    struct stamps *s;
    sim_time slice, cost;
};

static void two_small_ones(void *ctx, uint64_t arg)
{
    struct turn *t = ctx;
    (void)arg;
    accel_side(t->g, 5000 * 1000, t->slice, t->cost, side_done, t->s, 0);
    accel_side(t->g, 3000 * 1000, t->slice, t->cost, side_done, t->s, 1);
}

static const struct {
    sim_time tenant, at, slice, cost;    /* in */
    sim_time first, second, tenant_done; /* expected */
} turns[] = {
    {100000, 20000, 0, 1000, 26000, 29000, 109000}, /* preempts at once: one switch, two kernels */
    {100000, 20000, 50000, 1000, 76000, 79000, 109000}, /* waits out a slice */
    {100000, 20000, 90000, 1000, 105000, 108000,
     100000},                                 /* the tenant ends first: nobody switches */
    {0, 20000, 50000, 1000, 25000, 28000, 0}, /* nobody there */
};

Test(gpu, small_kernels_wait_and_delay_as_stated)
{
    for (size_t i = 0; i < sizeof turns / sizeof *turns; i++) {
        struct stamps s = {.sim = sim_new(NULL)};
        struct accel g;
        accel_begin(&g, s.sim);
        struct turn t = {&g, &s, turns[i].slice, turns[i].cost};
        if (turns[i].tenant)
            accel_run(&g, turns[i].tenant, turns[i].tenant * 1000, tenant_done, &s);
        sim_at(s.sim, turns[i].at, 0, two_small_ones, &t, 0);
        sim_run(s.sim, SIM_NEVER);
        cr_expect_eq(s.side[0], turns[i].first, "case %zu: first at %lu", i,
                     (unsigned long)s.side[0]);
        cr_expect_eq(s.side[1], turns[i].second, "case %zu: second at %lu", i,
                     (unsigned long)s.side[1]);
        cr_expect_eq(s.tenant, turns[i].tenant_done, "case %zu: tenant at %lu", i,
                     (unsigned long)s.tenant);
        cr_expect_eq(accel_busy(&g), (turns[i].tenant + 8000) * 1000,
                     "work is neither made nor lost");
        sim_free(s.sim);
    }
}

/* A tenant that runs 1000, waits 400 for its next piece, and so on, and small kernels of 300, with
 * 70 for each change of turns: sums by hand. */
struct alternation {
    struct accel *g;
    struct stamps *s;
    sim_time ended[3];
    uint32_t n;
};
static void piece_ended(void *ctx, uint64_t arg);
static void next_piece(void *ctx, uint64_t arg)
{
    (void)arg;
    struct alternation *a = ctx;
    accel_run(a->g, 1000, 1000 * 1000, piece_ended, a);
}
static void piece_ended(void *ctx, uint64_t arg)
{
    (void)arg;
    struct alternation *a = ctx;
    a->ended[a->n++] = sim_now(a->g->sim);
    if (a->n < 3)
        sim_after(a->g->sim, 400, 0, next_piece, a, 0);
}
static void small_one(void *ctx, uint64_t which)
{
    struct alternation *a = ctx;
    accel_side(a->g, 300 * 1000, 100, 70, side_done, a->s, which);
}

Test(gpu, each_change_of_turns_costs)
{
    struct stamps s = {.sim = sim_new(NULL)};
    struct accel g;
    accel_begin(&g, s.sim);
    accel_turns(&g, 70);
    struct alternation a = {.g = &g, .s = &s};
    next_piece(&a, 0);
    sim_at(s.sim, 950, 0, small_one, &a, 0);  /* the tenant ends at 1000: 1070..1370 */
    sim_at(s.sim, 2000, 0, small_one, &a, 1); /* it began at 1470: after its slice, 2170..2470 */
    sim_run(s.sim, SIM_NEVER);
    cr_expect_eq(s.side[0], 1370);
    cr_expect_eq(s.side[1], 2470);
    cr_expect_eq(a.ended[0], 1000);
    cr_expect_eq(a.ended[1], 2470 + 70 + 300 + 70, "%lu", (unsigned long)a.ended[1]);
    cr_expect_eq(a.ended[2], 2910 + 400 + 1000, "it was the last: no change");
    cr_expect_eq(accel_busy(&g), 3600 * 1000);
    sim_free(s.sim);
}

Test(gpu, a_tenant_waits_for_a_small_kernel_under_way)
{
    struct stamps s = {.sim = sim_new(NULL)};
    struct accel g;
    accel_begin(&g, s.sim);
    accel_side(&g, 5000 * 1000, 0, 0, side_done, &s, 0);
    accel_run(&g, 100, 100000, tenant_done, &s);
    sim_run(s.sim, SIM_NEVER);
    cr_expect_eq(s.side[0], 5000);
    cr_expect_eq(s.tenant, 5100);
    sim_free(s.sim);
}

/* ---- cores --------------------------------------------------------------------------------- */

Test(cpu, work_beyond_the_cores_waits)
{
    struct stamps s = {.sim = sim_new(NULL)};
    struct cores *c = cores_new(s.sim, 2);
    for (uint64_t i = 0; i < 3; i++)
        cr_assert(cores_submit(c, 1000, side_done, &s, i));
    cr_expect_not(cores_idle(c));
    sim_run(s.sim, SIM_NEVER);
    cr_expect(cores_idle(c));
    cr_expect_eq(s.side[0], 1000);
    cr_expect_eq(s.side[1], 1000);
    cr_expect_eq(s.side[2], 2000);
    cores_free(c);
    sim_free(s.sim);
}
