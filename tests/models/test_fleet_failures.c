/* test_fleet_failures.c - engines fail and come back: times worked by hand, queues with a server
 * that breaks down, and what must be conserved. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tests/models/fleet_rig.h"
#include "tests/sanitized.h"

static struct measures *one(const char *section, const struct bench_request *r, size_t n)
{
    struct bench b = {.model = &model_fleet,
                      .bare = true,
                      .section = section,
                      .request = r,
                      .n = n,
                      .exact = true};
    return bench_run(&b, NULL);
}

static double mean(const struct measures *m, const char *name)
{
    return sketch_mean(bench_sketch(m, name));
}

/* ---- by hand ---- */

#define AT(engines, extra)                                                                         \
    "{\"pools\":{\"all\":{\"engines\":" engines ",\"failures\":{\"at\":[[0,0.03,0.1]],"            \
    "\"cold_start_s\":0.02,\"source\":\"test\"" extra "}," STEPS "}}}"

/* A prompt of 12 ms and ten tokens of 5 ms, of which three are out when the engine fails at 30 ms
 * and the fourth is not.  Then 1004 tokens are computed anew, which gives the fifth, and six are
 * left. */
static const struct bench_request alone[] = {{0, 1000, 11}};

static void ends_at(const char *section, double ms)
{
    struct measures *m = one(section, alone, 1);
    cr_expect_float_eq(mean(m, "ttft"), 12, 1e-9);
    cr_expect_float_eq(mean(m, "e2e"), ms, 1e-6, "ended at %g ms, want %g", mean(m, "e2e"), ms);
    cr_expect_float_eq(bench_number(m, "share.prefill") * ms, 12, 1e-6);
    cr_expect_float_eq(bench_number(m, "share.decode") * ms, 30 - 12 + 30, 1e-6);
    cr_expect_float_eq(bench_number(m, "share.preempted") * ms, ms - 30 - 30, 1e-6);
    cr_expect_eq(bench_number(m, "failures"), 1);
    cr_expect_eq(bench_number(m, "retries"), 1);
    cr_expect_eq(bench_number(m, "lost"), 0);
    cr_expect_eq(bench_number(m, "lost_tokens"), 1003);
    cr_expect_eq(bench_number(m, "prompt_tokens"), 1000 + 1004);
    cr_expect_eq(bench_number(m, "preemptions"), 0);
    measures_free(m);
}

Test(fleet_failures, a_request_goes_on_elsewhere_and_sends_no_token_twice)
{
    ends_at(AT("2", ""), 30 + 12.04 + 30);
}

Test(fleet_failures, the_router_hears_of_it_when_it_looks)
{
    ends_at(AT("2", ",\"check_s\":0.025"), 50 + 12.04 + 30);
}

Test(fleet_failures, with_nobody_else_it_waits_for_the_repair_and_the_cold_start)
{
    ends_at(AT("1", ""), 150 + 12.04 + 30);
    ends_at(AT("1", ",\"check_s\":0.04"), 160 + 12.04 + 30);
}

Test(fleet_failures, an_engine_that_is_back_first_says_what_it_lost)
{
    ends_at(AT("2", ",\"check_s\":10"), 150 + 12.04 + 30);
}

Test(fleet_failures, availability_and_engine_time_count_the_time_it_is_away)
{
    struct measures *m = one(AT("1", ""), alone, 1);
    cr_expect_float_eq(bench_number(m, "availability"), 72.04 / 192.04, 1e-9);
    cr_expect_eq(bench_number(m, "availability.all"), bench_number(m, "availability"));
    cr_expect_float_eq(bench_number(m, "engine_hours"), 0.19204 / 3600, 1e-12);
    /* 30 ms before, of which the last three are thrown away, and what comes after */
    cr_expect_float_eq(bench_number(m, "util"), 72.04 / 192.04, 1e-9);
    measures_free(m);
}

Test(fleet_failures, once_too_often_and_it_is_lost)
{
    static const char none[] =
        "{\"retries\":0,\"pools\":{\"all\":{\"engines\":2,\"failures\":{\"at\":[[0,0.03,1]],"
        "\"source\":\"test\"}," STEPS "}}}";
    static const struct bench_request two[] = {{0, 1000, 11}, {0, 1000, 11}};
    struct measures *m = one(none, two, 2);
    cr_expect_eq(bench_number(m, "completed"), 1);
    cr_expect_eq(bench_number(m, "lost"), 1);
    cr_expect_eq(bench_number(m, "retries"), 0);
    cr_expect_eq(bench_number(m, "rejected"), 0);
    bool said = false;
    for (size_t i = 0; i < m->n_incident; i++)
        said |= !strcmp(m->incident[i].text,
                        "request 0 lost: engines failed under it 1 times, 4 of 11 tokens sent");
    cr_expect(said);
    measures_free(m);
}

