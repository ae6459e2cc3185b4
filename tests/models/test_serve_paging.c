/* test_serve_paging.c - what does not fit the GPU goes to the host and comes back: closed forms on
 * round numbers, leaping, and what others measured of vLLM on an H100.          */
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/models/prefix_requests.h"
#include "tests/models/serve_bench.h"

#define TOY    "tests/models/data/toy-paging.json"
#define ROW(x) "{\"model\":\"toy\",\"kv_fraction\":1," x "}"

static double ttft(const struct measures *m, double n)
{
    return sketch_mean(bench_sketch(m, "ttft")) * n;
}

/* ---- preempted requests ---- */

/* Two requests of 16 tokens and 30 more each in a cache of 5 blocks (test_serve_swap.c): two blocks
 * go and come.  A token in the cache is a byte; a piece of b bytes is 9 + b us on the link. */
static double two(const char *paging, const char *stack, struct measures **m)
{
    static const struct bench_request r[] = {{.at_ns = 0, .prompt = 16, .output = 30},
                                             {.at_ns = 0, .prompt = 16, .output = 30}};
    char section[300];
    snprintf(section, sizeof section,
             ROW("\"kv_blocks\":5,\"swap_gib\":1,\"launches\":\"eager\"%s"), paging);
    struct bench b = {
        .section = section, .machine = TOY, .stack = stack, .request = r, .n = 2, .exact = true};
    *m = bench_run(&b, NULL);
    return bench_number(*m, "makespan") * 1e6;
}

Test(serve_paging, a_preempted_request_takes_the_way_that_is_named)
{
    static const struct {
        const char *paging, *stack;
        double more_us; /* than computing alone, out and in together */
        double crossings;
    } row[] = {
        /* each way 2 pieces: 2 x 5 us hidden in 2 x 25 on the link */
        {",\"paging\":{}", "native", 2 * 2 * 25, 2 * 2 * 2},
        /* 4 layers, K and V: 16 pieces of 2 bytes, 11 us each */
        {",\"paging\":{\"layout\":\"layers\"}", "native", 2 * 16 * 11, 2 * 16 * 2},
        /* 32 bytes in a buffer of 20 and one of 12: the core takes 2 us a byte, and submits */
        {",\"paging\":{\"staging_mib\":0.000019073486328125}", "native", 2 * (2 * 5 + 64),
         2 * 2 * 6},
        /* two pages of 4 KiB: 4105 us each on the link */
        {",\"paging\":{\"by\":\"os\",\"page_kib\":4}", "native", 2 * 2 * 4105, 2 * (3 + 2 * 3)},
        {",\"paging\":{\"by\":\"os\",\"page_kib\":4}", "malv", 2 * 2 * 4105, 2 * (5 + 2 * 3)},
        /* in: one batch of faults, 50 + 2 x 4 us before the copies */
        {",\"paging\":{\"by\":\"os\",\"page_kib\":4,\"ask\":\"faults\"}", "native",
         2 * 2 * 4105 + 58, 3 + 2 * 3 + 3 + 2 * 3},
    };
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        struct measures *m, *bare;
        const double us = two(row[i].paging, row[i].stack, &m);
        cr_expect_eq(bench_number(m, "swapped_blocks"), 2);
        const double launches =
            bench_number(m, "launches") * 3;                  /* of malv, through the hypervisor */
        double alone = two("", row[i].stack, &bare) - 2 * 32; /* 1 us a byte without "paging" */
        (void)launches;
        cr_expect_float_eq(us - alone, row[i].more_us, 1e-3, "%s: %g us", row[i].paging,
                           us - alone);
        cr_expect_eq(bench_number(m, "paging.crossings"), row[i].crossings, "%s", row[i].paging);
        measures_free(m);
        measures_free(bare);
    }
}

/* ---- blocks of prompts ---- */

static const uint64_t one[] = {11, 12, 13}, two_[] = {21, 22, 23};

/* A cache of 12 KV blocks holds one prompt of 160 tokens at a time, so the second of another
 * conversation drives out the first, whose two full blocks of 64 tokens come back from the host:
 * 128 bytes in 8 pieces of 16, and 32 tokens to compute. */
