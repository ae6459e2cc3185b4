/* The guard at io.steer: home behind it, and the true latencies for oracles alone. */
#include <criterion/criterion.h>

#include "tests/policies/guarded.h"

static uint32_t device;
static const uint64_t *told;
static int asked;

static uint32_t steer(void *self, const struct policy_steer_obs *o)
{
    (void)self;
    asked++;
    told = o->oracle_latency_ns;
    return device;
}

static void done(void *self, const struct policy_io_done *d)
{
    (void)self, (void)d;
    asked++;
}

static const struct policy_ops plain = {.name = "io",
                                        .create = guarded_create,
                                        .destroy = guarded_destroy,
                                        .io_steer = steer,
                                        .io_done = done};
static const struct policy_ops oracle = {.name = "io-oracle",
                                         .oracle = 1,
                                         .create = guarded_create,
                                         .destroy = guarded_destroy,
                                         .io_steer = steer};
static const uint64_t truth[] = {900, 100, 100};
static const struct policy_steer_obs read_op = {
    .now_ns = 12, .home = 2, .n = 3, .oracle_latency_ns = truth};

Test(guard_io, the_default_is_home)
{
    cr_expect_eq(policy_slot_steer(NULL, &read_op), 2);
}

Test(guard_io, any_device_is_a_good_answer)
{
    struct policy_slot p = guarded(&plain);
    for (device = 0; device < 3; device++)
        cr_expect_eq(policy_slot_steer(&p, &read_op), device);
    cr_expect_eq(p.decisions, 3);
    guarded_expect_none(&p);
    guarded_end(&p);
}

Test(guard_io, a_bad_device_is_said_and_home_answers)
{
    struct policy_slot p = guarded(&plain);
    device = 3;
    cr_expect_eq(policy_slot_steer(&p, &read_op), 2);
    device = 0;
    cr_expect_eq(policy_slot_steer(&p, &read_op), 2);
    guarded_expect(&p, 1, 12, "io_steer answered device 3, want one of 3");
    guarded_end(&p);
}

Test(guard_io, only_an_oracle_is_told_the_latencies)
{
    struct policy_slot p = guarded(&plain), q = guarded(&oracle);
    device = 0;
    told = truth;
    policy_slot_steer(&p, &read_op);
    cr_expect_null(told);
    policy_slot_steer(&q, &read_op);
    cr_expect_eq(told, truth);
    guarded_end(&p);
    guarded_end(&q);
}

Test(guard_io, a_known_crash_in_feedback_ejects)
{
    struct policy_slot p = guarded_doomed(&plain, 2);
    struct policy_io_done d = {.now_ns = 44};
    device = 0;
    asked = 0;
    cr_expect_eq(policy_slot_steer(&p, &read_op), 0);
    policy_slot_io_done(&p, &d);
    policy_slot_io_done(&p, &d);
    cr_expect_eq(policy_slot_steer(&p, &read_op), 2);
    cr_expect_eq(asked, 1);
    guarded_expect(&p, 2, 44, "io_done crashed: signal 11");
    guarded_end(&p);
}
