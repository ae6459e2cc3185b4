/* test_cpu_sched.c - the schedulers in policies/ against what is known of them. */
#include <criterion/criterion.h>
#include <inttypes.h>

#include "sim/rng.h"
#include "tests/models/cpu_world.h"

static const struct cpu_task_spec plain = {
    .name = "t", .gang = POLICY_NONE, .home_node = POLICY_NONE};

enum { MOST = 12 };

struct crowd { /* busy tasks for ever, with these weights */
    struct cpu_world w;
    struct busy b[MOST];
    uint32_t weight[MOST];
    size_t n;
};

static void crowd_open(struct crowd *c, const char *policy, uint32_t cpus)
{
    struct cpus_config f = cpu_free_config(1, cpus, 1);
    cpu_world_open(&c->w, &f, cpu_policy(policy), NULL, 1, false);
    for (size_t i = 0; i < c->n; i++) {
        struct cpu_task_spec s = plain;
        s.weight = c->weight[i] ? c->weight[i] : 1024;
        c->weight[i] = s.weight;
        c->b[i] = (struct busy){.stretch = SIM_SEC};
        busy_start(&c->b[i], &c->w, &s);
    }
}

/* How far anyone ever is from its share, up to `until`. */
static double worst_lag(struct crowd *c, sim_time until)
{
    double worst = 0, all = 0;
    for (size_t i = 0; i < c->n; i++)
        all += c->weight[i];
    for (sim_time t = 0; t < until; t += 137 * SIM_US) {
        sim_run(c->w.sim, t);
        for (size_t i = 0; i < c->n; i++) {
            double lag = (double)t * c->weight[i] / all - (double)busy_ran(&c->b[i]);
            worst = lag > worst ? lag : -lag > worst ? -lag : worst;
        }
    }
    return worst;
}

/* ---- equal weights, equal CPU within a slice ------------------------------------------------ */

static double worst_of_equals(const char *policy, size_t n)
{
    struct crowd c = {.n = n};
    crowd_open(&c, policy, 1);
    double worst = worst_lag(&c, SIM_SEC);
    cpu_world_close(&c.w);
    return worst;
}

Test(cpu_sched, equals_get_equal_shares_within_a_slice)
{
    static const struct {
        const char *policy;
        double slice;
    } of[] = {{"round_robin", 4e6}, {"cfs", 6e6}, {"eevdf", 0.7e6}, {"credit2", 10e6}};
    for (size_t i = 0; i < sizeof of / sizeof *of; i++)
        for (size_t n = 1; n <= 7; n++)
            cr_expect_leq(worst_of_equals(of[i].policy, n), of[i].slice, "%s with %zu",
                          of[i].policy, n);
}

/* ---- weights ------------------------------------------------------------------------------- */

static void expect_shares(const char *policy, const uint32_t *weight, size_t n)
{
    struct crowd c = {.n = n};
    double all = 0;
    for (size_t i = 0; i < n; i++)
        all += c.weight[i] = weight[i];
    crowd_open(&c, policy, 1);
    sim_run(c.w.sim, 20 * SIM_SEC);
    for (size_t i = 0; i < n; i++) {
        double want = 20e9 * weight[i] / all, got = (double)busy_ran(&c.b[i]);
        cr_expect(got > 0.99 * want && got < 1.01 * want, "%s: task %zu of weight %u got %g of %g",
                  policy, i, weight[i], got, want);
    }
    cpu_world_close(&c.w);
}

/* 20 s in slices of 4 ms among four: 1,250 each, give or take five standard deviations of 31. */
Test(cpu_sched, chance_gives_everyone_as_much_as_the_next)
{
    struct crowd c = {.n = 4, .weight = {2048, 1024, 512, 100}};
    crowd_open(&c, "pick_random", 1);
    sim_run(c.w.sim, 20 * SIM_SEC);
    for (size_t i = 0; i < c.n; i++)
        cr_expect_float_eq((double)busy_ran(&c.b[i]), 5e9, 5 * 31 * 4e6, "task %zu", i);
    cpu_world_close(&c.w);
}

Test(cpu_sched, shares_go_by_weight)
{
    static const char *const fair[] = {"cfs", "eevdf", "credit2"};
    for (size_t i = 0; i < 3; i++) {
        expect_shares(fair[i], (uint32_t[]){2048, 1024}, 2);
        expect_shares(fair[i], (uint32_t[]){512, 1024, 3072, 700}, 4);
    }
}

/* Stoica and Abdel-Wahab, theorem 1: a lag is within one request. */
Test(cpu_sched, eevdf_keeps_every_lag_within_a_slice)
{
    struct rng g;
    rng_init(&g, 7, "test", "lag");
    for (int round = 0; round < 40; round++) {
        struct crowd c = {.n = 2 + rng_below(&g, MOST - 2)};
        for (size_t i = 0; i < c.n; i++)
            c.weight[i] = 100 + (uint32_t)rng_below(&g, 4000);
        crowd_open(&c, "eevdf", 1);
        cr_expect_leq(worst_lag(&c, SIM_SEC), 0.7e6 + 1, "round %d", round);
        cpu_world_close(&c.w);
    }
}

