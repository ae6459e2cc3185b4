/* Kernels side by side: waves, tails, blocks, bandwidth, MPS and MIG, against arithmetic on paper.
 */
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

TestSuite(gpu_device_space, .init = begin, .fini = end, .timeout = 20);

static uint32_t part(uint32_t sms, uint32_t milli, uint32_t engines, enum device_turns how)
{
    const struct device_partition_want want = {sms, milli, engines, 0};
    uint32_t n;
    struct err e = {0};
    cr_assert_eq(device_partition(w.d, &want, how, &n, &e), 0, "%s", e.msg);
    return n;
}

/* ---- occupancy ---- */

/* By hand from the rules of the vendor's cuda_occupancy.h for compute capability 7.0 (64 warps, 32
 * blocks, 64 K registers in units of 256 a warp over four schedulers, 96 KiB of shared memory). */
Test(gpu_device_space, occupancy_is_the_calculators)
{
    struct device_params p = gpu_params();
    p.smem_per_sm = 96 * 1024;
    static const struct {
        uint32_t block, registers, smem, blocks;
    } rows[] = {
        {256, 32, 0, 8},     /* warps: 64 / 8 */
        {1024, 32, 0, 2},    /* warps: 64 / 32 */
        {32, 16, 0, 32},     /* blocks */
        {256, 40, 0, 6},     /* 1280 a warp: 12 in each quarter, 48 warps */
        {64, 40, 0, 24},     /* the same 48 warps; whole registers would say 51 */
        {256, 255, 0, 1},    /* 8192 a warp: 2 in each quarter */
        {512, 255, 0, 0},    /* 16 warps, and room for 8 */
        {128, 32, 49152, 2}, /* shared memory */
        {128, 32, 49153, 1}, {128, 32, 98305, 0}, {33, 32, 0, 32}, /* two warps for 33 threads */
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct device_shape k = {1, rows[i].block, rows[i].registers, rows[i].smem};
        cr_expect_eq(device_occupancy(&p, &k), rows[i].blocks, "row %zu: %u", i,
                     device_occupancy(&p, &k));
    }
}

Test(gpu_device_space, one_block_more_than_a_wave_takes_two)
{
    const struct device_params p = gpu_params();
    struct device_work k = {0};
    /* 8 blocks an SM, 100 SMs */
    cr_assert(device_fit(&p, &(struct device_shape){800, 256, 32, 0}, &k));
    cr_expect(k.sms == 100 && k.waves == 1 && k.loads == 100);
    cr_assert(device_fit(&p, &(struct device_shape){801, 256, 32, 0}, &k));
    cr_expect(k.sms == 100 && k.waves == 2 && k.loads == 101);
    cr_assert(device_fit(&p, &(struct device_shape){9, 256, 32, 0}, &k));
    cr_expect(k.sms == 2 && k.waves == 1 && k.loads == 2);
    cr_expect(!device_fit(&p, &(struct device_shape){9, 512, 255, 0}, &k));
}

/* A wave of 10 us on all SMs; on half of them: 100 loads in 2 waves, 101 in 3, and freely 2. */
Test(gpu_device_space, fewer_sms_take_whole_waves)
{
    uint32_t half = part(50, 500, 1, DEVICE_TURNS);
    struct device_stream *s = gpu_stream(gpu_context(&w, half), 0);
    gpu_work(&w, s, 1, (struct device_work){.alone = 10 * SIM_MS, .waves = 1, .loads = 100});
    gpu_work(&w, s, 2, (struct device_work){.alone = 20 * SIM_MS, .waves = 2, .loads = 101});
    gpu_work(&w, s, 3, (struct device_work){.alone = 20 * SIM_MS});
    gpu_work(&w, s, 4, (struct device_work){.alone = 20 * SIM_MS, .sms = 50});
    sim_run(w.sim, SIM_NEVER);
    cr_expect_eq(gpu_ended(&w, 1), 20000);
    cr_expect_eq(gpu_ended(&w, 2), 50000);
    cr_expect_eq(gpu_ended(&w, 3), 90000);
    cr_expect_eq(gpu_ended(&w, 4), 110000);
}

/* ---- blocks come free ---- */

/* Ten waves of 80 us.  At 100 us a kernel of higher priority wants all SMs: an eighth (13) come
 * free every 10 us.  Both flow and wave forms are worked out step by step. */
