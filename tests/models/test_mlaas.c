/* test_mlaas.c - what inference costs, where, and when the decision takes effect. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "tests/models/serve_bench.h"

/* A policy that asks for one row at every decision, and the harness's side of it. */
static struct infer_tap tap;
static uint64_t flops(void *ctx, int model)
{
    (void)ctx, (void)model;
    return 1000; /* the toy machine's reference */
}
static const struct model_infer infer = {.flops = flops, .tap = &tap};

static int64_t asks(void *self, const struct policy_batch_obs *o)
{
    (void)self;
    if (tap.called)
        tap.called(tap.ctx, 0, 1);
    return -(int64_t)o->request.prompt_tokens; /* longest first, to tell it from the default */
}
static const struct policy_ops ops = {.abi = POLICY_ABI, .name = "asks", .serve_batch = asks};

static struct measures *run(const char *infer_section, const char *stack,
                            const struct bench_request *r, size_t n)
{
    char section[300];
    snprintf(section, sizeof section,
             "{\"model\":\"toy\",\"max_running\":1,\"kv_fraction\":1,\"infer\":%s}", infer_section);
    struct policy_slot slot = {.ops = &ops, .label = "asks"};
    struct bench b = {.section = section,
                      .dense_us = {1000, 1000},
                      .launch_us = 2,
                      .request = r,
                      .n = n,
                      .exact = true,
                      .stack = stack,
                      .policy = &slot,
                      .infer = &infer};
    struct measures *m = bench_run(&b, NULL);
    cr_expect_null(tap.called, "the service must take its ear off the tap");
    return m;
}

static double decision_us(const struct measures *m)
{
    return sketch_mean(bench_sketch(m, "decision_latency")) * 1e3;
}

static const struct bench_request one[] = {{0, 10, 1}};

/* Expected by hand from the toy machine: core 10 us a row, GPU 2 us, crossings as stack_table.c
 * lists them: lake 0 + 1 + 8 + 4 + 2 + 0 | 2 | 4 + 8, malv 0.5 + 0.2 + 2 + 0 + 1 | 2 | 0 + 0 + 0.2.
 */
static const struct {
    const char *infer, *stack;
    double decision_us, cpu_us, gpu_us;
} costs[] = {
    {"{\"place\":\"core\"}", "native", 10, 10, 0},
    {"{\"place\":\"core\"}", "kvm", 10, 10, 0},
    {"{\"place\":\"core\"}", "lake", 10.1, 10.1, 0},
    {"{\"place\":\"core\"}", "malv", 10.9, 10.9, 0},
    {"{\"place\":\"lake\"}", "lake", 29, 19, 2},
    {"{\"place\":\"malv\"}", "malv", 5.9, 2.9, 2},
    {"{\"mode\":\"free\"}", "native", 0, 0, 0},
    {"{\"window_us\":50}", "native", 60, 10, 0},
    {"{\"place\":\"auto\",\"gpu_rows\":1}", "malv", 5.9, 2.9, 2},
    {"{\"place\":\"auto\",\"gpu_rows\":2}", "malv", 10.9, 10.9, 0},
    {"{\"place\":\"auto\",\"gpu_rows\":1}", "kvm", 10, 10, 0},
};

Test(mlaas, a_decision_waits_for_what_its_inference_costs)
{
    for (size_t i = 0; i < sizeof costs / sizeof *costs; i++) {
        struct measures *m = run(costs[i].infer, costs[i].stack, one, 1);
        cr_expect_float_eq(decision_us(m), costs[i].decision_us, 0.0021, "case %zu: %g us", i,
                           decision_us(m));
        cr_expect_float_eq(bench_number(m, "infer_cpu_time") * 1e6, costs[i].cpu_us, 1e-6,
                           "case %zu", i);
        cr_expect_float_eq(bench_number(m, "infer_gpu_time") * 1e6, costs[i].gpu_us, 1e-6,
                           "case %zu", i);
        cr_expect_eq(bench_number(m, "infer_calls"), 1);
        measures_free(m);
    }
}

