/* test_fleet.c - many engines behind a router: against model "serve", textbook queues, and what
 * must be conserved. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tests/models/fleet_rig.h"
#include "tests/sanitized.h"

#define N 600000

/* ---- one engine is model "serve" ---- */

static void same_as_serve(const char *serve, const char *fleet, double rate, bool stepping)
{
    struct bench b = {.section = serve, .machine = "machines/h100-server.json", .exact = true};
    b.request = fleet_chat(b.n = 1500, rate, 700, 11);
    struct measures *x = bench_run(&b, NULL);
    b.model = &model_fleet;
    b.section = fleet;
    struct measures *y = bench_run(&b, NULL);
    fleet_same(x, y);
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
    b.request = fleet_chat(b.n = 1500, 12, 300, 3);
    b.section = section[0];
    struct measures *x = fleet_under(b, "route-jsq-tokens");
    b.section = section[1];
    struct measures *y = fleet_under(b, "route-jsq-tokens");
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
    b.request = fleet_exponential(N, rate, seed);
    struct measures *m = fleet_under(b, policy);
    const double w = sketch_mean(bench_sketch(m, "queue_wait"));
    cr_expect_eq(bench_number(m, "completed"), N);
    measures_free(m);
    free((void *)b.request);
    return w;
}

#define TWO "{\"pools\":{\"all\":{\"engines\":2," ENGINE PER_TOKEN "}}}"

/* Random splitting of a Poisson stream: four M/M/1 queues, each with wait rho / (mu (1 - rho)). */
Test(fleet, random_routing_makes_queues_of_their_own)
{
    static const double rho[] = {0.3, 0.6, 0.8};
    for (size_t i = 0; i < 3; i += SANITIZED ? 2 : 1) {
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
        for (int named = 0; named < (SANITIZED ? 1 : 2); named++) { /* the default does the same */
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

static const char apart[] = APART;

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
    cr_expect_float_eq(bench_number(m, "share.ship"), 1.5 / 63.5, 1e-9);
    cr_expect_eq(bench_number(m, "ttft_share.ship"), 0);
    cr_expect_eq(bench_number(m, "shipped"), 1);
    cr_expect_eq(bench_number(m, "shipped_tokens"), 1000);
    measures_free(m);
}

static void conserves(const char *section, const char *policy)
{
    struct bench b = {.model = &model_fleet, .bare = true, .section = section, .exact = true};
    b.request = fleet_chat(b.n = 3000, 60, 120, 8);
    double prompt = 0, output = 0, first = 0;
    for (size_t i = 0; i < b.n; i++) {
        prompt += b.request[i].prompt;
        output += b.request[i].output;
        first += b.request[i].output > 1;
    }
    struct measures *m = fleet_under(b, policy);
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