Test(serve_paging, a_prompt_that_went_to_the_host_comes_back_instead_of_being_computed)
{
    const struct trace_request r[] = {
        {.time_ns = 0, .prompt_tokens = 160, .output_tokens = 1, .n_prefix = 3, .prefix = one},
        {.time_ns = 1000000000,
         .prompt_tokens = 160,
         .output_tokens = 1,
         .n_prefix = 3,
         .prefix = two_},
        {.time_ns = 2000000000,
         .prompt_tokens = 160,
         .output_tokens = 1,
         .n_prefix = 3,
         .prefix = one}};
    struct bench b = {.section = ROW("\"kv_blocks\":12,\"prefix_block\":64,"
                                     "\"paging\":{\"host_gib\":0.000001}"),
                      .machine = TOY,
                      .traced = r,
                      .n = 3,
                      .exact = true};
    struct measures *m = bench_run(&b, NULL);
    /* the second waits for what goes out for it, 8 pieces of 25 us; the third too, and what comes
     * takes the same link the other way at once: 256 bytes at 2/3 us are less than 8 x 25 us */
    cr_expect_float_eq(ttft(m, 3), (160 + (160 + 200) + (32 + 200)) / 1e3, 1e-6, "%g", ttft(m, 3));
    cr_expect_eq(bench_number(m, "paging.in"), 128);
    cr_expect_eq(bench_number(m, "paging.out"), 256);
    cr_expect_float_eq(bench_number(m, "store_hit_ratio"), 128.0 / 480, 1e-12);
    measures_free(m);
    /* Four layers: only the first piece of what comes is waited for, and what is longer. */
    b.section = ROW("\"kv_blocks\":12,\"prefix_block\":64,"
                    "\"paging\":{\"host_gib\":0.000001,\"overlap\":true}");
    m = bench_run(&b, NULL);
    cr_expect_float_eq(ttft(m, 3), (160 + (160 + 40 + 160.0 / 4) + (160 + 40 + 32.0 / 4)) / 1e3,
                       1e-6, "%g", ttft(m, 3));
    measures_free(m);
}

/* The drive behind it: 5 us a byte to read. */
Test(serve_paging, what_host_memory_gave_up_comes_from_the_drive)
{
    static const uint64_t chain[][3] = {{11, 12, 13}, {21, 22, 23}, {31, 32, 33}, {11, 12, 13}};
    struct trace_request r[4];
    for (size_t i = 0; i < 4; i++)
        r[i] = (struct trace_request){.time_ns = i * 1000000000,
                                      .prompt_tokens = 160,
                                      .output_tokens = 1,
                                      .n_prefix = 3,
                                      .prefix = chain[i]};
    struct bench b = {.section = ROW("\"kv_blocks\":12,\"prefix_block\":64,\"paging\":"
                                     "{\"host_gib\":0.00000012,\"ssd_gib\":0.000001,"
                                     "\"drive\":\"toy\"}"), /* two blocks */
                      .machine = TOY,
                      .traced = r,
                      .n = 4,
                      .exact = true};
    struct measures *m = bench_run(&b, NULL);
    cr_expect_eq(bench_number(m, "store_spilled"), 4);
    cr_expect_eq(bench_number(m, "store_read"), 2);
    cr_expect_float_eq(bench_number(m, "store_hit_ratio"), 128.0 / 640, 1e-12);
    /* 128 bytes at 5 us, after 128 more that go to the drive for them at 2.5 us */
    cr_expect_float_eq(ttft(m, 4), (160 + 2 * (160 + 200) + 32 + 128 * 2.5 + 128 * 5) / 1e3, 2e-3,
                       "%g", ttft(m, 4));
    measures_free(m);
}

static struct trace_request *of(const struct prefix_requests *p, double slower)
{
    struct trace_request *r = malloc(p->n * sizeof *r);
    for (size_t i = 0; i < p->n; i++) {
        r[i] = p->r[i];
        r[i].time_ns = (uint64_t)((double)r[i].time_ns * slower);
    }
    return r;
}

/* One after the other, the GPU with room for the longest prompt only, the host with room for all:
 * together they have what a GPU with room for all has. */
Test(serve_paging, with_room_in_the_host_the_hits_are_those_of_a_large_gpu)
{
    struct prefix_requests p;
    prefix_requests_make(&p, 300, 64, 4);
    struct bench b = {.section = ROW("\"kv_blocks\":1000000,\"prefix_block\":64"),
                      .machine = TOY,
                      .n = p.n,
                      .traced = of(&p, 1000),
                      .exact = true};
    struct measures *large = bench_run(&b, NULL);
    b.section = ROW("\"kv_blocks\":400,\"prefix_block\":64,\"paging\":{\"host_gib\":0.01}");
    struct measures *small = bench_run(&b, NULL);
    cr_expect_gt(bench_number(small, "store_hit_ratio"), 0.05);
    cr_expect_eq(bench_number(small, "completed"), 300);
    cr_expect_eq(bench_number(small, "prefix_tokens_found"),
                 bench_number(large, "prefix_tokens_found"));
    measures_free(large);
    measures_free(small);
    free((void *)b.traced);
    prefix_requests_free(&p);
}

