/* test_mlaas_bill.c - inferences in the middle of a step: who pays, and how much. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "harness/base/profile.h"
#include "models/mlaas/mlaas_bill.h"
#include "models/model.h"
#include "models/policy_slot.h"

static struct infer_tap tap;
static uint64_t flops_of = 16896;
static uint64_t flops(void *ctx, int model)
{
    (void)ctx, (void)model;
    return flops_of;
}
static const struct model_infer infer = {.flops = flops, .tap = &tap};

static struct machine *load(const char *path)
{
    struct config *json;
    struct machine *m;
    struct err e = {0};
    cr_assert_eq(profile_load(&json, path, &e), 0, "%s", e.msg);
    cr_assert_eq(machine_load(&m, json, &e), 0, "%s", e.msg);
    config_free(json);
    return m;
}

/* LAKE's machine: LinnOS's network takes 7 us of a core for one row and 57 us for eight. */
static const struct {
    const char *infer, *stack;
    uint64_t flops;
    uint32_t rows;
    double waits_us, cpu_us, gpu_us;
} prices[] = {
    {"{}", "native", 16896, 1, 7, 7, 0},
    {"{}", "native", 16896, 8, 57, 57, 0},
    {"{}", "native", 3 * 16896, 1, 21, 21, 0},
    {"{\"mode\":\"async\"}", "native", 16896, 1, 0, 7, 0},
    {"{\"mode\":\"free\"}", "native", 16896, 1, 0, 0, 0},
    {"{\"place\":\"auto\",\"gpu_rows\":9}", "native", 16896, 8, 57, 57, 0},
};

Test(mlaas_bill, prices_are_those_of_the_table)
{
    struct machine *m = load("machines/lake-testbed.json");
    for (size_t i = 0; i < sizeof prices / sizeof *prices; i++) {
        struct mlaas_config c;
        struct machine_use use;
        struct mlaas_bill b;
        struct config *json;
        struct err e = {0};
        cr_assert_eq(config_parse(&json, "infer", prices[i].infer, strlen(prices[i].infer), &e), 0);
        cr_assert_eq(mlaas_config(&c, json, &e), 0, "%s", e.msg);
        cr_assert_eq(machine_use_begin(&use, m, &e), 0);
        cr_assert_eq(mlaas_bill_open(&b, &c, prices[i].stack, &use, &infer, &e), 0, "%s", e.msg);
        flops_of = prices[i].flops;
        for (int k = 0; k < 3; k++) {
            mlaas_bill_begin(&b);
            tap.called(tap.ctx, 0, prices[i].rows);
            cr_expect_float_eq((double)mlaas_bill_end(&b) / 1e6, prices[i].waits_us, 1e-3,
                               "case %zu", i);
        }
        mlaas_bill_begin(&b);
        cr_expect_eq(mlaas_bill_end(&b), 0, "a hook that asks for nothing");
        cr_expect_float_eq((double)b.cpu_ps / 1e6, 3 * prices[i].cpu_us, 1e-3, "case %zu", i);
        cr_expect_float_eq((double)b.gpu_ps / 1e6, 3 * prices[i].gpu_us, 1e-3, "case %zu", i);
        cr_expect_eq(mlaas_bill_check(&b, &e), 0);
        mlaas_bill_close(&b);
        cr_expect_null(tap.called);
        machine_use_end(&use);
        config_free(json);
    }
    machine_free(m);
}

struct books {
    struct machine *m;
    struct mlaas_config c;
    struct machine_use use;
    struct mlaas_bill b;
};

static void open_books(struct books *k, const char *infer_text)
{
    struct config *json;
    struct err e = {0};
    k->m = load("machines/h200-server.json");
    cr_assert_eq(config_parse(&json, "infer", infer_text, strlen(infer_text), &e), 0);
    cr_assert_eq(mlaas_config(&k->c, json, &e), 0, "%s", e.msg);
    config_free(json);
    cr_assert_eq(machine_use_begin(&k->use, k->m, &e), 0);
    cr_assert_eq(mlaas_bill_open(&k->b, &k->c, "native", &k->use, &infer, &e), 0, "%s", e.msg);
}

static void close_books(struct books *k)
{
    struct err e = {0};
    cr_expect_eq(mlaas_bill_check(&k->b, &e), 0, "%s", e.msg);
    mlaas_bill_close(&k->b);
    cr_expect(!tap.called && !tap.trains && !tap.trained && !tap.stored);
    machine_use_end(&k->use);
    machine_free(k->m);
}

/* An operation takes 1.82 ns of a core that nobody waits for; what was learned is there when the
 * piece is over, and until then nothing more is taken. */
