/* One context: streams, gaps, waits, SMs, copies, against arithmetic on paper. */
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

TestSuite(gpu_device, .init = begin, .fini = end, .timeout = 20);

Test(gpu_device, a_stream_runs_in_order_and_loses_no_picosecond)
{
    struct device_stream *s = gpu_stream(gpu_context(&w, 0), 0);
    for (uint64_t i = 0; i < 1000; i++) /* 1.5004 us each */
        gpu_work(&w, s, i, (struct device_work){.alone = 1500400});
    sim_run(w.sim, SIM_NEVER);
    for (uint64_t i = 0; i < 1000; i++)
        cr_assert_eq(gpu_ended(&w, i), ((i + 1) * 1500400 + 999) / 1000);
    cr_expect_eq(device_ended(s), 1000);
    struct device_use u;
    device_used(w.d, &u);
    cr_expect_eq(u.kernels, 1000);
    cr_expect_eq(u.busy, 1500400000);
    cr_expect_eq(u.sm_time, UINT64_C(150040000000));
    cr_expect_eq(u.sm_idle, 0);
}

Test(gpu_device, a_gap_parts_dependent_kernels_and_nothing_else)
{
    struct device_params p = gpu_params();
    struct gpu_world g;
    p.gap = 1200600; /* 1.2006 us */
    p.graph_gap = 600 * 1000;
    gpu_world_begin(&g, &p, NULL);
    struct device_context *c = gpu_context(&g, 0);
    struct device_stream *s = gpu_stream(c, 0), *t = gpu_stream(c, 0);
    gpu_kernel(&g, s, 1, 10);
    gpu_kernel(&g, s, 2, 10);
    gpu_work(&g, s, 3, (struct device_work){.alone = 10 * SIM_MS, .graph = true});
    sim_run(g.sim, SIM_NEVER);
    cr_expect_eq(gpu_ended(&g, 1), 10000);
    cr_expect_eq(gpu_ended(&g, 2), 21201); /* 10 + 1.2006 + 10, to the next ns */
    cr_expect_eq(gpu_ended(&g, 3), 31801); /* 21.2006 + 0.6 + 10 */
    sim_run(g.sim, 50000);
    gpu_kernel(&g, t, 4, 1); /* another stream, and late: no gap */
    device_wait(s, t, 1);
    gpu_kernel(&g, s, 5, 1); /* depends on it: a gap */
    sim_run(g.sim, SIM_NEVER);
    cr_expect_eq(gpu_ended(&g, 4), 51000);
    cr_expect_eq(gpu_ended(&g, 5), 53201);
    cr_expect_eq(device_began(s), 52201);
    gpu_world_end(&g);
}

Test(gpu_device, a_stream_waits_for_another_only_from_the_wait_on)
{
    struct device_context *c = gpu_context(&w, 0);
    struct device_stream *s = gpu_stream(c, 0), *t = gpu_stream(c, 0);
    const struct device_work half = {.alone = 100 * SIM_MS, .sms = 50};
    gpu_work(&w, s, 1, half);
    gpu_work(&w, s, 2, half);
    gpu_work(&w, t, 11, half); /* beside 1 */
    device_wait(t, s, 2);
    gpu_work(&w, t, 12, half); /* after 2 */
    device_wait(t, s, 1);      /* long ended by then */
    gpu_work(&w, t, 13, half);
    sim_run(w.sim, SIM_NEVER);
    cr_expect_eq(gpu_ended(&w, 1), 100000);
    cr_expect_eq(gpu_ended(&w, 11), 100000);
    cr_expect_eq(gpu_ended(&w, 2), 200000);
    cr_expect_eq(gpu_ended(&w, 12), 300000);
    cr_expect_eq(gpu_ended(&w, 13), 400000);
}

Test(gpu_device, what_is_left_over_goes_to_the_next)
{
    struct device_context *c = gpu_context(&w, 0);
    struct device_stream *s = gpu_stream(c, 0), *t = gpu_stream(c, 0);
    gpu_work(&w, s, 1, (struct device_work){.alone = 100 * SIM_MS, .sms = 60});
    gpu_work(&w, t, 2, (struct device_work){.alone = 100 * SIM_MS, .sms = 80});
    /* 2 has 40 of 80 until 1 ends: half done at 100; then all 80: 50 more */
    sim_run(w.sim, SIM_NEVER);
    cr_expect_eq(gpu_ended(&w, 1), 100000);
    cr_expect_eq(gpu_ended(&w, 2), 150000);
    struct device_use u;
    device_used(w.d, &u);
    cr_expect_eq(u.sm_time, (sim_cost)(100 * 60 + 100 * 40 + 50 * 80) * SIM_MS);
    cr_expect_eq(u.sm_idle + u.sm_time, (sim_cost)150 * 100 * SIM_MS);
}