#define SPLIT(prompts, decode)                                                                     \
    "{\"pools\":{\"p\":{\"role\":\"prefill\",\"engines\":2,\"kv_bytes\":1000," prompts STEPS "},"  \
    "\"d\":{\"role\":\"decode\",\"engines\":2," decode STEPS "}},"                                 \
    "\"link\":{\"gb_per_s\":1,\"latency_us\":500,\"source\":\"test\"}}"
#define FAIL(at) "\"failures\":{\"at\":[" at "],\"source\":\"test\"},"

static double split_ends(const char *section)
{
    struct measures *m = one(section, alone, 1);
    const double ms = mean(m, "e2e");
    cr_expect_eq(bench_number(m, "completed"), 1);
    cr_expect_eq(bench_number(m, "retries"), 1);
    cr_expect_float_eq(mean(m, "ttft"), 12, 1e-9);
    measures_free(m);
    return ms;
}

/* The cache is on the link from 12 to 13.5 ms. */
Test(fleet_failures, a_cache_that_nobody_took_is_shipped_again)
{
    const double ms = split_ends(SPLIT("", FAIL("[0,0.0125,1]")));
    cr_expect_float_eq(ms, 15 + 50, 1e-6, "%g", ms);
}

Test(fleet_failures, a_cache_whose_sender_fails_is_computed_again)
{
    const double ms = split_ends(SPLIT(FAIL("[0,0.0125,1]"), ""));
    cr_expect_float_eq(ms, 13.5 + 12.01 + 1.501 + 45, 1e-6, "%g", ms);
}

Test(fleet_failures, a_cache_waits_while_nobody_can_take_it)
{
    struct measures *m = one(SPLIT("", FAIL("[0,0.001,0.2],[1,0.002,0.3]")), alone, 1);
    cr_expect_float_eq(mean(m, "e2e"), 201 + 1.5 + 50, 1e-6, "%g", mean(m, "e2e"));
    cr_expect_eq(bench_number(m, "failures"), 2);
    measures_free(m);
}

/* ---- queues with a server that breaks down ---- */

#define N      (SANITIZED ? 100000 : 500000)
#define LAMBDA 500.0
#define FAILS  20.0 /* per second of serving */
#define REPAIR 100.0

#define BREAKS(cost)                                                                               \
    "{\"retries\":1000000,\"pools\":{\"all\":{\"engines\":1,\"max_running\":1,"                    \
    "\"kv_tokens\":1000000000,\"max_context\":10000000,\"failures\":{\"mtbf_h\":1.388888888889e-5" \
    ",\"mttr_s\":0.01,\"source\":\"test\"}," cost "}}}"

/* Mean time in the system, s; the availability is what it must be. */
static double sojourn(const char *section, struct bench_request *r)
{
    struct measures *m = one(section, r, N);
    const double s = mean(m, "e2e") / 1e3;
    cr_expect_eq(bench_number(m, "completed"), N);
    cr_expect_float_eq(bench_number(m, "availability"), REPAIR / (FAILS + REPAIR), 0.005);
    measures_free(m);
    free(r);
    return s;
}

/* White and Christie 1958: M/M/1 whose server breaks down at any time, busy or not, and goes on
 * where it was. */
static double white_christie(double lambda, double mu)
{
    const double both = FAILS + REPAIR;
    return (both * both + FAILS * mu) / (both * (REPAIR * mu - lambda * both));
}

/* Answers of 200 tokens in the mean, 5 us each, and prompts that take no time: what is lost is half
 * a token. */
Test(fleet_failures, a_queue_whose_server_breaks_down_and_resumes)
{
    struct bench_request *r = fleet_exponential(N, LAMBDA, 61);
    struct rng g;
    rng_init(&g, 62, "test", "output");
    for (size_t i = 0; i < N; i++) {
        r[i].prompt = 1;
        r[i].output = 1 + (uint32_t)rng_exponential(&g, 200);
    }
    const double service = 5e-6 / (exp(1 / 200.0) - 1);
    const double want = white_christie(LAMBDA, 1 / service);
    const double got = sojourn(BREAKS("\"cost\":{\"prefill_ms\":[0,0,0],\"decode_ms\":[0.005,0,0],"
                                      "\"source\":\"test\"}"),
                               r);
    cr_expect_float_eq(got, want, 0.05 * want, "%g s, White and Christie say %g", got, want);
}