Test(gpu_device_space, sms_come_free_block_by_block)
{
    struct device_context *c = gpu_context(&w, 0);
    struct device_stream *low = gpu_stream(c, 0), *high = gpu_stream(c, 1);
    struct device_running r;
    gpu_work(&w, low, 1, (struct device_work){.alone = 800 * SIM_MS, .waves = 10});
    sim_run(w.sim, 100000);
    gpu_kernel(&w, high, 2, 40);
    sim_run(w.sim, 105000);
    cr_expect_eq(device_free_sms(w.d, 0), 0);
    device_context_running(c, &r);
    cr_expect_eq(r.commands, 1);
    sim_run(w.sim, 110000); /* 13 of 100 */
    device_context_running(c, &r);
    cr_expect_eq(r.commands, 2);
    sim_run(w.sim, SIM_NEVER);
    /* high: flows at 0, .13, .26, .39, .52, .65, .78 of full speed for 10 us each (27.3 us of 40 by
     * 170 us), then .91 until 180 (36.4 us), then all: 3.6 us more. */
    cr_expect_eq(gpu_ended(&w, 2), 183600, "%d", (int)gpu_ended(&w, 2));
    cr_expect_gt(gpu_ended(&w, 1), 840000);
    struct device_use u;
    device_used(w.d, &u);
    cr_expect_eq(u.sm_time + u.sm_idle, sim_now(w.sim) * 1000 * 100);
}

/* The same with blocks that end together: the second wave ends at 160 us, the one of higher
 * priority has all SMs from there, and what it takes is what the other is late. */
Test(gpu_device_space, sms_come_free_wave_by_wave)
{
    struct device_params p = gpu_params();
    struct gpu_world v;
    p.together = true;
    gpu_world_begin(&v, &p, NULL);
    struct device_context *c = gpu_context(&v, 0);
    struct device_stream *low = gpu_stream(c, 0), *high = gpu_stream(c, 1);
    gpu_work(&v, low, 1, (struct device_work){.alone = 800 * SIM_MS, .waves = 10});
    sim_run(v.sim, 100000);
    gpu_kernel(&v, high, 2, 40);
    sim_run(v.sim, 159999);
    cr_expect_eq(device_began(high), 0);
    sim_run(v.sim, SIM_NEVER);
    cr_expect_eq(gpu_ended(&v, 2), 200000, "%d", (int)gpu_ended(&v, 2));
    cr_expect_eq(gpu_ended(&v, 1), 840000, "%d", (int)gpu_ended(&v, 1));
    gpu_world_end(&v);
}

/* 150 loads on 100 SMs: in the second wave half of the SMs are idle, and another's. */
Test(gpu_device_space, the_tail_of_one_is_the_beginning_of_another)
{
    struct device_context *c = gpu_context(&w, 0);
    struct device_stream *s = gpu_stream(c, 0), *t = gpu_stream(c, 0);
    gpu_work(&w, s, 1, (struct device_work){.alone = 200 * SIM_MS, .waves = 2, .loads = 150});
    gpu_kernel(&w, t, 2, 100);
    sim_run(w.sim, SIM_NEVER);
    cr_expect_eq(gpu_ended(&w, 1), 200000);
    cr_expect_eq(device_began(t), 100000);
    cr_expect_eq(gpu_ended(&w, 2), 250000); /* half speed for 100 us, then full for 50 */
}

/* ---- bandwidth ---- */

Test(gpu_device_space, a_roofline_has_two_sides)
{
    struct device_context *c = gpu_context(&w, 0);
    struct device_stream *s = gpu_stream(c, 0), *t = gpu_stream(c, 0);
    const struct device_work memory = {.alone = 100 * SIM_MS, .sms = 50, .bandwidth = 1000};
    const struct device_work compute = {.alone = 100 * SIM_MS, .sms = 50, .bandwidth = 100};
    gpu_work(&w, s, 1, memory);
    gpu_work(&w, t, 2, memory); /* halves */
    sim_run(w.sim, SIM_NEVER);
    cr_expect_eq(gpu_ended(&w, 1), 200000);
    cr_expect_eq(gpu_ended(&w, 2), 200000);
    gpu_work(&w, s, 3, compute); /* unaffected; the other has the other 900 of 1000 */
    gpu_work(&w, t, 4, memory);
    sim_run(w.sim, SIM_NEVER);
    cr_expect_eq(gpu_ended(&w, 3), 300000);
    cr_expect_eq(gpu_ended(&w, 4), 310000); /* 90 us of work by 300 us, then alone */
    struct device_use u;
    device_used(w.d, &u);
    cr_expect_eq(u.bytes, 3 * 100000000 + 10000000); /* 100 us at 1000 GB/s, at 100 GB/s */
}

/* Default reach: half of the SMs draw all bandwidth, a quarter half of it. */
Test(gpu_device_space, few_sms_reach_part_of_the_bandwidth)
{
    uint32_t n = part(0, 0, 0, DEVICE_TOGETHER);
    struct err e = {0};
    static const uint32_t milli[] = {1000, 500, 250, 100};
    static const sim_time want[] = {100, 100, 200, 500}; /* us */
    for (size_t i = 0; i < 4; i++) {
        struct device_context *c = device_context(
            w.d, &(struct device_context_want){.partition = n, .sms_milli = milli[i]}, &e);
        const sim_time t0 = sim_now(w.sim);
        gpu_work(&w, gpu_stream(c, 0), i,
                 (struct device_work){.alone = 100 * SIM_MS, .bandwidth = 1000, .compute = 50});
        sim_run(w.sim, SIM_NEVER);
        cr_expect_eq(gpu_ended(&w, i) - t0, want[i] * 1000);
    }
}

