/* test_fleet_rules.c - what a fleet refuses, how it scales, whom it lets in, and bad routers. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "tests/models/fleet_rig.h"

#define N 200000

/* ---- what cannot be served, and who misbehaves ---- */

static const char *said(const struct measures *m, const char *kind)
{
    for (size_t i = 0; i < m->n_incident; i++)
        if (!strcmp(m->incident[i].kind, kind))
            return m->incident[i].text;
    return "nothing";
}

Test(fleet_rules, a_request_longer_than_any_cache_is_refused_and_stalls_nobody)
{
    static const struct bench_request r[] = {{0, 10, 5}, {0, 100000, 1000}, {1, 20, 5}};
    static const char small[] = "{\"pools\":{\"all\":{\"engines\":2," STEPS "}}}";
    static const char *const section[] = {small, APART};
    for (size_t i = 0; i < 2; i++) {
        struct bench b = {.model = &model_fleet, .bare = true, .section = section[i]};
        b.request = r;
        b.n = 3;
        struct measures *m = bench_run(&b, NULL);
        cr_expect_eq(bench_number(m, "completed"), 2);
        cr_expect_eq(bench_number(m, "infeasible"), 1);
        cr_expect_str_eq(
            said(m, "rejected"),
            "request 1 (100000 + 1000 tokens) refused: longer than the whole KV cache");
        measures_free(m);
    }
}

/* Of two pools only one can hold it: whoever the router meant, that one serves it. */
Test(fleet_rules, a_request_goes_where_it_fits)
{
    static const struct bench_request r[] = {{0, 5000, 5}, {0, 5000, 5}, {0, 10, 5}};
    static const char section[] =
        "{\"pools\":{\"small\":{\"engines\":2,\"kv_tokens\":1000,\"cost\":{\"prefill_ms\":[2,0,0],"
        "\"decode_ms\":[5,0,0],\"source\":\"test\"}},\"large\":{\"engines\":1," STEPS "}}}";
    struct bench b = {
        .model = &model_fleet, .bare = true, .section = section, .request = r, .n = 3};
    struct measures *m = bench_run(&b, NULL);
    cr_expect_eq(bench_number(m, "completed"), 3);
    cr_expect_eq(bench_number(m, "routed.large"), 3);
    measures_free(m);
}

static uint32_t out_of_range(void *self, const struct policy_route_obs *o)
{
    uint32_t *asked = self;
    return ++*asked < 10 ? 0 : o->n;
}
static int nothing(void **self, const struct policy_host *h)
{
    static uint32_t asked;
    (void)h;
    asked = 0;
    *self = &asked;
    return 0;
}
static void gone(void *self)
{
    (void)self;
}

Test(fleet_rules, a_bad_router_is_ejected_and_round_robin_takes_over)
{
    static const struct policy_ops ops = {
        .name = "bad", .create = nothing, .destroy = gone, .serve_route = out_of_range};
    struct policy_slot slot = {.ops = &ops, .label = "bad"};
    struct bench b = {
        .model = &model_fleet, .bare = true, .section = FOUR, .n = 1000, .policy = &slot};
    b.request = fleet_exponential(1000, 2000, 1);
    policy_slot_create(&slot, NULL, NULL, NULL);
    struct measures *m = bench_run(&b, NULL);
    cr_expect_eq(bench_number(m, "completed"), 1000);
    cr_expect_eq(bench_number(m, "ejected"), 1);
    cr_expect_str_eq(said(m, "ejected"), "serve_route answered engine 4, want one of 4");
    measures_free(m);
    free((void *)b.request);
}

Test(fleet_rules, load_near_saturation_is_flagged)
{
    struct bench b = {.model = &model_fleet, .bare = true, .section = FOUR, .n = N};
    b.request = fleet_exponential(N, 3800, 1);
    struct measures *m = bench_run(&b, NULL);
    cr_expect_float_eq(bench_number(m, "load"), 0.95, 0.02);
    cr_expect(strstr(said(m, "warning"), "of the estimated capacity"));
    measures_free(m);
    free((void *)b.request);
    b.request = fleet_exponential(N, 2000, 1);
    m = bench_run(&b, NULL);
    cr_expect_str_eq(said(m, "warning"), "nothing");
    measures_free(m);
    free((void *)b.request);
}

/* ---- engines come and go ---- */

