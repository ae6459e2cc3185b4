/* test_fleet_oracle.c - what an oracle at serve.scale is told, and what it is worth to it; the one
 * at serve.admit beside what practice does. */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "tests/models/fleet_rig.h"

enum { REQUESTS = 6000 };

#define SCALED                                                                                     \
    "{\"slo_ttft_ms\":100,\"pools\":{\"all\":{\"engines\":1," ENGINE "\"scale\":{\"least\":1,"     \
    "\"most\":16,\"period_s\":0.1,\"cold_start_s\":0.4,\"source\":\"test\"}," PER_TOKEN "}}}"

/* ---- what is told ---------------------------------------------------------------------- */

static const struct bench_request *all;
static unsigned asked, wrong, untold;

static struct policy_coming counted(uint64_t from, uint64_t until)
{
    struct policy_coming c = {0};
    for (size_t i = 0; i < REQUESTS; i++)
        if (all[i].at_ns >= from && all[i].at_ns < until) {
            c.requests++;
            c.prompt_tokens += all[i].prompt;
            c.output_tokens += all[i].output;
        }
    return c;
}

static bool same(const struct policy_coming *a, const struct policy_coming *b)
{
    return a->requests == b->requests && a->prompt_tokens == b->prompt_tokens &&
           a->output_tokens == b->output_tokens;
}

static uint32_t notes(void *self, const struct policy_scale_obs *o)
{
    (void)self;
    asked++;
    untold += !o->oracle;
    if (o->oracle) {
        const uint64_t warm = o->now_ns + o->start_ns;
        const struct policy_coming until = counted(o->now_ns, warm),
                                   after = counted(warm, warm + o->period_ns);
        wrong += !same(&until, &o->oracle[0]) + !same(&after, &o->oracle[1]);
    }
    return 1 + asked % 4;
}

static int create(void **self, const struct policy_host *h)
{
    *self = (void *)(uintptr_t)h;
    return 0;
}
static void destroy(void *self)
{
    (void)self;
}

Test(fleet_oracle, what_comes_is_told_to_the_request)
{
    struct policy_ops ops = {
        .name = "notes", .oracle = 1, .create = create, .destroy = destroy, .serve_scale = notes};
    struct bench_request *r = fleet_exponential(REQUESTS, 1500, 3);
    all = r;
    for (int told = 1; told >= 0; told--) {
        struct policy_slot slot = {.ops = &ops, .label = "notes"};
        struct bench b = {.model = &model_fleet, .bare = true, .section = SCALED, .policy = &slot};
        b.request = r;
        b.n = REQUESTS;
        ops.oracle = (uint32_t)told;
        asked = wrong = untold = 0;
        policy_slot_create(&slot, NULL, NULL, NULL);
        struct measures *m = bench_run(&b, NULL);
        cr_expect_eq(bench_number(m, "completed"), REQUESTS);
        cr_expect_gt(asked, 30);
        cr_expect_eq(wrong, 0, "%u of %u", wrong, asked);
        cr_expect_eq(untold, told ? 0 : asked);
        measures_free(m);
    }
    free(r);
}

/* ---- what it is worth -------------------------------------------------------------------- */

/* Two seconds of little and two of much, in turn. */
static struct bench_request *in_waves(size_t n, uint64_t seed)
{
    struct bench_request *r = malloc(n * sizeof *r);
    struct rng g;
    double t = 0;
    cr_assert(r);
    rng_init(&g, seed, "test", "waves");
    for (size_t i = 0; i < n; i++) {
        const double rate = (uint64_t)(t / 2e9) % 2 ? 6000 : 300;
        t += rng_exponential(&g, 1e9 / rate);
        r[i] = (struct bench_request){(uint64_t)t, 1 + (uint32_t)rng_exponential(&g, 10000), 1};
    }
    return r;
}

Test(fleet_oracle, foresight_has_engines_warm_when_the_wave_comes)
{
    struct bench b = {.model = &model_fleet, .bare = true, .section = SCALED, .exact = true};
    b.request = in_waves(b.n = 60000, 5);
    struct measures *queue = fleet_under(b, "scale-queue"), *told = fleet_under(b, "scale-oracle");
    const double late = sketch_quantile(bench_sketch(queue, "ttft"), 0.99);
    const double soon = sketch_quantile(bench_sketch(told, "ttft"), 0.99);
    cr_log_info("p99: %g ms by the queue in %g engine-hours, %g told in %g", late,
                bench_number(queue, "engine_hours"), soon, bench_number(told, "engine_hours"));
    cr_expect_lt(soon, late);
    measures_free(queue);
    measures_free(told);
    free((void *)b.request);
}

/* More than two engines can do, with answers of one to 400 tokens. */
Test(fleet_oracle, admission_that_knows_lengths_serves_more_in_time)
{
    static const char section[] = "{\"slo_ttft_ms\":1000,\"slo_tpot_ms\":1000,\"pools\":{\"all\":{"
                                  "\"engines\":2,\"max_running\":16," STEPS "}}}";
    struct bench b = {.model = &model_fleet, .bare = true, .section = section, .exact = true};
    b.request = fleet_chat(b.n = 8000, 60, 400, 9);
    struct measures *chance = fleet_under(b, "admit-random"), *slo = fleet_under(b, "admit-slo"),
                    *told = fleet_under(b, "admit-oracle");
    cr_log_info("goodput: chance %g, slo %g, told %g; p90 %g and %g ms",
                bench_number(chance, "goodput"), bench_number(slo, "goodput"),
                bench_number(told, "goodput"), sketch_quantile(bench_sketch(slo, "ttft"), 0.9),
                sketch_quantile(bench_sketch(told, "ttft"), 0.9));
    cr_expect_gt(bench_number(told, "goodput"), 1.2 * bench_number(slo, "goodput"));
    cr_expect_gt(bench_number(slo, "goodput"), bench_number(chance, "goodput"));
    measures_free(chance);
    measures_free(slo);
    measures_free(told);
    free((void *)b.request);
}