/* ---- MPS ---- */

Test(gpu_device_space, together_within_limits_and_by_priority)
{
    uint32_t n = part(0, 0, 0, DEVICE_TOGETHER);
    struct err e = {0};
    struct device_context *a =
        device_context(w.d, &(struct device_context_want){.partition = n, .sms_milli = 300}, &e);
    struct device_context *b =
        device_context(w.d, &(struct device_context_want){.partition = n, .prio = 1}, &e);
    struct device_stream *s = gpu_stream(a, 0), *s2 = gpu_stream(a, 0), *t = gpu_stream(b, 0);
    gpu_work(&w, s, 1, (struct device_work){.alone = 60 * SIM_MS, .sms = 20});
    gpu_work(&w, s2, 2, (struct device_work){.alone = 60 * SIM_MS, .sms = 20}); /* 10 of 20 */
    sim_run(w.sim, SIM_NEVER);
    cr_expect_eq(gpu_ended(&w, 1), 60000);
    cr_expect_eq(gpu_ended(&w, 2), 90000);
    gpu_kernel(&w, s, 3, 30);                                                  /* 30 of 100 */
    gpu_work(&w, t, 4, (struct device_work){.alone = 50 * SIM_MS, .sms = 80}); /* leaves it 20 */
    sim_run(w.sim, SIM_NEVER);
    cr_expect_eq(gpu_ended(&w, 4), 140000);
    cr_expect_eq(gpu_ended(&w, 3), 206667); /* 10 us of 30 by 140, then 20 / .3 */
    device_context_share(a, 500, 0);
    gpu_work(&w, s, 5, (struct device_work){.alone = 30 * SIM_MS, .sms_limit = 25});
    sim_run(w.sim, SIM_NEVER);
    cr_expect_eq(gpu_ended(&w, 5), 326667);
}

/* ---- MIG ---- */

struct neighbour {
    struct device_stream *s;
    struct device_work work;
    uint64_t left;
};

static void again(void *ctx, uint64_t unused)
{
    (void)unused;
    struct neighbour *n = ctx;
    const struct device_call call = {.done = again, .ctx = n};
    if (n->left-- > 1)
        device_submit(n->s, &n->work, &call);
}

static sim_time with_neighbour(bool there)
{
    struct err e = {0};
    uint32_t mine = part(28, 250, 1, DEVICE_TURNS), other = part(56, 500, 1, DEVICE_TOGETHER);
    struct device_stream *s = gpu_stream(gpu_context(&w, mine), 0);
    struct device_stream *t = gpu_stream(gpu_context(&w, mine), 0);
    struct device_context *c = gpu_context(&w, other);
    struct neighbour n = {gpu_stream(c, 0),
                          {.alone = 7 * SIM_MS, .bandwidth = 1000, .sms = 100, .waves = 3},
                          there ? 5000 : 0};
    cr_assert(device_alloc(c, 500000000) && !device_alloc(c, 1));
    again(&n, 0);
    uint32_t none;
    cr_assert(device_partition(w.d, &(struct device_partition_want){17, 100, 1, 0}, 0, &none, &e) <
              0);
    for (uint64_t i = 0; i < 20; i++) {
        gpu_work(&w, s, 1, (struct device_work){.alone = 333333333, .bandwidth = 900, .waves = 7});
        gpu_work(&w, t, 2, (struct device_work){.alone = 171717171, .sms = 30});
    }
    sim_run(w.sim, SIM_NEVER);
    sim_time sum = 0;
    for (size_t i = 0; i < w.n; i++)
        sum = sum * 31 + w.end[i].at;
    cr_expect_eq(w.n, 40);
    return sum;
}

Test(gpu_device_space, a_neighbour_in_another_partition_changes_nothing)
{
    const sim_time alone = with_neighbour(false);
    end();
    begin();
    cr_expect_eq(with_neighbour(true), alone);
}

/* The sizes that the vendor publishes for an A100 add up: 7 slices of compute, 8 of memory. */
Test(gpu_device_space, partitions_may_not_exceed_the_whole)
{
    struct err e = {0};
    uint32_t n;
    part(40, 500, 1, DEVICE_TURNS);
    cr_expect(device_partition(w.d, &(struct device_partition_want){61, 500, 1, 0}, 0, &n, &e) < 0);
    cr_expect_str_eq(e.msg, "GPU: a partition of 61 SMs: 40 of 100 are taken");
    cr_expect(device_partition(w.d, &(struct device_partition_want){60, 501, 1, 0}, 0, &n, &e) < 0);
    cr_expect(device_partition(w.d, &(struct device_partition_want){60, 500, 2, 0}, 0, &n, &e) < 0);
    cr_expect_eq(device_partition(w.d, &(struct device_partition_want){60, 500, 1, 0}, 0, &n, &e),
                 0);
    cr_expect_eq(n, 1);
}
