/* test_cpu_cpus.c - pCPUs and tasks with the default scheduler: times to the nanosecond. */
#include <criterion/criterion.h>
#include <inttypes.h>

#include "tests/models/cpu_world.h"

static const struct cpu_task_spec plain = {
    .name = "t", .gang = POLICY_NONE, .home_node = POLICY_NONE};

static struct cpu_task_times times_of(const struct busy *b)
{
    struct cpu_task_times t;
    cpu_task_times(b->task, &t);
    return t;
}

Test(cpu_cpus, a_task_alone_runs_its_work_and_one_event_each)
{
    struct cpu_world w;
    struct cpus_config f = cpu_free_config(1, 1, 1);
    struct busy b = {.stretch = 1000, .times = 50};
    cpu_world_open(&w, &f, NULL, NULL, 1, false);
    busy_start(&b, &w, &plain);
    sim_run(w.sim, SIM_NEVER);
    cr_expect_eq(b.last, 50000);
    cr_expect_eq(sim_fired(w.sim), 50);
    sim_run(w.sim, 70000);
    struct cpu_task_times t = times_of(&b);
    cr_expect_eq(t.ran, 50000);
    cr_expect_eq(t.waited, 0);
    cr_expect_eq(t.slept, 20000);
    cr_expect_eq(t.wakeups, 1);
    cr_expect_eq(cpu_task_cpu(b.task), 0);
    cpu_world_conserved(&w, &b.task, 1, 1);
    cpu_world_close(&w);
}

/* Three tasks of 10 ms on one CPU in slices of 4 ms: A B C A B C and the rests of 2 ms. */
Test(cpu_cpus, round_robin_by_hand)
{
    struct cpu_world w;
    struct cpus_config f = cpu_free_config(1, 1, 1);
    struct busy b[3] = {{.stretch = 10 * SIM_MS, .times = 1},
                        {.stretch = 10 * SIM_MS, .times = 1},
                        {.stretch = 10 * SIM_MS, .times = 1}};
    cpu_world_open(&w, &f, NULL, NULL, 1, false);
    for (int i = 0; i < 3; i++)
        busy_start(&b[i], &w, &plain);
    sim_run(w.sim, SIM_NEVER);
    cr_expect_eq(b[0].last, 26 * SIM_MS);
    cr_expect_eq(b[1].last, 28 * SIM_MS);
    cr_expect_eq(b[2].last, 30 * SIM_MS);
    cr_expect_eq(times_of(&b[0]).preemptions, 2);
    struct cpus_totals all;
    cpus_totals(w.cpus, &all);
    cr_expect_eq(all.switches, 8); /* between nine stretches */
    cr_expect_eq(all.idle, 0);
    cpu_world_close(&w);
}

Test(cpu_cpus, costs_are_overhead_and_waiting)
{
    struct cpu_world w;
    struct cpus_config f = cpu_free_config(1, 1, 1);
    f.context_switch = 1500; /* ps: two make three ns */
    f.wake_cross = 2000000;
    struct busy a = {.stretch = 6 * SIM_MS, .times = 1}, b = a;
    cpu_world_open(&w, &f, NULL, NULL, 1, false);
    busy_start(&a, &w, &plain);
    busy_start(&b, &w, &plain);
    sim_run(w.sim, SIM_NEVER);
    /* wake 2000, A 4 ms, switch, B 4 ms, switch, A 2 ms, switch, B 2 ms */
    cr_expect_eq(a.last, 2000 + 10 * SIM_MS + 3);
    cr_expect_eq(b.last, 2000 + 12 * SIM_MS + 4);
    struct cpus_totals all;
    cpus_totals(w.cpus, &all);
    cr_expect_eq(all.overhead, 2004);
    cr_expect_eq(times_of(&a).ran, 6 * SIM_MS);
    cpu_world_conserved(&w, (struct cpu_task *[]){a.task, b.task}, 2, 1);
    cpu_world_close(&w);
}

Test(cpu_cpus, siblings_slow_each_other_and_memory_far_away_does)
{
    struct cpu_world w;
    struct cpus_config f = cpu_free_config(2, 1, 2);
    f.smt_speed = 0.625;
    f.remote_slowdown = 1.5;
    struct cpu_task_spec left = plain, right = plain, far = plain;
    left.n_cpus = right.n_cpus = far.n_cpus = 1;
    right.first_cpu = 1;
    far.first_cpu = 2;
    far.home_node = 0;
    far.memory_bound = 0.5; /* 1.25 times as long */
    struct busy a = {.stretch = 1000000, .times = 1}, b = {.stretch = 250000, .times = 1}, c = a;
    cpu_world_open(&w, &f, NULL, NULL, 1, false);
    busy_start(&a, &w, &left);
    busy_start(&b, &w, &right);
    busy_start(&c, &w, &far);
    sim_run(w.sim, SIM_NEVER);
    cr_expect_eq(b.last, 400000);          /* 250 / 0.625 */
    cr_expect_eq(a.last, 400000 + 750000); /* it did 250 of 1000 in the meantime */
    /* 0.8 is not a multiple of 2^-16 */
    cr_expect(c.last >= 1249990 && c.last <= 1250010, "%" PRIu64, c.last);
    cr_expect_eq(cpus_node(w.cpus, 2), 1);
    cpu_world_close(&w);
}