/* Three requests at once, one place: what runs first shows which keys counted. */
Test(mlaas, a_window_makes_one_batch)
{
    static const struct bench_request three[] = {{0, 10, 1}, {1000, 20, 1}, {2000, 30, 1}};
    struct measures *m = run("{\"window_us\":100}", "native", three, 3);
    cr_expect_eq(bench_number(m, "infer_calls"), 3);
    cr_expect_eq(bench_number(m, "infer_batches"), 1);
    /* the batch closes at 100 us, takes 30: decisions at 130, 129 and 128 us of age */
    cr_expect_float_eq(decision_us(m), 129, 0.01);
    measures_free(m);
    m = run("{\"window_us\":100,\"max_batch\":2}", "native", three, 3);
    cr_expect_eq(bench_number(m, "infer_batches"), 2);
    measures_free(m);
}

/* The first occupies the server for 1 ms; of the others the longest is first by key.  Asynchronous:
 * nobody waits for the answer, yet it is there before the next turn comes. */
Test(mlaas, async_goes_ahead_and_is_corrected)
{
    static const struct bench_request r[] = {{0, 10, 1}, {1000, 20, 1}, {2000, 30, 1}};
    struct measures *m = run("{\"mode\":\"async\"}", "native", r, 3);
    cr_expect_float_eq(sketch_min(bench_sketch(m, "queue_wait")), 0, 1e-9);
    cr_expect_float_eq(decision_us(m), 10, 0.01);
    /* with 2 us for the launch an iteration takes 1.002 ms; the 20-token request is last: 2.004 -
     * 0.001 */
    cr_expect_float_eq(sketch_max(bench_sketch(m, "queue_wait")), 2.003, 1e-6);
    measures_free(m);
}

/* While the tenant's iteration runs (1 ms), the daemon's context waits for the end of its time
 * slice (1.024 ms: the iteration ends first); the kernel preempts for 100 us and delays it. */
Test(mlaas, on_the_gpu_inference_meets_the_tenants)
{
    static const struct bench_request r[] = {{0, 10, 1}, {500000, 10, 1}};
    struct measures *lake = run("{\"place\":\"lake\"}", "lake", r, 2);
    cr_expect_float_eq(sketch_max(bench_sketch(lake, "decision_latency")),
                       (1000 - 500 + 31 + 2 + 12) / 1e3, 0.02);
    measures_free(lake);
    struct measures *malv = run("{\"place\":\"malv\"}", "malv", r, 2);
    cr_expect_float_eq(sketch_max(bench_sketch(malv, "decision_latency")), 0.1059, 0.001);
    /* the first: 2.4 us in, 5.9 to decide, 3.5 to launch, 1 ms, 102 us of preemption, 2.1 out */
    cr_expect_float_eq(sketch_min(bench_sketch(malv, "ttft")), 1.1159, 1e-6);
    measures_free(malv);
}

/* LAKE's back-off: after a poll that sees the GPU above the limit, batches run on a core. */
Test(mlaas, auto_leaves_a_busy_gpu_to_the_tenants)
{
    struct bench_request r[200];
    for (size_t i = 0; i < 200; i++)
        r[i] = (struct bench_request){i * 1020000, 10, 1}; /* one each 1.02 ms: busy 98 % */
    struct measures *m = run("{\"place\":\"auto\",\"gpu_rows\":1}", "malv", r, 200);
    double gpu = bench_number(m, "infer_gpu_batches");
    cr_expect(gpu >= 15 && gpu <= 25, "%g batches went to the GPU before the first poll at 20 ms",
              gpu);
    measures_free(m);
    for (size_t i = 0; i < 200; i++)
        r[i].at_ns = i * 5000000; /* busy 20 % */
    m = run("{\"place\":\"auto\",\"gpu_rows\":1}", "malv", r, 200);
    cr_expect_eq(bench_number(m, "infer_gpu_batches"), 200);
    measures_free(m);
}

