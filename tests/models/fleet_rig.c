/* fleet_rig.c - see fleet_rig.h. */
#include "tests/models/fleet_rig.h"

#include <criterion/criterion.h>
#include <stdlib.h>

/* ---- traces ---- */

/* Poisson arrivals; exponential prompts of 10,000 tokens in the mean: 1 ms each. */
struct bench_request *fleet_exponential(size_t n, double rate_per_s, uint64_t seed)
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

struct bench_request *fleet_chat(size_t n, double rate_per_s, uint32_t most_out, uint64_t seed)
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

void fleet_hire(struct hired *h, const char *name)
{
    struct err e = {0};
    *h = (struct hired){.host = {.log = quiet, .random = draw, .param = param}};
    rng_init(&h->random, 5, "test", "policy");
    h->host.host = &h->random;
    cr_assert_eq(policy_load(&h->policy, name, &e), 0, "%s", e.msg);
    h->slot = (struct policy_slot){.ops = policy_ops(h->policy), .label = name};
    policy_slot_create(&h->slot, &h->host, NULL, NULL);
}

void fleet_dismiss(struct hired *h)
{
    policy_slot_destroy(&h->slot);
    policy_unload(h->policy);
}

struct measures *fleet_under(struct bench b, const char *policy)
{
    struct hired h;
    if (!policy)
        return bench_run(&b, NULL);
    fleet_hire(&h, policy);
    b.policy = &h.slot;
    struct measures *m = bench_run(&b, NULL);
    cr_expect_eq(bench_number(m, "ejected"), 0);
    fleet_dismiss(&h);
    return m;
}

/* ---- one engine beside model "serve" ---- */

static void same_sketch(const struct measures *a, const struct measures *b, const char *name)
{
    const struct sketch *x = bench_sketch(a, name), *y = bench_sketch(b, name);
    cr_expect_eq(sketch_count(x), sketch_count(y), "%s", name);
    cr_expect_eq(sketch_sum(x), sketch_sum(y), "%s: %.17g and %.17g", name, sketch_sum(x),
                 sketch_sum(y));
    for (double q = 0; q <= 1; q += 1.0 / 256)
        cr_expect_eq(sketch_quantile(x, q), sketch_quantile(y, q), "%s at %g", name, q);
}

void fleet_same(const struct measures *serve, const struct measures *fleet)
{
    static const char *const number[] = {"makespan",  "iterations", "preemptions",
                                         "completed", "rejected",   "goodput"};
    static const char *const sketch[] = {"ttft", "tpot", "e2e", "queue_wait"};
    for (size_t i = 0; i < sizeof number / sizeof *number; i++)
        cr_expect_eq(bench_number(serve, number[i]), bench_number(fleet, number[i]),
                     "%s: %.17g and %.17g", number[i], bench_number(serve, number[i]),
                     bench_number(fleet, number[i]));
    for (size_t i = 0; i < sizeof sketch / sizeof *sketch; i++)
        same_sketch(serve, fleet, sketch[i]);
}
