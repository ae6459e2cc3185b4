/* test_mlaas_memory.c - where weights lie, what bringing them there costs, and who makes room. */
#include <criterion/criterion.h>
#include <stdio.h>

#include "tests/models/mlaas_rig.h"

#define MIB (UINT64_C(1) << 20)

/* The rig's link moves a byte in a nanosecond, its core loads two in one.  On malv a command is
 * three crossings of 1 us before the doorbell. */
static const struct mlaas_rig_net nets[] = {{"a", NULL, 1000, MIB},
                                            {"b", NULL, 1000, MIB},
                                            {"c", NULL, 1000, 2 * MIB},
                                            {"d", NULL, 1000, 0}};

Test(mlaas, the_first_batch_on_the_gpu_waits_for_the_weights)
{
    struct mlaas_rig r = {.infer = "{'place':'malv'}", .net = nets, .cores = 4};
    mlaas_rig_hold(&r, 0, true);
    mlaas_rig_open(&r);
    mlaas_rig_ask(&r, 0, 0, 1, 1);
    mlaas_rig_ask(&r, 500 * SIM_US, 0, 1, 1); /* while they are on the way */
    mlaas_rig_ask(&r, 5 * SIM_MS, 0, 1, 1);
    mlaas_rig_run(&r);
    const double copy = 3 + (double)MIB / 1e3;
    /* the second runs behind the first on the GPU, for 2 us */
    cr_expect_float_eq(r.waited_us, copy + 10 + copy - 500 + 12 + 10, 1e-6, "%g", r.waited_us);
    cr_expect_eq(mlaas_rig_number(&r, "infer_gpu_copies"), 1);
    cr_expect_eq(mlaas_rig_number(&r, "infer_gpu_bytes"), MIB);
    cr_expect_eq(mlaas_rig_number(&r, "infer_host_bytes"), MIB);
    mlaas_rig_close(&r);
}

/* Two MiB for a, b (one each) and c (two): a b c a: c turns both out, a turns c out. */
Test(mlaas, the_network_used_longest_ago_makes_room)
{
    struct mlaas_rig r = {.infer = "{'place':'malv','gpu_mib':2}", .net = nets, .cores = 4};
    mlaas_rig_open(&r);
    static const unsigned order[] = {1, 2, 1, 4, 1};
    for (uint64_t i = 0; i < 5; i++)
        mlaas_rig_ask(&r, i * 10 * SIM_MS, 0, order[i], 1);
    mlaas_rig_run(&r);
    cr_expect_eq(mlaas_rig_number(&r, "infer_gpu_copies"), 4);
    cr_expect_eq(mlaas_rig_number(&r, "infer_gpu_evictions"), 3);
    cr_expect_eq(mlaas_rig_number(&r, "infer_gpu_batches"), 5);
    cr_expect_eq(mlaas_rig_number(&r, "infer_gpu_bytes"), 2 * MIB);
    mlaas_rig_close(&r);
}

Test(mlaas, a_batch_without_room_on_the_gpu_stays_on_a_core)
{
    static const char *const how[] = {"{'place':'malv','gpu_mib':1,'memory_full':'core'}",
                                      "{'place':'malv','gpu_mib':1}"};
    for (int k = 0; k < 2; k++) {
        struct mlaas_rig r = {.infer = how[k], .net = nets, .cores = 4};
        mlaas_rig_open(&r);
        mlaas_rig_ask(&r, 0, 0, 1, 1);
        mlaas_rig_ask(&r, 10 * SIM_MS, 0, 2, 1); /* evict: it makes room, else not */
        mlaas_rig_ask(&r, 20 * SIM_MS, 0, 4, 1); /* larger than all there is */
        mlaas_rig_ask(&r, 30 * SIM_MS, 0, 8, 1); /* without weights */
        mlaas_rig_run(&r);
        cr_expect_eq(mlaas_rig_number(&r, "infer_gpu_evictions"), k);
        cr_expect_eq(mlaas_rig_number(&r, "infer_core_no_memory"), 2 - k);
        cr_expect_eq(mlaas_rig_number(&r, "infer_gpu_batches"), 2 + k);
        mlaas_rig_close(&r);
    }
}

