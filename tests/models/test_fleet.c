/* test_fleet.c - many engines behind a router: against model "serve", textbook queues, and what
 * must be conserved. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "harness/policy/policy_load.h"
#include "sim/rng.h"
#include "tests/models/serve_bench.h"

extern const struct model_ops model_fleet;

#define ENGINE "\"max_running\":1,\"kv_tokens\":1000000000,\"max_context\":10000000,"
/* A prompt token takes 0.1 us and one token comes out: service is as random as prompts are. */
#define PER_TOKEN "\"cost\":{\"prefill_ms\":[0,0.0001,0],\"decode_ms\":[1,0,0],\"source\":\"test\"}"
#define N         600000

/* ---- traces ---- */

/* Poisson arrivals; exponential prompts of 10,000 tokens in the mean: 1 ms each. */
static struct bench_request *exponential(size_t n, double rate_per_s, uint64_t seed)
{
    struct bench_request *r = malloc(n * sizeof *r);
    struct rng gap, size;
    double t = 0;
    rng_init(&gap, seed, "test", "gap");
    rng_init(&size, seed, "test", "size");
    for (size_t i = 0; i < n; i++) {
        t += rng_exponential(&gap, 1e9 / rate_per_s);
        r[i] = (struct bench_request){(uint64_t)t, 1 + (uint32_t)rng_exponential(&size, 10000), 1};
    }
    return r;
}

static struct bench_request *chat(size_t n, double rate_per_s, uint32_t most_out, uint64_t seed)
{
    struct bench_request *r = malloc(n * sizeof *r);
    struct rng g;
    double t = 0;
    rng_init(&g, seed, "test", "chat");
    for (size_t i = 0; i < n; i++) {
        t += i ? rng_exponential(&g, 1e9 / rate_per_s) : 0; /* the first comes at 0 */
        r[i] = (struct bench_request){(uint64_t)t, 1 + (uint32_t)rng_below(&g, 3000),
                                      1 + (uint32_t)rng_below(&g, most_out)};
    }
    return r;
}

/* ---- policies from their objects ---- */

static uint64_t draw(void *host)
{
    return rng_u64(host);
}
static double param(void *host, const char *name, double otherwise)
{
    (void)host, (void)name;
    return otherwise;
}
static void quiet(void *host, const char *line)
{
    (void)host, (void)line;
}

struct hired {
    struct policy *policy;
    struct rng random;
    struct policy_host host;
    struct policy_slot slot;
};

static void hire(struct hired *h, const char *name)
{
    struct err e = {0};
    *h = (struct hired){.host = {.log = quiet, .random = draw, .param = param}};
    rng_init(&h->random, 5, "test", "policy");
    h->host.host = &h->random;
    cr_assert_eq(policy_load(&h->policy, name, &e), 0, "%s", e.msg);
    h->slot = (struct policy_slot){.ops = policy_ops(h->policy), .label = name};
    policy_slot_create(&h->slot, &h->host, NULL, NULL);
}

static void dismiss(struct hired *h)
{
    policy_slot_destroy(&h->slot);
    policy_unload(h->policy);
}

static struct measures *under(struct bench b, const char *policy)
{
    struct hired h;
    if (!policy)
        return bench_run(&b, NULL);
    hire(&h, policy);
    b.policy = &h.slot;
    struct measures *m = bench_run(&b, NULL);
    cr_expect_eq(bench_number(m, "ejected"), 0);
    dismiss(&h);
    return m;
}

/* ---- one engine is model "serve" ---- */

static void same_sketch(const struct measures *a, const struct measures *b, const char *name)
{
    const struct sketch *x = bench_sketch(a, name), *y = bench_sketch(b, name);
    cr_expect_eq(sketch_count(x), sketch_count(y), "%s", name);
    cr_expect_eq(sketch_sum(x), sketch_sum(y), "%s: %.17g and %.17g", name, sketch_sum(x),
                 sketch_sum(y));
    for (double q = 0; q <= 1; q += 1.0 / 256)
        cr_expect_eq(sketch_quantile(x, q), sketch_quantile(y, q), "%s at %g", name, q);
}

