/* test_cpu_realtime.c - deadlines and fixed priorities against the theory of Liu and Layland. */
#include <criterion/criterion.h>

#include "sim/rng.h"
#include "tests/models/cpu_world.h"

static const struct cpu_task_spec plain = {
    .name = "t", .gang = POLICY_NONE, .home_node = POLICY_NONE};

struct periodic {
    struct cpu_world *w;
    struct cpu_task *task;
    sim_time cost, period;
    uint64_t released, finished, missed;
};

static void job_done(void *ctx, uint64_t number)
{
    struct periodic *p = ctx;
    p->finished++;
    p->missed += sim_now(p->w->sim) > (number + 1) * p->period;
    if (p->finished < p->released)
        cpu_task_run(p->task, p->cost, job_done, p, p->finished);
}

static void release(void *ctx, uint64_t number)
{
    struct periodic *p = ctx;
    sim_after(p->w->sim, p->period, 2, release, p, number + 1);
    if (p->released++ == p->finished)
        cpu_task_run(p->task, p->cost, job_done, p, number);
}

static uint64_t misses(struct periodic *p, size_t n, bool edf)
{
    struct cpu_world w;
    struct cpus_config f = cpu_free_config(1, 1, 1);
    uint64_t missed = 0;
    cpu_world_open(&w, &f, cpu_policy("realtime"), NULL, 1, false);
    for (size_t i = 0; i < n; i++) {
        struct cpu_task_spec s = plain;
        s.budget_ns = edf ? p[i].cost : 0;
        s.period_ns = edf ? p[i].period : 0;
        s.prio = (int32_t)(1000000000 / p[i].period); /* by rate */
        p[i].w = &w;
        p[i].task = cpu_task_new(w.cpus, &s);
        release(&p[i], 0);
    }
    sim_run(w.sim, 2 * SIM_SEC);
    for (size_t i = 0; i < n; i++) {
        missed += p[i].missed + (p[i].released - p[i].finished > 1);
        cr_assert_gt(p[i].finished, 0);
    }
    cpu_world_close(&w);
    return missed;
}

/* UUniFast: n utilisations that sum to u. */
static void any_set(struct rng *g, struct periodic *p, size_t n, double u)
{
    for (size_t i = 0; i < n; i++) {
        double rest = u, k = (double)(n - i - 1), x = rng_unit(g);
        for (double root = k; root > 1; root--) /* the largest of k uniforms */
            x = rng_unit(g) > x ? rng_unit(g) : x;
        rest *= k > 0 ? x : 0;
        sim_time period = SIM_MS + rng_below(g, 50 * SIM_MS);
        sim_time cost = (sim_time)((u - rest) * (double)period);
        p[i] = (struct periodic){.period = period, .cost = cost ? cost : 1};
        u = rest;
    }
}

Test(cpu_realtime, edf_meets_every_deadline_up_to_a_full_cpu)
{
    struct rng g;
    rng_init(&g, 3, "test", "edf");
    for (int round = 0; round < 60; round++) {
        struct periodic p[8];
        size_t n = 1 + rng_below(&g, 8);
        any_set(&g, p, n, 0.9999);
        cr_expect_eq(misses(p, n, true), 0, "round %d", round);
    }
}

/* n (2^(1/n) - 1) */
static const double liu_layland[] = {0, 1, 0.82842, 0.77976, 0.75682, 0.74349};

Test(cpu_realtime, rate_monotonic_meets_deadlines_below_the_bound_of_liu_and_layland)
{
    struct rng g;
    rng_init(&g, 4, "test", "rm");
    for (int round = 0; round < 60; round++) {
        struct periodic p[5];
        size_t n = 1 + rng_below(&g, 5);
        any_set(&g, p, n, liu_layland[n] - 0.0001);
        cr_expect_eq(misses(p, n, false), 0, "round %d", round);
    }
}

Test(cpu_realtime, a_full_cpu_that_edf_schedules_and_rate_monotonic_does_not)
{
    struct periodic set[2] = {{.cost = SIM_MS, .period = 2 * SIM_MS},
                              {.cost = 2500 * SIM_US, .period = 5 * SIM_MS}};
    struct periodic edf[2] = {set[0], set[1]};
    cr_expect_eq(misses(edf, 2, true), 0);
    cr_expect_gt(misses(set, 2, false), 0);
}
