/* test_cpu_lock.c - locks between vCPUs: closed forms where nobody is preempted, what preemption
 * does to each kind, and nobody forgotten on random systems. */
#include <criterion/criterion.h>
#include <inttypes.h>

#include "models/cpu/lock.h"
#include "sim/rng.h"
#include "tests/models/cpu_world.h"

enum { MOST = 32 };

struct room {
    struct cpu_world w;
    struct lock lock;
    struct guest {
        struct room *r;
        struct lock_user u;
        sim_time outside, inside;
        uint64_t turns, left;
        bool counted;
    } g[MOST];
    uint32_t inside_now, n;
    uint64_t taken, order[MOST * 4];
};

static void again(void *ctx, uint64_t unused);

static void out(void *ctx, uint64_t unused)
{
    (void)unused;
    struct guest *g = ctx;
    cr_assert_eq(g->r->inside_now, 1, "two owners");
    g->r->inside_now--;
    lock_release(&g->u);
    g->turns++;
    if (g->left && !--g->left)
        return;
    cpu_task_run(g->u.task, g->outside + lock_owed(&g->u), again, g, 0);
}

static void in(void *ctx, uint64_t unused)
{
    (void)unused;
    struct guest *g = ctx;
    cr_assert_eq(g->r->inside_now, 0, "two owners");
    g->r->inside_now++;
    if (g->r->taken < MOST * 4)
        g->r->order[g->r->taken] = (uint64_t)(g - g->r->g);
    g->r->taken++;
    cpu_task_run(g->u.task, g->inside + lock_owed(&g->u), out, g, 0);
}

static void again(void *ctx, uint64_t unused)
{
    (void)unused;
    struct guest *g = ctx;
    lock_acquire(&g->r->lock, &g->u, in, g, 0);
}

static void enter(void *ctx, uint64_t unused)
{
    (void)unused;
    struct guest *g = ctx;
    cpu_task_run(g->u.task, g->outside, again, g, 0);
}

static void room_open(struct room *r, const struct lock_config *cfg, uint32_t cpus, uint32_t n,
                      const struct policy_ops *pick)
{
    struct cpus_config f = cpu_free_config(1, cpus, 1);
    *r = (struct room){.n = n};
    cpu_world_open(&r->w, &f, pick, NULL, 1, false);
    lock_init(&r->lock, r->w.sim, cfg);
    for (uint32_t i = 0; i < n; i++) {
        struct cpu_task_spec s = {.name = "v", .gang = POLICY_NONE, .home_node = POLICY_NONE};
        r->g[i] = (struct guest){.r = r, .outside = 3000, .inside = 1000};
        lock_user_init(&r->g[i].u, cpu_task_new(r->w.cpus, &s));
    }
}

static void room_start(struct room *r)
{
    for (uint32_t i = 0; i < r->n; i++)
        sim_after(r->w.sim, i * 100, 0, enter, &r->g[i], 0);
}

static void room_close(struct room *r)
{
    for (uint32_t i = 0; i < r->n; i++)
        lock_user_end(&r->g[i].u);
    cpu_world_close(&r->w);
}

static uint64_t turns(const struct room *r)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < r->n; i++)
        sum += r->g[i].turns;
    return sum;
}

/* One after another, when each has a CPU: as many as fit, or as the lock lets through. */
static uint64_t per_second(enum lock_kind kind, uint32_t n, sim_cost handover)
{
    struct room r;
    struct lock_config cfg = {.kind = kind, .handover = handover};
    room_open(&r, &cfg, n, n, NULL);
    room_start(&r);
    sim_run(r.w.sim, SIM_SEC);
    uint64_t sum = turns(&r);
    room_close(&r);
    return sum;
}

Test(cpu_lock, throughput_is_the_smaller_of_work_and_lock)
{
    static const enum lock_kind kinds[] = {LOCK_TICKET, LOCK_QUEUED, LOCK_RWSEM};
    for (int k = 0; k < 3; k++) {
        cr_expect(per_second(kinds[k], 1, 0) >= 249990); /* 1 / (outside + inside) */
        uint64_t full = per_second(kinds[k], 8, 0);      /* 1 / inside */
        cr_expect(full >= 999900 && full <= 1000000, "kind %d: %" PRIu64, k, full);
    }
    uint64_t moved = per_second(LOCK_QUEUED, 8, 250000); /* 1 / (inside + handover) */
    cr_expect(moved >= 799900 && moved <= 800001, "%" PRIu64, moved);
    cr_expect_eq(per_second(LOCK_QUEUED, 1, 250000), per_second(LOCK_QUEUED, 1, 0));
    /* A ticket's every spinner hears of every handover: with the taker and 5 more that is 6 times
     * as much, 1 / (1 + 1.5) us. */
    uint64_t ticket = per_second(LOCK_TICKET, 8, 250000);
    cr_expect(ticket >= 399900 && ticket <= 400001, "%" PRIu64, ticket);
}

