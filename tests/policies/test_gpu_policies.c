/* What each policy at gpu.dispatch and gpu.share answers in situations whose answer its source
 * states. */
#include <criterion/criterion.h>
#include <string.h>

#include "harness/policy/policy_load.h"
#include "sim/config.h"
#include "sim/rng.h"
#include "tests/policies/guarded.h"

enum { C, B, SMS = 80 }; /* indices: a critical tenant and one of best effort */

static struct policy_gpu_tenant t[2];
static struct policy_dispatch_obs o;
static const struct policy_ops *ops;
static void *self;
static struct policy *loaded;
static const char *given; /* "ahead=2" */

static double param(void *host, const char *name, double otherwise)
{
    (void)host;
    size_t n = strlen(name);
    return given && !strncmp(given, name, n) && given[n] == '=' ? atof(given + n + 1) : otherwise;
}

static const char *param_text(void *host, const char *name, const char *otherwise)
{
    (void)host, (void)name;
    return otherwise;
}

static void log_line(void *host, const char *line)
{
    (void)host, (void)line;
}

static uint64_t drawn(void *host)
{
    static struct rng r;
    static bool begun;
    (void)host;
    if (!begun)
        rng_init(&r, 1, "test", "policy");
    begun = true;
    return rng_u64(&r);
}

static const struct policy_host host = {
    .param = param, .param_text = param_text, .log = log_line, .random = drawn};

static void begin(const char *name, const char *parameter)
{
    struct err e = {0};
    cr_assert_eq(policy_load(&loaded, name, &e), 0, "%s", e.msg);
    ops = policy_ops(loaded);
    given = parameter;
    cr_assert_eq(ops->create(&self, &host), 0);
    memset(t, 0, sizeof t);
    t[C] = (struct policy_gpu_tenant){.id = 3, .prio = 2, .weight = 1024};
    t[B] = (struct policy_gpu_tenant){.id = 7, .weight = 1024};
    for (int i = 0; i < 2; i++) {
        t[i].head_ns = 200000;
        t[i].head_sms = SMS;
        t[i].head_bound = POLICY_BOUND_COMPUTE;
    }
    o = (struct policy_dispatch_obs){.now_ns = 1000000, .sms = SMS, .n = 2, .tenant = t};
}

static void end(void)
{
    ops->destroy(self);
    policy_unload(loaded);
}

static struct policy_dispatch ask(uint32_t c_waits, uint32_t c_runs, uint32_t b_waits,
                                  uint32_t b_runs)
{
    struct policy_dispatch a = {0};
    t[C].waiting = c_waits;
    t[C].running = c_runs;
    t[B].waiting = b_waits;
    t[B].running = b_runs;
    ops->gpu_dispatch(self, &o, &a);
    return a;
}

#define expect_goes(want, ...) cr_expect_eq(ask(__VA_ARGS__).tenant, (uint32_t)(want))

Test(gpu_policies, critical_work_goes_first_in_all_that_have_priorities)
{
    static const char *const name[] = {"gpu-priority", "tally", "orion", "tgs"};
    for (size_t i = 0; i < sizeof name / sizeof *name; i++) {
        begin(name[i], NULL);
        t[B].ready_ns = 1;
        t[C].ready_ns = 2;
        struct policy_dispatch a = ask(1, 0, 5, 1);
        cr_expect_eq(a.tenant, C, "%s", name[i]);
        cr_expect(!a.piece_ns && !a.sms && a.preempt == POLICY_NONE, "%s", name[i]);
        end();
    }
}

Test(gpu_policies, first_come_knows_no_priority)
{
    begin("first-come", NULL);
    t[B].ready_ns = 1;
    t[C].ready_ns = 2;
    expect_goes(B, 1, 0, 5, 1);
    end();
}

Test(gpu_policies, strict_priority_bounds_best_effort_and_may_preempt)
{
    begin("gpu-priority", "ahead=3");
    expect_goes(B, 0, 1, 5, 2);
    expect_goes(POLICY_NONE, 0, 0, 5, 3);
    end();
    begin("gpu-priority", "preempt=1");
    cr_expect_eq(ask(1, 0, 5, 2).preempt, B);
    cr_expect_eq(ask(1, 0, 5, 0).preempt, POLICY_NONE);
    expect_goes(POLICY_NONE, 0, 1, 5, 0);
    end();
}

Test(gpu_policies, tally_sends_a_piece_only_when_nothing_critical_was_there_for_a_while)
{
    begin("tally", NULL);
    struct policy_dispatch a = ask(0, 0, 5, 0);
    cr_expect(a.tenant == B && a.piece_ns == 31600);
    expect_goes(POLICY_NONE, 0, 0, 5, 1); /* one piece at a time */
    expect_goes(POLICY_NONE, 0, 1, 5, 0); /* critical work runs */
    o.now_ns += 60000;
    a = ask(0, 0, 5, 0);
    cr_expect(a.tenant == POLICY_NONE && a.again_ns == 40000, "%lu", (unsigned long)a.again_ns);
    o.now_ns += 40000;
    expect_goes(B, 0, 0, 5, 0);
    end();
}

