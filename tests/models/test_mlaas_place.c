/* test_mlaas_place.c - what a network costs where, the crossover, and when the GPU is left alone.
 */
#include <criterion/criterion.h>
#include <stdio.h>

#include "harness/base/profile.h"
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

/* The testbed's rows through our paths: consistent with LAKE's tables, of which they were made. The
 * crossover lies above the last published batch that was slower, and not above the first that was
 * not. */
static const struct {
    const char *what;
    uint64_t flops;
    uint32_t slower, faster;
} lake[] = {{"LinnOS", 16896, 4, 8},
            {"+1", 147968, 1, 2},
            {"+2", 279040, 1, 2},
            {"KML", 340, 256, 512},
            {"MLLB", 320, 128, 256}};

Test(mlaas, the_testbeds_table_has_lakes_crossovers)
{
    struct config *json;
    struct machine *m;
    struct machine_use use;
    struct mlaas_ways w;
    struct err e = {0};
    cr_assert_eq(profile_load(&json, "machines/lake-testbed.json", &e), 0, "%s", e.msg);
    cr_assert_eq(machine_load(&m, json, &e), 0, "%s", e.msg);
    cr_assert_eq(machine_use_begin(&use, m, &e), 0);
    cr_assert_eq(mlaas_ways(&w, stack_find("lake", NULL), true, MLAAS_LAUNCH, &use, &e), 0);
    for (size_t i = 0; i < sizeof lake / sizeof *lake; i++) {
        struct mlaas_net_cost c;
        cr_assert_eq(mlaas_net_cost(&c, "mlp", lake[i].flops, true, m, &e), 0, "%s", e.msg);
        const uint32_t at = mlaas_crossover(&w, &c);
        cr_expect(at > lake[i].slower && at <= lake[i].faster, "%s: %u", lake[i].what, at);
    }
    machine_use_end(&use);
    machine_free(m);
    config_free(json);
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
            cr_assert_eq(mlaas_ways(&w, stack_find(p == 2 ? "lake" : "malv", NULL), p, MLAAS_LAUNCH,
                                    &r.use, NULL),
                         0);
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
        struct mlaas_stats n; /* five crossings on a core, or three and 10 ns, and each look 1 us */
        mlaas_stats(r.m, &n);
        const double us = (160 - core[k]) * 5 + core[k] * 3.01 + 7;
        cr_expect_float_eq((double)n.cpu_ps / 1e6, us, 1e-6, "%g", (double)n.cpu_ps / 1e6);
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

/* ---- ways to submit ------------------------------------------------------------------------ */

static void tenant_runs(struct mlaas_rig *r)
{
    sim_at(r->sim, 0, 1, tenant, r, 50 * SIM_MS);
}

/* Alone: exit, call, graph launch, doorbell, 4 us and 0.05 a row, fence, poll, reply; the mailbox
 * has no doorbell and takes 1 us and 0.05 a row, and is launched (2 us) when its kernel has ended.
 * A network that takes 6 us more in a launch does so here. */
static const struct {
    const char *submit;
    uint32_t rows;
    uint64_t flops;
    double us[3]; /* at 0, at 500 us, at 5 ms */
} submits[] = {
    {"graph", 1, 1000, {11, 11, 11}},    {"graph", 41, 1000, {13, 13, 13}},
    {"mailbox", 1, 1000, {9, 7, 9}},     {"mailbox", 41, 1000, {11, 9, 11}},
    {"mailbox", 61, 2000, {18, 16, 18}},
};

Test(mlaas, a_graph_and_a_mailbox_take_what_their_tables_say)
{
    for (size_t i = 0; i < sizeof submits / sizeof *submits; i++) {
        char infer[80];
        const struct mlaas_rig_net net[] = {{"a", NULL, submits[i].flops, 0}};
        snprintf(infer, sizeof infer, "{'place':'malv','submit':'%s'}", submits[i].submit);
        struct mlaas_rig r = {.infer = infer, .net = net};
        mlaas_rig_open(&r);
        double before = 0;
        static const sim_time at[] = {0, 500 * SIM_US, 5 * SIM_MS};
        for (int k = 0; k < 3; k++) {
            mlaas_rig_ask(&r, at[k], 0, 1, submits[i].rows);
            sim_run(r.sim, at[k] + 100 * SIM_US);
            cr_expect_float_eq(r.waited_us - before, submits[i].us[k], 1e-9, "case %zu, %d: %g us",
                               i, k, r.waited_us - before);
            before = r.waited_us;
        }
        mlaas_rig_run(&r);
        mlaas_rig_close(&r);
    }
}

/* A tenant's kernel runs: a launch preempts it (100 us), the mailbox's block does not notice. Two
 * batches at once: the second waits for the first, 1 us. */
Test(mlaas, a_mailbox_waits_for_no_tenant_but_for_itself)
{
    static const char *const how[] = {"{'place':'malv','max_batch':1}",
                                      "{'place':'malv','submit':'mailbox','max_batch':1}"};
    static const double want[] = {10 + 100, 7 + 8};
    for (int k = 0; k < 2; k++) {
        struct mlaas_rig r = {.infer = how[k], .cores = 4};
        mlaas_rig_open(&r);
        tenant_runs(&r);
        if (k) { /* the first launches the kernel */
            mlaas_rig_ask(&r, 0, 0, 1, 1);
            sim_run(r.sim, 50 * SIM_US);
            r.waited_us = 0;
            mlaas_rig_ask(&r, 60 * SIM_US, 0, 1, 1);
        }
        mlaas_rig_ask(&r, 60 * SIM_US, 0, 1, 1);
        mlaas_rig_run(&r);
        cr_expect_float_eq(r.waited_us, want[k], 1e-9, "%d: %g", k, r.waited_us);
        mlaas_rig_close(&r);
    }
}

Test(mlaas, a_resident_kernel_takes_a_multiprocessor_for_sixteen_rows)
{
    static const struct {
        const char *infer;
        uint32_t sms;
    } want[] = {{"{'place':'malv'}", 0},
                {"{'place':'malv','submit':'mailbox'}", 4},
                {"{'place':'malv','submit':'mailbox','max_batch':17}", 2},
                {"{'submit':'mailbox','models':{'x':{'place':'auto','max_batch':160}}}", 10},
                {"{'submit':'mailbox'}", 0}};
    for (size_t i = 0; i < sizeof want / sizeof *want; i++) {
        struct mlaas_rig r = {.infer = want[i].infer};
        struct mlaas_config c;
        mlaas_rig_open(&r);
        cr_assert_eq(mlaas_config(&c, r.section, NULL), 0);
        cr_expect_eq(mlaas_mailbox_sms(&c), want[i].sms, "%s", want[i].infer);
        mlaas_rig_close(&r);
    }
}

/* ---- settings that are wrong --------------------------------------------------------------- */

static const struct {
    const char *infer, *stack, *why;
} wrong[] = {
    {"{'place':'lake'}", "malv", "infer.place is \"lake\", but stack \"malv\" has no such path"},
    {"{'models':{'x':{'place':'malv'}}}", "lake",
     "infer.models.x.place is \"malv\", but stack \"lake\" has no such path"},
    {"{'models':{'x':{'mode':'wait'}}}", "malv", "rig: models.x: unknown key \"mode\""},
    {"{'place':'auto','submit':'graph'}", "lake",
     "infer.submit is \"graph\", but stack \"lake\" has no such path"},
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