/* Nobody who can run waits longer than everyone else's longest turn. */
Test(cpu_sched, nobody_starves)
{
    static const struct {
        const char *policy;
        double turn;
    } of[] = {{"round_robin", 4e6}, {"cfs", 6e6}, {"eevdf", 0.7e6}, {"credit2", 10e6}};
    for (size_t k = 0; k < sizeof of / sizeof *of; k++) {
        struct crowd c = {.n = MOST};
        sim_time before[MOST] = {0}, window = (sim_time)(of[k].turn * 2 * MOST);
        crowd_open(&c, of[k].policy, 1);
        for (sim_time t = window; t < 3 * SIM_SEC; t += window) {
            sim_run(c.w.sim, t);
            for (size_t i = 0; i < MOST; i++) {
                cr_expect_gt(busy_ran(&c.b[i]), before[i], "%s, task %zu", of[k].policy, i);
                before[i] = busy_ran(&c.b[i]);
            }
        }
        cpu_world_close(&c.w);
    }
}

/* ---- sleepers: who wakes now and then is served before the hogs -------------------------------
 */

struct sleeper {
    struct cpu_world *w;
    struct cpu_task *task;
    sim_time woke, worst, sum;
    uint64_t n;
};

static void slept_in(void *ctx, uint64_t unused);

static void nap_over(void *ctx, uint64_t unused)
{
    (void)unused;
    struct sleeper *s = ctx;
    s->woke = sim_now(s->w->sim);
    cpu_task_run(s->task, 100 * SIM_US, slept_in, s, 0);
}

static void slept_in(void *ctx, uint64_t unused)
{
    (void)unused;
    struct sleeper *s = ctx;
    sim_time late = sim_now(s->w->sim) - s->woke - 100 * SIM_US;
    s->worst = late > s->worst ? late : s->worst;
    s->sum += late;
    s->n++;
    sim_after(s->w->sim, 20 * SIM_MS + s->n % 7 * 937 * SIM_US, 0, nap_over, s, 0);
}

static double wake_delay(const char *policy)
{
    struct crowd c = {.n = 4};
    crowd_open(&c, policy, 1);
    struct sleeper s = {.w = &c.w, .task = cpu_task_new(c.w.cpus, &plain)};
    sim_after(c.w.sim, 5 * SIM_MS, 0, nap_over, &s, 0);
    sim_run(c.w.sim, 5 * SIM_SEC);
    cpu_world_close(&c.w);
    return (double)s.sum / (double)s.n;
}

Test(cpu_sched, a_sleeper_is_served_soon_by_fair_schedulers_and_late_in_turn)
{
    double rr = wake_delay("round_robin"), cfs = wake_delay("cfs"), eevdf = wake_delay("eevdf");
    cr_expect_gt(rr, 12e6);     /* three to four turns of 4 ms */
    cr_expect_lt(cfs, 1e6);     /* half a period ahead: it preempts */
    cr_expect_lt(eevdf, 1.4e6); /* the rest of one slice, and maybe another */
}

/* ---- round robin with short slices is processor sharing ---------------------------------------
 */

enum { CUSTOMERS = 30000 };

struct shop;
struct customer {
    struct shop *s;
    struct cpu_task *task;
    sim_time arrived, size;
    struct customer *next_idle;
};

struct shop {
    struct cpu_world w;
    struct rng gaps, sizes;
    struct customer all[300], *idle;
    double sojourn, slow[2];
    uint64_t n[2];
};

static void goes(void *ctx, uint64_t unused)
{
    (void)unused;
    struct customer *c = ctx;
    struct shop *s = c->s;
    double t = (double)(sim_now(s->w.sim) - c->arrived), x = (double)c->size;
    int large = x > 1e6;
    s->sojourn += t;
    s->slow[large] += t / x;
    s->n[large]++;
    c->next_idle = s->idle;
    s->idle = c;
}

static void comes(void *ctx, uint64_t k)
{
    struct shop *s = ctx;
    if (k < CUSTOMERS)
        sim_after(s->w.sim, (sim_time)rng_exponential(&s->gaps, 1e6 / 0.7), 0, comes, s, k + 1);
    struct customer *c = s->idle;
    cr_assert(c);
    s->idle = c->next_idle;
    c->arrived = sim_now(s->w.sim);
    c->size = 50000 + (sim_time)rng_exponential(&s->sizes, 0.95e6);
    cpu_task_run(c->task, c->size, goes, c, 0);
}