Test(gpu_policies, orion_pairs_opposites_that_are_small_and_short)
{
    begin("orion", "latency_ms=20"); /* 2.5 %: 0.5 ms */
    t[C].running_bound = POLICY_BOUND_MEMORY;
    expect_goes(POLICY_NONE, 0, 1, 5, 0); /* it fills all SMs */
    t[B].head_sms = SMS / 2;
    expect_goes(B, 0, 1, 5, 0);
    t[C].running_bound = POLICY_BOUND_COMPUTE;
    expect_goes(POLICY_NONE, 0, 1, 5, 1); /* the same bound */
    t[C].running_bound = POLICY_BOUND_UNKNOWN;
    expect_goes(POLICY_NONE, 0, 1, 5, 1);
    expect_goes(B, 0, 0, 5, 1); /* alone, anything: 0.4 ms so far */
    expect_goes(B, 0, 0, 5, 2); /* 0.6 ms */
    expect_goes(POLICY_NONE, 0, 0, 5, 3);
    expect_goes(POLICY_NONE, 0, 0, 5, 1); /* until all of it has ended */
    expect_goes(B, 0, 0, 5, 0);
    end();
}

Test(gpu_policies, fair_shares_follow_weights_and_nobody_saves_up)
{
    begin("gpu-fair", NULL);
    t[C].weight = 3072;
    t[C].used_ns = 2999;
    t[B].used_ns = 1000;
    expect_goes(C, 1, 1, 1, 1); /* 999.67 to 1000 */
    t[C].used_ns = 3001;
    expect_goes(B, 1, 1, 1, 1);
    expect_goes(C, 1, 1, 1, 2); /* two of it are on their way */
    o.n = 1;
    for (int i = 0; i < 4; i++) { /* alone for long */
        t[C].used_ns += 900000;
        expect_goes(C, 1, 1, 0, 0);
    }
    o.n = 2;
    expect_goes(C, 1, 1, 1, 0); /* it comes back level with the other, not far behind */
    end();
}

Test(gpu_policies, the_earliest_deadline_goes_and_those_without_one_last)
{
    begin("earliest-deadline", "piece_us=50");
    t[B].deadline_ns = 5000000;
    t[C].deadline_ns = 6000000;
    expect_goes(B, 1, 0, 1, 0);
    t[B].deadline_ns = 0;
    expect_goes(C, 1, 0, 1, 0);
    struct policy_dispatch a = ask(0, 1, 1, 1);
    cr_expect(a.tenant == B && a.piece_ns == 50000);
    expect_goes(POLICY_NONE, 0, 1, 1, 2);
    end();
}

/* So many windows of 100 ms with so many critical kernels each; how many kernels of 1 ms best
 * effort gets in the last of them, out of at most 500. */
static int harvest(int windows, uint64_t kernels)
{
    int got = 0;
    for (int tick = 0; tick < 10 * windows; tick++) {
        got = tick % 10 ? got : 0;
        t[C].done += tick % 10 == 5 ? kernels : 0;
        t[B].head_ns = 1000000;
        for (int i = 0; i < 50 && ask(0, 0, 1, 0).tenant == B; i++)
            got++;
        o.now_ns += 10000000;
    }
    return got;
}

Test(gpu_policies, tgs_profiles_then_grows_until_critical_work_suffers)
{
    begin("tgs", NULL);
    o.now_ns = 0;
    cr_expect_eq(harvest(5, 200), 0); /* it learns the rate */
    int first = harvest(1, 200), later = harvest(8, 200);
    cr_expect(first > 0 && later > 3 * first, "%d, %d", first, later);
    int hurt = harvest(3, 150); /* a quarter of the rate is lost */
    cr_expect_lt(hurt, later / 2, "%d", hurt);
    int away = harvest(8, 0); /* nobody is there: no limit */
    cr_expect_gt(away, later / 2, "%d", away);
    end();
}

static const uint32_t *parts(uint32_t c, uint32_t b)
{
    static uint32_t milli[2];
    struct policy_share_obs s = {.now_ns = o.now_ns, .n = 2, .tenant = t};
    milli[C] = c;
    milli[B] = b;
    ops->gpu_share(self, &s, milli);
    return milli;
}

