/* test_fleet_prefix.c - prefix caches of many engines, and a router that knows them. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/models/prefix_requests.h"
#include "tests/models/serve_bench.h"
#include "tests/policies/opened.h"

#define COST "\"cost\":{\"llm\":\"llama-3.1-8b\"}"

static struct measures *under(struct bench b, const char *name)
{
    struct opened o;
    b.policy = opened_policy(&o, name);
    struct measures *m = bench_run(&b, NULL);
    opened_close(&o);
    return m;
}

/* Blocks of 512 tokens, ten times as slow as they are made. */
static struct trace_request *requests(struct prefix_requests *p, size_t n, uint64_t seed)
{
    prefix_requests_make(p, n, 512, seed);
    struct trace_request *r = malloc(n * sizeof *r);
    for (size_t i = 0; i < n; i++) {
        r[i] = p->r[i];
        r[i].time_ns *= 10;
    }
    return r;
}

static void end(struct bench *b, struct prefix_requests *p)
{
    free((void *)b->traced);
    prefix_requests_free(p);
}

/* A fourth of the memory is hardly more than the weights: blocks are evicted, requests preempted.
 */
Test(fleet_prefix, one_engine_does_what_model_serve_does)
{
    static const char *const number[] = {"makespan", "iterations", "preemptions", "completed",
                                         "prefix_hit_ratio"};
    static const char *const sketch[] = {"ttft", "tpot", "e2e", "queue_wait"};
    struct prefix_requests p;
    struct bench b = {.section = "{\"kv_fraction\":0.26,\"prefix_block\":512}",
                      .machine = "machines/h100-server.json",
                      .n = 600,
                      .exact = true};
    b.traced = requests(&p, b.n, 5);
    struct measures *x = bench_run(&b, NULL);
    b.model = &model_fleet;
    b.section =
        "{\"prefix_block\":512,\"pools\":{\"all\":{\"engines\":1,\"kv_fraction\":0.26," COST "}}}";
    struct measures *y = bench_run(&b, NULL);
    for (size_t i = 0; i < sizeof number / sizeof *number; i++)
        cr_expect_eq(bench_number(x, number[i]), bench_number(y, number[i]), "%s: %.17g and %.17g",
                     number[i], bench_number(x, number[i]), bench_number(y, number[i]));
    for (size_t i = 0; i < sizeof sketch / sizeof *sketch; i++)
        cr_expect_eq(sketch_sum(bench_sketch(x, sketch[i])), sketch_sum(bench_sketch(y, sketch[i])),
                     "%s", sketch[i]);
    cr_expect_gt(bench_number(x, "prefix_evictions"), 0);
    cr_expect_gt(bench_number(x, "preemptions"), 0);
    measures_free(x);
    measures_free(y);
    end(&b, &p);
}

Test(fleet_prefix, stepping_is_the_same_as_leaping)
{
    static const char *const section[] = {
        "{\"prefix_block\":512,\"pools\":{\"all\":{\"engines\":3,\"kv_fraction\":0.25," COST
        "}},\"leap\":true}",
        "{\"prefix_block\":512,\"pools\":{\"all\":{\"engines\":3,\"kv_fraction\":0.25," COST
        "}},\"leap\":false}"};
    struct prefix_requests p;
    struct bench b = {
        .model = &model_fleet, .machine = "machines/h100-server.json", .n = 600, .exact = true};
    b.traced = requests(&p, b.n, 6);
    b.section = section[0];
    struct measures *x = under(b, "route-prefix");
    b.section = section[1];
    struct measures *y = under(b, "route-prefix");
    cr_expect_lt(bench_number(x, "events"), bench_number(y, "events"));
    bench_same(x, y);
    measures_free(x);
    measures_free(y);
    end(&b, &p);
}

Test(fleet_prefix, who_knows_the_caches_finds_more)
{
    struct prefix_requests p;
    struct bench b = {
        .model = &model_fleet, .machine = "machines/h100-server.json", .n = 1000, .exact = true};
    b.section = "{\"prefix_block\":512,\"pools\":{\"all\":{\"engines\":8," COST "}}}";
    b.traced = requests(&p, b.n, 7);
    struct measures *blind = under(b, "route-round-robin"), *knows = under(b, "route-prefix");
    cr_expect_gt(bench_number(knows, "prefix_hit_ratio"),
                 1.3 * bench_number(blind, "prefix_hit_ratio"), "%g and %g",
                 bench_number(knows, "prefix_hit_ratio"), bench_number(blind, "prefix_hit_ratio"));
    cr_expect_lt(sketch_mean(bench_sketch(knows, "ttft")),
                 sketch_mean(bench_sketch(blind, "ttft")));
    measures_free(blind);
    measures_free(knows);
    end(&b, &p);
}

/* Blocks stay with the engine that computed them while the copy is on its way; the model asserts
 * that none is lost. */
Test(fleet_prefix, prefill_engines_keep_what_they_ship)
{
    struct prefix_requests p;
    struct bench b = {
        .model = &model_fleet, .machine = "machines/h100-server.json", .n = 600, .exact = true};
    b.section = "{\"prefix_block\":512,\"link\":{\"gb_per_s\":50,\"source\":\"test\"},\"pools\":{"
                "\"p\":{\"role\":\"prefill\",\"engines\":2,\"kv_fraction\":0.3," COST "},"
                "\"d\":{\"role\":\"decode\",\"engines\":2,\"kv_fraction\":0.3," COST "}}}";
    b.traced = requests(&p, b.n, 8);
    struct measures *m = bench_run(&b, NULL);
    cr_expect_eq(bench_number(m, "completed"), 600);
    cr_expect_gt(bench_number(m, "prefix_hit_ratio"), 0.1);
    cr_expect_gt(bench_number(m, "shipped"), 500);
    measures_free(m);
    end(&b, &p);
}
