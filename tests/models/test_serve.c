/* test_serve.c - the serving model against closed forms and conservation. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/rng.h"
#include "tests/models/serve_bench.h"

#define N 40000

static const char alone[] = "{\"model\":\"toy\",\"max_running\":1,\"kv_fraction\":1}";

/* Poisson arrivals; every prompt has 1 token unless a spread is asked for. */
static struct bench_request *poisson(double rate_per_s, uint32_t spread, uint64_t seed)
{
    struct bench_request *r = malloc(N * sizeof *r);
    struct rng gap, size;
    double t = 0;
    rng_init(&gap, seed, "test", "gap");
    rng_init(&size, seed, "test", "size");
    for (size_t i = 0; i < N; i++) {
        t += rng_exponential(&gap, 1e9 / rate_per_s);
        r[i] = (struct bench_request){(uint64_t)t,
                                      1 + (spread ? (uint32_t)rng_below(&size, spread) : 0), 1};
    }
    return r;
}

/* One place, one token out, constant time: an M/D/1 queue.  Mean wait = rho D / (2 (1 - rho)). */
Test(serve, one_place_and_constant_work_is_m_d_1)
{
    static const double rho[] = {0.3, 0.6, 0.8};
    for (size_t i = 0; i < 3; i++) {
        struct bench b = {.section = alone, .dense_us = {1000, 1000}, .n = N, .exact = true};
        b.request = poisson(rho[i] * 1000, 0, 7 + i);
        struct measures *m = bench_run(&b, NULL);
        double want = rho[i] * 1.0 / (2 * (1 - rho[i])),
               got = sketch_mean(bench_sketch(m, "queue_wait"));
        cr_expect_float_eq(got, want, 0.05 * want, "rho %g: wait %g ms, M/D/1 says %g ms", rho[i],
                           got, want);
        cr_expect_float_eq(bench_number(m, "gpu_util"), rho[i], 0.02);
        cr_expect_float_eq(sketch_min(bench_sketch(m, "ttft")), 1.0, 1e-9);
        measures_free(m);
        free((void *)b.request);
    }
}

/* Work linear in the prompt's tokens: M/G/1.  Pollaczek-Khinchine: W = lambda E[S^2] / (2 (1 -
 * rho)). */
Test(serve, one_place_and_random_work_is_m_g_1)
{
    struct bench b = {.section = alone, .dense_us = {1, 1001}, .n = N, .exact = true};
    double mean = 500.5 / 1e3,
           second = (1000.0 * 1001 * 2001 / 6 / 1000) / 1e6; /* ms, ms^2: 1..1000 us */
    double lambda = 0.7 / mean, want = lambda * second / (2 * (1 - 0.7));
    b.request = poisson(lambda * 1e3, 1000, 3);
    struct measures *m = bench_run(&b, NULL);
    double got = sketch_mean(bench_sketch(m, "queue_wait"));
    cr_expect_float_eq(got, want, 0.08 * want, "wait %g ms, Pollaczek-Khinchine says %g ms", got,
                       want);
    measures_free(m);
    free((void *)b.request);
}

/* ---- leaping and stepping --------------------------------------------------------- */

static struct bench_request *mixed(size_t n, double rate_per_s, uint32_t most_out, uint64_t seed)
{
    struct bench_request *r = malloc(n * sizeof *r);
    struct rng g;
    double t = 0;
    rng_init(&g, seed, "test", "mixed");
    for (size_t i = 0; i < n; i++) {
        t += rng_exponential(&g, 1e9 / rate_per_s);
        r[i] = (struct bench_request){(uint64_t)t, 1 + (uint32_t)rng_below(&g, 900),
                                      1 + (uint32_t)rng_below(&g, most_out)};
    }
    return r;
}

static const struct {
    const char *options;
    double rate, token_ns, step_us, launch_us;
    uint64_t kv_tokens;
} leaps[] = {
    {"\"max_running\":8", 20, 0.333, 7.7, 3.1, 0},
    {"\"max_running\":64", 200, 41.7, 300.123, 2.427, 0},
    {"\"max_running\":64,\"cores\":1", 100, 41.7, 300.123, 2.427, 0},
    {"\"max_running\":64,\"chunk\":128", 300, 41.7, 30.7, 2.427, 0},
    {"\"max_running\":64", 300, 1.7, 30.7, 2.427,
     6000}, /* a cache so small that sequences are preempted */
    {"\"max_running\":16,\"cores\":1", 2, 0.001, 0, 0, 0},
};

