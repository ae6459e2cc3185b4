/* test_cpu_random.c - random machines with random tasks, in which nothing may get lost, whoever
 * schedules.  A failure names the seed. */
#include <criterion/criterion.h>
#include <inttypes.h>

#include "sim/rng.h"
#include "tests/models/cpu_world.h"

enum { TASKS = 24 };

struct chaos {
    struct cpu_world w;
    struct rng g;
    struct cpu_task *task[TASKS];
    struct cpu_task_spec spec[TASKS];
    bool working[TASKS], ended[TASKS];
    bool quiet; /* nothing new happens */
    size_t n;
};

static void finished(void *ctx, uint64_t i);

static void give_work(struct chaos *c, size_t i)
{
    sim_time ns = rng_below(&c->g, 8) ? rng_below(&c->g, 3 * SIM_MS) : rng_below(&c->g, 3);
    c->working[i] = true;
    cpu_task_run(c->task[i], ns, finished, c, i);
}

/* Something happens to somebody: it may be the one whose work just ended. */
static void act(struct chaos *c, size_t i)
{
    if (c->quiet || c->ended[i])
        return;
    if (!rng_below(&c->g, 20))
        cpu_task_yield(c->task[i]);
    if (c->working[i]) {
        if (!rng_below(&c->g, 4)) /* something else first, instead of what is left */
            cpu_task_instead(c->task[i], rng_below(&c->g, SIM_MS), finished, c, i);
        return;
    }
    switch (rng_below(&c->g, 8)) {
    case 0:
        cpu_task_spin(c->task[i]);
        break;
    case 1:
        cpu_task_stop(c->task[i]);
        break;
    case 2:
        if (!rng_below(&c->g, 40)) {
            c->ended[i] = true;
            cpu_task_end(c->task[i]);
            break;
        } /* fall through */
    default:
        give_work(c, i);
    }
}

static void finished(void *ctx, uint64_t i)
{
    struct chaos *c = ctx;
    c->working[i] = false;
    for (uint64_t k = rng_below(&c->g, 3); k; k--)
        act(c, rng_below(&c->g, c->n));
    if (rng_below(&c->g, 3))
        act(c, i);
}

static void watched(void *ctx, uint64_t on)
{
    struct chaos *c = ctx;
    if (!on && !rng_below(&c->g, 10))
        act(c, rng_below(&c->g, c->n));
}

static void poke(void *ctx, uint64_t unused)
{
    (void)unused;
    struct chaos *c = ctx;
    act(c, rng_below(&c->g, c->n));
    if (sim_now(c->w.sim) < 150 * SIM_MS)
        sim_after(c->w.sim, 1 + rng_below(&c->g, SIM_MS), 0, poke, c, 0);
}

static struct cpu_task_spec any_spec(struct rng *g, uint32_t cpus, uint32_t nodes)
{
    struct cpu_task_spec s = {.name = "any", .gang = POLICY_NONE, .home_node = POLICY_NONE};
    s.weight = 1 + (uint32_t)rng_below(g, 4096);
    s.prio = (int32_t)rng_below(g, 3);
    s.footprint = rng_unit(g);
    s.memory_bound = rng_unit(g);
    if (rng_below(g, 2))
        s.home_node = (uint32_t)rng_below(g, nodes);
    if (!rng_below(g, 3)) {
        s.first_cpu = (uint32_t)rng_below(g, cpus);
        s.n_cpus = 1 + (uint32_t)rng_below(g, cpus - s.first_cpu);
    }
    if (!rng_below(g, 3)) {
        s.period_ns = 1 + rng_below(g, 20 * SIM_MS);
        s.budget_ns = 1 + rng_below(g, s.period_ns);
    }
    if (!rng_below(g, 3))
        s.gang = (uint32_t)rng_below(g, 3);
    return s;
}

