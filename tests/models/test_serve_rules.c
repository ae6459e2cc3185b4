/* test_serve_rules.c - the serving model under vLLM's rules: against a plain reference that moves
 * every block, and against arithmetic.                                                          */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "sim/rng.h"
#include "tests/models/cost_rows.h"
#include "tests/models/vllm_reference.h"

static struct bench_request *random_requests(size_t n, uint64_t gap_us, uint32_t prompt,
                                             uint32_t output, uint64_t seed)
{
    struct bench_request *r = malloc(n * sizeof *r);
    struct rng g;
    uint64_t t = 0;
    rng_init(&g, seed, "test", "rules");
    for (size_t i = 0; i < n; i++) {
        t += 1000 * rng_below(&g, 2 * gap_us) + (i == 0); /* 1 ns beside where steps end */
        r[i] = (struct bench_request){t, 1 + (uint32_t)rng_below(&g, prompt),
                                      1 + (uint32_t)rng_below(&g, output)};
    }
    return r;
}

static const struct rule_case {
    uint32_t max_running, max_tokens, blocks, prompt, output;
    uint64_t gap_us;
} cases[] = {
    {64, 4096, 4096, 300, 200, 20000}, /* room for all */
    {8, 4096, 4096, 300, 200, 2000},   /* few places */
    {64, 4096, 120, 300, 200, 2000},   /* a small cache: preempted often */
    {64, 4096, 60, 200, 300, 2000},    /* hardly more than a request needs */
    {256, 1024, 400, 500, 500, 1000},  /* prompts in parts, too */
    {64, 512, 200, 250, 400, 5000},
};

static void close_to(const char *what, int i, double got, double want)
{
    cr_expect_float_eq(got, want, 1e-9 * want + 1e-12, "case %d, %s: %.12g, the reference %.12g", i,
                       what, got, want);
}

static void compare(int i, const struct rule_case *c, bool reuse, uint64_t seed)
{
    enum { N = 150 };
    char section[300];
    struct bench_request *r = random_requests(N, c->gap_us, c->prompt, c->output, seed);
    const struct reference_set set = {c->max_running, c->max_tokens, c->blocks, reuse,
                                      500000,         8500,          40};
    snprintf(section, sizeof section,
             "{\"model\":\"toy\",\"max_running\":%u,\"max_batch_tokens\":%u,\"kv_blocks\":%u,"
             "\"preempt\":\"last\",\"overlap\":true,\"recover\":%s}",
             c->max_running, c->max_tokens, c->blocks, reuse ? "true" : "false");
    struct bench b = {.section = section,
                      .dense_us = {500, 9000},
                      .token_ns = 40,
                      .request = r,
                      .n = N,
                      .exact = true};
    struct measures *m = bench_run(&b, NULL);
    const struct reference_out want = vllm_reference(&set, r, N);
    close_to("iterations", i, bench_number(m, "iterations"), (double)want.iterations);
    close_to("preemptions", i, bench_number(m, "preemptions"), (double)want.preemptions);
    if (reuse)
        close_to("recovered", i, bench_number(m, "recovered_tokens"), (double)want.recovered);
    close_to("ttft", i, sketch_mean(bench_sketch(m, "ttft")), want.ttft_ms);
    close_to("tpot", i, sketch_mean(bench_sketch(m, "tpot")), want.tpot_ms);
    close_to("e2e", i, sketch_mean(bench_sketch(m, "e2e")), want.e2e_ms);
    if (i >= 2)
        cr_expect_gt(want.preemptions, 0, "case %d never preempts", i);
    measures_free(m);
    free(r);
}

Test(serve_rules, are_vllm_s_block_by_block)
{
    for (int i = 0; i < (int)(sizeof cases / sizeof *cases); i++)
        for (uint64_t seed = 1; seed <= 4; seed++) {
            compare(i, &cases[i], false, seed);
            compare(i, &cases[i], true, seed);
        }
}

/* ---- by hand ------------------------------------------------------------------------------- */

/* Four blocks, 1 ms an iteration.  A (20 tokens) takes two and begins; B (16) joins in the second
 * iteration, takes one, and the last one for its 17th token in the third.  A's 33rd token needs one
 * in the 14th: B, let in last, loses its two, of which A takes B's second, and B waits, for it
 * needs 2 and one is left.  A ends with its 20th token, at 20 ms.  B is let in: 28 tokens, whose
 * first 16 it finds.  It has had 12 tokens; the next comes at 21 ms, the 20th at 28 ms. */
