/* test_fleet_memory.c - engines of a fleet that are short of KV blocks do what model "serve" does:
 * whom they preempt, where his blocks wait, and what comes back from the host. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/models/fleet_rig.h"
#include "tests/models/prefix_requests.h"
#include "tests/sanitized.h"

#define SMALL "\"kv_fraction\":0.25"

static const struct {
    const char *keys;  /* of a pool, and of "serve" */
    bool blocks;       /* prompts share blocks */
    bool overlap;      /* of the cost; a key of "serve" */
    const char *moves; /* a measure above 0, or NULL */
} row[] = {
    {SMALL ",\"preempt\":\"last\"", false, false, "preemptions"},
    {SMALL ",\"recover\":true", false, false, "recovered_tokens"},
    {SMALL ",\"preempt\":\"last\",\"recover\":true", false, true, "recovered_tokens"},
    {SMALL ",\"swap_gib\":0.5", false, false, "swap_time"},
    {SMALL ",\"swap_gib\":64,\"preempt\":\"last\"", false, true, "swap_time"},
    {SMALL ",\"swap_gib\":64,\"paging\":{}", false, false, "paging.wait"},
    {SMALL ",\"swap_gib\":64,\"paging\":{\"by\":\"os\"}", false, true, "paging.crossings"},
    {SMALL ",\"swap_gib\":1", true, false, "swap_time"},
    {SMALL ",\"paging\":{\"host_gib\":4}", true, false, "store_hit_ratio"},
    {SMALL ",\"paging\":{\"host_gib\":2,\"ssd_gib\":64,\"by\":\"os\",\"overlap\":true}", true, true,
     "store_read"},
    {SMALL ",\"swap_gib\":2,\"paging\":{\"host_gib\":4,\"layout\":\"layers\"}", true, false,
     "store_hit_ratio"},
};
#define ROWS (sizeof row / sizeof *row)

static void sections(size_t i, char serve[500], char fleet[500])
{
    const char *shared = row[i].blocks ? ",\"prefix_block\":512" : "";
    snprintf(serve, 500, "{%s%s%s}", row[i].keys, shared,
             row[i].overlap ? ",\"overlap\":true" : "");
    snprintf(fleet, 500,
             "{\"slo_ttft_ms\":1000%s,\"pools\":{\"all\":{\"engines\":1,%s,"
             "\"cost\":{\"llm\":\"llama-3.1-8b\"%s}}}}",
             shared, row[i].keys, row[i].overlap ? ",\"overlap\":true" : "");
}

struct load {
    struct bench_request *request;
    struct prefix_requests shared;
    struct trace_request *traced;
};

/* Blocks of 512 tokens, ten times as slow as they are made. */
static void load_begin(struct load *l, size_t n)
{
    l->request = fleet_chat(n, 4, 700, 11);
    prefix_requests_make(&l->shared, n, 512, 5);
    l->traced = malloc(n * sizeof *l->traced);
    for (size_t i = 0; i < n; i++) {
        l->traced[i] = l->shared.r[i];
        l->traced[i].time_ns *= 10;
    }
}

static void load_end(struct load *l)
{
    free(l->request);
    free(l->traced);
    prefix_requests_free(&l->shared);
}

static struct bench bench(const struct load *l, size_t i, size_t n)
{
    struct bench b = {.machine = "machines/h100-server.json", .exact = true, .n = n};
    if (row[i].blocks)
        b.traced = l->traced;
    else
        b.request = l->request;
    return b;
}

/* Whatever either says of blocks that move. */
static void same_moves(const struct measures *serve, const struct measures *fleet, const char *keys)
{
    static const char *const number[] = {
        "recovered_tokens", "swapped_blocks", "swap_time",        "prefix_hit_ratio",
        "paging.in",        "paging.out",     "paging.copied",    "paging.asked",
        "paging.commands",  "paging.cpu",     "paging.crossings", "paging.wait",
        "store_hit_ratio",  "store_spilled",  "store_read",       "store_lost"};
    for (size_t i = 0; i < sizeof number / sizeof *number; i++) {
        const double *x = measures_find(serve, number[i]), *y = measures_find(fleet, number[i]);
        cr_expect_eq(!x, !y, "%s: %s", keys, number[i]);
        if (x && y)
            cr_expect_float_eq(*x, *y, 1e-12 * *x, "%s: %s: %.17g and %.17g", keys, number[i], *x,
                               *y);
    }
}

