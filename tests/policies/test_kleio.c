/* test_kleio.c - the policy kleio beside history and the oracle. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "harness/policy/infer_host.h"
#include "harness/policy/policy_host.h"
#include "harness/policy/policy_load.h"
#include "models/mem/tiers.h"
#include "sim/rng.h"

/* ---- placing ----------------------------------------------------------------------- */

struct workload {
    uint32_t sets, stay; /* hot sets, and for how many periods each stays hot */
    uint64_t seed;
};

enum { PERIOD = 5000, PERIODS = 48, HOT = 90 };

static uint64_t page_at(const struct workload *w, struct rng *r, uint32_t period)
{
    const uint64_t set = period / w->stay % w->sets;
    return rng_unit(r) < 0.9 ? set * HOT + rng_below(r, HOT) : rng_below(r, w->sets * HOT);
}

static double run(const struct workload *w, struct policy_slot *slot)
{
    const struct mem_tiers_config c = {
        .n = 2, /* Kleio's simulator: fast, and far slow */
        .tier = {{.pages = 110, .latency_ns = 50, .bytes_per_ns = 10},
                 {.pages = 2000, .latency_ns = 1150, .bytes_per_ns = 1}},
        .period_ns = 3000,
        .migrate_ns = 1000,
        .swap_ns = 70000};
    struct mem_tiers *t = mem_tiers_new(&c, slot);
    struct mem_tiers_stats s;
    struct rng r;
    rng_init(&r, w->seed, "test", "pages");
    for (uint32_t p = 0; p < PERIODS; p++) {
        uint64_t page[PERIOD];
        for (int i = 0; i < PERIOD; i++)
            page[i] = page_at(w, &r, p);
        for (int i = 0; p && i < PERIOD; i++)
            mem_tiers_expect(t, page[i], 1);
        if (p)
            mem_tiers_period(t, p);
        for (int i = 0; i < PERIOD; i++)
            mem_tiers_touch(t, page[i], false, 1, 0);
    }
    mem_tiers_stats(t, &s);
    cr_expect(mem_tiers_sound(t));
    mem_tiers_free(t);
    return s.memory_ns + s.migrate_ns + s.swap_ns;
}

/* Total time with a policy; "pages" as the policy's parameter, NULL: none. */
static double with(const char *name, const char *params, const struct workload *w)
{
    struct err e = {0};
    struct infer_host *infer;
    struct policy *policy;
    struct policy_session *session;
    struct config *c = NULL;
    cr_assert_not(infer_host_open(&infer, INFER_CPU, &e), "%s", e.msg);
    cr_assert_not(policy_load(&policy, name, &e), "%s", e.msg);
    if (params)
        cr_assert_not(config_parse(&c, "params", params, strlen(params), &e), "%s", e.msg);
    struct policy_slot slot = {.ops = policy_ops(policy), .label = name, .out = measures_new()};
    const struct policy_session_want want = {
        .seed = 1, .infer = infer_host_face(infer), .params = c};
    cr_assert_not(policy_host_open(&session, &slot, &want, &e), "%s", e.msg);
    double time = run(w, &slot);
    cr_assert_not(policy_host_close(session, &e), "%s", e.msg);
    cr_expect_eq(slot.ejected, EJECT_NONE, "%s", slot.eject_note);
    measures_free(slot.out);
    policy_unload(policy);
    infer_host_close(infer);
    config_free(c);
    return time;
}

/* A hot set that comes round every third or fourth period: history is always a period late.  The
 * network was trained on other pages, other counts and another length of period. */
Test(kleio, gets_most_of_the_oracles_gain_where_hot_sets_come_round)
{
    for (uint64_t seed = 1; seed <= 3; seed++)
        for (uint32_t sets = 3; sets <= 4; sets++) {
            const struct workload w = {.sets = sets, .stay = 1, .seed = seed};
            const double history = with("place-history", NULL, &w),
                         oracle = with("place-oracle", NULL, &w), kleio = with("kleio", NULL, &w),
                         none = run(&w, NULL), gain = (history - kleio) / (history - oracle);
            cr_expect(kleio < none && none < history, "%u sets: %.0f, none %.0f, history %.0f",
                      sets, kleio, none, history);
            cr_expect_geq(gain, 0.5, "%u sets, seed %d: %.2f of the gain", sets, (int)seed, gain);
        }
}

/* What it was not trained for: a set that stays five periods of fifteen.  It must not do much worse
 * than history, which it doubts itself back to. */
Test(kleio, falls_back_to_history_where_it_is_wrong)
{
    const struct workload w = {.sets = 3, .stay = 5, .seed = 2};
    const double history = with("place-history", NULL, &w), kleio = with("kleio", NULL, &w);
    cr_expect_leq(kleio, 1.1 * history, "%.0f, history %.0f", kleio, history);
}

Test(kleio, a_few_pages_by_the_network_are_between_none_and_all)
{
    const struct workload w = {.sets = 4, .stay = 1, .seed = 5};
    const double history = with("place-history", NULL, &w), all = with("kleio", NULL, &w),
                 some = with("kleio", "{\"pages\": 120}", &w);
    cr_expect(all < some && some < history, "%.0f, %.0f, %.0f", all, some, history);
}
