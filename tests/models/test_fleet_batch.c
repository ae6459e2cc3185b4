/* test_fleet_batch.c - who runs next on an engine of a fleet: as on model "serve"'s, request by
 * request, whatever the policy. */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "tests/models/fleet_rig.h"

#define LLM "\"cost\":{\"llm\":\"llama-3.1-8b\"}"

static const struct {
    const char *serve, *fleet;
    double rate;
} at[] = {
    {"{}", "{\"pools\":{\"all\":{\"engines\":1," LLM "}}}", 8},
    {"{\"kv_fraction\":0.24}", "{\"pools\":{\"all\":{\"engines\":1,\"kv_fraction\":0.24," LLM "}}}",
     4},
    {"{\"max_running\":9,\"max_batch_tokens\":300,\"chunk\":200}",
     "{\"pools\":{\"all\":{\"engines\":1,\"max_running\":9,\"max_batch_tokens\":300,"
     "\"chunk\":200," LLM "}}}",
     3},
};

static struct bench bench(const struct bench_request *r, size_t n)
{
    return (struct bench){
        .machine = "machines/h100-server.json", .exact = true, .request = r, .n = n};
}

Test(fleet_batch, one_engine_does_what_model_serve_does_under_every_policy, .timeout = 60)
{
    static const char *const policy[] = {"fifo", "shortest-prompt", "oracle-sjf", "random-order"};
    for (size_t i = 0; i < sizeof at / sizeof *at; i++) {
        struct bench_request *r = fleet_chat(1000, at[i].rate, 700, 11);
        struct measures *plain = NULL;
        for (size_t k = 0; k < sizeof policy / sizeof *policy; k++) {
            struct bench b = bench(r, 1000);
            b.section = at[i].serve;
            struct measures *x = fleet_under(b, policy[k]);
            b.model = &model_fleet;
            b.section = at[i].fleet;
            struct measures *y = fleet_under(b, policy[k]);
            fleet_same(x, y);
            cr_expect_eq(bench_number(x, "policy_decisions"), bench_number(y, "policy_decisions"));
            cr_expect(!plain || sketch_sum(bench_sketch(x, "ttft")) !=
                                    sketch_sum(bench_sketch(plain, "ttft")),
                      "%s changes nothing", policy[k]);
            measures_free(x);
            if (k)
                measures_free(y);
            else
                plain = y;
        }
        measures_free(plain);
        free(r);
    }
}

/* ---- what a policy sees, and one that is put out ---- */

static uint64_t asked, bad_from;
static int64_t stirred(void *self, const struct policy_batch_obs *o)
{
    const struct policy_server *s = &o->server;
    uint64_t h = s->waiting + 31 * (s->running + 31 * s->waiting_prompt_tokens);
    (void)self;
    h = 31 * (31 * h + s->kv_blocks_free) + o->request.prompt_tokens + s->now_ns;
    return ++asked < bad_from ? (int64_t)(h * UINT64_C(0x9e3779b97f4a7c15) >> 40) : INT64_MIN;
}
static int nothing(void **self, const struct policy_host *h)
{
    (void)h;
    *self = &asked;
    return 0;
}
static void gone(void *self)
{
    (void)self;
}

static struct measures *stir(struct bench b, uint64_t bad)
{
    static const struct policy_ops ops = {
        .name = "stirred", .create = nothing, .destroy = gone, .serve_batch = stirred};
    struct policy_slot slot = {.ops = &ops, .label = "stirred"};
    asked = 0;
    bad_from = bad;
    b.policy = &slot;
    policy_slot_create(&slot, NULL, NULL, NULL);
    struct measures *m = bench_run(&b, NULL);
    cr_expect_eq(bench_number(m, "ejected"), bad <= b.n);
    return m;
}

static void sees_the_same(uint64_t bad)
{
    for (size_t i = 0; i < sizeof at / sizeof *at; i++) {
        struct bench_request *r = fleet_chat(1000, at[i].rate, 700, 12);
        struct bench b = bench(r, 1000);
        b.section = at[i].serve;
        struct measures *x = stir(b, bad);
        b.model = &model_fleet;
        b.section = at[i].fleet;
        struct measures *y = stir(b, bad);
        fleet_same(x, y);
        measures_free(x);
        measures_free(y);
        free(r);
    }
}

Test(fleet_batch, a_policy_sees_what_it_sees_of_model_serve)
{
    sees_the_same(UINT64_MAX);
}

Test(fleet_batch, keys_of_a_policy_that_is_put_out_mean_nothing)
{
    sees_the_same(400);
}

/* ---- many engines ---- */

Test(fleet_batch, stepping_is_the_same_as_leaping)
{
    static const char *const section[] = {
        "{\"pools\":{\"all\":{\"engines\":3,\"kv_fraction\":0.25," LLM "}},\"leap\":true}",
        "{\"pools\":{\"all\":{\"engines\":3,\"kv_fraction\":0.25," LLM "}},\"leap\":false}"};
    struct bench_request *r = fleet_chat(1500, 12, 300, 3);
    struct bench b = bench(r, 1500);
    b.model = &model_fleet;
    b.section = section[0];
    struct measures *x = fleet_under(b, "shortest-prompt");
    b.section = section[1];
    struct measures *y = fleet_under(b, "shortest-prompt");
    cr_expect_gt(bench_number(x, "preemptions"), 0, "nothing was ever short of memory");
    cr_expect_lt(bench_number(x, "events") * 2, bench_number(y, "events"));
    bench_same(x, y);
    measures_free(x);
    measures_free(y);
    free(r);
}

/* The keys go along from the engine that computes prompts, and through failures. */
Test(fleet_batch, every_request_ends_once)
{
    static const char fails[] =
        "{\"retries\":1000000,\"pools\":{\"all\":{\"engines\":4,\"failures\":{"
        "\"mtbf_h\":2.5e-4,\"mttr_s\":0.3,\"check_s\":0.1,\"source\":\"test\"}," STEPS "}}}";
    static const char *const section[] = {APART, fails};
    struct bench_request *r = fleet_chat(3000, 60, 120, 8);
    double output = 0;
    for (size_t i = 0; i < 3000; i++)
        output += r[i].output;
    for (size_t i = 0; i < 2; i++) {
        struct bench b = {
            .model = &model_fleet, .bare = true, .section = section[i], .exact = true};
        b.request = r;
        b.n = 3000;
        struct measures *m = fleet_under(b, "shortest-prompt"), *plain = fleet_under(b, NULL);
        const double tokens = bench_number(m, "token_throughput") * bench_number(m, "makespan");
        cr_expect_eq(bench_number(m, "completed"), 3000);
        cr_expect_float_eq(tokens, output, 1e-6 * output);
        cr_expect_lt(sketch_mean(bench_sketch(m, "ttft")),
                     sketch_mean(bench_sketch(plain, "ttft")));
        measures_free(m);
        measures_free(plain);
    }
    free(r);
}
