/* The guard at gpu.dispatch and gpu.share: first come first served, and the parts that were. */
#include <criterion/criterion.h>
#include <string.h>

#include "tests/policies/guarded.h"

static struct policy_dispatch answer;
static uint32_t part;
static int asked;

static void dispatch(void *self, const struct policy_dispatch_obs *o, struct policy_dispatch *a)
{
    (void)self, (void)o;
    asked++;
    *a = answer;
}

static void share(void *self, const struct policy_share_obs *o, uint32_t *milli)
{
    (void)self;
    asked++;
    for (uint32_t i = 0; i < o->n; i++)
        milli[i] = i ? 1 : part;
}

static const struct policy_ops both = {.name = "gpu",
                                       .create = guarded_create,
                                       .destroy = guarded_destroy,
                                       .gpu_dispatch = dispatch,
                                       .gpu_share = share};

/* 0 runs and waits since 50; 1 waits since 40; 2 runs and has nothing more. */
static const struct policy_gpu_tenant tenants[] = {
    {.id = 3, .waiting = 2, .ready_ns = 50, .running = 1},
    {.id = 4, .waiting = 1, .ready_ns = 40},
    {.id = 9, .running = 1}};
static const struct policy_dispatch_obs busy = {
    .now_ns = 77, .sms = 108, .n = 3, .tenant = tenants};
static const struct policy_dispatch_obs idle = {
    .now_ns = 77, .sms = 108, .n = 1, .tenant = tenants + 1};

static void expect_default(const struct policy_dispatch *a)
{
    cr_expect_eq(a->tenant, 1);
    cr_expect_eq(a->preempt, POLICY_NONE);
    cr_expect(!a->sms && !a->piece_ns && !a->again_ns);
}

Test(guard_gpu, the_default_is_who_waits_longest_whole)
{
    struct policy_dispatch got;
    policy_slot_dispatch(NULL, &busy, &got);
    expect_default(&got);
}

Test(guard_gpu, good_answers_pass)
{
    static const struct policy_dispatch good[] = {
        {0, POLICY_NONE, 108, 0, 0},
        {1, 2, 1, POLICY_PIECE_MIN, 5},
        {POLICY_NONE, POLICY_NONE, 0, 0, 0},
        {POLICY_NONE, 0, 0, 0, POLICY_AGAIN_MIN},
    };
    struct policy_slot p = guarded(&both);
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        struct policy_dispatch got;
        answer = good[i];
        policy_slot_dispatch(&p, &busy, &got);
        cr_expect(!memcmp(&got, &answer, sizeof got), "answer %zu", i);
    }
    cr_expect_eq(p.decisions, 4);
    guarded_expect_none(&p);
    guarded_end(&p);
}

#define NONE POLICY_NONE
static const struct {
    struct policy_dispatch answer;
    const char *said;
} bad[] = {
    {{3, NONE, 0, 0, 0}, "gpu_dispatch answered tenant 3, want one of 3"},
    {{2, NONE, 0, 0, 0}, "gpu_dispatch answered tenant 2, which has nothing waiting"},
    {{0, NONE, 109, 0, 0}, "gpu_dispatch answered 109 SMs, want at most 108"},
    {{0, NONE, 0, 999, 0}, "gpu_dispatch answered pieces of 999 ns, want 1000"},
    {{0, 3, 0, 0, 0}, "gpu_dispatch preempts tenant 3, want one of 3"},
    {{0, 0, 0, 0, 0}, "gpu_dispatch preempts tenant 0, which it dispatches"},
    {{0, 1, 0, 0, 0}, "gpu_dispatch preempts tenant 1, which has nothing running"},
    {{NONE, NONE, 0, 0, 1}, "gpu_dispatch wants to be asked after 1 ns, want 1000"},
};

Test(guard_gpu, a_bad_answer_is_said_and_the_default_goes_on)
{
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct policy_slot p = guarded(&both);
        struct policy_dispatch got;
        answer = bad[i].answer;
        asked = 0;
        for (int again = 0; again < 2; again++) {
            policy_slot_dispatch(&p, &busy, &got);
            expect_default(&got);
        }
        cr_expect_eq(asked, 1);
        guarded_expect(&p, 1, 77, bad[i].said);
        guarded_end(&p);
    }
}

Test(guard_gpu, an_idle_gpu_is_not_left_idle)
{
    struct policy_slot p = guarded(&both);
    struct policy_dispatch got;
    answer = (struct policy_dispatch){.tenant = NONE, .preempt = NONE, .again_ns = 5000};
    policy_slot_dispatch(&p, &idle, &got); /* for a while, it may be */
    cr_expect_eq(got.tenant, NONE);
    answer.again_ns = 0;
    policy_slot_dispatch(&p, &idle, &got);
    cr_expect_eq(got.tenant, 0);
    guarded_expect(&p, 2, 77, "gpu_dispatch leaves the GPU idle while commands wait");
    guarded_end(&p);
}

Test(guard_gpu, parts_are_taken_whole_or_not_at_all)
{
    static const struct policy_share_obs o = {.now_ns = 8, .n = 3, .tenant = tenants};
    uint32_t milli[] = {500, 250, 250};
    policy_slot_share(NULL, &o, milli);
    cr_expect_eq(milli[0], 500);
    struct policy_slot p = guarded(&both);
    part = POLICY_MILLI;
    policy_slot_share(&p, &o, milli);
    cr_expect(milli[0] == 1000 && milli[1] == 1 && milli[2] == 1);
    guarded_expect_none(&p);
    part = 0;
    policy_slot_share(&p, &o, milli);
    cr_expect_eq(milli[0], 1000);
    guarded_expect(&p, 2, 8, "gpu_share gave tenant 0 a part of 0, want 1 to 1000");
    guarded_end(&p);
    p = guarded(&both);
    part = 1001;
    policy_slot_share(&p, &o, milli);
    cr_expect_eq(milli[0], 1000);
    guarded_expect(&p, 1, 8, "gpu_share gave tenant 0 a part of 1001, want 1 to 1000");
    guarded_end(&p);
}

Test(guard_gpu, a_known_crash_ejects)
{
    struct policy_slot p = guarded_doomed(&both, 1);
    struct policy_dispatch got;
    asked = 0;
    policy_slot_dispatch(&p, &busy, &got);
    expect_default(&got);
    cr_expect_eq(asked, 0);
    guarded_expect(&p, 1, 77, "gpu_dispatch crashed: signal 11");
    guarded_end(&p);
}
