/* The guard at serve.route and serve.scale: round robin and as many as there are behind it. */
#include <criterion/criterion.h>

#include "tests/policies/guarded.h"

static uint32_t answer, told;
static const struct policy_coming *told_coming;

static uint32_t route(void *self, const struct policy_route_obs *o)
{
    (void)self;
    told = o->request.oracle_output_tokens;
    return answer;
}

static uint32_t scale(void *self, const struct policy_scale_obs *o)
{
    (void)self;
    told_coming = o->oracle;
    return answer;
}

static const struct policy_ops plain = {.name = "fleet",
                                        .create = guarded_create,
                                        .destroy = guarded_destroy,
                                        .serve_route = route,
                                        .serve_scale = scale};
static const struct policy_ops oracle = {.name = "fleet-oracle",
                                         .oracle = 1,
                                         .create = guarded_create,
                                         .destroy = guarded_destroy,
                                         .serve_route = route,
                                         .serve_scale = scale};
static const struct policy_engine engine[] = {
    {.id = 0, .takes = 1}, {.id = 1}, {.id = 2, .takes = 1}};
static const struct policy_route_obs question = {
    .now_ns = 12, .n = 3, .engine = engine, .request = {.oracle_output_tokens = 77}};
static const struct policy_scale_obs period = {
    .now_ns = 13, .serving = 4, .starting = 2, .ending = 1, .least = 2, .most = 9};

Test(guard_route, the_default_is_round_robin_over_those_that_take_requests)
{
    uint32_t next = 0;
    cr_expect_eq(policy_slot_route(NULL, &question, &next), 0);
    cr_expect_eq(policy_slot_route(NULL, &question, &next), 2);
    cr_expect_eq(policy_slot_route(NULL, &question, &next), 0);
}

Test(guard_route, a_good_answer_leaves_the_default_s_hand_alone)
{
    struct policy_slot p = guarded(&plain);
    uint32_t next = 2;
    answer = 0;
    cr_expect_eq(policy_slot_route(&p, &question, &next), 0);
    cr_expect_eq(next, 2);
    cr_expect_eq(p.decisions, 1);
    guarded_expect_none(&p);
    guarded_end(&p);
}

Test(guard_route, an_engine_that_is_not_there_is_a_bad_answer)
{
    struct policy_slot p = guarded(&plain);
    uint32_t next = 0;
    answer = 3;
    cr_expect_eq(policy_slot_route(&p, &question, &next), 0);
    cr_expect_eq(policy_slot_route(&p, &question, &next), 2);
    guarded_expect(&p, 1, 12, "serve_route answered engine 3, want one of 3");
    guarded_end(&p);
}

Test(guard_route, so_is_one_that_takes_no_requests)
{
    struct policy_slot p = guarded(&plain);
    uint32_t next = 1;
    answer = 1;
    cr_expect_eq(policy_slot_route(&p, &question, &next), 2);
    guarded_expect(&p, 1, 12, "serve_route answered engine 1, which takes no requests");
    guarded_end(&p);
}

Test(guard_route, only_an_oracle_is_told_the_length)
{
    struct policy_slot p = guarded(&plain), q = guarded(&oracle);
    uint32_t next = 0;
    answer = 0;
    policy_slot_route(&p, &question, &next);
    cr_expect_eq(told, 0);
    policy_slot_route(&q, &question, &next);
    cr_expect_eq(told, 77);
    guarded_end(&p);
    guarded_end(&q);
}

Test(guard_route, a_known_crash_ejects)
{
    struct policy_slot p = guarded_doomed(&plain, 1);
    uint32_t next = 0;
    answer = 2;
    cr_expect_eq(policy_slot_route(&p, &question, &next), 0);
    guarded_expect(&p, 1, 12, "serve_route crashed: signal 11");
    guarded_end(&p);
}

Test(guard_scale, the_default_is_as_many_as_there_are_within_the_bounds)
{
    struct policy_scale_obs o = period;
    cr_expect_eq(policy_slot_scale(NULL, &o), 6);
    o.most = 5;
    cr_expect_eq(policy_slot_scale(NULL, &o), 5);
    o.least = o.most = 8;
    cr_expect_eq(policy_slot_scale(NULL, &o), 8);
}

Test(guard_scale, both_ends_of_the_range_are_good_and_beyond_is_not)
{
    struct policy_slot p = guarded(&plain);
    answer = 2;
    cr_expect_eq(policy_slot_scale(&p, &period), 2);
    answer = 9;
    cr_expect_eq(policy_slot_scale(&p, &period), 9);
    guarded_expect_none(&p);
    answer = 1;
    cr_expect_eq(policy_slot_scale(&p, &period), 6);
    guarded_expect(&p, 3, 13, "serve_scale answered 1 engines, want 2 to 9");
    guarded_end(&p);
}

Test(guard_scale, only_an_oracle_is_told_what_comes)
{
    static const struct policy_coming coming[2] = {{7, 70, 700}, {8, 80, 800}};
    struct policy_slot p = guarded(&plain), q = guarded(&oracle);
    struct policy_scale_obs o = period;
    o.oracle = coming;
    answer = 5;
    cr_expect_eq(policy_slot_scale(&p, &o), 5);
    cr_expect_null(told_coming);
    cr_expect_eq(policy_slot_scale(&q, &o), 5);
    cr_expect_eq(told_coming, coming);
    guarded_end(&p);
    guarded_end(&q);
}
