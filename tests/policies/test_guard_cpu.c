/* The guard at cpu.pick and cpu.balance: round robin and evening out behind it. */
#include <criterion/criterion.h>

#include "tests/policies/guarded.h"

static struct policy_pick answer;
static int move, asked;
static uint64_t told;

static void pick(void *self, const struct policy_pick_obs *o, struct policy_pick *a)
{
    (void)self, (void)o;
    asked++;
    *a = answer;
}

static int balance(void *self, const struct policy_balance_obs *o)
{
    (void)self;
    told = o->task.oracle_left_ns + o->oracle_src_ns + o->oracle_dst_ns;
    asked++;
    return move;
}

static const struct policy_ops both = {.name = "cpu",
                                       .create = guarded_create,
                                       .destroy = guarded_destroy,
                                       .cpu_pick = pick,
                                       .cpu_balance = balance};

static const struct policy_task three[] = {
    {.id = 4, .ready_ns = 30}, {.id = 7, .ready_ns = 10}, {.id = 9, .ready_ns = 20, .on_ns = 500}};

static struct policy_pick_obs seen(enum policy_why why, uint32_t current)
{
    return (struct policy_pick_obs){.at = {.now_ns = 77},
                                    .why = why,
                                    .current = current,
                                    .woken = POLICY_NONE,
                                    .n = 3,
                                    .task = three};
}

Test(guard_cpu, the_default_is_round_robin)
{
    struct policy_pick got;
    struct policy_pick_obs o = seen(POLICY_BLOCKED, POLICY_NONE);
    policy_slot_pick(NULL, &o, &got); /* the one that waited longest */
    cr_expect_eq(got.task, 1);
    cr_expect_eq(got.slice_ns, POLICY_SLICE_DEFAULT);
    o = seen(POLICY_SLICE_END, 1); /* not the one whose slice ended, though it was ready first */
    policy_slot_pick(NULL, &o, &got);
    cr_expect_eq(got.task, 2);
    o = seen(POLICY_WOKE, 2); /* a running task keeps the rest of its slice */
    policy_slot_pick(NULL, &o, &got);
    cr_expect_eq(got.task, 2);
    cr_expect_eq(got.slice_ns, POLICY_SLICE_DEFAULT - 500);
    o.n = 1;
    o.current = 0;
    o.why = POLICY_SLICE_END; /* alone: it goes on */
    policy_slot_pick(NULL, &o, &got);
    cr_expect_eq(got.task, 0);
}

Test(guard_cpu, good_answers_pass)
{
    static const struct policy_pick good[] = {
        {0, POLICY_SLICE_MIN}, {2, POLICY_SLICE_MAX}, {1, 4000000}};
    struct policy_slot p = guarded(&both);
    struct policy_pick_obs o = seen(POLICY_WOKE, 2);
    for (size_t i = 0; i < 3; i++) {
        struct policy_pick got;
        answer = good[i];
        policy_slot_pick(&p, &o, &got);
        cr_expect_eq(got.task, good[i].task);
        cr_expect_eq(got.slice_ns, good[i].slice_ns);
    }
    struct policy_balance_obs b = {.src_len = 1, .dst_len = 5};
    move = POLICY_MIGRATE;
    cr_expect_eq(policy_slot_balance(&p, &b), POLICY_MIGRATE);
    cr_expect_eq(p.decisions, 4);
    guarded_expect_none(&p);
    guarded_end(&p);
}

static const struct {
    struct policy_pick answer;
    const char *said;
} bad[] = {
    {{3, POLICY_SLICE_MIN}, "cpu_pick answered task 3, want one of 3"},
    {{POLICY_NONE, POLICY_SLICE_MIN}, "cpu_pick answered task 4294967295, want one of 3"},
    {{0, POLICY_SLICE_MIN - 1}, "cpu_pick answered a slice of 9999 ns, want 10000 to 10000000000"},
    {{0, POLICY_SLICE_MAX + 1},
     "cpu_pick answered a slice of 10000000001 ns, want 10000 to 10000000000"},
};

Test(guard_cpu, a_bad_pick_is_said_and_round_robin_goes_on)
{
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct policy_slot p = guarded(&both);
        struct policy_pick_obs o = seen(POLICY_BLOCKED, POLICY_NONE);
        struct policy_pick got;
        answer = bad[i].answer;
        asked = 0;
        for (int again = 0; again < 2; again++) {
            policy_slot_pick(&p, &o, &got);
            cr_expect_eq(got.task, 1);
            cr_expect_eq(got.slice_ns, POLICY_SLICE_DEFAULT);
        }
        cr_expect_eq(asked, 1);
        guarded_expect(&p, 1, 77, bad[i].said);
        guarded_end(&p);
    }
}

Test(guard_cpu, the_default_move_evens_out)
{
    struct policy_balance_obs o = {.src_len = 3, .dst_len = 1};
    cr_expect_eq(policy_slot_balance(NULL, &o), POLICY_MIGRATE);
    o.dst_len = 2;
    cr_expect_eq(policy_slot_balance(NULL, &o), POLICY_LEAVE);
}

Test(guard_cpu, a_bad_move_is_said)
{
    struct policy_slot p = guarded(&both);
    struct policy_balance_obs o = {.src = {.now_ns = 5}, .src_len = 3, .dst_len = 1};
    move = 2;
    cr_expect_eq(policy_slot_balance(&p, &o), POLICY_MIGRATE);
    move = POLICY_LEAVE;
    cr_expect_eq(policy_slot_balance(&p, &o), POLICY_MIGRATE, "it is out");
    guarded_expect(&p, 1, 5, "cpu_balance answered 2, want 0 (leave) or 1 (migrate)");
    guarded_end(&p);
}

Test(guard_cpu, only_an_oracle_is_told_what_is_left)
{
    struct policy_ops knows = both;
    knows.oracle = 1;
    struct policy_slot p = guarded(&both), q = guarded(&knows);
    const struct policy_balance_obs o = {
        .task = {.oracle_left_ns = 1}, .oracle_src_ns = 10, .oracle_dst_ns = 100};
    move = POLICY_LEAVE;
    policy_slot_balance(&p, &o);
    cr_expect_eq(told, 0);
    policy_slot_balance(&q, &o);
    cr_expect_eq(told, 111);
    guarded_end(&p);
    guarded_end(&q);
}

Test(guard_cpu, a_known_crash_is_not_made_again)
{
    struct policy_slot p = guarded_doomed(&both, 2);
    struct policy_pick_obs o = seen(POLICY_BLOCKED, POLICY_NONE);
    struct policy_balance_obs b = {.src = {.now_ns = 6}, .src_len = 3, .dst_len = 1};
    struct policy_pick got;
    answer = (struct policy_pick){2, POLICY_SLICE_MIN};
    asked = 0;
    policy_slot_pick(&p, &o, &got);
    cr_expect_eq(got.task, 2);
    cr_expect_eq(policy_slot_balance(&p, &b), POLICY_MIGRATE);
    policy_slot_pick(&p, &o, &got);
    cr_expect_eq(got.task, 1);
    cr_expect_eq(asked, 1);
    guarded_expect(&p, 2, 6, "cpu_balance crashed: signal 11");
    guarded_end(&p);
}
