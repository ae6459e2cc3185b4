/* test_mlaas_batch.c - batches by window and size, side by side; the queue; each question is
 * answered once. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>

#include "tests/models/mlaas_rig.h"

enum { MANY = 60000 };

/* The first opens the batch, those who come within the window join: min(K, 1 + Poisson(lambda W)).
 */
static double mean_batch(double lambda_w, unsigned k)
{
    double p = exp(-lambda_w), below = 0, mean = 0;
    for (unsigned j = 0; j + 1 < k; j++) {
        mean += p * (j + 1);
        below += p;
        p *= lambda_w / (j + 1);
    }
    return mean + (1 - below) * k;
}

static const struct {
    double gap_us, window_us;
    unsigned most;
} poisson[] = {{10, 100, 4096}, {10, 5, 4096}, {10, 40, 4}, {3, 40, 8}, {50, 10, 2}};

Test(mlaas, batches_of_poisson_arrivals_are_as_large_as_they_must_be)
{
    for (size_t i = 0; i < sizeof poisson / sizeof *poisson; i++) {
        char infer[120];
        snprintf(infer, sizeof infer, "{'window_us':%g,'max_batch':%u,'queue_rows':1000000}",
                 poisson[i].window_us, poisson[i].most);
        struct mlaas_rig r = {.infer = infer, .cores = 4096};
        mlaas_rig_open(&r);
        mlaas_rig_poisson(&r, MANY, poisson[i].gap_us);
        mlaas_rig_run(&r);
        const double want = mean_batch(poisson[i].window_us / poisson[i].gap_us, poisson[i].most);
        cr_expect_float_eq(mlaas_rig_number(&r, "infer_batch_mean") / want, 1, 0.02,
                           "case %zu: %g, want %g", i, mlaas_rig_number(&r, "infer_batch_mean"),
                           want);
        mlaas_rig_close(&r);
    }
}

/* One core, no company: M/D/1.  A row costs 10 us and the two crossings to MLaaS and the exit. */
Test(mlaas, rows_alone_on_one_core_are_an_m_d_1_queue)
{
    static const double rho[] = {0.3, 0.6, 0.8};
    for (size_t i = 0; i < 3; i++) {
        struct mlaas_rig r = {.infer = "{'max_batch':1}", .stack = "native"};
        mlaas_rig_open(&r);
        mlaas_rig_poisson(&r, MANY, 10 / rho[i]);
        mlaas_rig_run(&r);
        const double want = 10 * (1 + rho[i] / (2 * (1 - rho[i])));
        cr_expect_float_eq(r.waited_us / MANY / want, 1, 0.03, "rho %g: %g us, want %g", rho[i],
                           r.waited_us / MANY, want);
        struct mlaas_stats s;
        mlaas_stats(r.m, &s);
        const double util = (double)s.cpu_ps / 1e3 / (double)sim_now(r.sim);
        cr_expect_float_eq(util, rho[i], 0.01, "busy %g", util);
        mlaas_rig_close(&r);
    }
}

/* Full batches of K: each waits for the K - 1 gaps after its first row. */
Test(mlaas, a_full_batch_waited_for_its_last_row)
{
    struct mlaas_rig r = {.infer = "{'window_us':1000000,'max_batch':5}", .cores = 64};
    mlaas_rig_open(&r);
    for (uint64_t i = 0; i < 100; i++)
        mlaas_rig_ask(&r, i * 1000, 0, 1, 1);
    mlaas_rig_run(&r);
    cr_expect_eq(mlaas_rig_number(&r, "infer_batches"), 20);
    /* on malv: exit, call, 50 us for five rows, reply; and 4, 3, 2, 1, 0 us of waiting */
    cr_expect_float_eq(r.waited_us / 100, 50 + 3 + 2, 1e-9, "%g", r.waited_us / 100);
    mlaas_rig_close(&r);
}

