/* test_cpu_oracle.c - the oracles at cpu.pick and cpu.balance: shortest remaining burst first is
 * the queue that Schrage and Miller wrote down; a task moves where what is left says so. */
#include <criterion/criterion.h>
#include <math.h>

#include "sim/rng.h"
#include "tests/models/cpu_world.h"

/* ---- cpu.pick --------------------------------------------------------------------------- */

enum { CUSTOMERS = 40000 };
#define LOAD 0.7

struct shop;
struct customer {
    struct shop *s;
    struct cpu_task *task;
    sim_time arrived;
    struct customer *next_idle;
};

struct shop {
    struct cpu_world w;
    struct rng gaps, sizes;
    struct customer all[400], *idle;
    double sojourn;
    uint64_t n;
};

static void goes(void *ctx, uint64_t unused)
{
    (void)unused;
    struct customer *c = ctx;
    c->s->sojourn += (double)(sim_now(c->s->w.sim) - c->arrived);
    c->s->n++;
    c->next_idle = c->s->idle;
    c->s->idle = c;
}

static void comes(void *ctx, uint64_t k)
{
    struct shop *s = ctx;
    if (k + 1 < CUSTOMERS)
        sim_after(s->w.sim, (sim_time)rng_exponential(&s->gaps, 1e6 / LOAD), 0, comes, s, k + 1);
    struct customer *c = s->idle;
    cr_assert(c);
    s->idle = c->next_idle;
    c->arrived = sim_now(s->w.sim);
    cpu_task_run(c->task, 1 + (sim_time)rng_exponential(&s->sizes, 1e6), goes, c, 0);
}

static double mean_sojourn_ms(const char *policy)
{
    static struct shop s;
    const struct cpu_task_spec plain = {.gang = POLICY_NONE, .home_node = POLICY_NONE};
    struct cpus_config f = cpu_free_config(1, 1, 1);
    s = (struct shop){0};
    cpu_world_open(&s.w, &f, cpu_policy(policy), NULL, 1, false);
    rng_init(&s.gaps, 6, "test", "gaps");
    rng_init(&s.sizes, 6, "test", "sizes");
    for (size_t i = 0; i < sizeof s.all / sizeof *s.all; i++) {
        s.all[i] = (struct customer){.s = &s, .next_idle = s.idle};
        s.all[i].task = cpu_task_new(s.w.cpus, &plain);
        s.idle = &s.all[i];
    }
    comes(&s, 0);
    sim_run(s.w.sim, SIM_NEVER);
    cr_expect_eq(s.n, CUSTOMERS);
    cpu_world_close(&s.w);
    return s.sojourn / (double)s.n / 1e6;
}

/* Exponential sizes of mean 1: Schrage and Miller, Operations Research 14 (1966). */
static double load_below(double x)
{
    return LOAD * (1 - exp(-x) * (1 + x));
}
static double srpt_mean(void)
{
    enum { STEPS = 20000 };
    const double h = 40.0 / STEPS;
    double mean = 0, residence = 0;
    for (int i = 0; i < STEPS; i++) {
        const double x = (i + 0.5) * h, free = 1 - load_below(x);
        /* up to x: E[min(S, x)^2] = 2 (1 - e^-x (1 + x)) */
        const double wait = LOAD * (1 - exp(-x) * (1 + x)) / (free * free);
        mean += h * exp(-x) * (wait + residence + h / 2 / free);
        residence += h / free;
    }
    return mean;
}

Test(cpu_oracle, who_blocks_soonest_first_is_shortest_remaining_time)
{
    cpu_policy_param("switch_us", 0);
    const double want = srpt_mean(), got = mean_sojourn_ms("pick_oracle");
    cr_expect(fabs(got / want - 1) < 0.04, "mean %g ms, want %g", got, want);
}

/* ---- cpu.balance -------------------------------------------------------------------------- */

Test(cpu_oracle, a_task_moves_to_where_its_burst_is_done_sooner)
{
    struct cpu_world w;
    struct cpus_config f = cpu_free_config(1, 1, 1);
    cpu_world_open(&w, &f, NULL, cpu_policy("balance_oracle"), 1, false);
    struct policy_balance_obs o = {.oracle_src_ns = 500, .oracle_dst_ns = 499};
    cr_expect_eq(policy_slot_balance(&w.balance, &o), POLICY_MIGRATE);
    o.oracle_dst_ns = 500;
    cr_expect_eq(policy_slot_balance(&w.balance, &o), POLICY_LEAVE);
    cpu_world_close(&w);
}

/* What the oracle is told of two CPUs: one has a task that runs and one that waits. */
static uint64_t told[3];
static int notes(void *self, const struct policy_balance_obs *o)
{
    (void)self;
    told[0] = o->task.oracle_left_ns;
    told[1] = o->oracle_src_ns;
    told[2] = o->oracle_dst_ns;
    return POLICY_LEAVE;
}
static int create(void **self, const struct policy_host *h)
{
    *self = (void *)(uintptr_t)h;
    return 0;
}
static void destroy(void *self)
{
    (void)self;
}
static void nothing(void *ctx, uint64_t arg)
{
    (void)ctx, (void)arg;
}

/* CPU 0 runs 10 ms of weight 512, and 7 ms wait behind it; CPU 1, on the other node, runs 20.
 * Beside these 7 the first would run 3.5; on the other node they would take 14, and the 20 as much.
 */
Test(cpu_oracle, when_a_burst_would_be_done_is_told)
{
    const struct policy_ops ops = {
        .name = "notes", .oracle = 1, .create = create, .destroy = destroy, .cpu_balance = notes};
    static const uint32_t ms[] = {10, 20, 7};
    struct cpu_world w;
    struct cpus_config f = cpu_free_config(2, 1, 1);
    f.remote_slowdown = 2;
    f.balance_period = 2 * SIM_MS;
    cpu_world_open(&w, &f, NULL, &ops, 1, false);
    for (uint32_t i = 0; i < 3; i++) {
        struct cpu_task_spec s = {.gang = POLICY_NONE,
                                  .home_node = 0,
                                  .memory_bound = i == 2,
                                  .first_cpu = i == 1,
                                  .n_cpus = i < 2,
                                  .weight = i == 0 ? 512 : 1024};
        cpu_task_run(cpu_task_new(w.cpus, &s), ms[i] * SIM_MS, nothing, NULL, 0);
    }
    sim_run(w.sim, 3 * SIM_MS);
    cr_expect_eq(told[0], 7 * SIM_MS);
    cr_expect_eq(told[1], 7 * SIM_MS + 3500000, "%lu", (unsigned long)told[1]);
    cr_expect_eq(told[2], (14 + 14) * SIM_MS, "%lu", (unsigned long)told[2]);
    cpu_world_close(&w);
}
