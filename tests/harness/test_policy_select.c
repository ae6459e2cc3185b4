/* Selectors against VMs whose best policy is known, and the guard against one that drifts. */
#include <criterion/criterion.h>

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "harness/policy/policy_host.h"
#include "harness/policy/policy_load.h"
#include "harness/run/runner.h"
#include "sim/rng.h"

#define ARMS    3
#define PERIODS 600
#define DONE    8 /* outcomes a period */

struct chooser {
    struct policy *policy;
    struct policy_slot slot;
    struct policy_session *session;
    struct config *params;
};

static void chooser_open(struct chooser *c, const char *name, const char *params, uint64_t seed)
{
    struct err e = {0};
    *c = (struct chooser){0};
    cr_assert_eq(policy_load(&c->policy, name, &e), 0, "%s", e.msg);
    cr_assert_eq(config_parse(&c->params, "p", params, strlen(params), &e), 0, "%s", e.msg);
    c->slot =
        (struct policy_slot){.ops = policy_ops(c->policy), .label = name, .out = measures_new()};
    const struct policy_session_want want = {.seed = seed, .params = c->params};
    cr_assert_eq(policy_host_open(&c->session, &c->slot, &want, &e), 0, "%s", e.msg);
}

static void chooser_close(struct chooser *c)
{
    cr_assert_eq(policy_host_close(c->session, NULL), 0);
    policy_unload(c->policy);
    config_free(c->params);
    measures_free(c->slot.out);
}

/* Mean costs by VM, kind of period and arm; VM 2's best arm depends on the context. */
static const double cost[3][2][ARMS] = {{{100, 70, 130}, {100, 70, 130}},
                                        {{60, 90, 100}, {60, 90, 100}},
                                        {{100, 140, 70}, {70, 140, 100}}};

static uint32_t best_of(uint32_t vm, int kind)
{
    uint32_t best = 0;
    for (uint32_t i = 1; i < ARMS; i++)
        if (cost[vm][kind][i] < cost[vm][kind][best])
            best = i;
    return best;
}

/* How often the best arm answers in the second half; costs of single outcomes are exponential. */
static double share_of_best(struct chooser *c, uint32_t vm, uint64_t seed)
{
    static const char *const label[ARMS] = {"a", "b", "c"};
    struct rng r;
    uint32_t now = 0, good = 0;
    int kind = 0;
    rng_init(&r, seed, "test", "select");
    for (uint32_t p = 0; p < PERIODS; p++) {
        struct policy_candidate seen[ARMS];
        for (uint32_t i = 0; i < ARMS; i++)
            seen[i] = (struct policy_candidate){
                .label = label[i], .oracle_cost_ns = (uint64_t)(1000 * cost[vm][0][i])};
        for (int i = 0; i < DONE; i++)
            seen[now].cost_ns += (uint64_t)(1000 * rng_exponential(&r, cost[vm][kind][now]));
        seen[now].done = seen[now].answered = DONE;
        const struct policy_select_obs o = {.now_ns = p * SIM_MS,
                                            .period = p,
                                            .vm = vm,
                                            .current = now,
                                            .n = ARMS,
                                            .context = {1000, kind ? 4000 : 500, 0.5f},
                                            .candidate = seen};
        now = policy_slot_select(&c->slot, &o);
        kind = (int)(p / 10 % 2); /* lasts: the next is mostly like the last */
        good += p >= PERIODS / 2 && now == best_of(vm, p % 10 ? kind : !kind);
    }
    return (double)good / (PERIODS / 2);
}

Test(select, the_bandit_finds_out_who_helps_whom)
{
    double sum[3] = {0};
    for (uint64_t seed = 1; seed <= 10; seed++) {
        struct chooser c;
        chooser_open(&c, "select-bandit", "{}", seed);
        for (uint32_t vm = 0; vm < 3; vm++)
            sum[vm] += share_of_best(&c, vm, seed) / 10;
        chooser_close(&c);
    }
    cr_expect_gt(sum[0], 0.75, "VM 0: %.3f", sum[0]);
    cr_expect_gt(sum[1], 0.75, "VM 1: %.3f", sum[1]);
    cr_expect_gt(sum[2], 0.6, "VM 2, by context: %.3f", sum[2]);
}

Test(select, the_oracle_knows_and_no_other_is_told)
{
    struct chooser c;
    chooser_open(&c, "select-oracle", "{}", 1);
    cr_expect_eq(share_of_best(&c, 0, 1), 1);
    cr_expect_eq(share_of_best(&c, 1, 1), 1);
    chooser_close(&c);
    struct policy_ops blind = {.policy_select = NULL};
    struct policy *p;
    cr_assert_eq(policy_load(&p, "select-oracle", NULL), 0);
    blind = *policy_ops(p);
    blind.oracle = 0;
    struct policy_slot slot = {.ops = &blind};
    const struct policy_candidate seen[2] = {{.oracle_cost_ns = 9}, {.oracle_cost_ns = 5}};
    const struct policy_select_obs o = {.n = 2, .current = 0, .candidate = seen};
    cr_expect_eq(policy_slot_select(&slot, &o), 0, "the truth is blanked out");
    policy_unload(p);
}

Test(select, rules_hold_in_order)
{
    static const struct {
        const char *rules;
        float rate, size, spread;
        uint32_t vm, want;
    } cases[] = {
        {"spread > 0.5: b; size > 4000: c; a", 1, 10, 0.7f, 0, 1},
        {"spread > 0.5: b; size > 4000: c; a", 1, 5000, 0.2f, 0, 2},
        {"spread > 0.5: b; size > 4000: c; a", 1, 5000, 0.7f, 0, 1},
        {"spread > 0.5: b; size > 4000: c; a", 1, 10, 0.2f, 0, 0},
        {"vm < 3: c", 1, 10, 0.2f, 2, 2},
        {"vm < 3: c", 1, 10, 0.2f, 3, 1}, /* keeps what answers */
        {"rate > 100: nobody; b", 200, 10, 0, 0, 1},
        {"", 1, 1, 1, 1, 1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char params[128];
        struct chooser c;
        snprintf(params, sizeof params, "{\"rules\": \"%s\"}", cases[i].rules);
        chooser_open(&c, "select-rules", params, 1);
        const struct policy_candidate seen[3] = {{.label = "a"}, {.label = "b"}, {.label = "c"}};
        const struct policy_select_obs o = {
            .vm = cases[i].vm,
            .current = 1,
            .n = 3,
            .context = {cases[i].rate, cases[i].size, cases[i].spread},
            .candidate = seen};
        cr_expect_eq(policy_slot_select(&c.slot, &o), cases[i].want, "case %zu", i);
        chooser_close(&c);
    }
}