Test(cpu_lock, spin_locks_are_first_come_first_served)
{
    struct room r;
    struct lock_config cfg = {.kind = LOCK_QUEUED};
    room_open(&r, &cfg, 8, 8, NULL);
    room_start(&r);
    sim_run(r.w.sim, SIM_MS / 10);
    for (uint64_t i = 0; i < 32; i++)
        cr_expect_eq(r.order[i], i % 8);
    room_close(&r);
}

static double overcommitted(enum lock_kind kind, bool hint, sim_time patience, sim_time ple,
                            double *spun)
{
    struct room r;
    struct cpus_totals t;
    struct lock_config cfg = {.kind = kind,
                              .hint = hint,
                              .handover = 300000,
                              .block = 2000000,
                              .wake = 2000000,
                              .handoff_after = 4 * SIM_MS,
                              .patience = patience,
                              .ple_window = ple};
    room_open(&r, &cfg, 4, 8, cpu_policy("cfs"));
    for (uint32_t i = 0; i < 8; i++)
        sim_after(r.w.sim, i * 3 * SIM_MS, 0, enter, &r.g[i], 0);
    sim_run(r.w.sim, SIM_SEC);
    cpus_totals(r.w.cpus, &t);
    *spun = (double)t.spin / (double)(t.wall * t.cpus);
    double sum = (double)turns(&r);
    room_close(&r);
    return sum;
}

Test(cpu_lock, preempted_waiters_stall_a_queue_and_the_hint_saves_it)
{
    double spun, with, without = overcommitted(LOCK_QUEUED, false, 0, 0, &spun);
    cr_expect_gt(spun, 0.95); /* every handover waits for somebody's next slice */
    cr_expect_lt(without, 40000, "%g", without); /* of some 770000 */
    with = overcommitted(LOCK_QUEUED, true, 0, 0, &spun);
    cr_expect_gt(with, 20 * without);
    double yields = overcommitted(LOCK_QUEUED, false, 0, 5 * SIM_US, &spun);
    cr_expect_gt(yields, 5 * without, "%g", yields);
}

Test(cpu_lock, the_hint_makes_optimistic_spinners_sleep)
{
    double spun, spun_hint, without = overcommitted(LOCK_RWSEM, false, 4 * SIM_MS, 0, &spun);
    double with = overcommitted(LOCK_RWSEM, true, 4 * SIM_MS, 0, &spun_hint);
    cr_expect_gt(with, without);
    cr_expect_lt(spun_hint, spun / 2);
}

/* One CPU, one owner of 50 ms at a time, one that waits: the share of time spent spinning. */
static double spun_beside_the_owner(const char *policy)
{
    struct room r;
    struct cpus_totals t;
    struct lock_config cfg = {.kind = LOCK_QUEUED, .ple_window = 10 * SIM_US};
    room_open(&r, &cfg, 1, 2, cpu_policy(policy));
    r.g[0].inside = r.g[1].inside = 50 * SIM_MS;
    room_start(&r);
    sim_run(r.w.sim, SIM_SEC);
    cpus_totals(r.w.cpus, &t);
    room_close(&r);
    return (double)t.spin / (double)t.wall;
}

/* Each time the spinner gets the CPU it gives it back after 10 us. CFS lets it as long as the owner
 * is not ahead by 1 ms, and looks only when the owner's slice of 3 ms is over: in a turn of 50 ms
 * the owner goes from so much behind to so much ahead, and the spinner burns the rest. */
Test(cpu_lock, a_spinner_yields_again_whenever_it_is_back)
{
    cr_expect_lt(spun_beside_the_owner("round_robin"), 0.01);
    double fair = spun_beside_the_owner("cfs");
    cr_expect_gt(fair, (50 - 2 * 4.0) / (100 - 2 * 4.0), "%g", fair);
    cr_expect_lt(fair, (50 - 2 * 1.0) / (100 - 2 * 1.0), "%g", fair);
}

static struct boost_vcpu on(struct cpu_world *w, uint32_t cpu)
{
    struct cpu_task_spec s = {
        .name = "v", .gang = POLICY_NONE, .home_node = POLICY_NONE, .first_cpu = cpu, .n_cpus = 1};
    struct boost_vcpu v = {.task = cpu_task_new(w->cpus, &s)};
    cpu_task_spin(v.task);
    return v;
}