static void same_as_serve(const char *serve, const char *fleet, double rate, bool stepping)
{
    struct bench b = {.section = serve, .machine = "machines/h100-server.json", .exact = true};
    static const char *const number[] = {"makespan",  "iterations", "preemptions",
                                         "completed", "rejected",   "goodput"};
    b.request = chat(b.n = 1500, rate, 700, 11);
    struct measures *x = bench_run(&b, NULL);
    b.model = &model_fleet;
    b.section = fleet;
    struct measures *y = bench_run(&b, NULL);
    for (size_t i = 0; i < sizeof number / sizeof *number; i++)
        cr_expect_eq(bench_number(x, number[i]), bench_number(y, number[i]), "%s: %.17g and %.17g",
                     number[i], bench_number(x, number[i]), bench_number(y, number[i]));
    same_sketch(x, y, "ttft");
    same_sketch(x, y, "tpot");
    same_sketch(x, y, "e2e");
    same_sketch(x, y, "queue_wait");
    cr_expect(stepping || bench_number(y, "events") < bench_number(x, "events"));
    measures_free(x);
    measures_free(y);
    free((void *)b.request);
}

#define LLM "\"cost\":{\"llm\":\"llama-3.1-8b\"}"
Test(fleet, one_engine_does_what_model_serve_does_request_by_request)
{
    same_as_serve("{}", "{\"pools\":{\"all\":{\"engines\":1," LLM "}}}", 8, false);
}

Test(fleet, under_pressure_for_its_cache_too)
{
    same_as_serve("{\"kv_fraction\":0.24}",
                  "{\"pools\":{\"all\":{\"engines\":1,\"kv_fraction\":0.24," LLM "}}}", 4, false);
}

Test(fleet, with_chunks_and_few_places_too)
{
    same_as_serve("{\"max_running\":9,\"max_batch_tokens\":300,\"chunk\":200}",
                  "{\"pools\":{\"all\":{\"engines\":1,\"max_running\":9,\"max_batch_tokens\":300,"
                  "\"chunk\":200," LLM "}}}",
                  3, false);
}

Test(fleet, stepping_is_the_same_as_leaping)
{
    struct bench b = {.model = &model_fleet, .machine = "machines/h100-server.json", .exact = true};
    static const char *const section[] = {
        "{\"pools\":{\"all\":{\"engines\":3,\"kv_fraction\":0.25," LLM "}},\"leap\":true}",
        "{\"pools\":{\"all\":{\"engines\":3,\"kv_fraction\":0.25," LLM "}},\"leap\":false}"};
    b.request = chat(b.n = 1500, 12, 300, 3);
    b.section = section[0];
    struct measures *x = under(b, "route-jsq-tokens");
    b.section = section[1];
    struct measures *y = under(b, "route-jsq-tokens");
    cr_expect_gt(bench_number(x, "preemptions"), 0, "nothing was ever short of memory");
    cr_expect_lt(bench_number(x, "events") * 2, bench_number(y, "events"));
    bench_same(x, y);
    measures_free(x);
    measures_free(y);
    free((void *)b.request);
}

/* ---- textbook queues ---- */

static double mean_wait(const char *section, double rate, const char *policy, uint64_t seed)
{
    struct bench b = {
        .model = &model_fleet, .bare = true, .section = section, .n = N, .exact = true};
    b.request = exponential(N, rate, seed);
    struct measures *m = under(b, policy);
    const double w = sketch_mean(bench_sketch(m, "queue_wait"));
    cr_expect_eq(bench_number(m, "completed"), N);
    measures_free(m);
    free((void *)b.request);
    return w;
}

#define FOUR "{\"pools\":{\"all\":{\"engines\":4," ENGINE PER_TOKEN "}}}"
#define TWO  "{\"pools\":{\"all\":{\"engines\":2," ENGINE PER_TOKEN "}}}"

/* Random splitting of a Poisson stream: four M/M/1 queues, each with wait rho / (mu (1 - rho)). */
Test(fleet, random_routing_makes_queues_of_their_own)
{
    static const double rho[] = {0.3, 0.6, 0.8};
    for (size_t i = 0; i < 3; i++) {
        const double want = rho[i] / (1 - rho[i]);
        const double got = mean_wait(FOUR, 4000 * rho[i], "route-random", 20 + i);
        cr_expect_float_eq(got, want, 0.03 * want, "rho %g: wait %g ms, M/M/1 says %g", rho[i], got,
                           want);
    }
}

