/* test_lake_contention.c - two on one GPU: rates in closed form, reactions between their bounds. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "harness/base/profile.h"
#include "models/lake/contention.h"
#include "models/model.h"

static const struct contention_setup usual = {
    .way = OFFLOAD_MALV,
    .backoff = BACKOFF_NONE,
    .batch = 32,
    .pause = 100 * SIM_US,
    .poll = 20 * SIM_MS,
    .limit = 70,
    .user_start = 2 * SIM_SEC,
    .user_end = 4 * SIM_SEC,
    .end = 6 * SIM_SEC,
    .user_pages = 1000,
    .user_sample = 4,
};
static const struct contention_costs costs = {
    .before = 10 * SIM_US,
    .after = 10 * SIM_US,
    .core = 3 * SIM_MS,
    .gpu = 200 * 1000 * SIM_US,
    .switching = 50 * SIM_US,
    .ask = 40 * SIM_US,
    .window = 100 * SIM_MS,
    .create = 80 * SIM_MS,
    .user_kernel = SIM_MS,
    .user_kernel_ps = SIM_MS * 1000,
};

static struct contention_result run(const struct contention_setup *s,
                                    const struct contention_costs *c)
{
    struct contention_result r;
    contention_run(s, c, NULL, NULL, NULL, &r);
    cr_assert(!r.failed);
    return r;
}

/* A batch takes 10 + 200 + 10 us and then pauses 100; beside the user it pays each time a switch of
 * 50, and the user loses that, the work, and the switch back. */
Test(lake_contention, without_back_off_rates_are_arithmetic)
{
    struct contention_result r = run(&usual, &costs);
    cr_expect_float_eq(r.rate[PHASE_ALONE], 32 / 320e-6, 32 / 320e-6 * 1e-3);
    cr_expect_float_eq(r.rate[PHASE_AFTER], 32 / 320e-6, 32 / 320e-6 * 1e-3);
    cr_expect_float_eq(r.rate[PHASE_BOTH], 32 / 370e-6, 32 / 370e-6 * 2e-3);
    cr_expect_float_eq(r.pages, 1e6 * (1 - 300.0 / 370), 5e3);
    cr_expect_float_eq(r.utilisation, 200.0 / 320, 1e-3);
    cr_expect(!r.reacted);
}

/* Waiting for the user's time slice first: never more than the slice or the rest of its kernel. */
Test(lake_contention, a_slice_is_waited_for)
{
    struct contention_costs c = costs;
    double before = run(&usual, &c).rate[PHASE_BOTH];
    for (sim_time slice = 100 * SIM_US; slice <= 800 * SIM_US; slice *= 2) {
        c.slice = slice;
        struct contention_result r = run(&usual, &c);
        double least = 32 / (370e-6 + (double)slice / 1e9);
        cr_expect_geq(r.rate[PHASE_BOTH], least * 0.998, "%g us", (double)slice / 1e3);
        cr_expect_lt(r.rate[PHASE_BOTH], before);
        before = r.rate[PHASE_BOTH];
    }
}

Test(lake_contention, whoever_sees_the_queue_leaves_at_once)
{
    struct contention_setup s = usual;
    s.backoff = BACKOFF_TENANTS;
    s.calm = 5 * SIM_MS;
    struct contention_result r = run(&s, &costs);
    cr_expect_leq(r.reaction, 320 * SIM_US + costs.user_kernel, "%g us", (double)r.reaction / 1e3);
    cr_expect_float_eq(r.rate[PHASE_BOTH], 32 / 3.1e-3, 32 / 3.1e-3 * 5e-3);
    cr_expect_float_eq(r.pages, 1e6, 1e3);
    cr_expect(r.reacted && r.returned);
    cr_expect_leq(r.back, s.calm + 4 * SIM_MS + 2 * costs.user_kernel);
}

/* The share of a window in which the GPU is not idle rises from u to 1 as the window passes over
 * the user's start: it is beyond the limit after window (limit - u) / (1 - u), plus a look, a poll
 * and what is in between. */
Test(lake_contention, lakes_reaction_lies_between_its_bounds)
{
    struct rng rng;
    rng_init(&rng, 11, "test", "contention");
    for (int i = 0; i < 60; i++) {
        struct contention_setup s = usual;
        struct contention_costs c = costs;
        s.backoff = BACKOFF_LAKE;
        s.user_start += rng_below(&rng, s.poll);
        s.limit = 65 + (uint32_t)rng_below(&rng, 30);
        c.window = (60 + rng_below(&rng, 200)) * SIM_MS;
        struct contention_result r = run(&s, &c);
        const double u = r.utilisation, limit = s.limit / 100.0, window = (double)c.window;
        const double crossing = window * (limit - u) / (1 - u), look = window / CONTENTION_TICKS;
        const double step = (double)(s.poll + c.ask) + 2 * 320e3 + 4 * 50e3;
        cr_expect_geq((double)r.reaction, crossing - 0.02 * window, "limit %u", s.limit);
        cr_expect_leq((double)r.reaction, crossing + look + step + 0.02 * window, "limit %u",
                      s.limit);
        cr_expect_float_eq(r.pages, 1e6, 1e3);
        cr_expect(r.reacted && r.returned);
        cr_expect_leq((double)r.back, 2 * step + 3.2e6 + 1e6);
    }
}

Test(lake_contention, a_limit_of_everything_is_no_back_off)
{
    struct contention_setup s = usual;
    s.backoff = BACKOFF_LAKE;
    s.limit = 100;
    struct contention_result r = run(&s, &costs);
    cr_expect(!r.reacted);
    cr_expect_lt(r.pages, 0.5e6);
}

/* The model on LAKE's machine: the same seed the same, another seed another reaction. */
Test(lake_contention, seeds_move_the_user_and_nothing_else)
{
    const char *section =
        "{\"way\":\"lake\",\"backoff\":\"lake\",\"workload\":\"linnos-2\",\"batch\":32,"
        "\"launches\":[{\"weight\":1}],\"user_start_s\":1,\"user_end_s\":2.5,\"run_s\":4}";
    struct config *c, *profile;
    struct machine *m;
    struct err e = {0};
    double reaction[4], kept[4];
    cr_assert_eq(profile_load(&profile, "machines/lake-testbed.json", &e), 0, "%s", e.msg);
    cr_assert_eq(machine_load(&m, profile, &e), 0, "%s", e.msg);
    cr_assert_eq(config_parse(&c, "contention", section, strlen(section), &e), 0, "%s", e.msg);
    for (int i = 0; i < 4; i++) {
        struct model_env env = {.seed = i < 3 ? (uint64_t)i + 1 : 1, .machine = m};
        struct measures *out = measures_new();
        cr_assert_eq(model_contention.run(c, &env, out, &e), 0, "%s", e.msg);
        reaction[i] = *measures_find(out, "reaction");
        kept[i] = *measures_find(out, "user.kept");
        measures_free(out);
    }
    cr_expect_eq(reaction[0], reaction[3]);
    cr_expect(reaction[0] != reaction[1] && reaction[1] != reaction[2]);
    for (int i = 0; i < 4; i++)
        cr_expect_float_eq(kept[i], 1, 0.002);
    config_free(c);
    config_free(profile);
    machine_free(m);
}