Test(mlaas_bill, training_takes_a_core_of_its_own_one_piece_after_the_other)
{
    enum { FLOPS = 100000, NS = 182000 };
    struct books k;
    open_books(&k, "{}");
    cr_expect_null(tap.trains, "a model without a clock prices no training");
    mlaas_bill_clock(&k.b, 1000);
    mlaas_bill_begin(&k.b);
    cr_assert(tap.trains(tap.ctx, 0, FLOPS));
    cr_expect_eq(mlaas_bill_end(&k.b), 0);
    cr_expect_not(tap.trained(tap.ctx, 0));
    mlaas_bill_clock(&k.b, 1000 + NS - 1);
    cr_expect_not(tap.trains(tap.ctx, 0, FLOPS));
    cr_expect_not(tap.trained(tap.ctx, 0));
    mlaas_bill_clock(&k.b, 1000 + NS);
    cr_expect(tap.trained(tap.ctx, 0));
    cr_expect(tap.trains(tap.ctx, 0, FLOPS / 10));
    cr_expect_eq(k.b.training.pieces, 2);
    cr_expect_eq(k.b.training.refused, 1);
    cr_expect_eq(k.b.training.flops, 11 * FLOPS / 10);
    cr_expect_eq(k.b.training.cpu_ps, UINT64_C(11) * NS * 100);
    cr_expect_eq(k.b.cpu_ps, 0, "inference is another matter");
    close_books(&k);
    open_books(&k, "{\"mode\":\"free\"}");
    mlaas_bill_clock(&k.b, 5);
    cr_assert(tap.trains(tap.ctx, 0, FLOPS));
    cr_expect(tap.trained(tap.ctx, 0));
    cr_expect_eq(k.b.training.cpu_ps, 0);
    close_books(&k);
}

/* 0.03 us a value, 0.06 a commit, 0.04 a row. */
Test(mlaas_bill, what_policies_keep_the_asker_pays_for)
{
    static const struct {
        const char *infer;
        double waits_us, cpu_us;
    } cases[] = {
        {"{}", 0.58, 0.58}, {"{\"mode\":\"async\"}", 0, 0.58}, {"{\"mode\":\"free\"}", 0, 0}};
    for (int i = 0; i < 3; i++) {
        struct books k;
        open_books(&k, cases[i].infer);
        mlaas_bill_begin(&k.b);
        tap.stored(tap.ctx, 6, 1, 0);
        tap.stored(tap.ctx, 0, 1, 7);
        cr_expect_float_eq((double)mlaas_bill_end(&k.b) / 1e6, cases[i].waits_us, 1e-6);
        cr_expect_float_eq((double)k.b.cpu_ps / 1e6, cases[i].cpu_us, 1e-6, "case %d", i);
        close_books(&k);
    }
}

/* ---- in the models ----------------------------------------------------------------- */

static uint32_t asks_ahead(void *self, const struct policy_readahead_obs *o)
{
    (void)self, (void)o;
    tap.called(tap.ctx, 0, 1);
    return 8;
}
static int asks_balance(void *self, const struct policy_balance_obs *o)
{
    (void)self;
    tap.called(tap.ctx, 0, 1);
    return o->src_len > o->dst_len + 1 ? POLICY_MIGRATE : POLICY_LEAVE;
}
static void asks_pick(void *self, const struct policy_pick_obs *o, struct policy_pick *answer)
{
    (void)self, (void)o;
    tap.called(tap.ctx, 0, 1);
    *answer = (struct policy_pick){.task = 0, .slice_ns = UINT64_C(1000000000)};
}
static const struct policy_ops ops = {.abi = POLICY_ABI,
                                      .name = "asks",
                                      .mem_readahead = asks_ahead,
                                      .cpu_pick = asks_pick,
                                      .cpu_balance = asks_balance};

static int run(const struct model_ops *model, const char *section, const char *machine,
               struct measures *out, struct err *e)
{
    struct config *c;
    struct machine *m = load(machine);
    struct policy_slot slot = {.ops = &ops, .label = "asks"};
    struct model_env env = {.seed = 1, .sim = {.seed = 1}, .machine = m, .infer = &infer};
    env.bound[POLICY_HOOK_MEM_READAHEAD] = env.bound[POLICY_HOOK_CPU_BALANCE] = &slot;
    env.bound[POLICY_HOOK_CPU_PICK] = model == &model_hypervisor ? &slot : NULL;
    flops_of = model == &model_host ? 100 * 16896 : 16896; /* so that it shows */
    cr_assert_eq(config_parse(&c, "t", section, strlen(section), e), 0, "%s", e->msg);
    int rc = model->run(c, &env, out, e);
    cr_expect_null(tap.called, "off the tap");
    config_free(c);
    machine_free(m);
    return rc;
}

static double number(const struct measures *m, const char *name)
{
    const double *v = measures_find(m, name);
    cr_assert(v, "%s", name);
    return *v;
}

