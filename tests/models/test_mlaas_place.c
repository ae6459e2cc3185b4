/* test_mlaas_place.c - what a network costs where, the crossover, and when the GPU is left alone.
 */
#include <criterion/criterion.h>
#include <stdio.h>

#include "tests/models/mlaas_rig.h"

/* ---- rows of a profile ---------------------------------------------------------------- */

static const char rows_of_kinds[] =
    "'net':{'mlp':{'small':{'flops':N(2000),'cpu':{'x':[1,11],'y':[1,11],Q},"
    "'gpu':{'x':[1,11],'y':[5,6],Q}},"
    "'large':{'flops':N(6000),'cpu':{'x':[1,11],'y':[9,99],Q}}},"
    "'knn':{'only':{'flops':N(100),'cpu':{'x':[1,11],'y':[70,770],Q}}}}";

/* By hand: what a core and the GPU take for 1 and for 11 rows, us. */
static const struct {
    const char *kind;
    uint64_t flops;
    double cpu[2], gpu[2];
} known[] = {
    {"mlp", 2000, {1, 11}, {5, 6}},     /* exactly a row */
    {"mlp", 4000, {5, 55}, {5, 7}},     /* half way; the GPU scaled from the only row there is */
    {"mlp", 6000, {9, 99}, {5, 8}},     /* exactly the other */
    {"mlp", 12000, {18, 198}, {5, 11}}, /* beyond the largest */
    {"mlp", 1000, {0.5, 5.5}, {5, 6}},  /* below the smallest: latency stays */
    {"knn", 200, {140, 1540}, {2, 3}},  /* a kind without GPU rows: the reference network's */
    {"lstm", 3000, {30, 330}, {2, 5}},  /* no row of its kind */
    {NULL, 1000, {10, 110}, {2, 3}},
};

Test(mlaas, a_network_costs_what_the_rows_of_its_kind_say)
{
    struct mlaas_rig r = {.infer = "{}", .profile = rows_of_kinds};
    mlaas_rig_open(&r);
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        struct mlaas_net_cost c;
        cr_assert_eq(mlaas_net_cost(&c, known[i].kind, known[i].flops, true, r.machine, NULL), 0);
        for (int k = 0; k < 2; k++) {
            const uint64_t n = k ? 11 : 1;
            cr_expect_float_eq((double)mlaas_curve_at(&c.cpu, n) / 1e6, known[i].cpu[k], 1e-5,
                               "case %zu, core, %llu rows: %g us", i, (unsigned long long)n,
                               (double)mlaas_curve_at(&c.cpu, n) / 1e6);
            cr_expect_float_eq((double)mlaas_curve_at(&c.gpu, n) / 1e6, known[i].gpu[k], 1e-5,
                               "case %zu, GPU, %llu rows: %g us", i, (unsigned long long)n,
                               (double)mlaas_curve_at(&c.gpu, n) / 1e6);
        }
    }
    mlaas_rig_close(&r);
}

/* ---- the crossover ------------------------------------------------------------------------ */

/* On malv a core costs 3 us and 10 a row, the GPU 8 and 2 + 0.1 (n - 1): 13 against 10, so from one
 * row on; a network of a tenth the size: 3 + n against the same, so from 8 rows on (11 to 10.7). */
static const struct {
    uint64_t flops;
    uint32_t from;
} crossings[] = {{1000, 1}, {100, 8}, {700, 1}, {5, 0}};

Test(mlaas, the_table_sends_to_the_gpu_what_is_faster_there)
{
    for (size_t i = 0; i < sizeof crossings / sizeof *crossings; i++) {
        const struct mlaas_rig_net net[] = {{"a", NULL, crossings[i].flops, 0}};
        for (uint32_t rows = 1; rows < 12; rows++) {
            struct mlaas_rig r = {.infer = "{'place':'table'}", .net = net};
            mlaas_rig_open(&r);
            mlaas_rig_ask(&r, 0, 0, 1, rows);
            mlaas_rig_run(&r);
            const bool gpu = crossings[i].from && rows >= crossings[i].from;
            cr_expect_eq(mlaas_rig_number(&r, "infer_gpu_batches"), gpu, "%llu operations, %u rows",
                         (unsigned long long)crossings[i].flops, rows);
            cr_expect_eq(mlaas_rig_number(&r, "infer_core_small"), !gpu);
            mlaas_rig_close(&r);
        }
    }
}

/* The answer comes when the formula of the table says, if nobody else is there. */
Test(mlaas, alone_a_batch_takes_what_the_table_says)
{
    static const char *const places[] = {"core", "malv", "lake"};
    for (int p = 0; p < 3; p++)
        for (uint32_t rows = 1; rows < 50; rows += 12) {
            char infer[40];
            snprintf(infer, sizeof infer, "{'place':'%s'}", places[p]);
            struct mlaas_rig r = {.infer = infer, .stack = p == 2 ? "lake" : "malv"};
            mlaas_rig_open(&r);
            struct mlaas_ways w;
            struct mlaas_net_cost c;
            cr_assert_eq(
                mlaas_ways(&w, stack_find(p == 2 ? "lake" : "malv", NULL), p, &r.use, NULL), 0);
            cr_assert_eq(mlaas_net_cost(&c, NULL, 1000, p, r.machine, NULL), 0);
            mlaas_rig_ask(&r, 0, 0, 1, rows);
            mlaas_rig_run(&r);
            const sim_cost ps = p ? mlaas_alone_gpu(&w, &c, rows) : mlaas_alone_core(&w, &c, rows);
            cr_expect_float_eq(r.last_us, (double)ps / 1e6, 1e-9, "%s, %u rows", places[p], rows);
            mlaas_rig_close(&r);
        }
}