/* Every fourth of a Poisson stream: Erlang arrivals.  G/M/1: the wait is sigma / (mu (1 - sigma))
 * with sigma = (k lambda / (k lambda + mu (1 - sigma)))^k of an engine's lambda. */
Test(fleet, round_robin_makes_erlang_arrivals)
{
    static const double rho[] = {0.5, 0.8};
    for (size_t i = 0; i < 2; i++) {
        double sigma = 0.5;
        for (int k = 0; k < 2000; k++)
            sigma = pow(4 * rho[i] / (4 * rho[i] + 1 - sigma), 4);
        const double want = sigma / (1 - sigma);
        for (int named = 0; named < 2; named++) { /* the default does the same */
            const double got =
                mean_wait(FOUR, 4000 * rho[i], named ? "route-round-robin" : NULL, 30 + i);
            cr_expect_float_eq(got, want, 0.03 * want, "rho %g: wait %g ms, E4/M/1 says %g", rho[i],
                               got, want);
        }
    }
}

/* Two exponential servers, join the shortest queue: the balance equations of the joint chain,
 * solved by iteration on a square that no load here ever leaves in earnest. */
#define SIDE 60
static double shortest_of_two(double lambda)
{
    static double p[SIDE][SIDE], q[SIDE][SIDE];
    memset(p, 0, sizeof p);
    p[0][0] = 1;
    const double all = lambda + 2; /* uniformized */
    for (int step = 0; step < 6000; step++) {
        memset(q, 0, sizeof q);
        for (int i = 0; i < SIDE; i++)
            for (int k = 0; k < SIDE; k++) {
                const bool first = i <= k;
                const int to_i = i + first < SIDE ? i + first : i;
                const int to_k = k + !first < SIDE ? k + !first : k;
                q[to_i][to_k] += p[i][k] * lambda / all;
                q[i ? i - 1 : 0][k] += p[i][k] / all;
                q[i][k ? k - 1 : 0] += p[i][k] / all;
            }
        memcpy(p, q, sizeof p);
    }
    double number = 0;
    for (int i = 0; i < SIDE; i++)
        for (int k = 0; k < SIDE; k++)
            number += p[i][k] * (i + k);
    return number / lambda - 1; /* Little; less the service */
}

Test(fleet, the_shorter_of_two_queues_is_as_short_as_the_chain_says)
{
    static const double rho[] = {0.5, 0.8};
    for (size_t i = 0; i < 2; i++) {
        const double want = shortest_of_two(2 * rho[i]);
        const double got = mean_wait(TWO, 2000 * rho[i], "route-least-loaded", 40 + i);
        cr_expect_float_eq(got, want, 0.03 * want, "rho %g: wait %g ms, the chain says %g", rho[i],
                           got, want);
        const double random = rho[i] / (1 - rho[i]);
        cr_expect_lt(got, 0.7 * random);
    }
}

/* Looking at two of two hundred engines is worth most of what looking at all is. */
Test(fleet, two_choices_are_nearly_as_good_as_all)
{
    static const char section[] = "{\"pools\":{\"all\":{\"engines\":200," ENGINE PER_TOKEN "}}}";
    const double one = mean_wait(section, 180000, "route-random", 50);
    const double two = mean_wait(section, 180000, "route-two-choices", 50);
    const double all = mean_wait(section, 180000, "route-least-loaded", 50);
    cr_expect(all < two && two < one, "%g, %g, %g", all, two, one);
    /* Mitzenmacher 2001: sum over i of 0.9^(2^i - 1) in the system with infinitely many queues */
    double in_system = 0;
    for (int i = 1; i < 12; i++)
        in_system += pow(0.9, pow(2, i) - 1);
    const double want = in_system / 0.9 - 1;
    cr_expect_float_eq(two, want, 0.05 * want, "wait %g ms, the limit says %g", two, want);
}

/* ---- prefill and decode apart ---- */

