/* The guard at cluster.share: parts in range, of jobs and types that there are, that fit. */
#include <criterion/criterion.h>
#include <math.h>

#include "tests/policies/guarded.h"

static struct policy_part said[4];
static uint32_t n_said;

static uint32_t share(void *self, const struct policy_round_obs *o, struct policy_part *part)
{
    (void)self;
    for (uint32_t i = 0; i < n_said && i < o->most && i < 4; i++)
        part[i] = said[i];
    return n_said;
}

static const struct policy_ops ops = {
    .name = "share", .create = guarded_create, .destroy = guarded_destroy, .cluster_share = share};

/* Two types, 4 and 2 GPUs; jobs 0 and 1 of kind 0 on one GPU, job 2 of kind 1 on four. */
static const struct policy_round_job job[] = {
    {.id = 3, .kind = 0, .gpus = 1, .weight = 1, .steps = 9},
    {.id = 5, .kind = 0, .gpus = 1, .weight = 1, .steps = 9},
    {.id = 8, .kind = 1, .gpus = 4, .weight = 1, .steps = 9}};
static const uint32_t gpus[] = {4, 2};
static const double rate[] = {2, 3, 1, 0};
static const double beside[] = {1.5, 1, 1, 1, 0, 0, 0, 0}; /* on type 1 nobody shares */

static struct policy_round_obs obs(void)
{
    return (struct policy_round_obs){.now_ns = 5,
                                     .n = 3,
                                     .types = 2,
                                     .kinds = 2,
                                     .most = 24,
                                     .job = job,
                                     .gpus = gpus,
                                     .rate = rate,
                                     .beside = beside};
}

#define ALONE POLICY_NONE
static const struct {
    uint32_t n;
    struct policy_part part[4];
    const char *text; /* NULL: it is good */
} answers[] = {
    {0, {{0}}, NULL},
    {3, {{0, ALONE, 0, 0.5}, {0, ALONE, 1, 0.5}, {1, ALONE, 1, 1}}, NULL},
    {2, {{0, 1, 0, 1}, {2, ALONE, 0, 0.75}}, NULL},
    {25, {{0}}, "cluster_share answered 25 parts, want at most 24"},
    {1, {{3, ALONE, 0, 1}}, "cluster_share answered a part of job 3, want one of 3"},
    {1, {{0, ALONE, 2, 1}}, "cluster_share answered a part of type 2, want one of 2"},
    {1, {{0, ALONE, 0, 1.01}}, "cluster_share answered a part of 1.01 for job 0, want 0 to 1"},
    {1, {{0, ALONE, 0, -0.1}}, "cluster_share answered a part of -0.1 for job 0, want 0 to 1"},
    {1, {{0, ALONE, 0, NAN}}, "cluster_share answered a part of nan for job 0, want 0 to 1"},
    {2,
     {{1, ALONE, 0, 0.75}, {1, ALONE, 1, 0.5}},
     "cluster_share answered parts of 1.25 in all for job 1, want at most 1"},
    {2,
     {{0, 1, 0, 0.75}, {1, ALONE, 1, 0.5}},
     "cluster_share answered parts of 1.25 in all for job 1, want at most 1"},
    {2,
     {{2, ALONE, 0, 1}, {0, ALONE, 0, 0.5}},
     "cluster_share answered 4.5 GPUs of type 0, which has 4"},
    {1, {{1, 0, 0, 1}}, "cluster_share answered job 1 beside job 0, want a later one of 3"},
    {1, {{1, 3, 0, 1}}, "cluster_share answered job 1 beside job 3, want a later one of 3"},
    {1,
     {{0, 2, 0, 1}},
     "cluster_share answered job 0 beside job 2 on type 0, where they can't run together"},
    {1,
     {{0, 1, 1, 1}},
     "cluster_share answered job 0 beside job 1 on type 1, where they can't run together"},
};

Test(guard_rounds, every_part_is_checked)
{
    const struct policy_round_obs o = obs();
    struct policy_part part[24], own[24];
    const uint32_t n_own = policy_slot_parts(NULL, &o, own);
    for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
        struct policy_slot p = guarded(&ops);
        memcpy(said, answers[i].part, sizeof said);
        n_said = answers[i].n;
        const uint32_t n = policy_slot_parts(&p, &o, part);
        if (answers[i].text) {
            guarded_expect(&p, 1, 5, answers[i].text);
            cr_assert_eq(n, n_own, "answer %zu", i);
            for (uint32_t k = 0; k < n; k++)
                cr_expect(part[k].job == own[k].job && part[k].part == own[k].part);
        } else {
            cr_expect_eq(n, answers[i].n);
            guarded_expect_none(&p);
        }
        guarded_end(&p);
    }
}

Test(guard_rounds, without_a_policy_all_have_the_same)
{
    const struct policy_round_obs o = obs();
    struct policy_part part[24];
    double of[3] = {0}, used[2] = {0};
    const uint32_t n = policy_slot_parts(NULL, &o, part);
    for (uint32_t i = 0; i < n; i++) {
        of[part[i].job] += part[i].part;
        used[part[i].type] += part[i].part * job[part[i].job].gpus;
    }
    cr_expect_float_eq(of[0], 1, 1e-12, "a third of six GPUs is more than it can use");
    cr_expect_float_eq(of[1], 1, 1e-12);
    cr_expect_float_eq(of[2], 0.5 * 4 / 6, 1e-12, "two GPUs for four, and no four of type 1");
    cr_expect(used[0] <= 4 && used[1] <= 2);
}

Test(guard_rounds, a_crash_is_the_default_from_then_on)
{
    const struct policy_round_obs o = obs();
    struct policy_part part[24];
    struct policy_slot p = guarded_doomed(&ops, 2);
    n_said = 0;
    cr_expect_eq(policy_slot_parts(&p, &o, part), 0);
    cr_expect_eq(policy_slot_parts(&p, &o, part), 5);
    cr_expect_eq(p.ejected, EJECT_CRASH);
    cr_expect_eq(policy_slot_parts(&p, &o, part), 5);
    guarded_end(&p);
}