Test(gpu_policies, parts_are_equal_or_by_weight_or_what_a_latency_needs)
{
    begin("share-equal", NULL);
    cr_expect(parts(900, 100)[C] == 500 && parts(900, 100)[B] == 500);
    end();
    begin("share-weighted", NULL);
    t[C].weight = 3072;
    cr_expect(parts(500, 500)[C] == 750 && parts(500, 500)[B] == 250);
    end();
    begin("share-feedback", "target_ms=10");
    t[C].latency_ns = 12000000; /* late */
    cr_expect(parts(400, 600)[C] == 601 && parts(400, 600)[B] == 399);
    t[C].latency_ns = 9000000; /* as wanted */
    cr_expect_eq(parts(400, 600)[C], 400);
    t[C].latency_ns = 2000000; /* better than needed */
    cr_expect(parts(400, 600)[C] == 380 && parts(400, 600)[B] == 620);
    t[C].request_ns = 1; /* but this one is late already */
    o.now_ns = 20000000;
    cr_expect_eq(parts(400, 600)[C], 601);
    end();
}

/* Kernels of 200 us; it is 1 ms. */
Test(gpu_policies, the_oracle_fills_the_time_until_the_next_critical_request)
{
    static const struct {
        uint64_t next_us; /* 0: nobody knows */
        uint32_t tenant;
        uint64_t piece_us, again_us;
    } row[] = {
        {2000, B, 0, 0},             /* it ends before */
        {1150, B, 150, 0},           /* only so much of it does */
        {1000, POLICY_NONE, 0, 100}, /* one is under way: look again */
        {0, B, 100, 0},
    };
    begin("dispatch-oracle", NULL);
    cr_expect(ops->oracle);
    expect_goes(C, 1, 0, 5, 1);
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        o.oracle_next_ns = 1000 * row[i].next_us;
        const struct policy_dispatch a = ask(0, 0, 5, 0);
        cr_expect_eq(a.tenant, row[i].tenant, "row %zu", i);
        cr_expect_eq(a.piece_ns, 1000 * row[i].piece_us, "row %zu: %lu", i, (long)a.piece_ns);
        cr_expect_eq(a.again_ns, 1000 * row[i].again_us, "row %zu: %lu", i, (long)a.again_ns);
    }
    o.oracle_next_ns = 1250000;
    t[B].running_left_ns = 100000; /* behind one that runs: 150 us are left */
    cr_expect_eq(ask(0, 0, 5, 1).piece_ns, 150000);
    expect_goes(POLICY_NONE, 0, 0, 5, 2);
    end();
}

Test(gpu_policies, the_oracle_gives_all_to_whom_will_have_a_request_in_the_period)
{
    begin("share-oracle", NULL);
    o.now_ns = 20000000;
    t[C].oracle_next_ns = 20000000 + 10000000;
    parts(500, 500); /* from here on it knows the period: 20 ms */
    o.now_ns = 40000000;
    t[C].oracle_next_ns = 40000000 + 10000000;
    cr_expect(parts(500, 500)[C] == 1000 && parts(500, 500)[B] == 1);
    o.now_ns = 60000000;
    t[C].oracle_next_ns = 60000000 + 30000000;
    const uint32_t *part = parts(500, 500);
    cr_expect(part[C] == 1 && part[B] == 1000, "%u and %u", part[C], part[B]);
    t[C].request_ns = 59000000;
    cr_expect(parts(1, 1000)[C] == 1000);
    end();
}

/* 10,000 draws of two: 5,000 give or take five standard deviations of 50. */
Test(gpu_policies, chance_prefers_nobody_and_never_asks_who_has_nothing)
{
    struct policy_dispatch answer;
    int critical = 0;
    begin("dispatch-random", NULL);
    t[C].waiting = t[B].waiting = 3;
    for (int i = 0; i < 10000; i++) {
        ops->gpu_dispatch(self, &o, &answer);
        cr_assert_lt(answer.tenant, 2);
        critical += answer.tenant == C;
    }
    cr_expect(critical > 4750 && critical < 5250, "%d", critical);
    t[C].waiting = 0;
    for (int i = 0; i < 100; i++) {
        ops->gpu_dispatch(self, &o, &answer);
        cr_assert_eq(answer.tenant, B);
    }
    t[B].waiting = 0;
    ops->gpu_dispatch(self, &o, &answer);
    cr_expect_eq(answer.tenant, POLICY_NONE);
    end();
}

Test(gpu_policies, parts_at_random_are_parts_of_one_gpu)
{
    const struct policy_share_obs parts = {.n = 2, .tenant = t};
    double sum[2] = {0};
    begin("share-random", NULL);
    for (int i = 0; i < 1000; i++) {
        uint32_t milli[2] = {500, 500};
        ops->gpu_share(self, &parts, milli);
        cr_assert(milli[0] >= 1 && milli[1] >= 1 && milli[0] + milli[1] <= POLICY_MILLI + 1);
        sum[0] += milli[0];
        sum[1] += milli[1];
    }
    cr_expect(sum[0] / sum[1] > 0.85 && sum[0] / sum[1] < 1.15, "%g", sum[0] / sum[1]);
    end();
}