Test(fleet_memory, one_engine_does_what_model_serve_does, .timeout = 60)
{
    static const char *const policy[] = {NULL, "shortest-prompt"};
    const size_t n = SANITIZED ? 200 : 400;
    struct load l;
    load_begin(&l, n);
    for (size_t i = 0; i < ROWS; i++)
        for (size_t k = 0; k < 2; k++) {
            char serve[500], fleet[500];
            struct bench b = bench(&l, i, n);
            sections(i, serve, fleet);
            b.section = serve;
            struct measures *x = fleet_under(b, policy[k]);
            b.model = &model_fleet;
            b.section = fleet;
            struct measures *y = fleet_under(b, policy[k]);
            fleet_same(x, y);
            same_moves(x, y, row[i].keys);
            cr_expect_gt(bench_number(y, row[i].moves), 0, "%s", row[i].keys);
            measures_free(x);
            measures_free(y);
        }
    load_end(&l);
}

/* Prompts and answers apart, engines that fail, a pool that scales: nothing is lost, and no block
 * (the model asserts that). */
static const char *const many[] = {
    "\"pools\":{\"all\":{\"engines\":3,\"failures\":{\"mtbf_h\":0.004,\"mttr_s\":3,"
    "\"source\":\"test\"},%s,\"cost\":{\"llm\":\"llama-3.1-8b\"}}}",
    "\"pools\":{\"all\":{\"engines\":2,\"scale\":{\"least\":1,\"most\":4,\"period_s\":5,"
    "\"cold_start_s\":1,\"source\":\"test\"},%s,\"cost\":{\"llm\":\"llama-3.1-8b\"}}}",
    "\"pools\":{\"p\":{\"role\":\"prefill\",\"engines\":2,\"cost\":{\"llm\":\"llama-3.1-8b\"}},"
    "\"d\":{\"role\":\"decode\",\"engines\":2,\"failures\":{\"mtbf_h\":0.004,\"mttr_s\":3,"
    "\"source\":\"test\"},%s,\"cost\":{\"llm\":\"llama-3.1-8b\"}}},"
    "\"link\":{\"gb_per_s\":50,\"source\":\"test\"}"};

Test(fleet_memory, every_request_ends_once, .timeout = 60)
{
    const size_t n = SANITIZED ? 120 : 250;
    struct load l;
    load_begin(&l, n);
    for (size_t i = 0; i < ROWS; i++)
        for (size_t k = 0; k < sizeof many / sizeof *many; k++) {
            char pools[600], section[700];
            if (row[i].blocks && k == 2) /* who only decodes has no prefix cache */
                continue;
            struct bench b = bench(&l, i, n);
            snprintf(pools, sizeof pools, many[k], row[i].keys);
            snprintf(section, sizeof section, "{\"retries\":1000,%s%s}",
                     row[i].blocks ? "\"prefix_block\":512," : "", pools);
            b.model = &model_fleet;
            b.section = section;
            struct measures *m = fleet_under(b, k == 1 ? "scale-queue" : "shortest-prompt");
            const double done = bench_number(m, "completed"),
                         too_long = bench_number(m, "infeasible");
            cr_expect_eq(done + too_long, n, "%s: %g done", section, done);
            cr_expect_eq(sketch_count(bench_sketch(m, "e2e")), done);
            cr_expect_lt(too_long, n / 4.0);
            if (k != 1)
                cr_expect_gt(bench_number(m, "failures"), 3);
            measures_free(m);
        }
    load_end(&l);
}

Test(fleet_memory, stepping_is_the_same_as_leaping, .timeout = 60)
{
    const size_t n = SANITIZED ? 120 : 250;
    struct load l;
    load_begin(&l, n);
    for (size_t i = 0; i < ROWS; i++) {
        struct measures *m[2];
        for (size_t step = 0; step < 2; step++) {
            char section[700];
            struct bench b = bench(&l, i, n);
            snprintf(section, sizeof section,
                     "{\"leap\":%s,%s\"pools\":{\"all\":{\"engines\":2,\"failures\":{"
                     "\"mtbf_h\":0.01,\"mttr_s\":3,\"source\":\"test\"},%s,"
                     "\"cost\":{\"llm\":\"llama-3.1-8b\"}}}}",
                     step ? "false" : "true", row[i].blocks ? "\"prefix_block\":512," : "",
                     row[i].keys);
            b.model = &model_fleet;
            b.section = section;
            m[step] = fleet_under(b, NULL);
        }
        bench_same(m[0], m[1]);
        measures_free(m[0]);
        measures_free(m[1]);
    }
    load_end(&l);
}