Test(serve, leaping_over_iterations_changes_nothing)
{
    for (size_t i = 0; i < sizeof leaps / sizeof *leaps; i++) {
        char leap[200], step[200];
        snprintf(leap, sizeof leap, "{\"model\":\"toy\",%s,\"kv_fraction\":1}", leaps[i].options);
        snprintf(step, sizeof step, "{\"model\":\"toy\",%s,\"kv_fraction\":1,\"leap\":false}",
                 leaps[i].options);
        struct bench b = {.section = leap,
                          .dense_us = {500.5, 9001.25},
                          .token_ns = leaps[i].token_ns,
                          .step_us = leaps[i].step_us,
                          .seq_us = 1.3,
                          .parse_us = 200.7,
                          .launch_us = leaps[i].launch_us,
                          .kv_tokens = leaps[i].kv_tokens,
                          .n = 400,
                          .exact = true,
                          .stack = i % 2 ? "malv" : "kvm"};
        b.request = mixed(b.n, leaps[i].rate, 400, i);
        struct measures *fast = bench_run(&b, NULL);
        b.section = step;
        struct measures *slow = bench_run(&b, NULL);
        cr_expect_lt(bench_number(fast, "events"), bench_number(slow, "events"),
                     "case %zu never leapt", i);
        if (leaps[i].kv_tokens)
            cr_expect_gt(bench_number(fast, "preemptions"), 0);
        cr_expect_eq(bench_number(fast, "completed"), 400);
        bench_same(fast, slow);
        measures_free(fast);
        measures_free(slow);
        free((void *)b.request);
    }
}

Test(serve, the_order_of_ties_changes_nothing)
{
    struct bench b = {.section = "{\"model\":\"toy\",\"max_running\":32,\"kv_fraction\":1}",
                      .dense_us = {500, 9000},
                      .token_ns = 40,
                      .step_us = 300,
                      .seq_us = 1,
                      .parse_us = 200,
                      .launch_us = 2,
                      .n = 500,
                      .exact = true};
    struct bench_request *r = mixed(b.n, 300, 100, 5);
    for (size_t i = 0; i < b.n; i++)
        r[i].at_ns = r[i].at_ns / 1000000 * 1000000; /* many at the same time */
    b.request = r;
    struct measures *plain = bench_run(&b, NULL);
    b.shuffle = true;
    for (b.shuffle_seed = 1; b.shuffle_seed <= 3; b.shuffle_seed++) {
        struct measures *shuffled = bench_run(&b, NULL);
        bench_same(shuffled, plain);
        measures_free(shuffled);
    }
    measures_free(plain);
    free(r);
}

/* ---- conservation ------------------------------------------------------------------- */

Test(serve, every_request_is_completed_or_rejected_once)
{
    static const struct bench_request r[] = {
        {0, 100, 10},     {1000, 0, 0},     {2000, 5000, 1},
        {3000, 900, 200}, {4000, 1000, 25}, {5000, 10, 1},
    };
    struct bench b = {.section = "{\"model\":\"toy\",\"max_running\":4,\"kv_fraction\":1}",
                      .dense_us = {100, 200},
                      .kv_tokens = 1024,
                      .request = r,
                      .n = 6};
    struct measures *m = bench_run(&b, NULL);
    cr_expect_eq(bench_number(m, "requests"), 6);
    cr_expect_eq(bench_number(m, "rejected"), 3); /* 5001, 1100 and 1025 tokens never fit in 1024 */
    cr_expect_eq(bench_number(m, "completed"), 3);
    size_t said = 0;
    for (size_t i = 0; i < m->n_incident; i++)
        said += !strcmp(m->incident[i].kind, "rejected");
    cr_expect_eq(said, 3);
    measures_free(m);
}

Test(serve, a_trace_without_requests_is_fine)
{
    struct bench b = {.section = alone, .dense_us = {1, 1}};
    struct measures *m = bench_run(&b, NULL);
    cr_expect_eq(bench_number(m, "requests"), 0);
    cr_expect_eq(bench_number(m, "throughput"), 0);
    measures_free(m);
}

/* Hand-computed: prompt of 10 in one iteration of 1 ms; then 4 decode iterations of 1 ms plus
 * 1 us per cached token, 10 the first time and one more each time. */