/* A and B take turns on one CPU; what they do not both fit in is refilled. */
static sim_time cold_time(double fa, double fb)
{
    struct cpu_world w;
    struct cpus_config f = cpu_free_config(1, 1, 1);
    f.migrate_core = 64000000; /* 64 us */
    struct cpu_task_spec sa = plain, sb = plain;
    sa.footprint = fa;
    sb.footprint = fb;
    struct busy a = {.stretch = 40 * SIM_MS, .times = 1}, b = a;
    cpu_world_open(&w, &f, NULL, NULL, 1, false);
    busy_start(&a, &w, &sa);
    busy_start(&b, &w, &sb);
    sim_run(w.sim, SIM_NEVER);
    struct cpu_task_times t = times_of(&a);
    cr_expect_eq(t.preemptions, 9);
    cpu_world_conserved(&w, (struct cpu_task *[]){a.task, b.task}, 2, 1);
    cpu_world_close(&w);
    return t.cold;
}

Test(cpu_cpus, caches_lose_what_does_not_fit)
{
    cr_expect_eq(cold_time(0.5, 0.5), 0);
    cr_expect_eq(cold_time(0, 1), 0);
    cr_expect_eq(cold_time(1, 1), 9 * 64000); /* all, every time it comes back */
    cr_expect_eq(cold_time(1, 0.25), 9 * 16000);
}

Test(cpu_cpus, moving_costs_more_the_farther)
{
    struct cpu_world w;
    struct cpus_config f = cpu_free_config(2, 2, 1);
    f.migrate_core = 50000000;
    f.migrate_node = 250000000;
    struct cpu_task_spec s = plain;
    s.footprint = 0.5;
    struct busy a = {.stretch = SIM_MS, .times = 1}, hog = {.stretch = SIM_SEC, .times = 1};
    struct busy hog2 = hog;
    cpu_world_open(&w, &f, NULL, NULL, 1, false);
    busy_start(&a, &w, &s); /* CPU 0 */
    sim_run(w.sim, SIM_MS);
    struct cpu_task_spec there = plain;
    there.n_cpus = 1;
    busy_start(&hog, &w, &there); /* takes CPU 0 */
    busy_start(&a, &w, NULL);     /* so A wakes on CPU 1 */
    sim_run(w.sim, 3 * SIM_MS);
    cr_expect_eq(cpu_task_cpu(a.task), 1);
    cr_expect_eq(times_of(&a).cold, 25000);
    there.first_cpu = 1;
    busy_start(&hog2, &w, &there);
    busy_start(&a, &w, NULL); /* CPU 2, the other socket */
    sim_run(w.sim, 5 * SIM_MS);
    cr_expect_eq(cpu_task_cpu(a.task), 2);
    cr_expect_eq(times_of(&a).cold, 25000 + 125000);
    cr_expect_eq(times_of(&a).migrations, 2);
    cr_expect_eq(times_of(&a).remote_migrations, 1);
    cpu_world_close(&w);
}

Test(cpu_cpus, a_budget_is_enforced_and_comes_back)
{
    struct cpu_world w;
    struct cpus_config f = cpu_free_config(1, 1, 1);
    struct cpu_task_spec s = plain;
    s.budget_ns = 3 * SIM_MS;
    s.period_ns = 10 * SIM_MS;
    struct busy b = {.stretch = 7 * SIM_MS, .times = 1};
    cpu_world_open(&w, &f, NULL, NULL, 1, false);
    busy_start(&b, &w, &s);
    sim_run(w.sim, SIM_NEVER);
    cr_expect_eq(b.last, 21 * SIM_MS); /* 3 at 0, 3 at 10, 1 at 20 */
    cr_expect_eq(times_of(&b).throttled, 14 * SIM_MS);
    cpu_world_conserved(&w, &b.task, 1, 1);
    cpu_world_close(&w);
}

static char seen[64];
static size_t n_seen;

static void note(void *ctx, uint64_t on)
{
    (void)ctx;
    if (n_seen < sizeof seen - 1)
        seen[n_seen++] = on ? '+' : '-';
}

