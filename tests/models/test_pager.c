/* test_pager.c - who moves data to and from the GPU: closed forms on round numbers, and what others
 * measured on an H100.                                                        */
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>

#include "harness/base/profile.h"
#include "models/pager.h"
#include "sim/rng.h"

struct rig {
    struct machine *m;
    struct machine_use u;
    struct pager p;
    struct err e;
};

static int rig_open(struct rig *r, const char *profile, const char *stack, struct pager_config c)
{
    struct config *json;
    *r = (struct rig){0};
    cr_assert_eq(profile_load(&json, profile, &r->e), 0, "%s", r->e.msg);
    cr_assert_eq(machine_load(&r->m, json, &r->e), 0, "%s", r->e.msg);
    config_free(json);
    cr_assert_eq(machine_use_begin(&r->u, r->m, &r->e), 0);
    return pager_open(&r->p, &c, stack_find(stack, &r->e), &r->u, &r->e);
}

static void rig_close(struct rig *r)
{
    machine_use_end(&r->u);
    machine_free(r->m);
}

#define TOY "tests/models/data/toy-paging.json"
#define US  UINT64_C(1000000)

static struct pager_work moved(const char *stack, struct pager_config c, enum pager_dir dir,
                               uint64_t n, uint64_t bytes, sim_cost *wait)
{
    struct rig r;
    struct pager_work w = {0};
    cr_assert_eq(rig_open(&r, TOY, stack, c), 0, "%s", r.e.msg);
    pager_move(&r.p, dir, n, bytes, &w);
    *wait = pager_wait(&r.p, &w);
    rig_close(&r);
    return w;
}

/* A submission is 5 us; a piece of b bytes keeps the copy engine for 9 + b us. */
Test(pager, the_process_pays_for_each_piece)
{
    sim_cost wait;
    struct pager_work w =
        moved("native", (struct pager_config){.way = PAGER_COPIES}, PAGER_IN, 7, 91, &wait);
    cr_expect_eq(w.cpu, 7 * 5 * US);
    cr_expect_eq(w.link[PAGER_IN], 7 * 100 * US);
    cr_expect_eq(wait, 665 * US); /* what the submissions do not hide */
    cr_expect_eq(w.bytes[PAGER_IN], 7 * 91);
    cr_expect_eq(w.asked, 7);
    cr_expect_eq(w.commands, 7);
    cr_expect_eq(w.crossings, 7 * 2);
    cr_expect_eq(w.copied, 0);
    w = moved("malv", (struct pager_config){.way = PAGER_COPIES}, PAGER_OUT, 7, 91, &wait);
    cr_expect_eq(w.crossings, 7 * 4); /* each through the hypervisor */
    cr_expect_eq(w.cpu, 7 * (5 + 3) * US);
    cr_expect_eq(w.link[PAGER_OUT], 7 * 100 * US);
}

/* 7 pieces of 91 bytes are two buffers of 291 and one of 55; a core takes 2 us a byte, the
 * gathering kernel 0.2. */
Test(pager, a_staging_buffer_saves_crossings_and_costs_copies)
{
    sim_cost wait;
    const struct pager_config c = {.way = PAGER_STAGED, .staging = 291};
    const struct pager_work w = moved("native", c, PAGER_OUT, 7, 91, &wait);
    cr_expect_eq(w.copied, 637);
    cr_expect_eq(w.cpu, (3 * 5 + 2 * 637) * US);
    cr_expect_eq(w.asked, 6);
    cr_expect_eq(w.commands, 3);
    cr_expect_eq(w.link[PAGER_OUT], (637 + 3 * 9) * US + 637 * US / 5);
    cr_expect_eq(wait, 0); /* the core is slower than the link */
}

/* One call, and 2 + 1 + 1 us a page; pieces of 91 bytes are two pages of 64, which move whole. */
Test(pager, the_os_moves_pages)
{
    sim_cost wait;
    const struct pager_config c = {.way = PAGER_ASKED, .page = 64};
    struct pager_work w = moved("malv", c, PAGER_IN, 7, 91, &wait);
    cr_expect_eq(w.asked, 1);
    cr_expect_eq(w.commands, 14);
    cr_expect_eq(w.bytes[PAGER_IN], 14 * 64);
    cr_expect_eq(w.crossings, 5 + 14 * 3);
    cr_expect_eq(w.cpu, (3 + 2 + 4 + 1 + 14 * 4) * US);
    cr_expect_eq(w.link[PAGER_IN], 14 * 73 * US);
    w = moved("native", c, PAGER_IN, 7, 91, &wait);
    cr_expect_eq(w.cpu, (4 + 14 * 4) * US);
    cr_expect_eq(w.crossings, 3 + 14 * 3);
    const struct pager_config whole = {.way = PAGER_ASKED, .page = 91};
    w = moved("native", whole, PAGER_IN, 7, 91, &wait);
    cr_expect_eq(w.bytes[PAGER_IN], 7 * 91);
}