struct moments {
    double first, second;
};

/* Gaver 1962: from first service to last, breakdowns and repairs included, of a service of s
 * seconds that begins anew, the same again, after each.  K failures, geometric; each costs what was
 * done, less than s, and a repair. */
static struct moments anew(double s)
{
    const double failures = exp(FAILS * s) - 1, repair = 1 / REPAIR;
    const double done = 1 / FAILS - s / failures;
    const double done2 = 2 / (FAILS * FAILS) - (s * s + 2 * s / FAILS) / failures;
    const double each = done + repair, each2 = done2 + 2 * done * repair + 2 * repair * repair;
    const double c = s + failures * each;
    return (struct moments){c, s * s + 2 * s * failures * each + failures * each2 +
                                   2 * failures * failures * each * each};
}

/* Over exponential services of mean 1 / mu. */
static struct moments anew_exponential(double mu)
{
    struct moments m = {0, 0};
    const double step = 1e-3 / mu;
    for (double s = step / 2; s < 60 / mu; s += step) {
        const struct moments at = anew(s);
        const double p = exp(-mu * s) * mu * step;
        m.first += p * at.first;
        m.second += p * at.second;
    }
    return m;
}

/* Welch 1964: M/G/1 where who comes to an empty system may find the server broken: with chance
 * nu / (lambda + nu + gamma), for a whole repair. */
static double welch(double lambda, struct moments c)
{
    const double down = FAILS / (lambda + FAILS + REPAIR);
    const double d1 = down / REPAIR, d2 = 2 * down / (REPAIR * REPAIR);
    const double f1 = c.first + d1, f2 = c.second + 2 * d1 * c.first + d2;
    const double a = 1 + lambda * d1;
    return f1 / a + lambda * (f2 - c.second) / (2 * a) +
           lambda * c.second / (2 * (1 - lambda * c.first));
}

/* The same, of a service that goes on where it was. */
static struct moments resumed(double mu)
{
    const double k = 1 + FAILS / REPAIR;
    return (struct moments){k / mu, 2 / (mu * mu) * k * k + 2 * FAILS / (mu * REPAIR * REPAIR)};
}

Test(fleet_failures, a_queue_whose_server_breaks_down_and_begins_anew)
{
    const double known = white_christie(LAMBDA, 1000);
    cr_expect_float_eq(welch(LAMBDA, resumed(1000)), known, 1e-9 * known);
    const double want = welch(LAMBDA, anew_exponential(1000));
    const double got = sojourn(BREAKS(PER_TOKEN), fleet_exponential(N, LAMBDA, 63));
    cr_expect_gt(want, 1.02 * known);
    cr_expect_float_eq(got, want, 0.05 * want, "%g s, the formula says %g", got, want);
}

/* A cold start makes every time away longer. */
Test(fleet_failures, availability_is_the_share_of_the_time_between_failures)
{
    static const char section[] =
        "{\"pools\":{\"all\":{\"engines\":4,\"failures\":{\"mtbf_h\":2.777777777778e-4,"
        "\"mttr_s\":0.2,\"cold_start_s\":0.05,\"source\":\"test\"}," ENGINE PER_TOKEN "}}}";
    struct bench_request *r = fleet_exponential(N, N / 300.0, 64); /* 300 s */
    struct measures *m = one(section, r, N);
    cr_expect_float_eq(bench_number(m, "availability"), 1 / 1.25, 0.02, "%g",
                       bench_number(m, "availability"));
    cr_expect_float_eq(bench_number(m, "failures"), 4 * 300 / 1.25, 100);
    measures_free(m);
    free(r);
}

/* ---- what must be conserved ---- */

#define OFTEN(more)                                                                                \
    "\"failures\":{\"mtbf_h\":2.5e-4,\"mttr_s\":0.3,\"cold_start_s\":0.1" more                     \
    ",\"source\":\"test\"},"
#define TOGETHER(retries, rule, more)                                                              \
    "{\"retries\":" retries ",\"prefix_block\":512,\"pools\":{\"all\":{\"engines\":5,"             \
    "\"rule\":\"" rule "\"," OFTEN(more) STEPS "}}}"
#define SCALES                                                                                     \
    "\"scale\":{\"least\":1,\"most\":5,\"period_s\":0.7,\"cold_start_s\":0.2,\"source\":\"test\"}" \
    ","