#define CACHE                                                                                      \
    "{\"accesses\":{\"pattern\":\"uniform\",\"pages\":5000,\"count\":20000},\"cache\":{"           \
    "\"frames\":500,\"readahead\":true,\"infer\":{\"mode\":\"%s\"}}}"

Test(mlaas_bill, a_page_cache_waits_for_every_question_and_for_nothing_else)
{
    struct measures *m[3];
    static const char *const modes[] = {"wait", "async", "free"};
    struct err e = {0};
    for (int i = 0; i < 3; i++) {
        char section[300];
        snprintf(section, sizeof section, CACHE, modes[i]);
        m[i] = measures_new();
        cr_assert_eq(run(&model_memory, section, "machines/h200-server.json", m[i], &e), 0, "%s",
                     e.msg);
    }
    const double calls = number(m[0], "infer_calls"), each = number(m[0], "infer_cpu_time") / calls;
    cr_expect_gt(calls, 10000);
    cr_expect_gt(each, 0);
    cr_expect_float_eq(number(m[0], "time") - number(m[2], "time"), calls * each, 1e-9);
    cr_expect_float_eq(number(m[0], "share.infer"), calls * each / number(m[0], "time"), 1e-9);
    cr_expect_eq(number(m[1], "time"), number(m[2], "time"));
    cr_expect_float_eq(number(m[1], "infer_cpu_time"), calls * each, 1e-12);
    cr_expect_eq(number(m[2], "infer_cpu_time"), 0);
    for (int i = 0; i < 3; i++)
        measures_free(m[i]);
}

Test(mlaas_bill, a_machine_without_prices_fails_only_who_asks)
{
    char section[300];
    struct err e = {0};
    struct measures *m = measures_new();
    snprintf(section, sizeof section, CACHE, "wait");
    cr_expect_neq(run(&model_memory, section, "machines/cascade-lake-2s.json", m, &e), 0);
    cr_expect_str_eq(e.msg, "a policy asks for inference: machine \"cascade-lake-2s\" has no "
                            "\"infer.flops\", which this run needs");
    snprintf(section, sizeof section, CACHE, "free");
    cr_expect_eq(run(&model_memory, section, "machines/cascade-lake-2s.json", m, &e), 0, "%s",
                 e.msg);
    measures_free(m);
}

/* CPUs that fall idle think first: what they think is overhead of theirs, and all CPU time is still
 * accounted for. */
Test(mlaas_bill, a_cpu_that_balances_spends_the_time)
{
    static const char section[] =
        "{\"duration_s\":0.5,\"infer\":{\"mode\":\"%s\"},\"vms\":[{\"name\":\"a\",\"count\":12,"
        "\"vcpus\":2,\"gpu\":\"none\",\"workload\":{\"program\":\"io\",\"threads\":2,\"io_kib\":16,"
        "\"think_us\":150,\"jitter\":0.5}}]}";
    static const char *const modes[] = {"wait", "free"};
    struct err e = {0};
    double throughput[2];
    for (int i = 0; i < 2; i++) {
        char text[600];
        struct measures *m = measures_new();
        snprintf(text, sizeof text, section, modes[i]);
        cr_assert_eq(run(&model_host, text, "machines/two-nodes.json", m, &e), 0, "%s", e.msg);
        throughput[i] = number(m, "throughput");
        cr_expect_gt(number(m, "infer_calls"), 100);
        cr_expect_eq(number(m, "infer_wait_time") > 0, i == 0);
        measures_free(m);
    }
    cr_expect_lt(throughput[0], throughput[1]);
}

/* A vCPU that halts is picked once when its timer fires, and is late by what that takes. */
Test(mlaas_bill, a_vcpu_that_wakes_waits_for_who_picks_it)
{
    static const char section[] =
        "{\"operation\":\"timer_halt\",\"count\":50,\"infer\":{\"mode\":\"%s\"}}";
    static const char *const modes[] = {"wait", "async", "free"};
    struct err e = {0};
    double late[3], each = 0;
    for (int i = 0; i < 3; i++) {
        char text[200];
        struct measures *m = measures_new();
        snprintf(text, sizeof text, section, modes[i]);
        cr_assert_eq(run(&model_hypervisor, text, "machines/vmexit-skx.json", m, &e), 0, "%s",
                     e.msg);
        late[i] = number(m, "latency_mean");
        cr_expect_geq(number(m, "infer_calls"), 50);
        each = i ? each : 1e9 * number(m, "infer_cpu_time") / number(m, "infer_calls");
        measures_free(m);
    }
    cr_expect_gt(each, 100);
    cr_expect_float_eq(late[0] - late[2], each, 1, "%g ns later, an inference takes %g",
                       late[0] - late[2], each);
    cr_expect_eq(late[1], late[2]);
}