/* A new version in mid-run: who asked before finishes on the old one, who asks after waits for the
 * new one's load; the old one's memory goes with its last batch. */
Test(mlaas, a_version_is_replaced_while_the_old_one_works)
{
    struct mlaas_rig r = {.infer = "{'window_us':300}", .net = nets, .cores = 2};
    mlaas_rig_hold(&r, 0, true);
    mlaas_rig_open(&r);
    mlaas_rig_ask(&r, 0, 0, 1, 1);
    mlaas_rig_hold_at(&r, 100 * SIM_US, 1, true);
    mlaas_rig_hold_at(&r, 100 * SIM_US, 0, false);
    mlaas_rig_ask(&r, 101 * SIM_US, 0, 2, 1);
    mlaas_rig_run(&r);
    const double load = (double)MIB / 2e3;
    /* the old: its window and a core; the new: asked 1 us into its load, which outlasts the window
     */
    cr_expect_float_eq(r.waited_us, 300 + 13 + load - 1 + 13, 1e-3, "%g", r.waited_us);
    cr_expect_eq(mlaas_rig_number(&r, "infer_loads"), 1);
    cr_expect_eq(mlaas_rig_number(&r, "infer_unloads"), 1);
    cr_expect_eq(mlaas_rig_number(&r, "infer_host_bytes"), 2 * MIB, "both for a while");
    mlaas_rig_close(&r);
}

Test(mlaas, no_memory_of_the_host_is_no_new_version)
{
    struct mlaas_rig r = {.infer = "{'host_mib':1.5}", .net = nets};
    mlaas_rig_hold(&r, 0, true);
    mlaas_rig_open(&r);
    cr_expect_not(r.tap.holds(r.tap.ctx, 1, true));
    cr_expect(r.tap.holds(r.tap.ctx, 0, true), "one more handle of the same");
    cr_expect(r.tap.holds(r.tap.ctx, 0, false));
    cr_expect(r.tap.holds(r.tap.ctx, 0, false));
    cr_expect(r.tap.holds(r.tap.ctx, 1, true), "now there is room");
    mlaas_rig_run(&r);
    mlaas_rig_close(&r);
    struct mlaas_rig full = {.infer = "{'host_mib':0.5}", .net = nets};
    mlaas_rig_hold(&full, 0, true);
    mlaas_rig_refused(&full, "infer.host_mib: got 0.5, want more: the networks that policies open "
                             "do not fit");
}

/* At every moment the bytes on the GPU are those of the networks there, and within bounds; in the
 * end all that nobody holds is gone. */
Test(mlaas, bytes_are_accounted_for_under_any_traffic)
{
    for (uint64_t seed = 0; seed < 30; seed++) {
        struct rng rng;
        rng_init(&rng, seed, "test", "memory");
        struct mlaas_rig r = {.infer = seed % 2 ? "{'place':'malv','gpu_mib':2,'window_us':50}"
                                                : "{'place':'malv','gpu_mib':3,'window_us':5}",
                              .net = nets,
                              .cores = 2};
        mlaas_rig_open(&r);
        bool held[4] = {false};
        sim_time at = 0;
        for (int i = 0; i < 300; i++) {
            at += rng_below(&rng, 2000) * SIM_US;
            const uint32_t n = (uint32_t)rng_below(&rng, 4);
            if (!rng_below(&rng, 4)) {
                held[n] = !held[n];
                mlaas_rig_hold_at(&r, at, (int)n, held[n]);
            } else {
                mlaas_rig_ask(&r, at, 0, 1u << n, 1 + (uint32_t)rng_below(&rng, 9));
            }
        }
        for (int n = 0; n < 4; n++)
            if (held[n])
                mlaas_rig_hold_at(&r, at, n, false);
        mlaas_rig_run(&r);
        cr_expect_leq(mlaas_rig_number(&r, "infer_gpu_bytes"), (seed % 2 ? 2 : 3) * MIB);
        uint64_t host, gpu;
        mlaas_bytes(r.m, &host, &gpu);
        cr_expect_eq(host, 0, "seed %llu: %llu bytes", (unsigned long long)seed,
                     (unsigned long long)host);
        mlaas_rig_close(&r);
    }
}
