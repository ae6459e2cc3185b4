/* test_blk_io.c - replicas and steering: where reads go, what it costs, and that none is lost. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "sim/buf.h"
#include "tests/models/blk_bench.h"
#include "tests/sanitized.h"

#define ROWS_MOST 4000

static struct trace_io rows[ROWS_MOST];

/* Rows of one kind of device each, 25 % reads. */
static size_t make_rows(uint64_t seed, size_t n, uint32_t devices, double gap_ns)
{
    struct rng r;
    double at = 0;
    rng_init(&r, seed, "test", "rows");
    for (size_t i = 0; i < n; i++) {
        at += rng_exponential(&r, gap_ns);
        rows[i] = (struct trace_io){.time_ns = (uint64_t)at,
                                    .device = (uint32_t)rng_below(&r, devices),
                                    .write = rng_below(&r, 4) != 0,
                                    .offset = rng_below(&r, 1 << 20) * 4096,
                                    .bytes = 4096 * (1 + rng_below(&r, 64))};
    }
    return n;
}

/* ---- policies on the bench: the tap is pulled as the harness would ---- */

static struct infer_tap tap;
static uint64_t flops(void *ctx, int model)
{
    (void)ctx, (void)model;
    return 16896;
}
static const struct model_infer infer = {.flops = flops, .tap = &tap};

static struct seen_by_policy {
    uint64_t asked, done, tried_twice;
    uint64_t last_pages;
} seen;

/* Turns away from every device it is asked about. */
static uint32_t turn_away(void *self, const struct policy_steer_obs *o)
{
    (void)self;
    seen.asked++;
    seen.tried_twice += (o->tried >> o->home) & 1;
    if (tap.called)
        tap.called(tap.ctx, 0, 1);
    return (o->home + 1) % o->n;
}
static void count_done(void *self, const struct policy_io_done *d)
{
    (void)self, (void)d;
    seen.done++;
}
static const struct policy_ops turns = {
    .abi = POLICY_ABI, .name = "turns", .io_steer = turn_away, .io_done = count_done};

static uint32_t anywhere(void *self, const struct policy_steer_obs *o)
{
    (void)self;
    seen.asked++;
    return (uint32_t)((o->offset * UINT64_C(0x9e3779b97f4a7c15)) >> 40) % o->n;
}
static const struct policy_ops anyones = {
    .abi = POLICY_ABI, .name = "any", .io_steer = anywhere, .io_done = count_done};

static struct measures *run(const char *section, const struct policy_ops *ops, size_t n,
                            uint64_t shuffle)
{
    struct policy_slot slot = {.ops = ops, .label = "test"};
    seen = (struct seen_by_policy){0};
    return blk_run(&(struct blk_run){.section = section,
                                     .rows = blk_rows(rows, n),
                                     .policy = ops ? &slot : NULL,
                                     .infer = ops ? &infer : NULL,
                                     .shuffle = shuffle},
                   NULL);
}

/* ---- latencies by hand --------------------------------------------------------------- */

/* One read of 64 KiB alone, native: 0.1 syscall + 1.0 block layer + 0.5 doorbell, 26 command, 40
 * die, 18.743 link, 0.5 interrupt + 0.7 completion + 2.4 wake = 89.943 us. */
Test(blk_io, a_lone_read_pays_its_way)
{
    rows[0] = (struct trace_io){.bytes = 65536};
    struct measures *m = run("{}", NULL, 1, 0);
    cr_expect_float_eq(blk_number(m, "read_mean"), 89.943, 0.01, "%g us",
                       blk_number(m, "read_mean"));
    measures_free(m);
}

/* Turned away by all three: the way in four times, three inferences of 7 us on a core; the last
 * device then takes it at offset 0, unasked. */
Test(blk_io, a_device_that_is_slow_turns_the_read_away)
{
    rows[0] = (struct trace_io){.offset = 1 << 20, .bytes = 65536};
    struct measures *m = run("{\"mode\":\"failover\"}", &turns, 1, 0);
    cr_expect_float_eq(blk_number(m, "read_mean"), 89.943 + 3 * 1.6 + 3 * 7, 0.01, "%g us",
                       blk_number(m, "read_mean"));
    cr_expect_eq(seen.asked, 3);
    cr_expect_eq(blk_number(m, "device.2.reads"), 1, "the last one takes it");
    cr_expect_eq(blk_number(m, "reroutes"), 3);
    measures_free(m);
}

/* Of three bios the first is at offset 0 in the end, and served; the others are refused there too.
 */