static const struct {
    const char *infer, *stack;
} ways[] = {
    {"{\"place\":\"malv\",\"window_us\":70}", "malv"},
    {"{\"place\":\"lake\",\"mode\":\"async\"}", "lake"},
    {"{\"place\":\"auto\",\"gpu_rows\":1}", "malv"},
    {"{\"place\":\"auto\",\"gpu_rows\":1,\"gpu_limit\":0.95}", "lake"},
    {"{\"place\":\"auto\",\"gpu_rows\":1,\"gpu_limit\":0.9,\"gpu_return\":0.4,\"poll_ms\":3}",
     "malv"},
    {"{\"place\":\"table\",\"backoff\":\"tenants\",\"calm_us\":300,\"window_us\":20}", "malv"},
};

/* Inference on the tenants' GPU cuts into their iterations at odd moments. */
Test(mlaas, leaping_changes_nothing_with_inference_on_the_gpu)
{
    struct bench_request r[300];
    for (uint64_t i = 0; i < 300; i++)
        r[i] = (struct bench_request){i * 7919131 + i % 7 * 1234567, 1 + (uint32_t)(i * 37 % 500),
                                      1 + (uint32_t)(i * 53 % 90)};
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        struct measures *m[2];
        for (int step = 0; step < 2; step++) {
            char section[300];
            snprintf(
                section, sizeof section,
                "{\"model\":\"toy\",\"max_running\":16,\"kv_fraction\":1,\"leap\":%s,\"infer\":%s}",
                step ? "false" : "true", ways[i].infer);
            struct policy_slot slot = {.ops = &ops, .label = "asks"};
            struct bench b = {.section = section,
                              .dense_us = {500.5, 3001.25},
                              .token_ns = 41.7,
                              .step_us = 30.123,
                              .seq_us = 1.3,
                              .parse_us = 200.7,
                              .launch_us = 2.427,
                              .request = r,
                              .n = 300,
                              .exact = true,
                              .stack = ways[i].stack,
                              .policy = &slot,
                              .infer = &infer};
            m[step] = bench_run(&b, NULL);
        }
        cr_expect_lt(bench_number(m[0], "events"), bench_number(m[1], "events"));
        cr_expect_gt(bench_number(m[0], "infer_gpu_batches"), 0, "case %zu", i);
        bench_same(m[0], m[1]);
        measures_free(m[0]);
        measures_free(m[1]);
    }
}

Test(mlaas, a_place_the_stack_lacks_is_an_error)
{
    struct policy_slot slot = {.ops = &ops, .label = "asks"};
    struct bench b = {.section =
                          "{\"model\":\"toy\",\"kv_fraction\":1,\"infer\":{\"place\":\"lake\"}}",
                      .dense_us = {1, 1},
                      .request = one,
                      .n = 1,
                      .stack = "kvm",
                      .policy = &slot,
                      .infer = &infer};
    struct err why;
    measures_free(bench_run(&b, &why));
    cr_expect_eq(why.code, ERR_ENAME);
    cr_expect_str_eq(why.msg, "infer.place is \"lake\", but stack \"kvm\" has no such path");
}

/* The toy's cache is 1 MiB: what policies' models may take of the GPU, it may not. */
Test(mlaas, memory_for_models_is_taken_from_the_tenants_cache)
{
    for (int k = 0; k < 2; k++) {
        struct policy_slot slot = {.ops = &ops, .label = "asks"};
        struct bench b = {.section = k ? "{\"model\":\"toy\",\"kv_fraction\":1,\"infer\":"
                                         "{\"place\":\"malv\",\"gpu_mib\":1}}"
                                       : "{\"model\":\"toy\",\"kv_fraction\":1,\"infer\":"
                                         "{\"place\":\"core\",\"gpu_mib\":1}}",
                          .dense_us = {1, 1},
                          .request = one,
                          .n = 1,
                          .stack = "malv",
                          .policy = &slot,
                          .infer = &infer};
        struct err why;
        measures_free(bench_run(&b, &why));
        cr_expect_eq(why.code, k ? ERR_ERANGE : 0, "%s", why.msg);
    }
}