#define STEPS                                                                                      \
    "\"kv_tokens\":100000,\"cost\":{\"prefill_ms\":[2,0.01,0],\"decode_ms\":[5,0,0],"              \
    "\"source\":\"test\"}"
static const char apart[] =
    "{\"pools\":{\"p\":{\"role\":\"prefill\",\"engines\":2,\"kv_bytes\":1000," STEPS "},"
    "\"d\":{\"role\":\"decode\",\"engines\":3," STEPS "}},"
    "\"link\":{\"gb_per_s\":1,\"latency_us\":500,\"source\":\"test\"}}";

Test(fleet, a_cache_crosses_the_link_between_first_token_and_second)
{
    static const struct bench_request one[] = {{0, 1000, 11}};
    struct bench b = {.model = &model_fleet,
                      .bare = true,
                      .section = apart,
                      .request = one,
                      .n = 1,
                      .exact = true};
    struct measures *m = bench_run(&b, NULL);
    cr_expect_float_eq(sketch_mean(bench_sketch(m, "ttft")), 2 + 10, 1e-9);
    /* 1000 tokens of 1000 bytes at 1 GB/s: 1 ms and the latency */
    cr_expect_float_eq(sketch_mean(bench_sketch(m, "e2e")), 12 + 1.5 + 50, 1e-6);
    cr_expect_eq(bench_number(m, "shipped"), 1);
    cr_expect_eq(bench_number(m, "shipped_tokens"), 1000);
    measures_free(m);
}

static void conserves(const char *section, const char *policy)
{
    struct bench b = {.model = &model_fleet, .bare = true, .section = section, .exact = true};
    b.request = chat(b.n = 3000, 60, 120, 8);
    double prompt = 0, output = 0, first = 0;
    for (size_t i = 0; i < b.n; i++) {
        prompt += b.request[i].prompt;
        output += b.request[i].output;
        first += b.request[i].output > 1;
    }
    struct measures *m = under(b, policy);
    cr_expect_eq(bench_number(m, "requests"), 3000);
    cr_expect_eq(bench_number(m, "completed"), 3000);
    cr_expect_eq(sketch_count(bench_sketch(m, "e2e")), 3000);
    cr_expect_eq(sketch_count(bench_sketch(m, "tpot")), first);
    const double tokens = bench_number(m, "token_throughput") * bench_number(m, "makespan");
    cr_expect_float_eq(tokens, output, 1e-6 * output, "%s: %.1f tokens, want %.1f",
                       policy ? policy : "default", tokens, output);
    cr_expect_eq(bench_number(m, "preemptions"), 0); /* else tokens are computed twice */
    cr_expect_float_eq(bench_number(m, "prompt_tokens"), prompt, 0.5);
    measures_free(m);
    free((void *)b.request);
}

Test(fleet, nothing_is_lost_and_nothing_comes_twice)
{
    static const char *const policy[] = {
        NULL,           "route-random", "route-least-loaded", "route-jsq-tokens",
        "route-prefix", "route-oracle", "route-two-choices"};
    static const char together[] = "{\"pools\":{\"all\":{\"engines\":5," STEPS "}}}";
    static const char older[] =
        "{\"pools\":{\"all\":{\"engines\":5,\"rule\":\"prompts-first\"," STEPS "}}}";
    for (size_t i = 0; i < sizeof policy / sizeof *policy; i++) {
        conserves(together, policy[i]);
        conserves(apart, policy[i]);
        conserves(older, policy[i]);
    }
}

/* While a prompt can start, whoever decodes waits: an answer of two tokens beside a prompt of a
 * second that comes a moment later. */
Test(fleet, prompts_first_holds_up_who_decodes)
{
    static const struct bench_request two[] = {{0, 100, 3}, {1000000, 99800, 1}};
    static const char section[] =
        "{\"pools\":{\"all\":{\"engines\":1,\"rule\":\"prompts-first\"," STEPS "}}}";
    struct bench b = {.model = &model_fleet, .bare = true, .section = section, .exact = true};
    b.request = two;
    b.n = 2;
    struct measures *m = bench_run(&b, NULL);
    /* 3 ms, the long prompt's 1000 ms, two of 5 ms */
    cr_expect_float_eq(sketch_max(bench_sketch(m, "tpot")), (1000 + 10) / 2.0, 1e-6);
    measures_free(m);
}