/* ---- back-off ------------------------------------------------------------------------------ */

static bool until_10_ms(void *ctx)
{
    return sim_now(((struct mlaas_rig *)ctx)->sim) < 10 * SIM_MS;
}

/* They want it for 10 ms; the last batch that sees that is at 9.9, and it counts for another 2 ms.
 */
Test(mlaas, tenants_that_want_the_gpu_have_it)
{
    struct mlaas_rig r = {.infer = "{'place':'malv','backoff':'tenants','calm_us':2000}",
                          .wants_gpu = until_10_ms,
                          .ctx = &r};
    mlaas_rig_open(&r);
    for (uint64_t i = 0; i < 200; i++)
        mlaas_rig_ask(&r, i * 100 * SIM_US, 0, 1, 1);
    mlaas_rig_run(&r);
    cr_expect_eq(mlaas_rig_number(&r, "infer_core_backoff"), 119);
    cr_expect_eq(mlaas_rig_number(&r, "infer_gpu_batches"), 81);
    mlaas_rig_close(&r);
}

static void nothing(void *ctx, uint64_t arg)
{
    (void)ctx, (void)arg;
}

static void tenant(void *ctx, uint64_t arg)
{
    struct mlaas_rig *r = ctx;
    accel_run(&r->gpu, arg, arg * 1000, nothing, NULL);
}

/* Polls at 20, 40, .. ms.  A tenant fills 90 % of (20, 60) ms, 65 % of (60, 100), and nothing
 * after: above 0.7 at 40 ms; between the marks, so as before, at 80; below 0.6 at 120 or at once.
 */
Test(mlaas, lakes_back_off_has_two_marks)
{
    static const double back_at[] = {0.7, 0.6};
    static const double core[] = {40, 80}; /* batches, one per ms */
    for (int k = 0; k < 2; k++) {
        char infer[120];
        snprintf(infer, sizeof infer, "{'place':'auto','gpu_rows':1,'gpu_return':%g}", back_at[k]);
        const struct mlaas_rig_net net[] = {{"a", NULL, 1, 0}};
        struct mlaas_rig r = {.infer = infer, .net = net};
        mlaas_rig_open(&r);
        for (uint64_t ms = 20; ms < 100; ms++)
            sim_at(r.sim, ms * SIM_MS + 500 * SIM_US, 0, tenant, &r,
                   ms < 60 ? 450 * SIM_US : 325 * SIM_US);
        for (uint64_t ms = 20; ms < 100; ms++)
            sim_at(r.sim, ms * SIM_MS + 10 * SIM_US, 0, tenant, &r,
                   ms < 60 ? 450 * SIM_US : 325 * SIM_US);
        for (uint64_t ms = 0; ms < 160; ms++)
            mlaas_rig_ask(&r, ms * SIM_MS, 0, 1, 1);
        mlaas_rig_run(&r);
        cr_expect_eq(mlaas_rig_number(&r, "infer_core_backoff"), core[k], "%g: %g", back_at[k],
                     mlaas_rig_number(&r, "infer_core_backoff"));
        cr_expect_eq(mlaas_rig_number(&r, "infer_polls"), 7);
        mlaas_rig_close(&r);
    }
}

/* One process on the GPU, however busy: nobody to back off for. */
Test(mlaas, lakes_back_off_needs_a_second_process)
{
    struct mlaas_rig r = {.infer = "{'place':'auto','gpu_rows':1,'gpu_limit':0.1}"};
    mlaas_rig_open(&r);
    for (uint64_t i = 0; i < 3000; i++)
        mlaas_rig_ask(&r, i * 12 * SIM_US, 0, 1, 50);
    mlaas_rig_run(&r);
    cr_expect_eq(mlaas_rig_number(&r, "infer_core_backoff"), 0);
    cr_expect_gt(mlaas_rig_number(&r, "infer_polls"), 0);
    mlaas_rig_close(&r);
}

/* ---- settings that are wrong --------------------------------------------------------------- */

static const struct {
    const char *infer, *stack, *why;
} wrong[] = {
    {"{'place':'lake'}", "malv", "infer.place is \"lake\", but stack \"malv\" has no such path"},
    {"{'models':{'x':{'place':'malv'}}}", "lake",
     "infer.models.x.place is \"malv\", but stack \"lake\" has no such path"},
    {"{'models':{'x':{'mode':'wait'}}}", "malv", "rig: models.x: unknown key \"mode\""},
    {"{'models':[1]}", "malv",
     "rig: models: got an array of 1, want an object: a network's name and its settings"},
    {"{'gpu_return':0.9}", "malv",
     "rig: gpu_return: got 0.9, want at most gpu_limit, which is 0.7"},
};

Test(mlaas, wrong_settings_earn_their_sentence)
{
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct mlaas_rig r = {.infer = wrong[i].infer, .stack = wrong[i].stack};
        mlaas_rig_refused(&r, wrong[i].why);
    }
}
