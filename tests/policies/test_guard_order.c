/* The guard at cluster.order: order of arrival behind it, and the true durations for oracles
 * alone. */
#include <criterion/criterion.h>

#include "tests/policies/guarded.h"

static struct policy_order says;
static uint64_t told;
static int ended;

static void order(void *self, const struct policy_order_obs *o, struct policy_order *answer)
{
    (void)self;
    told = o->job.oracle_ns;
    *answer = says;
}

static void done(void *self, const struct policy_job_done *d)
{
    (void)self, (void)d;
    ended++;
}

static const struct policy_ops plain = {.name = "jobs",
                                        .create = guarded_create,
                                        .destroy = guarded_destroy,
                                        .cluster_order = order,
                                        .cluster_done = done};
static const struct policy_ops oracle = {.name = "jobs-oracle",
                                         .oracle = 1,
                                         .create = guarded_create,
                                         .destroy = guarded_destroy,
                                         .cluster_order = order};
static const struct policy_order_obs asked = {
    .job = {.id = 1, .gpus = 2, .service_ns = 5000, .oracle_ns = 77}, .cluster = {.now_ns = 12}};

static int64_t key_of(struct policy_slot *p)
{
    struct policy_order a = {.key = 99, .after_ns = 99};
    policy_slot_order(p, &asked, &a);
    return a.key;
}

Test(guard_order, the_default_is_key_0_for_ever)
{
    struct policy_order a = {.key = 99, .after_ns = 99};
    policy_slot_order(NULL, &asked, &a);
    cr_expect(a.key == 0 && !a.after_ns && !a.at_service_ns && !a.follows_sharing);
}

Test(guard_order, a_good_answer_passes_as_it_is)
{
    struct policy_slot p = guarded(&plain);
    says = (struct policy_order){.key = -POLICY_KEY_MAX,
                                 .at_service_ns = 5000 + POLICY_ORDER_MIN,
                                 .after_ns = POLICY_ORDER_MIN,
                                 .predicted_ns = 3,
                                 .follows_sharing = 1};
    struct policy_order a;
    policy_slot_order(&p, &asked, &a);
    cr_expect(a.key == says.key && a.at_service_ns == says.at_service_ns &&
              a.after_ns == says.after_ns && a.predicted_ns == 3 && a.follows_sharing == 1);
    cr_expect_eq(p.decisions, 1);
    guarded_expect_none(&p);
    guarded_end(&p);
}

static void expect_ejected(struct policy_order bad, const char *text)
{
    struct policy_slot p = guarded(&plain);
    says = bad;
    cr_expect_eq(key_of(&p), 0);
    says = (struct policy_order){.key = 5};
    cr_expect_eq(key_of(&p), 0, "not asked again");
    guarded_expect(&p, 1, 12, text);
    guarded_end(&p);
}

Test(guard_order, bad_answers_are_said_and_arrival_orders)
{
    expect_ejected((struct policy_order){.key = POLICY_KEY_MAX + 1},
                   "cluster_order answered key 4611686018427387904, want one within "
                   "+-4611686018427387903");
    expect_ejected((struct policy_order){.key = 1, .at_service_ns = 5000},
                   "cluster_order wants to be asked at a service of 5000 ns, want 1000000 more "
                   "than the 5000 that it had");
    expect_ejected((struct policy_order){.key = 1, .after_ns = 1},
                   "cluster_order wants to be asked after 1 ns, want 1000000");
    expect_ejected((struct policy_order){.key = 1, .follows_sharing = 7},
                   "cluster_order answered follows_sharing 7, want 0 or 1");
}

Test(guard_order, only_an_oracle_is_told_the_duration)
{
    struct policy_slot p = guarded(&plain), q = guarded(&oracle);
    says = (struct policy_order){.key = 1};
    told = 1;
    key_of(&p);
    cr_expect_eq(told, 0);
    key_of(&q);
    cr_expect_eq(told, 77);
    guarded_end(&p);
    guarded_end(&q);
}

Test(guard_order, a_known_crash_in_feedback_ejects)
{
    struct policy_slot p = guarded_doomed(&plain, 2);
    const struct policy_job_done d = {.now_ns = 44};
    says = (struct policy_order){.key = 1};
    cr_expect_eq(key_of(&p), 1);
    policy_slot_job_done(&p, &d);
    cr_expect_eq(ended, 0);
    guarded_expect(&p, 2, 44, "cluster_done crashed: signal 11");
    guarded_end(&p);
}