Test(blk_io, what_all_refuse_is_served_as_far_as_nobody_asks)
{
    rows[0] = (struct trace_io){.offset = 1 << 20, .bytes = 3 << 20};
    struct measures *m = run("{\"mode\":\"failover\"}", &turns, 1, 0);
    cr_expect_eq(seen.asked, 3 * 3 + 2);
    cr_expect_eq(blk_number(m, "bios"), 3 * 3 + 3);
    cr_expect_eq(blk_number(m, "device.2.reads"), 1);
    cr_expect_eq(blk_number(m, "device.0.reads") + blk_number(m, "device.1.reads"), 0);
    measures_free(m);
}

/* At offset 0 nobody is asked from the beginning. */
Test(blk_io, a_read_of_the_first_block_stays_home)
{
    rows[0] = (struct trace_io){.bytes = 65536};
    struct measures *m = run("{\"mode\":\"failover\"}", &turns, 1, 0);
    cr_expect_eq(seen.asked, 0);
    cr_expect_float_eq(blk_number(m, "read_mean"), 89.943, 0.01);
    measures_free(m);
}

Test(blk_io, in_a_volume_the_first_answer_is_final)
{
    rows[0] = (struct trace_io){.bytes = 65536};
    struct measures *m = run("{}", &turns, 1, 0);
    cr_expect_eq(seen.asked, 1);
    cr_expect_eq(blk_number(m, "device.1.reads"), 1);
    measures_free(m);
}

Test(blk_io, inference_can_be_free)
{
    rows[0] = (struct trace_io){.bytes = 65536};
    struct measures *m = run("{\"infer\":{\"mode\":\"free\"}}", &turns, 1, 0);
    cr_expect_float_eq(blk_number(m, "read_mean"), 89.943, 0.01);
    measures_free(m);
}

/* ---- LAKE's batching rule --------------------------------------------------------------- */

/* Ten reads of one device, 1 us apart, on stack lake.  A window of 5 us: never a batch.  Of 40 us:
 * the first four have no four gaps yet, and later ones come faster than 7 us, so that all join one
 * batch of eight on the GPU, and the two left over, fewer than the threshold, run on a core. */
Test(blk_io, lakes_rule_forms_batches_only_when_a_core_cannot_keep_up)
{
    for (int i = 0; i < 10; i++)
        rows[i] = (struct trace_io){.time_ns = (uint64_t)i * 1000, .bytes = 4096};
    struct policy_slot slot = {.ops = &turns, .label = "test"};
    struct blk_run b = {.section =
                            "{\"infer\":{\"place\":\"auto\",\"rule\":\"lake\",\"window_us\":5,"
                            "\"max_batch\":10,\"gpu_rows\":8}}",
                        .policy = &slot,
                        .infer = &infer,
                        .stack = "lake",
                        .rows = blk_rows(rows, 10)};
    struct measures *m = blk_run(&b, NULL);
    cr_expect_eq(blk_number(m, "infer_gpu_batches"), 0);
    cr_expect_float_eq(blk_number(m, "infer_cpu_time"), 10 * 7.2e-6, 1e-9, "%g",
                       blk_number(m, "infer_cpu_time"));
    measures_free(m);
    b.section = "{\"infer\":{\"place\":\"auto\",\"rule\":\"lake\",\"window_us\":40,"
                "\"max_batch\":8,\"gpu_rows\":8}}";
    b.rows = blk_rows(rows, 10);
    m = blk_run(&b, NULL);
    cr_expect_eq(blk_number(m, "infer_gpu_batches"), 1, "%g batches on the GPU",
                 blk_number(m, "infer_gpu_batches"));
    measures_free(m);
    for (int i = 0; i < 10; i++) /* 50 us apart: the first four wait alone, the rest do not wait */
        rows[i].time_ns = (uint64_t)i * 50000;
    b.rows = blk_rows(rows, 10);
    m = blk_run(&b, NULL);
    cr_expect_eq(blk_number(m, "infer_gpu_batches"), 0);
    cr_expect_float_eq(blk_number(m, "infer_cpu_time"), 10 * 7.2e-6 + 4 * 2e-6, 1e-9, "%g",
                       blk_number(m, "infer_cpu_time"));
    measures_free(m);
}

/* ---- what the policy is shown --------------------------------------------------------------- */

static uint32_t look(void *self, const struct policy_steer_obs *o)
{
    (void)self;
    const struct policy_device *d = &o->device[0];
    switch (seen.asked++) {
    case 0: /* nothing yet */
        cr_expect_eq(d->pending, 0);
        cr_expect_eq(d->latency_us[0], 0);
        break;
    case 1: /* the first read is still out: 16 pages */
        cr_expect_eq(d->pending, 1);
        cr_expect_eq(d->pending_pages, 16);
        break;
    case 2: /* both are back, the newer one first; each with itself among the pending */
        cr_expect_eq(d->pending, 0);
        cr_expect_eq(d->then_pending_pages[0], 18);
        cr_expect_eq(d->then_pending_pages[1], 16);
        cr_expect_eq(d->latency_us[1], 84, "%u us", d->latency_us[1]);
        break;
    }
    return o->home;
}
static const struct policy_ops looks = {.abi = POLICY_ABI, .name = "looks", .io_steer = look};