Test(serve, one_request_takes_what_arithmetic_says)
{
    static const struct bench_request r[] = {{5000, 10, 5}};
    struct bench b = {.section = alone,
                      .dense_us = {1000, 1000},
                      .token_ns = 1000,
                      .request = r,
                      .n = 1,
                      .exact = true};
    struct measures *m = bench_run(&b, NULL);
    cr_expect_float_eq(sketch_mean(bench_sketch(m, "ttft")), 1.0, 1e-12);
    cr_expect_float_eq(sketch_mean(bench_sketch(m, "e2e")), 5.0 + (10 + 11 + 12 + 13) / 1e3, 1e-12);
    cr_expect_float_eq(sketch_mean(bench_sketch(m, "tpot")), 1.0 + 46.0 / 4 / 1e3, 1e-12);
    cr_expect_float_eq(bench_number(m, "token_throughput"), 5 / 5.046e-3, 1e-6);
    measures_free(m);
}

/* ---- policies ------------------------------------------------------------------------ */

static int64_t by_length(void *self, const struct policy_batch_obs *o)
{
    (void)self;
    return o->request.prompt_tokens + (int64_t)o->request.oracle_output_tokens;
}

static int even_only(void *self, const struct policy_admit_obs *o)
{
    (void)self;
    return o->request.id % 2 ? POLICY_REJECT : POLICY_ADMIT;
}

/* Busy time is the same whoever goes first: policies reorder work, they do not make or lose any. */
Test(serve, shortest_first_waits_less_and_works_the_same)
{
    static const struct policy_ops ops = {
        .abi = POLICY_ABI, .name = "sjf", .oracle = 1, .serve_batch = by_length};
    struct bench b = {.section = alone, .dense_us = {1, 1001}, .n = 5000, .exact = true};
    b.request = poisson(1700, 1000, 3);
    struct measures *fifo = bench_run(&b, NULL);
    struct policy_slot slot = {.ops = &ops, .label = "sjf"};
    b.policy = &slot;
    struct measures *sjf = bench_run(&b, NULL);
    double wait_fifo = sketch_mean(bench_sketch(fifo, "queue_wait"));
    double wait_sjf = sketch_mean(bench_sketch(sjf, "queue_wait"));
    cr_expect_lt(wait_sjf, 0.8 * wait_fifo, "%g against %g ms", wait_sjf, wait_fifo);
    cr_expect_float_eq(bench_number(fifo, "makespan"), bench_number(sjf, "makespan"), 1e-9);
    cr_expect_float_eq(bench_number(fifo, "gpu_util"), bench_number(sjf, "gpu_util"), 1e-9);
    cr_expect_eq(bench_number(sjf, "policy_decisions"), 5000);
    measures_free(fifo);
    measures_free(sjf);
    free((void *)b.request);
}

Test(serve, a_policy_may_refuse)
{
    static const struct policy_ops ops = {
        .abi = POLICY_ABI, .name = "even", .serve_admit = even_only};
    struct policy_slot slot = {.ops = &ops, .label = "even"};
    struct bench b = {.section = alone, .dense_us = {1, 1}, .n = 100, .policy = &slot};
    b.request = poisson(100, 0, 1);
    struct measures *m = bench_run(&b, NULL);
    cr_expect_eq(bench_number(m, "completed"), 50);
    cr_expect_eq(bench_number(m, "rejected"), 50);
    measures_free(m);
    free((void *)b.request);
}

/* CPU time of the OS for a request: so many paths as the run counted, by their lists. */
Test(serve, the_os_takes_what_its_paths_take)
{
    struct bench b = {.section = "{\"model\":\"toy\",\"max_running\":8,\"kv_fraction\":1}",
                      .dense_us = {500, 9000},
                      .token_ns = 40,
                      .step_us = 30,
                      .parse_us = 200,
                      .launch_us = 3,
                      .n = 300};
    b.request = mixed(b.n, 20, 30, 5);
    struct measures *m = bench_run(&b, NULL);
    const double launches = bench_number(m, "launches");
    cr_expect_gt(launches, 100);
    /* on the metal the bench's machine charges only these: see serve_bench.c */
    cr_expect_float_eq(bench_number(m, "os_cpu") * (double)b.n, launches * 3, 1e-6);
    cr_expect_eq(bench_number(m, "policy_time"), 0);
    measures_free(m);
    free((void *)b.request);
}