Test(cpu_lock, a_spinner_gives_others_their_turn_one_by_one)
{
    struct cpu_world w;
    struct cpus_config f = cpu_free_config(1, 3, 1);
    cpu_world_open(&w, &f, cpu_policy("round_robin"), NULL, 1, false);
    struct boost_vcpu me = on(&w, 0), b = on(&w, 1), c = on(&w, 1), d = on(&w, 2), e = on(&w, 2);
    struct boost_vcpu *all[] = {&me, &b, &c, &d, &e};
    struct boost boost = {.vcpu = all, .n = 5};
    cr_assert(cpu_task_on_cpu(me.task) && cpu_task_waits(c.task) && cpu_task_waits(e.task));
    cr_expect(boost_spins(&boost, &me)); /* b runs; c waits for its CPU */
    cr_expect(cpu_task_on_cpu(c.task) && cpu_task_waits(b.task) && cpu_task_on_cpu(d.task));
    cr_expect(boost_spins(&boost, &me));
    cr_expect(cpu_task_on_cpu(e.task) && cpu_task_waits(d.task));
    b.gave_way = true; /* passed over, for once */
    cr_expect(boost_spins(&boost, &me));
    cr_expect(cpu_task_on_cpu(d.task) && cpu_task_waits(b.task));
    cr_expect(boost_spins(&boost, &me));
    cr_expect(cpu_task_on_cpu(e.task));
    cr_expect(boost_spins(&boost, &me));
    cr_expect(cpu_task_on_cpu(b.task));
    cr_expect(cpu_task_on_cpu(me.task), "nobody else wants its CPU");
    cpu_task_end(c.task);
    cpu_task_end(e.task);
    cr_expect_not(boost_spins(&boost, &me), "nobody waits");
    cpu_world_close(&w);
}

/* Handoff: with a spinner always at hand, who sleeps gets the lock all the same. */
Test(cpu_lock, sleepers_do_not_starve)
{
    struct room r;
    struct lock_config cfg = {.kind = LOCK_RWSEM,
                              .block = 2000000,
                              .wake = 2000000,
                              .handoff_after = 4 * SIM_MS,
                              .patience = SIM_MS};
    room_open(&r, &cfg, 4, 12, cpu_policy("cfs"));
    room_start(&r);
    sim_run(r.w.sim, SIM_SEC);
    for (uint32_t i = 0; i < r.n; i++)
        cr_expect_gt(r.g[i].turns, 0, "%u never had it", i);
    room_close(&r);
}

static void random_room(uint64_t seed)
{
    struct room r;
    struct rng g;
    rng_init(&g, seed, "test", "lock");
    uint32_t cpus = 1 + (uint32_t)rng_below(&g, 6), n = 1 + (uint32_t)rng_below(&g, 12);
    struct lock_config cfg = {.kind = (enum lock_kind)rng_below(&g, 4),
                              .hint = rng_below(&g, 2),
                              .handover = rng_below(&g, 1000000),
                              .block = rng_below(&g, 3000000),
                              .wake = rng_below(&g, 3000000),
                              .handoff_after = rng_below(&g, 2) * SIM_MS,
                              .patience = rng_below(&g, 2) * (1 + rng_below(&g, SIM_MS)),
                              .ple_window = rng_below(&g, 2) * (1000 + rng_below(&g, 50000))};
    static const char *const policies[] = {"cfs", "eevdf", "credit2", "round_robin"};
    struct boost_vcpu *vcpu[MOST];
    struct boost boost = {.vcpu = vcpu, .n = n};
    cfg.boost = rng_below(&g, 2) ? &boost : NULL;
    room_open(&r, &cfg, cpus, n, cpu_policy(policies[seed % 4]));
    struct cpu_task *task[MOST];
    for (uint32_t i = 0; i < n; i++) {
        r.g[i].left = 1 + rng_below(&g, 40);
        r.g[i].outside = rng_below(&g, 5000);
        r.g[i].inside = rng_below(&g, 5000);
        task[i] = r.g[i].u.task;
        vcpu[i] = &r.g[i].u.vcpu;
        sim_after(r.w.sim, rng_below(&g, SIM_MS), 0, enter, &r.g[i], 0);
    }
    sim_run(r.w.sim, 60 * SIM_SEC);
    for (uint32_t i = 0; i < n; i++)
        cr_assert_eq(r.g[i].left, 0, "seed %" PRIu64 ": %u waits for ever", seed, i);
    cr_assert(!r.lock.owner && !r.lock.spinners && !r.lock.sleepers, "seed %" PRIu64, seed);
    cpu_world_conserved(&r.w, task, n, seed);
    room_close(&r);
}

Test(cpu_lock, random_rooms_forget_nobody)
{
    for (uint64_t seed = 1; seed <= 200; seed++)
        random_room(seed);
}