Test(blk_io, the_policy_sees_what_linnos_saw)
{
    rows[0] = (struct trace_io){.bytes = 65536};
    rows[1] = (struct trace_io){.time_ns = 20000, .offset = 65536, .bytes = 5000};
    rows[2] = (struct trace_io){.time_ns = 900000, .bytes = 4096};
    measures_free(run("{}", &looks, 3, 0));
    cr_expect_eq(seen.asked, 3);
}

/* ---- nothing is lost, nothing depends on ties ---------------------------------------------------
 */

Test(blk_io, two_hundred_random_volumes_complete_every_io_once)
{
    char section[200];
    for (uint64_t seed = 1; seed <= (SANITIZED ? 60 : 200); seed++) {
        struct rng r;
        rng_init(&r, seed, "test", "volumes");
        const uint32_t replicas = 1 + (uint32_t)rng_below(&r, 5);
        const size_t n = make_rows(seed, 300, 6, (double)(2000 + rng_below(&r, 60000)));
        snprintf(section, sizeof section,
                 "{\"replicas\":%u,\"clients\":%u,\"cores\":%u,\"mode\":\"%s\"}", replicas,
                 (unsigned)rng_below(&r, 12), 1 + (unsigned)rng_below(&r, 8),
                 rng_below(&r, 2) ? "volume" : "failover");
        struct measures *m = run(section, rng_below(&r, 2) ? &turns : &anyones, n, 0);
        double reads = 0;
        char name[32];
        for (uint32_t i = 0; i < replicas; i++) {
            snprintf(name, sizeof name, "device.%u.reads", i);
            reads += blk_number(m, name);
        }
        cr_expect_eq(blk_number(m, "reads") + blk_number(m, "writes"), (double)n);
        cr_expect_eq(reads, blk_number(m, "reads"), "seed %lu: %g reads on the devices",
                     (unsigned long)seed, reads);
        cr_expect_eq(seen.done, n, "seed %lu", (unsigned long)seed);
        cr_expect_eq(seen.tried_twice, 0, "a device is asked once");
        measures_free(m);
    }
}

Test(blk_io, shares_sum_to_one)
{
    static const char *const shares[] = {"queue", "command", "read",  "program", "gc",   "flush",
                                         "flash", "link",    "infer", "kernel",  "retry"};
    const size_t n = make_rows(4, 2000, 3, 20000);
    struct measures *m = run("{\"mode\":\"failover\",\"device\":\"aged\"}", &turns, n, 0);
    double sum = 0;
    char name[32];
    for (size_t i = 0; i < sizeof shares / sizeof *shares; i++) {
        snprintf(name, sizeof name, "share.%s", shares[i]);
        cr_expect_geq(blk_number(m, name), 0, "%s", name);
        sum += blk_number(m, name);
    }
    cr_expect_float_eq(sum, 1, 1e-9, "%.12g", sum);
    measures_free(m);
}

/* Rows come at times of their own, so that no tie decides anything a client can see. */
Test(blk_io, ties_do_not_matter)
{
    const size_t n = make_rows(8, 3000, 3, 9000);
    struct measures *a = run("{\"mode\":\"failover\"}", &anyones, n, 0);
    struct measures *b = run("{\"mode\":\"failover\"}", &anyones, n, 99);
    cr_expect_float_eq(blk_number(a, "read_mean"), blk_number(b, "read_mean"),
                       1e-3 * blk_number(a, "read_mean"));
    cr_expect_eq(blk_number(a, "reroutes"), blk_number(b, "reroutes"));
    measures_free(a);
    measures_free(b);
}

/* ---- bad answers -------------------------------------------------------------------------------
 */

static uint32_t nowhere(void *self, const struct policy_steer_obs *o)
{
    (void)self;
    return o->n;
}
static const struct policy_ops wrong = {.abi = POLICY_ABI, .name = "wrong", .io_steer = nowhere};

Test(blk_io, a_device_that_is_not_there_ejects_the_policy_and_reads_stay_home)
{
    const size_t n = make_rows(8, 500, 3, 30000);
    struct measures *m = run("{}", &wrong, n, 0), *home = run("{}", NULL, n, 0);
    cr_expect_eq(blk_number(m, "read_mean"), blk_number(home, "read_mean"));
    cr_expect_eq(blk_number(m, "away"), 0);
    cr_expect_eq(m->n_incident > 0 && !strcmp(m->incident[0].kind, "ejected"), 1);
    measures_free(m);
    measures_free(home);
}