Test(cpu_cpus, a_spin_burns_until_it_gets_work_and_is_watched)
{
    struct cpu_world w;
    struct cpus_config f = cpu_free_config(1, 1, 1);
    struct busy b = {.stretch = 1000, .times = 1, .w = &w};
    cpu_world_open(&w, &f, NULL, NULL, 1, false);
    b.task = cpu_task_new(w.cpus, &plain);
    cpu_task_watch(b.task, note, NULL);
    cpu_task_spin(b.task);
    sim_run(w.sim, 5000);
    cr_expect(cpu_task_on_cpu(b.task));
    busy_start(&b, &w, NULL);
    sim_run(w.sim, 10000);
    cr_expect_eq(b.last, 6000);
    cr_expect(!cpu_task_on_cpu(b.task));
    cpu_task_spin(b.task);
    cpu_task_stop(b.task);
    cr_expect_str_eq(seen, "+-+-");
    struct cpu_task_times t = times_of(&b);
    cr_expect_eq(t.spun, 5000);
    cr_expect_eq(t.ran, 6000);
    cpu_task_end(b.task);
    sim_run(w.sim, 20000);
    cr_expect_eq(times_of(&b).age, 10000);
    cpu_world_conserved(&w, &b.task, 1, 1);
    cpu_world_close(&w);
}

/* Eight hogs that all began on one CPU of eight spread out as soon as a CPU may take them. */
Test(cpu_cpus, queues_even_out)
{
    struct cpu_world w;
    struct cpus_config f = cpu_free_config(1, 4, 1);
    struct busy b[8];
    struct cpu_task *task[8];
    cpu_world_open(&w, &f, NULL, NULL, 1, false);
    for (int i = 0; i < 8; i++) {
        b[i] = (struct busy){.stretch = 10 * SIM_MS};
        busy_start(&b[i], &w, &plain);
        task[i] = b[i].task;
    }
    sim_run(w.sim, SIM_SEC);
    for (int i = 0; i < 8; i++) {
        sim_time ran = busy_ran(&b[i]);
        cr_expect(ran >= 496 * SIM_MS && ran <= 504 * SIM_MS, "task %d ran %" PRIu64, i, ran);
    }
    for (int i = 0; i < 4; i++) /* four leave: the others get a CPU each */
        cpu_task_end(b[i].task);
    sim_run(w.sim, 2 * SIM_SEC);
    for (int i = 4; i < 8; i++)
        cr_expect_geq(busy_ran(&b[i]), 1488 * SIM_MS);
    cpu_world_conserved(&w, task, 8, 1);
    cpu_world_close(&w);
}

static void end_it(void *ctx, uint64_t on)
{
    struct cpu_task **t = ctx;
    if (!on)
        cpu_task_end(*t);
}

static void wake_it(void *ctx, uint64_t unused)
{
    (void)unused;
    cpu_task_run(*(struct cpu_task **)ctx, SIM_MS, NULL, NULL, 0);
}

static void stop_it(void *ctx, uint64_t on)
{
    struct cpu_task **t = ctx;
    if (on)
        return;
    cpu_task_stop(*t);
    cpu_task_watch(*t, NULL, NULL);
}

/* Who watches a task hears that it lost its CPU for want of budget, and ends or stops it there:
 * its budget must not bring it back. */
Test(cpu_cpus, a_task_may_be_ended_as_it_is_throttled)
{
    static sim_fn *const watch[] = {end_it, stop_it};
    for (int k = 0; k < 2; k++) {
        struct cpu_world w;
        struct cpus_config cfg = cpu_free_config(1, 1, 1);
        const struct cpu_task_spec spec = {.name = "short of budget",
                                           .gang = POLICY_NONE,
                                           .home_node = POLICY_NONE,
                                           .budget_ns = 2 * SIM_MS,
                                           .period_ns = 10 * SIM_MS};
        cpu_world_open(&w, &cfg, NULL, NULL, 1, false);
        struct cpu_task *t = cpu_task_new(w.cpus, &spec);
        cpu_task_watch(t, watch[k], &t);
        cpu_task_spin(t);
        if (watch[k] == stop_it) /* by then its period is over and it may run again */
            sim_at(w.sim, 15 * SIM_MS, 0, wake_it, &t, 0);
        sim_run(w.sim, 40 * SIM_MS);
        struct cpu_task_times times;
        cpu_task_times(t, &times);
        cr_expect_eq(times.ran, (k ? 3u : 2u) * SIM_MS);
        cr_expect_eq(times.throttled, 0);
        cr_expect(!cpu_task_on_cpu(t));
        cpu_world_conserved(&w, &t, 1, 1);
        cpu_world_close(&w);
    }
}