Test(serve_rules, a_preempted_request_finds_what_nobody_took)
{
    static const struct bench_request r[] = {{0, 20, 20}, {0, 16, 20}};
    struct bench b = {.section = "{\"model\":\"toy\",\"kv_blocks\":4,\"preempt\":\"last\","
                                 "\"recover\":true}",
                      .dense_us = {1000, 1000},
                      .request = r,
                      .n = 2,
                      .exact = true};
    struct measures *m = bench_run(&b, NULL);
    cr_expect_eq(bench_number(m, "preemptions"), 1);
    cr_expect_eq(bench_number(m, "recovered_tokens"), 16);
    cr_expect_eq(bench_number(m, "iterations"), 28);
    cr_expect_float_eq(sketch_min(bench_sketch(m, "e2e")), 20, 1e-9);
    cr_expect_float_eq(sketch_max(bench_sketch(m, "e2e")), 28, 1e-9);
    measures_free(m);
}

/* Host work of 0.3 ms and a launch of 0.1 beside a GPU that takes 1 ms are not seen; beside one
 * that takes 0.25 they are all that is. */
Test(serve_rules, overlap_hides_the_host_behind_the_gpu)
{
    static const struct bench_request r[] = {{0, 10, 11}};
    static const double gpu_us[] = {1000, 250}, want_ms[] = {11, 11 * 0.4};
    for (int i = 0; i < 2; i++) {
        struct bench b = {.section = "{\"model\":\"toy\",\"overlap\":true,\"kv_fraction\":1}",
                          .dense_us = {gpu_us[i], gpu_us[i]},
                          .step_us = 300,
                          .launch_us = 100,
                          .request = r,
                          .n = 1,
                          .exact = true};
        struct measures *m = bench_run(&b, NULL);
        cr_expect_float_eq(sketch_mean(bench_sketch(m, "e2e")), want_ms[i], 1e-9);
        measures_free(m);
    }
}

/* ---- operator tables ------------------------------------------------------------------------ */

static const char *const rules[] = {
    "\"max_running\":64,\"cores\":1",
    "\"max_running\":64,\"overlap\":true",
    "\"max_running\":64,\"overlap\":true,\"preempt\":\"last\",\"recover\":true,\"kv_blocks\":150",
    "\"max_running\":8,\"chunk\":128,\"kv_blocks\":150,\"recover\":true",
};

Test(serve_rules, leaping_along_bent_tables_changes_nothing)
{
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
        char leap[300], step[300];
        static const char head[] = "\"model\":\"toy\",\"costs\":\"ops\",\"kv_fraction\":1";
        snprintf(leap, sizeof leap, "{%s,%s}", head, rules[i]);
        snprintf(step, sizeof step, "{%s,%s,\"leap\":false}", head, rules[i]);
        struct bench_request *r = random_requests(200, 3000, 700, 700, i);
        struct model_table table = {"ops", &cost_rows_bent()->source};
        struct bench b = {.section = leap,
                          .step_us = 30.7,
                          .seq_us = 1.3,
                          .launch_us = 2.427,
                          .request = r,
                          .n = 200,
                          .table = &table,
                          .n_tables = 1,
                          .exact = true};
        struct measures *fast = bench_run(&b, NULL);
        b.section = step;
        struct measures *slow = bench_run(&b, NULL);
        cr_expect_lt(bench_number(fast, "events"), 0.8 * bench_number(slow, "events"));
        if (i >= 2)
            cr_expect_gt(bench_number(fast, "recovered_tokens"), 0);
        bench_same(fast, slow);
        measures_free(fast);
        measures_free(slow);
        free(r);
    }
}

/* One token, then 99 iterations of one sequence: sums of the table's own numbers. */
Test(serve_rules, an_iteration_costs_what_its_table_says)
{
    static const struct bench_request r[] = {{0, 16, 100}};
    struct model_table table = {"ops", &cost_rows_linear()->source};
    struct bench b = {.section = "{\"model\":\"toy\",\"costs\":[\"ops\"],\"kv_fraction\":1}",
                      .request = r,
                      .n = 1,
                      .table = &table,
                      .n_tables = 1,
                      .exact = true};
    struct measures *m = bench_run(&b, NULL);
    const double first = 2 * (115 + 10) + 50, more = 99 * (2 * (100 + 10) + 50.0);
    double context = 0;
    for (int i = 16; i < 16 + 99; i++)
        context += 2 * 0.002 * i;
    cr_expect_float_eq(sketch_mean(bench_sketch(m, "ttft")), first / 1e3, 1e-9);
    cr_expect_float_eq(sketch_mean(bench_sketch(m, "e2e")), (first + more + context) / 1e3, 2e-6);
    measures_free(m);
}