static struct cpus_config any_config(struct rng *g)
{
    struct cpus_config f =
        cpu_free_config(1 + (uint32_t)rng_below(g, 2), 1 + (uint32_t)rng_below(g, 3),
                        1 + (uint32_t)rng_below(g, 3));
    f.limit = (uint32_t)rng_below(g, 9);
    f.context_switch = rng_below(g, 2000001);
    f.wake_same = rng_below(g, 1000001);
    f.wake_cross = rng_below(g, 3000001);
    f.migrate_core = rng_below(g, 60000001);
    f.migrate_node = rng_below(g, 300000001);
    f.remote_slowdown = 1 + rng_unit(g);
    f.smt_speed = 0.5 + rng_unit(g) / 2;
    f.balance_period = 1 + rng_below(g, 5 * SIM_MS);
    return f;
}

/* Constant bandwidth: never more than U * age + budget. */
static void within_budget(const struct chaos *c, size_t i, uint64_t seed)
{
    const struct cpu_task_spec *s = &c->spec[i];
    struct cpu_task_times t;
    cpu_task_times(c->task[i], &t);
    if (s->budget_ns)
        cr_assert((double)t.ran <= (double)s->budget_ns *
                                       ((double)t.age / (double)s->period_ns + 1) * (1 + 1e-12),
                  "seed %" PRIu64 ", task %zu", seed, i);
}

static void random_system(uint64_t seed, const struct policy_ops *pick,
                          const struct policy_ops *balance)
{
    struct chaos c = {.n = 0};
    rng_init(&c.g, seed, "test", "cpus");
    struct cpus_config f = any_config(&c.g);
    cpu_world_open(&c.w, &f, pick, balance, seed, seed & 1);
    c.n = 1 + rng_below(&c.g, TASKS);
    for (size_t i = 0; i < c.n; i++) {
        c.spec[i] =
            any_spec(&c.g, cpus_count(c.w.cpus), cpus_node(c.w.cpus, cpus_count(c.w.cpus) - 1) + 1);
        c.task[i] = cpu_task_new(c.w.cpus, &c.spec[i]);
        cpu_task_watch(c.task[i], watched, &c);
    }
    poke(&c, 0);
    for (sim_time t = 0; t < 200 * SIM_MS; t += 1 + rng_below(&c.g, 20 * SIM_MS)) {
        sim_run(c.w.sim, t);
        cpu_world_conserved(&c.w, c.task, c.n, seed);
    }
    for (size_t i = 0; i < c.n; i++)
        within_budget(&c, i, seed);
    /* Nobody is lost: without spins, who has work finishes it. */
    c.quiet = true;
    for (size_t i = 0; i < c.n; i++)
        if (!c.working[i])
            cpu_task_stop(c.task[i]);
    sim_run(c.w.sim, 20 * SIM_SEC);
    cpu_world_conserved(&c.w, c.task, c.n, seed);
    for (size_t i = 0; i < c.n; i++)
        if (!c.ended[i] && (double)c.spec[i].budget_ns >= 0.01 * (double)c.spec[i].period_ns)
            cr_assert(!c.working[i], "seed %" PRIu64 ": task %zu never finished", seed, i);
    cr_assert(!sim_failed(c.w.sim));
    cpu_world_close(&c.w);
}

Test(cpu_random, default_scheduler)
{
    for (uint64_t seed = 1; seed <= 240; seed++)
        random_system(seed, NULL, NULL);
}

static void many(const char *pick, const char *balance, uint64_t from)
{
    for (uint64_t seed = from; seed < from + 40; seed++)
        random_system(seed, cpu_policy(pick), cpu_policy(balance));
}

Test(cpu_random, round_robin)
{
    many("round_robin", "balance_even", 1000);
}

Test(cpu_random, cfs)
{
    many("cfs", "balance_linux", 2000);
}

Test(cpu_random, eevdf)
{
    many("eevdf", "balance_linux", 3000);
}

Test(cpu_random, credit2)
{
    many("credit2", "balance_even", 4000);
}

Test(cpu_random, gang)
{
    many("gang", "balance_even", 5000);
}