/* ---- what cannot be served, and who misbehaves ---- */

static const char *said(const struct measures *m, const char *kind)
{
    for (size_t i = 0; i < m->n_incident; i++)
        if (!strcmp(m->incident[i].kind, kind))
            return m->incident[i].text;
    return "nothing";
}

Test(fleet, a_request_longer_than_any_cache_is_refused_and_stalls_nobody)
{
    static const struct bench_request r[] = {{0, 10, 5}, {0, 100000, 1000}, {1, 20, 5}};
    static const char small[] = "{\"pools\":{\"all\":{\"engines\":2," STEPS "}}}";
    static const char *const section[] = {small, apart};
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
Test(fleet, a_request_goes_where_it_fits)
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

Test(fleet, a_bad_router_is_ejected_and_round_robin_takes_over)
{
    static const struct policy_ops ops = {
        .name = "bad", .create = nothing, .destroy = gone, .serve_route = out_of_range};
    struct policy_slot slot = {.ops = &ops, .label = "bad"};
    struct bench b = {
        .model = &model_fleet, .bare = true, .section = FOUR, .n = 1000, .policy = &slot};
    b.request = exponential(1000, 2000, 1);
    policy_slot_create(&slot, NULL, NULL, NULL);
    struct measures *m = bench_run(&b, NULL);
    cr_expect_eq(bench_number(m, "completed"), 1000);
    cr_expect_eq(bench_number(m, "ejected"), 1);
    cr_expect_str_eq(said(m, "ejected"), "serve_route answered engine 4, want one of 4");
    measures_free(m);
    free((void *)b.request);
}

Test(fleet, load_near_saturation_is_flagged)
{
    struct bench b = {.model = &model_fleet, .bare = true, .section = FOUR, .n = N};
    b.request = exponential(N, 3800, 1);
    struct measures *m = bench_run(&b, NULL);
    cr_expect_float_eq(bench_number(m, "load"), 0.95, 0.02);
    cr_expect(strstr(said(m, "warning"), "of the estimated capacity"));
    measures_free(m);
    free((void *)b.request);
    b.request = exponential(N, 2000, 1);
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
Test(fleet, engines_cost_from_their_cold_start_on)
{
    static const struct policy_ops ops = {
        .name = "fixed", .create = nothing, .destroy = gone, .serve_scale = fixed};
    struct policy_slot slot = {.ops = &ops, .label = "fixed"};
    struct bench b = {.model = &model_fleet, .bare = true, .section = SCALED("2"), .policy = &slot};
    b.request = exponential(b.n = 5000, 500, 4); /* ten seconds at half of one engine */
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

Test(fleet, scaling_by_the_queue_follows_the_load)
{
    struct bench b = {.model = &model_fleet, .bare = true, .section = SCALED("0.05")};
    b.request = exponential(b.n = 20000, 4000, 4); /* four times what one engine can do */
    struct measures *m = under(b, "scale-queue"), *one = bench_run(&b, NULL);
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
Test(fleet, admission_by_predicted_time_keeps_those_let_in_on_time)
{
    static const char section[] =
        "{\"slo_ttft_ms\":1000,\"pools\":{\"all\":{\"engines\":4," ENGINE PER_TOKEN "}}}";
    struct bench b = {.model = &model_fleet, .bare = true, .section = section, .exact = true};
    b.request = exponential(b.n = 40000, 8000, 9);
    struct measures *all = bench_run(&b, NULL), *some = under(b, "admit-slo");
    cr_expect_gt(bench_number(some, "rejected"), 4000);
    cr_expect_eq(bench_number(some, "rejected") + bench_number(some, "completed"), 40000);
    cr_expect_gt(bench_number(some, "goodput"), 1.5 * bench_number(all, "goodput"));
    cr_expect_lt(sketch_quantile(bench_sketch(some, "ttft"), 0.9), 1000);
    measures_free(all);
    measures_free(some);
    free((void *)b.request);
}