#define APART_FAILS(retries, more)                                                                 \
    "{\"retries\":" retries ",\"pools\":{\"p\":{\"role\":\"prefill\",\"engines\":2,"               \
    "\"kv_bytes\":100000," OFTEN(more) STEPS "},\"d\":{\"role\":\"decode\",\"engines\":3," SCALES  \
    OFTEN(more) STEPS "}},\"link\":{\"gb_per_s\":1,\"source\":\"test\"}}"

static const char *const sections[] = {
    TOGETHER("1000000", "mixed", ""),           TOGETHER("1000000", "mixed", ",\"check_s\":0.2"),
    TOGETHER("1000000", "prompts-first", ""),   APART_FAILS("1000000", ""),
    APART_FAILS("1000000", ",\"check_s\":0.2"),
};

static void ends_once(const char *section, const char *policy, bool all)
{
    struct bench b = {.model = &model_fleet, .bare = true, .section = section, .exact = true};
    b.request = fleet_chat(b.n = 3000, 30, 120, 8);
    double output = 0;
    for (size_t i = 0; i < b.n; i++)
        output += b.request[i].output;
    struct measures *m = fleet_under(b, policy);
    const double done = bench_number(m, "completed"), lost = bench_number(m, "lost");
    const double tokens = bench_number(m, "token_throughput") * bench_number(m, "makespan");
    cr_expect_eq(done + lost + bench_number(m, "rejected"), 3000);
    cr_expect_eq(bench_number(m, "rejected"), 0);
    cr_expect_eq(sketch_count(bench_sketch(m, "e2e")), done);
    if (all) {
        cr_expect_gt(bench_number(m, "retries"), 100);
        cr_expect_eq(done, 3000);
        cr_expect_float_eq(tokens, output, 1e-6 * output, "%.1f tokens, want %.1f", tokens, output);
    } else {
        cr_expect(lost > 0 && done > 0, "%g done, %g lost", done, lost);
        cr_expect_lt(tokens, output);
    }
    measures_free(m);
    free((void *)b.request);
}

Test(fleet_failures, every_request_ends_once_and_every_token_is_sent_once)
{
    static const char *const policy[] = {NULL, "route-jsq-tokens", "route-prefix", "scale-queue"};
    for (size_t i = 0; i < sizeof sections / sizeof *sections; i++)
        for (size_t k = 0; k < sizeof policy / sizeof *policy; k++)
            ends_once(sections[i], policy[k], true);
}

Test(fleet_failures, or_is_lost_after_so_many_tries)
{
    ends_once(TOGETHER("0", "mixed", ""), NULL, false);
    ends_once(TOGETHER("0", "mixed", ",\"check_s\":0.2"), "route-least-loaded", false);
    ends_once(APART_FAILS("1", ",\"check_s\":0.2"), "route-least-loaded", false);
}

Test(fleet_failures, stepping_is_the_same_as_leaping)
{
    struct bench b = {.model = &model_fleet, .machine = "machines/h100-server.json", .exact = true};
    static const char *const section[] = {
        "{\"pools\":{\"all\":{\"engines\":3,\"kv_fraction\":0.25," OFTEN(
            "") "\"cost\":{\"llm\":\"llama-3.1-8b\"}}},\"leap\":true}",
        "{\"pools\":{\"all\":{\"engines\":3,\"kv_fraction\":0.25," OFTEN(
            "") "\"cost\":{\"llm\":\"llama-3.1-8b\"}}},\"leap\":false}"};
    b.request = fleet_chat(b.n = 1000, 8, 300, 3);
    b.section = section[0];
    struct measures *x = fleet_under(b, "route-jsq-tokens");
    b.section = section[1];
    struct measures *y = fleet_under(b, "route-jsq-tokens");
    cr_expect_gt(bench_number(x, "retries"), 10);
    cr_expect_lt(bench_number(x, "events") * 2, bench_number(y, "events"));
    bench_same(x, y);
    measures_free(x);
    measures_free(y);
    free((void *)b.request);
}

/* ---- the same bytes, whoever runs them ---- */

Test(fleet_failures, any_number_of_workers_gives_the_same_bytes, .timeout = 60)
{
    static const char run[] =
        "d=$(mktemp -d) && for j in 1 3; do " BUILD
        "/malv sweep experiments/fleet-failures.json -q -j $j"
        " --set trace.synth.requests=3000 --trials 2 -o $d/$j.h5 || exit 1; done && "
        "cmp $d/1.h5 $d/3.h5; rc=$?; rm -r $d; exit $rc";
    cr_expect_eq(system(run), 0);
}