/* Nobody asks: 14 pages are 4 batches of faults of 50 us, and the GPU waits. */
Test(pager, faults_stall_the_gpu)
{
    sim_cost wait;
    const struct pager_config c = {.way = PAGER_FAULTS, .page = 64};
    struct pager_work w = moved("native", c, PAGER_IN, 7, 91, &wait);
    cr_expect_eq(w.asked, 4);
    cr_expect_eq(w.cpu, 0);
    cr_expect_eq(w.stall, (4 * 50 + 14 * 4) * US);
    cr_expect_eq(wait, w.stall + 14 * 73 * US);
    w = moved("native", c, PAGER_OUT, 7, 91, &wait); /* what goes out is asked for */
    cr_expect_eq(w.stall, 0);
    cr_expect_eq(w.asked, 1);
}

/* Both directions at once: 1 us a byte each by itself, 2/3 us a byte of both together. */
Test(pager, directions_share_the_link)
{
    struct rig r;
    struct pager_work w = {0};
    cr_assert_eq(rig_open(&r, TOY, "native", (struct pager_config){.way = PAGER_COPIES}), 0);
    pager_move(&r.p, PAGER_IN, 1, 9000, &w);
    cr_expect_eq(pager_wait(&r.p, &w), (9000 + 9 - 5) * US);
    pager_move(&r.p, PAGER_OUT, 1, 9000, &w);
    cr_expect_float_eq((double)pager_wait(&r.p, &w), (12000 - 10) * 1e6, 1);
    pager_move(&r.p, PAGER_OUT, 1, 18000, &w);
    cr_expect_eq(pager_wait(&r.p, &w), (27000 + 18 - 15) * US); /* one direction alone is longer */
    rig_close(&r);
}

/* What the GPU has to wait for, layer after layer. */
static sim_cost pipeline(sim_cost part, sim_cost compute, uint64_t layers)
{
    sim_cost there = 0, done = 0;
    for (uint64_t i = 0; i < layers; i++) {
        there += part;
        done = (there > done ? there : done) + compute;
    }
    return done;
}

Test(pager, layers_hide_what_comes_beside_them)
{
    struct rng g;
    rng_init(&g, 3, "test", "pager");
    for (int i = 0; i < 1000; i++) {
        const uint64_t layers = 1 + rng_below(&g, 80);
        const sim_cost part = rng_below(&g, 1000000), compute = rng_below(&g, 1000000);
        cr_assert_eq(pager_beside(part * layers, compute * layers, layers),
                     pipeline(part, compute, layers));
    }
}

Test(pager, who_has_no_driver_of_his_own_can_not_ask_it)
{
    struct rig r;
    cr_expect_lt(rig_open(&r, "machines/h100-server.json", "kvm-remote",
                          (struct pager_config){.way = PAGER_ASKED, .page = 1 << 21}),
                 0);
    cr_expect_str_eq(r.e.msg, "stack \"kvm-remote\" has no path move");
    rig_close(&r);
}

/* ---- what others measured, none of it used to set a constant ------------------------------- */

static double gb_per_s(const struct pager *p, uint64_t n, uint64_t bytes)
{
    struct pager_work w = {0};
    pager_move(p, PAGER_IN, n, bytes, &w);
    return (double)(n * bytes) / ((double)w.link[PAGER_IN] / 1e12) / 1e9;
}

/* vllm-project/vllm pull request 42212: 50,000 copies in a call (the profile has 100,000). */
Test(pager, batches_of_half_the_length_run_as_fast)
{
    static const double row[][2] = {{4096, 4.0},  {8192, 5.2},   {16384, 6.3},
                                    {24576, 6.7}, {28672, 39.9}, {65536, 51.4}};
    struct rig r;
    cr_assert_eq(rig_open(&r, "machines/h100-server.json", "native",
                          (struct pager_config){.way = PAGER_COPIES}),
                 0);
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        const double ours = gb_per_s(&r.p, 50000, (uint64_t)row[i][0]);
        cr_expect_lt(fabs(ours / row[i][1] - 1), 0.15, "%g bytes: %g GB/s, published %g", row[i][0],
                     ours, row[i][1]);
    }
    rig_close(&r);
}

/* blog.vllm.ai, 8 January 2026: one piece for all layers of a block of Llama 3.1 8B (2 MiB) instead
 * of 64 of 32 KiB gave up to 4 times shorter times to the first token of prompts found in host
 * memory. */
Test(pager, fragments_cost_what_contiguous_blocks_gained)
{
    struct rig r;
    struct pager_work whole = {0}, parts = {0};
    cr_assert_eq(rig_open(&r, "machines/h100-server.json", "native",
                          (struct pager_config){.way = PAGER_COPIES}),
                 0);
    pager_move(&r.p, PAGER_IN, 5632, 2 << 20, &whole); /* 90,112 tokens */
    pager_move(&r.p, PAGER_IN, 5632 * 64, 32 << 10, &parts);
    const double gain = (double)(parts.cpu + pager_wait(&r.p, &parts)) /
                        (double)(whole.cpu + pager_wait(&r.p, &whole));
    cr_expect_lt(fabs(gain / 4 - 1), 0.2, "%g times", gain);
    rig_close(&r);
}
