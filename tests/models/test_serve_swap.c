/* test_serve_swap.c - preempted requests that wait in host memory instead of being computed again.
 */
#include <criterion/criterion.h>

#include "tests/models/serve_bench.h"

/* Two requests of 16 tokens and 30 more each in a cache of 5 blocks: at 32 tokens both want a
 * third, the second has to go, and comes back when the first is done.  An iteration takes 1 ms
 * however many tokens it has; a token of the cache is a byte, and a byte takes 1 us. */
Test(serve_swap, a_swapped_request_waits_for_its_copies_and_nothing_else)
{
    static const struct bench_request r[] = {{.at_ns = 0, .prompt = 16, .output = 30},
                                             {.at_ns = 0, .prompt = 16, .output = 30}};
    struct bench b = {.section = "{\"model\":\"toy\",\"kv_fraction\":1,\"swap_gib\":1}",
                      .dense_us = {1000, 1000},
                      .kv_tokens = 5 * 16,
                      .request = r,
                      .n = 2,
                      .exact = true};
    struct measures *m = bench_run(&b, NULL);
    cr_expect_eq(bench_number(m, "preemptions"), 1);
    cr_expect_eq(bench_number(m, "swapped_blocks"), 2); /* 32 tokens */
    cr_expect_float_eq(bench_number(m, "swap_time"), 2 * 32e-6, 1e-12);
    /* The first: 30 iterations.  The second has had 17 tokens when it goes (one from its prompt, 16
     * by decoding), and 13 more iterations follow. */
    cr_expect_eq(bench_number(m, "iterations"), 30 + 13);
    cr_expect_float_eq(bench_number(m, "makespan"), 43e-3 + 2 * 32e-6, 1e-9);
    measures_free(m);

    b.section = "{\"model\":\"toy\",\"kv_fraction\":1}"; /* 33 tokens again, in one iteration */
    m = bench_run(&b, NULL);
    cr_expect_eq(bench_number(m, "preemptions"), 1);
    cr_expect_eq(bench_number(m, "iterations"), 30 + 13);
    cr_expect_float_eq(bench_number(m, "makespan"), 43e-3, 1e-9);
    measures_free(m);

    b.dense_us[1] = 2000; /* and 1 us a token beyond the first: computing again has its price */
    struct measures *again = bench_run(&b, NULL);
    b.section = "{\"model\":\"toy\",\"kv_fraction\":1,\"swap_gib\":1}";
    struct measures *swap = bench_run(&b, NULL);
    /* The iteration in which it comes back: 33 tokens, or 1 and the copies. */
    cr_expect_float_eq(bench_number(again, "makespan") - bench_number(swap, "makespan"),
                       32e-6 - 2 * 32e-6, 1e-9);
    measures_free(again);
    measures_free(swap);
}

/* Without room in host memory it is computed again. */
Test(serve_swap, host_memory_has_an_end)
{
    static const struct bench_request r[] = {{.at_ns = 0, .prompt = 16, .output = 30},
                                             {.at_ns = 0, .prompt = 16, .output = 30}};
    struct bench b = {.section = "{\"model\":\"toy\",\"kv_fraction\":1,\"swap_gib\":0.00000002}",
                      .dense_us = {1000, 1000}, /* 21 bytes: one block */
                      .kv_tokens = 5 * 16,
                      .request = r,
                      .n = 2,
                      .exact = true};
    struct measures *m = bench_run(&b, NULL);
    cr_expect_eq(bench_number(m, "preemptions"), 1);
    cr_expect_eq(bench_number(m, "swapped_blocks"), 0);
    measures_free(m);
}