/* Two networks in turn, and two groups: nobody closes the other's batch. */
Test(mlaas, networks_and_groups_fill_their_batches_side_by_side)
{
    static const struct mlaas_rig_net two[] = {{"a", NULL, 1000, 0}, {"b", NULL, 1000, 0}};
    struct mlaas_rig r = {.infer = "{'window_us':1000,'max_batch':4}", .net = two, .cores = 8};
    mlaas_rig_open(&r);
    for (uint64_t i = 0; i < 32; i++)
        mlaas_rig_ask(&r, i * 10, i / 2 % 2, 1u << i % 2, 1);
    mlaas_rig_run(&r);
    cr_expect_eq(mlaas_rig_number(&r, "infer_batches"), 8);
    cr_expect_eq(mlaas_rig_number(&r, "infer_batch_mean"), 4);
    mlaas_rig_close(&r);
}

/* "b" has a window of its own; a hook that asks both waits for both, once. */
Test(mlaas, a_network_may_have_settings_of_its_own)
{
    static const struct mlaas_rig_net two[] = {{"a", NULL, 1000, 0}, {"b", NULL, 1000, 0}};
    struct mlaas_rig r = {.infer = "{'models':{'b':{'window_us':500}}}", .net = two, .cores = 8};
    mlaas_rig_open(&r);
    mlaas_rig_ask(&r, 0, 0, 3, 1);
    mlaas_rig_ask(&r, 1000000, 0, 1, 1);
    mlaas_rig_run(&r);
    cr_expect_float_eq(r.waited_us, 13 + 500 + 13, 1e-9, "%g us", r.waited_us);
    mlaas_rig_close(&r);
}

/* Ten rows at once where four have room: on a core the rest runs at once and alone; with the
 * default it is not asked for. */
Test(mlaas, a_row_without_room_runs_alone_or_is_not_asked_for)
{
    for (int refuse = 0; refuse < 2; refuse++) {
        struct mlaas_rig r = {.infer = refuse ? "{'window_us':100,'queue_rows':4,'when_full':"
                                                "'default'}"
                                              : "{'window_us':100,'queue_rows':4}",
                              .cores = 16};
        mlaas_rig_open(&r);
        for (uint64_t i = 0; i < 10; i++)
            mlaas_rig_ask(&r, 0, 0, 1, 1);
        mlaas_rig_run(&r);
        cr_expect_eq(mlaas_rig_number(&r, "infer_overflow"), 6);
        cr_expect_eq(mlaas_rig_number(&r, "infer_batches"), refuse ? 1 : 7);
        cr_expect_float_eq(r.waited_us, 4 * (100 + 3 + 40) + (refuse ? 0 : 6 * 13), 1e-9);
        mlaas_rig_close(&r);
    }
}

static const char *const services[] = {
    "{'window_us':30}",
    "{'window_us':30,'place':'malv','max_batch':7}",
    "{'window_us':80,'place':'auto','gpu_rows':3,'queue_rows':20}",
    "{'window_us':20,'place':'table','queue_rows':9,'when_full':'default'}",
    "{'window_us':40,'place':'malv','rule':'lake','models':{'b':{'place':'core','max_batch':2}}}",
    "{'window_us':0,'place':'auto','gpu_rows':1,'backoff':'tenants'}",
    "{'mode':'free'}",
};

static bool sometimes(void *ctx)
{
    return rng_below(ctx, 3) == 0;
}

/* Random hooks over random networks and groups; the rig insists that each is answered once. */
Test(mlaas, every_question_is_answered_once)
{
    static const struct mlaas_rig_net nets[] = {
        {"a", NULL, 1000, 0}, {"b", NULL, 90000, 0}, {"c", "mlp", 33, 0}};
    for (uint64_t seed = 0; seed < 70; seed++) {
        struct rng rng, moods;
        rng_init(&rng, seed, "test", "hooks");
        rng_init(&moods, seed, "test", "moods");
        struct mlaas_rig r = {.infer = services[seed % 7],
                              .net = nets,
                              .cores = 1 + (unsigned)rng_below(&rng, 3),
                              .wants_gpu = sometimes,
                              .ctx = &moods};
        mlaas_rig_open(&r);
        sim_time at = 0;
        for (int i = 0; i < 400; i++) {
            at += rng_below(&rng, 3) ? rng_below(&rng, 20000) : 0;
            mlaas_rig_ask(&r, at, (uint32_t)rng_below(&rng, 4), (unsigned)rng_below(&rng, 8),
                          1 + (uint32_t)rng_below(&rng, 5));
        }
        mlaas_rig_run(&r);
        mlaas_rig_close(&r);
    }
}