#define SCALED(cold)                                                                               \
    "{\"pools\":{\"all\":{\"engines\":1," ENGINE "\"scale\":{\"least\":1,\"most\":8,"              \
    "\"period_s\":0.1,\"cold_start_s\":" cold ",\"source\":\"test\"}," PER_TOKEN "}}}"

static uint32_t wanted;
static uint32_t fixed(void *self, const struct policy_scale_obs *o)
{
    (void)self;
    cr_expect_leq(o->serving + o->starting + o->ending, 8);
    return o->now_ns < UINT64_C(5000000000) ? wanted : 1;
}

/* One engine for 0.1 s, then `wanted` that cost from there on and serve a cold start later, until
 * 5 s; from then on one. */
Test(fleet_rules, engines_cost_from_their_cold_start_on)
{
    static const struct policy_ops ops = {
        .name = "fixed", .create = nothing, .destroy = gone, .serve_scale = fixed};
    struct policy_slot slot = {.ops = &ops, .label = "fixed"};
    struct bench b = {.model = &model_fleet, .bare = true, .section = SCALED("2"), .policy = &slot};
    b.request = fleet_exponential(b.n = 5000, 500, 4); /* ten seconds at half of one engine */
    wanted = 4;
    policy_slot_create(&slot, NULL, NULL, NULL);
    struct measures *m = bench_run(&b, NULL);
    const double want = (bench_number(m, "makespan") + 3 * 4.9) / 3600;
    cr_expect_eq(bench_number(m, "completed"), 5000);
    cr_expect_eq(bench_number(m, "cold_starts"), 3);
    cr_expect_float_eq(bench_number(m, "engine_hours"), want, 0.05 / 3600, "%g h, want %g",
                       bench_number(m, "engine_hours"), want);
    measures_free(m);
    free((void *)b.request);
}

Test(fleet_rules, scaling_by_the_queue_follows_the_load)
{
    struct bench b = {.model = &model_fleet, .bare = true, .section = SCALED("0.05")};
    b.request = fleet_exponential(b.n = 20000, 4000, 4); /* four times what one engine can do */
    struct measures *m = fleet_under(b, "scale-queue"), *one = bench_run(&b, NULL);
    cr_expect_eq(bench_number(m, "completed"), 20000);
    cr_expect_gt(bench_number(m, "cold_starts"), 2);
    cr_expect_lt(bench_number(m, "makespan"), 0.5 * bench_number(one, "makespan"));
    cr_expect_eq(bench_number(one, "cold_starts"), 0);
    measures_free(m);
    measures_free(one);
    free((void *)b.request);
}

/* ---- who is let in ---- */

/* Twice what the engines can do: without admission everybody is late in the end; with it, those let
 * in are in time, and more of them. */
Test(fleet_rules, admission_by_predicted_time_keeps_those_let_in_on_time)
{
    static const char section[] =
        "{\"slo_ttft_ms\":1000,\"pools\":{\"all\":{\"engines\":4," ENGINE PER_TOKEN "}}}";
    struct bench b = {.model = &model_fleet, .bare = true, .section = section, .exact = true};
    b.request = fleet_exponential(b.n = 40000, 8000, 9);
    struct measures *all = bench_run(&b, NULL), *some = fleet_under(b, "admit-slo");
    cr_expect_gt(bench_number(some, "rejected"), 4000);
    cr_expect_eq(bench_number(some, "rejected") + bench_number(some, "completed"), 40000);
    cr_expect_gt(bench_number(some, "goodput"), 1.5 * bench_number(all, "goodput"));
    cr_expect_lt(sketch_quantile(bench_sketch(some, "ttft"), 0.9), 1000);
    measures_free(all);
    measures_free(some);
    free((void *)b.request);
}

/* ---- the same bytes, whoever runs them ---- */

Test(fleet_rules, any_number_of_workers_gives_the_same_bytes, .timeout = 60)
{
    static const char run[] =
        "d=$(mktemp -d) && for j in 1 3; do " BUILD
        "/malv sweep experiments/fleet-apart.json -q -j $j"
        " --set trace.synth.requests=600 --trials 2 -o $d/$j.h5 || exit 1; done && "
        "cmp $d/1.h5 $d/3.h5; rc=$?; rm -r $d; exit $rc";
    cr_expect_eq(system(run), 0);
}
