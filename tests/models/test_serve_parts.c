/* test_serve_parts.c - what a request's time is made of. */
#include <criterion/criterion.h>
#include <stdio.h>

#include "sim/rng.h"
#include "tests/models/serve_bench.h"

static const struct bench_request pair[] = {{.at_ns = 0, .prompt = 16, .output = 30},
                                            {.at_ns = 0, .prompt = 16, .output = 30}};

/* As in test_serve_swap.c: an iteration takes 1 ms.  The second request begins one later, has to go
 * at 18 ms and finds room at 30, when the first is done. */
static struct bench squeezed(const char *section)
{
    return (struct bench){.section = section,
                          .dense_us = {1000, 1000},
                          .kv_tokens = 5 * 16,
                          .request = pair,
                          .n = 2,
                          .exact = true};
}

static const char *const part[] = {"intake",    "policy", "queue",  "prefill",
                                   "preempted", "ship",   "decode", "send"};
#define PARTS (sizeof part / sizeof *part)

static double share(const struct measures *m, const char *of, size_t i)
{
    char name[64];
    snprintf(name, sizeof name, "%s.%s", of, part[i]);
    return bench_number(m, name);
}

Test(serve_parts, a_preempted_request_is_behind_until_its_next_token)
{
    const struct bench b = squeezed("{\"model\":\"toy\",\"kv_fraction\":1}");
    struct measures *m = bench_run(&b, NULL);
    cr_expect_float_eq(bench_number(m, "share.prefill"), 2. / 73, 1e-12);
    cr_expect_float_eq(bench_number(m, "share.preempted"), 13. / 73, 1e-12);
    cr_expect_float_eq(bench_number(m, "share.decode"), (29. + 28) / 73, 1e-12);
    cr_expect_float_eq(bench_number(m, "share_p99.prefill"), 1. / 43, 1e-12);
    cr_expect_float_eq(bench_number(m, "share_p99.preempted"), 13. / 43, 1e-12);
    cr_expect_float_eq(bench_number(m, "share_p99.decode"), 28. / 43, 1e-12);
    cr_expect_float_eq(bench_number(m, "ttft_share.queue"), 1. / 3, 1e-12);
    cr_expect_float_eq(bench_number(m, "ttft_share.prefill"), 2. / 3, 1e-12);
    measures_free(m);
}

/* A token is a byte, and a byte takes 1 us: 32 us in and 32 out. */
Test(serve_parts, a_swapped_one_until_it_is_let_in)
{
    const struct bench b = squeezed("{\"model\":\"toy\",\"kv_fraction\":1,\"swap_gib\":1}");
    struct measures *m = bench_run(&b, NULL);
    cr_expect_float_eq(bench_number(m, "share_p99.preempted"), 12.032 / 43.064, 1e-9);
    cr_expect_float_eq(bench_number(m, "share_p99.decode"), 29.032 / 43.064, 1e-9);
    measures_free(m);
}

#define N 3000

/* Whatever the load: parts are the whole, and those before the batch are the wait for it. */
Test(serve_parts, parts_sum_to_what_was_measured)
{
    static struct bench_request r[N];
    static const char *const groups[] = {"share", "share_p99", "ttft_share", "ttft_share_p99"};
    struct rng g;
    rng_init(&g, 5, "test", "parts");
    for (size_t i = 0; i < N; i++)
        r[i] = (struct bench_request){.at_ns = (i ? r[i - 1].at_ns : 0) + rng_below(&g, 20000000),
                                      .prompt = 1 + (uint32_t)rng_below(&g, 200),
                                      .output = 1 + (uint32_t)rng_below(&g, 60)};
    const struct bench b = {.section = "{\"model\":\"toy\",\"kv_fraction\":1,\"max_running\":8}",
                            .dense_us = {1000, 3000},
                            .token_ns = 200,
                            .parse_us = 40,
                            .step_us = 100,
                            .kv_tokens = 640,
                            .request = r,
                            .n = N};
    struct measures *m = bench_run(&b, NULL);
    for (size_t k = 0; k < 4; k++) {
        double sum = 0;
        for (size_t i = 0; i < PARTS; i++) {
            cr_expect_geq(share(m, groups[k], i), 0);
            sum += share(m, groups[k], i);
        }
        cr_expect_float_eq(sum, 1, 1e-12, "%s", groups[k]);
    }
    cr_expect_gt(bench_number(m, "preemptions"), 10);
    const double e2e = sketch_mean(bench_sketch(m, "e2e")),
                 ttft = sketch_mean(bench_sketch(m, "ttft"));
    const double wait = sketch_mean(bench_sketch(m, "queue_wait"));
    cr_expect_float_eq(e2e * (share(m, "share", 0) + share(m, "share", 1) + share(m, "share", 2)),
                       wait, 1e-6 * e2e);
    cr_expect_float_eq(ttft * (share(m, "ttft_share", 0) + share(m, "ttft_share", 2)), wait,
                       1e-6 * e2e);
    /* Each kind of part where it is known to be: the slowest wait longest, the first token never
     * decodes. */
    cr_expect_gt(share(m, "ttft_share_p99", 2), share(m, "ttft_share", 2));
    cr_expect_eq(share(m, "ttft_share", 6), 0);
    measures_free(m);
}