Test(serve_paging, leaping_changes_nothing)
{
    static const char *const ways[] = {
        "{\"host_gib\":0.00001}",
        "{\"host_gib\":0.00001,\"ssd_gib\":0.0001,\"drive\":\"toy\",\"overlap\":true}",
        "{\"by\":\"os\",\"page_kib\":4,\"host_gib\":0.00001}",
        "{\"by\":\"os\",\"page_kib\":4,\"ask\":\"faults\",\"host_gib\":0.00001}",
        "{\"staging_mib\":0.001,\"layout\":\"layers\"}"};
    double moved = 0, preempted = 0, saved = 0;
    for (size_t i = 0; i < 15; i++) {
        struct prefix_requests p;
        struct measures *m[2];
        char section[300];
        prefix_requests_make(&p, 200, 64, i);
        struct bench b = {.section = section,
                          .machine = TOY,
                          .stack = i % 2 ? "malv" : "native",
                          .n = p.n,
                          .traced = of(&p, i < 10 ? 1 : 0.2),
                          .exact = true};
        for (int k = 0; k < 2; k++) {
            snprintf(section, sizeof section,
                     ROW("\"max_running\":16,\"prefix_block\":64,\"swap_gib\":0.000001,"
                         "\"leap\":%s,\"overlap\":%s,\"paging\":%s"),
                     k ? "false" : "true", i % 3 ? "true" : "false", ways[i % 5]);
            m[k] = bench_run(&b, NULL);
        }
        moved += bench_number(m[0], "paging.in");
        preempted += bench_number(m[0], "preemptions");
        saved += bench_number(m[1], "events") - bench_number(m[0], "events");
        bench_same(m[0], m[1]);
        measures_free(m[0]);
        measures_free(m[1]);
        free((void *)b.traced);
        prefix_requests_free(&p);
    }
    cr_expect(moved > 1000 && preempted > 50 && saved > 1000, "%g %g %g", moved, preempted, saved);
}

/* ---- what others measured ------------------------------------------------------------------ */

/* blog.vllm.ai, 8 January 2026: Llama 3.1 8B on an H100, prompts found in host memory instead of
 * computed.  Two prompts as long as the cache take turns; from the fourth on both are in host
 * memory, and nothing has to go there. */
static double found_or_computed(uint32_t tokens, const char *paging)
{
    enum { MOST = 256 };
    static uint64_t a[MOST], b[MOST];
    char section[300];
    const uint32_t n = tokens / 512;
    for (uint32_t i = 0; i < MOST; i++) {
        a[i] = 1000 + i;
        b[i] = 2000 + i;
    }
    struct trace_request r[4];
    for (size_t i = 0; i < 4; i++) {
        r[i] = (struct trace_request){.prefix = i % 2 ? b : a};
        r[i].time_ns = i * 60000000000;
        r[i].prompt_tokens = tokens;
        r[i].output_tokens = 1;
        r[i].n_prefix = n;
    }
    snprintf(section, sizeof section,
             "{\"prefix_block\":512,\"kv_blocks\":%u,\"max_batch_tokens\":8192,"
             "\"paging\":{\"host_gib\":100%s}}",
             tokens / 16 + 32, paging);
    struct bench bench = {
        .section = section, .machine = "machines/h100-server.json", .traced = r, .exact = true};
    double sum[4];
    for (bench.n = 1; bench.n <= 4; bench.n += bench.n == 1 ? 2 : 1) {
        struct measures *m = bench_run(&bench, NULL);
        sum[bench.n - 1] = ttft(m, (double)bench.n);
        measures_free(m);
    }
    return sum[0] / (sum[3] - sum[2]);
}

static void near(double ours, double published, const char *what)
{
    cr_expect_lt(fabs(ours / published - 1), 0.25, "%s: %g times, published %g", what, ours,
                 published);
}

/* "X2-X22, depending on the prompt size"; 512 tokens: 2; up to 4 times by one piece for all layers.
 * The longest prompt is taken to be the 90K of the same post. */
Test(serve_paging, prompts_found_in_the_host_are_as_much_faster_as_in_vllm)
{
    const double most = found_or_computed(90112, "");
    near(found_or_computed(512, ""), 2, "512 tokens");
    near(most, 22, "the longest prompts");
    near(most / found_or_computed(90112, ",\"layout\":\"layers\""), 4, "layout");
}

/* "By up to X9": prompts of 512 tokens, as many at once as there are. */
Test(serve_paging, a_host_full_of_prompts_multiplies_the_throughput_as_in_vllm)
{
    enum { N = 300 };
    static uint64_t hash[N];
    static struct trace_request r[2 * N];
    for (uint32_t i = 0; i < 2 * N; i++) {
        hash[i % N] = 1000 + i % N;
        r[i] = (struct trace_request){.time_ns = i < N ? 0 : 1000000000000,
                                      .prompt_tokens = 512,
                                      .output_tokens = 1,
                                      .n_prefix = 1,
                                      .prefix = &hash[i % N]};
    }
    struct bench b = {.section = "{\"prefix_block\":512,\"kv_blocks\":1024,"
                                 "\"max_batch_tokens\":8192,"
                                 "\"paging\":{\"host_gib\":100,\"overlap\":true}}",
                      .machine = "machines/h100-server.json",
                      .traced = r,
                      .n = N,
                      .exact = true};
    struct measures *m = bench_run(&b, NULL);
    const double computed = bench_number(m, "makespan");
    measures_free(m);
    b.n = 2 * N;
    m = bench_run(&b, NULL);
    near(computed / (bench_number(m, "makespan") - 1000), 9, "throughput");
    measures_free(m);
}
