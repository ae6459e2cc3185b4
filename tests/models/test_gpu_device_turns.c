/* Contexts in time: slices, switches, fixed shares, preemption, against arithmetic on paper. */
#include <criterion/criterion.h>

#include "tests/models/gpu_world.h"

static struct gpu_world w;

static void begin(void)
{
    const struct device_params p = gpu_params();
    gpu_world_begin(&w, &p, NULL);
}

static void end(void)
{
    gpu_world_end(&w);
}

TestSuite(gpu_device_turns, .init = begin, .fini = end, .timeout = 20);

static struct device_context *context(struct gpu_world *g, const struct device_context_want *want)
{
    struct err e = {0};
    struct device_context *c = device_context(g->d, want, &e);
    cr_assert(c, "%s", e.msg);
    return c;
}

static void turns(struct gpu_world *g, enum device_turns how)
{
    uint32_t n;
    struct err e = {0};
    cr_assert_eq(device_partition(g->d, &(struct device_partition_want){0}, how, &n, &e), 0);
}

Test(gpu_device_turns, two_equal_tenants_take_twice_as_long_and_the_switches)
{
    struct device_stream *a = gpu_stream(gpu_context(&w, 0), 0);
    struct device_stream *b = gpu_stream(gpu_context(&w, 0), 0);
    gpu_kernel(&w, a, 1, 10000);
    gpu_kernel(&w, b, 2, 10000);
    sim_run(w.sim, SIM_NEVER);
    /* ten slices of 1 ms each; 19 switches of 0.1 ms between them */
    cr_expect_eq(gpu_ended(&w, 1), 20800000);
    cr_expect_eq(gpu_ended(&w, 2), 21900000);
    struct device_use u;
    device_used(w.d, &u);
    cr_expect_eq(u.switches, 19);
    cr_expect_eq(u.switching, (sim_cost)19 * 100 * SIM_MS);
    cr_expect_eq(u.busy, (sim_cost)20000 * SIM_MS);
    cr_expect_eq(u.sm_time + u.sm_idle, (sim_cost)21900 * SIM_MS * 100);
}

Test(gpu_device_turns, small_slices_are_processor_sharing)
{
    enum { N = 5 };
    struct device_params p = gpu_params();
    struct gpu_world g;
    p.timeslice = 1 * SIM_MS;
    p.context_switch = 0;
    gpu_world_begin(&g, &p, NULL);
    for (uint64_t i = 0; i < N; i++)
        gpu_kernel(&g, gpu_stream(gpu_context(&g, 0), 0), i, 1000 * (i + 1));
    sim_run(g.sim, SIM_NEVER);
    uint64_t at = 0; /* us: of works 1, 2, .. 5 ms, the k-th to end leaves N - k others */
    for (uint64_t i = 0; i < N; i++) {
        at += 1000 * (N - i);
        const uint64_t us = gpu_ended(&g, i) / 1000;
        cr_expect(us <= at && at - us <= N, "tenant %d ends at %d us, want %d", (int)i, (int)us,
                  (int)at);
    }
    cr_expect_eq(gpu_ended(&g, N - 1), 15000000); /* nothing is lost */
    gpu_world_end(&g);
}

Test(gpu_device_turns, who_is_idle_gives_the_slice_up_or_forfeits_it)
{
    for (int forfeit = 0; forfeit < 2; forfeit++) {
        struct device_params p = gpu_params();
        struct gpu_world g;
        gpu_world_begin(&g, &p, NULL);
        struct device_context *a = context(&g, &(struct device_context_want){.forfeit = forfeit});
        struct device_stream *s = gpu_stream(a, 0), *t = gpu_stream(gpu_context(&g, 0), 0);
        gpu_kernel(&g, s, 1, 300);
        gpu_kernel(&g, t, 2, 500);
        sim_run(g.sim, SIM_NEVER);
        cr_expect_eq(gpu_ended(&g, 2), forfeit ? 1600000 : 900000);
        struct device_use u;
        device_used(g.d, &u);
        cr_expect_eq(u.idle_in_slice, (sim_cost)(forfeit ? 700 : 0) * SIM_MS);
        gpu_world_end(&g);
    }
}

Test(gpu_device_turns, a_newcomer_waits_for_the_end_of_the_current_slice)
{
    struct device_stream *a = gpu_stream(gpu_context(&w, 0), 0);
    struct device_stream *b = gpu_stream(gpu_context(&w, 0), 0);
    gpu_kernel(&w, a, 1, 10000);
    sim_run(w.sim, 3300000);
    gpu_kernel(&w, b, 2, 10);
    sim_run(w.sim, SIM_NEVER);
    cr_expect_eq(gpu_ended(&w, 2), 4110000);  /* the fourth slice, a switch, 10 us */
    cr_expect_eq(gpu_ended(&w, 1), 10210000); /* two switches and 10 us late */
}

Test(gpu_device_turns, a_slice_of_its_own_length)
{
    struct device_context *a = context(&w, &(struct device_context_want){.timeslice = 2 * SIM_MS});
    struct device_stream *s = gpu_stream(a, 0), *t = gpu_stream(gpu_context(&w, 0), 0);
    gpu_kernel(&w, s, 1, 4000);
    gpu_kernel(&w, t, 2, 2000);
    sim_run(w.sim, SIM_NEVER);
    cr_expect_eq(gpu_ended(&w, 1), 5200000); /* 2, .1, 1, .1, 2 */
    cr_expect_eq(gpu_ended(&w, 2), 6300000);
}