Test(gpu_device, a_stream_of_higher_priority_goes_first)
{
    struct device_context *c = gpu_context(&w, 0);
    struct device_stream *low = gpu_stream(c, 0), *high = gpu_stream(c, 1);
    gpu_kernel(&w, low, 1, 100);
    sim_run(w.sim, 20000);
    gpu_kernel(&w, high, 2, 30); /* flowing work gives way at once */
    sim_run(w.sim, SIM_NEVER);
    cr_expect_eq(gpu_ended(&w, 2), 50000);
    cr_expect_eq(gpu_ended(&w, 1), 130000);
}

Test(gpu_device, copies_take_latency_and_bandwidth_and_share_a_direction)
{
    struct device_params p = gpu_params();
    struct gpu_world g;
    p.copy_latency = 2 * SIM_MS;
    gpu_world_begin(&g, &p, NULL);
    struct device_context *c = gpu_context(&g, 0);
    struct device_stream *s = gpu_stream(c, 0), *t = gpu_stream(c, 0);
    gpu_copy(&g, s, 1, DEVICE_H2D, 1000000); /* 100 us at 10 GB/s */
    sim_run(g.sim, SIM_NEVER);
    cr_expect_eq(gpu_ended(&g, 1), 102000);
    sim_run(g.sim, 200000);
    gpu_copy(&g, s, 2, DEVICE_H2D, 1000000);
    gpu_copy(&g, t, 3, DEVICE_H2D, 500000); /* even shares: 3 has its 0.5 MB after 100 us */
    sim_run(g.sim, SIM_NEVER);
    cr_expect_eq(gpu_ended(&g, 3), 302000);
    cr_expect_eq(gpu_ended(&g, 2), 352000);
    sim_run(g.sim, 400000);
    gpu_copy(&g, s, 4, DEVICE_H2D, 750000); /* both ways: 7.5 GB/s each */
    gpu_copy(&g, t, 5, DEVICE_D2H, 750000);
    sim_run(g.sim, SIM_NEVER);
    cr_expect_eq(gpu_ended(&g, 4), 502000);
    cr_expect_eq(gpu_ended(&g, 5), 502000);
    struct device_use u;
    device_used(g.d, &u);
    cr_expect_eq(u.h2d, 3250000);
    cr_expect_eq(u.d2h, 750000);
    cr_expect_eq(u.copies, 5);
    gpu_world_end(&g);
}

Test(gpu_device, pageable_memory_is_slower_and_leaves_the_rest_to_others)
{
    struct device_context *c = gpu_context(&w, 0);
    struct device_stream *s = gpu_stream(c, 0), *t = gpu_stream(c, 0), *u = gpu_stream(c, 0);
    gpu_work(&w, s, 1, (struct device_work){.kind = DEVICE_H2D, .bytes = 400000, .pageable = true});
    gpu_copy(&w, t, 2, DEVICE_H2D, 600000);
    gpu_copy(&w, u, 3, DEVICE_P2P, 5000000); /* a third copy: two engines, so it waits */
    sim_run(w.sim, SIM_NEVER);
    cr_expect_eq(gpu_ended(&w, 1), 100000); /* 4 GB/s */
    cr_expect_eq(gpu_ended(&w, 2), 100000); /* 6 GB/s */
    cr_expect_eq(gpu_ended(&w, 3), 200000); /* 50 GB/s */
}

Test(gpu_device, memory_runs_out_and_comes_back)
{
    struct device_context *c = gpu_context(&w, 0), *d = gpu_context(&w, 0);
    cr_expect(device_alloc(c, 600000000));
    cr_expect(!device_alloc(d, 400000001));
    cr_expect(device_alloc(d, 400000000));
    cr_expect(!device_alloc(c, 1));
    device_release(d, 1);
    cr_expect(device_alloc(c, 1));
}