Test(cpu_sched, short_turns_are_processor_sharing)
{
    static struct shop s;
    struct cpus_config f = cpu_free_config(1, 1, 1);
    cpu_policy_param("slice_ms", 0.02);
    cpu_world_open(&s.w, &f, cpu_policy("round_robin"), NULL, 1, false);
    rng_init(&s.gaps, 5, "test", "gaps");
    rng_init(&s.sizes, 5, "test", "sizes");
    for (size_t i = 0; i < sizeof s.all / sizeof *s.all; i++) {
        s.all[i] = (struct customer){.s = &s, .next_idle = s.idle};
        s.all[i].task = cpu_task_new(s.w.cpus, &plain);
        s.idle = &s.all[i];
    }
    comes(&s, 0);
    sim_run(s.w.sim, SIM_NEVER);
    /* mean 1/(1-rho), and slowdown 1/(1-rho) whatever the size (Kleinrock 1967) */
    double mean = s.sojourn / (double)(s.n[0] + s.n[1]) / 1e6;
    cr_expect(mean > 3.333 * 0.94 && mean < 3.333 * 1.06, "mean %g", mean);
    for (int large = 0; large < 2; large++) {
        double slow = s.slow[large] / (double)s.n[large];
        cr_expect(slow > 3.333 * 0.94 && slow < 3.333 * 1.06, "slowdown %d: %g", large, slow);
    }
    cpu_world_close(&s.w);
}

/* ---- gangs ------------------------------------------------------------------------------------
 */

struct band {
    struct sim *sim;
    uint32_t on[2];
    sim_time since, mixed;
};
struct player {
    struct band *band;
    uint32_t gang;
};

static void plays(void *ctx, uint64_t on)
{
    struct player *p = ctx;
    struct band *b = p->band;
    if (b->on[0] && b->on[1])
        b->mixed += sim_now(b->sim) - b->since;
    b->since = sim_now(b->sim);
    b->on[p->gang] += on ? 1 : UINT32_MAX;
}

static double mixed_share(const char *policy)
{
    struct cpu_world w;
    struct cpus_config f = cpu_free_config(1, 4, 1);
    struct band band = {0};
    struct player player[8];
    struct busy b[8];
    cpu_world_open(&w, &f, cpu_policy(policy), NULL, 1, false);
    band.sim = w.sim;
    for (uint32_t i = 0; i < 8; i++) {
        struct cpu_task_spec s = plain;
        s.gang = i * 3 % 8 / 4;
        player[i] = (struct player){.band = &band, .gang = s.gang};
        s.n_cpus = 1;
        s.first_cpu = i * 3 % 4; /* one of each gang on each CPU */
        b[i] = (struct busy){.stretch = SIM_SEC, .task = cpu_task_new(w.cpus, &s)};
        cpu_task_watch(b[i].task, plays, &player[i]);
        busy_start(&b[i], &w, NULL);
    }
    sim_run(w.sim, SIM_SEC);
    cpu_world_close(&w);
    return (double)band.mixed / 1e9;
}

Test(cpu_sched, gangs_run_together)
{
    cr_expect_lt(mixed_share("gang"), 0.01);
    cr_expect_gt(mixed_share("eevdf"), 0.3);
}

/* ---- balancing --------------------------------------------------------------------------------
 */

static struct policy_balance_obs offer(void)
{
    return (struct policy_balance_obs){.task = {.weight = 1024, .cpu = 0},
                                       .dst_idle = POLICY_NEWLY_IDLE,
                                       .src_len = 2,
                                       .src_load = 2048,
                                       .since_ran_ns = 100000,
                                       .home_node = POLICY_NONE};
}

Test(cpu_sched, linux_balancing_keeps_warm_tasks_and_those_near_their_memory)
{
    const struct policy_ops *even = cpu_policy("balance_even"), *ops = cpu_policy("balance_linux");
    struct cpu_world w;
    struct cpus_config f = cpu_free_config(1, 1, 1);
    cpu_world_open(&w, &f, even, ops, 1, false);
    struct policy_slot *p = &w.balance;
    struct policy_balance_obs o = offer();
    cr_expect_eq(policy_slot_balance(p, &o), POLICY_LEAVE); /* warm */
    cr_expect_eq(policy_slot_balance(&w.pick, &o), POLICY_MIGRATE);
    o.failed = 2;
    cr_expect_eq(policy_slot_balance(p, &o), POLICY_MIGRATE); /* patience is over */
    o = offer();
    o.since_ran_ns = 600000;
    cr_expect_eq(policy_slot_balance(p, &o), POLICY_MIGRATE); /* cold */
    o.src.node = 1;
    o.home_node = 1;
    cr_expect_eq(policy_slot_balance(p, &o), POLICY_LEAVE); /* its memory is here */
    o.home_node = 0;
    o.since_ran_ns = 100000;
    cr_expect_eq(policy_slot_balance(p, &o), POLICY_MIGRATE); /* its memory is there */
    o = offer();
    o.dst_idle = POLICY_BUSY;
    o.dst_load = 1024;
    o.since_ran_ns = 600000;
    cr_expect_eq(policy_slot_balance(p, &o), POLICY_LEAVE); /* it would only swap roles */
    cpu_world_close(&w);
}