Test(gpu_device_turns, a_fixed_share_is_not_given_away)
{
    turns(&w, DEVICE_TURNS_FIX);
    struct device_stream *a = gpu_stream(gpu_context(&w, 0), 0);
    struct device_stream *b = gpu_stream(gpu_context(&w, 0), 0);
    gpu_context(&w, 0); /* has nothing to do, and its slot */
    gpu_kernel(&w, a, 1, 2500);
    sim_run(w.sim, SIM_NEVER);
    cr_expect_eq(gpu_ended(&w, 1), 7100000); /* slots at 0, 3.3 and 6.6 ms */
    sim_run(w.sim, 10000000);                /* the clock goes on: b's slots at 1.1, .., 11, 14.3 */
    gpu_kernel(&w, b, 2, 1200);
    sim_run(w.sim, SIM_NEVER);
    cr_expect_eq(gpu_ended(&w, 2), 14500000);
}

static void note(void *ctx, uint64_t arg)
{
    struct gpu_world *g = ctx;
    struct device_call c = gpu_logs(g, arg);
    c.done(c.ctx, arg);
}

Test(gpu_device_turns, a_preempted_context_goes_on_where_it_was)
{
    struct device_context *be = gpu_context(&w, 0), *hp = gpu_context(&w, 0);
    struct device_stream *s = gpu_stream(be, 0), *t = gpu_stream(hp, 0);
    gpu_kernel(&w, s, 1, 900);
    gpu_kernel(&w, s, 2, 100);
    sim_run(w.sim, 200000);
    device_preempt(be, &(struct device_call){.done = note, .ctx = &w, .arg = 77});
    gpu_kernel(&w, t, 3, 30);
    sim_run(w.sim, 500000);
    cr_expect_eq(gpu_ended(&w, 77), 250000);
    cr_expect_eq(gpu_ended(&w, 3), 280000); /* no switch on top */
    device_resume(be);
    sim_run(w.sim, SIM_NEVER);
    cr_expect_eq(gpu_ended(&w, 1), 1300000); /* a switch back, and the 700 us left */
    cr_expect_eq(gpu_ended(&w, 2), 1400000);
    struct device_use u;
    device_context_used(be, &u);
    cr_expect_eq(u.preempted, 1);
    cr_expect_eq(u.kernels, 2);
    cr_expect_eq(u.busy, 0); /* a device's */
}

Test(gpu_device_turns, a_held_context_ends_what_it_has_begun)
{
    struct device_context *be = gpu_context(&w, 0);
    struct device_stream *s = gpu_stream(be, 0), *t = gpu_stream(be, 0);
    gpu_kernel(&w, s, 1, 100);
    gpu_kernel(&w, s, 2, 100);
    gpu_kernel(&w, t, 3, 100); /* behind 1, for it has all SMs: not begun */
    sim_run(w.sim, 10000);
    device_hold(be, &(struct device_call){.done = note, .ctx = &w, .arg = 77});
    sim_run(w.sim, 1000000);
    cr_expect_eq(gpu_ended(&w, 1), 100000);
    cr_expect_eq(gpu_ended(&w, 77), 100000);
    cr_expect_eq(w.n, 2);
    device_resume(be);
    sim_run(w.sim, SIM_NEVER);
    cr_expect_eq(gpu_ended(&w, 2), 1100000);
    cr_expect_eq(gpu_ended(&w, 3), 1200000);
}

Test(gpu_device_turns, preemption_of_one_of_several_together_blocks_its_own_sms)
{
    turns(&w, DEVICE_TOGETHER);
    struct device_context *be = gpu_context(&w, 0), *other = gpu_context(&w, 0);
    struct device_stream *s = gpu_stream(be, 0), *t = gpu_stream(other, 0);
    const struct device_work big = {.alone = 1000 * SIM_MS, .sms = 60};
    const struct device_work small = {.alone = 1000 * SIM_MS, .sms = 40};
    gpu_work(&w, s, 1, big);
    gpu_work(&w, t, 2, small);
    sim_run(w.sim, 100000);
    device_preempt(be, NULL);
    gpu_work(&w, gpu_stream(other, 0), 3, big); /* gets the 60 when they are saved */
    sim_run(w.sim, 2000000);
    cr_expect_eq(gpu_ended(&w, 2), 1000000);
    cr_expect_eq(gpu_ended(&w, 3), 1150000);
    device_resume(be);
    sim_run(w.sim, SIM_NEVER);
    cr_expect_eq(gpu_ended(&w, 1), 2900000);
}

/* 101 loads: the second wave has one SM.  Stopped in it, the kernel goes on with as many SMs as it
 * can fill. */
Test(gpu_device_turns, a_kernel_stopped_in_its_tail_gets_sms_again)
{
    struct device_context *be = gpu_context(&w, 0);
    struct device_stream *s = gpu_stream(be, 0), *t = gpu_stream(be, 0);
    struct device_running r;
    gpu_work(&w, s, 1, (struct device_work){.alone = 200 * SIM_MS, .waves = 2, .loads = 101});
    gpu_kernel(&w, t, 2, 1000);
    sim_run(w.sim, 150000);
    device_context_running(be, &r);
    cr_expect(r.commands == 2 && r.sms == 100);
    device_preempt(be, NULL);
    sim_run(w.sim, 300000);
    device_context_running(be, &r);
    cr_expect(r.commands == 0 && r.sms == 0);
    device_resume(be);
    sim_run(w.sim, 310000);
    device_context_running(be, &r);
    cr_expect_eq(r.commands, 1);
    cr_expect_eq(r.sms, 100);
    sim_run(w.sim, SIM_NEVER);
    cr_expect_eq(gpu_ended(&w, 1), 350000);  /* 50 us were left */
    cr_expect_eq(gpu_ended(&w, 2), 1300500); /* 49.5 us done on 99 SMs; then alone */
}
