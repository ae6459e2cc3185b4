/* Inference behind gpu.share: it takes a core's time, and answers that come after the next
 * question never count. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/learn/train_machine.h"
#include "models/machine.h"
#include "models/model.h"
#include "models/policy_slot.h"
#include "sim/config.h"
#include "tests/models/gpu_ops.h"
#include "traces/source.h"

/* A policy that asks the network once a question, and gives the critical tenant this part. */
static struct infer_tap tap;
static uint64_t operations;
static bool asks;
static uint32_t part, questions;

static uint64_t flops(void *ctx, int model)
{
    (void)ctx, (void)model;
    return operations;
}
static const struct model_infer infer = {.flops = flops, .tap = &tap};

static void share(void *self, const struct policy_share_obs *o, uint32_t *milli)
{
    (void)self;
    questions++;
    if (asks && tap.called)
        tap.called(tap.ctx, 0, 1);
    milli[0] = part;
    if (o->n > 1)
        milli[1] = POLICY_MILLI - part;
}
static const struct policy_ops ops = {.abi = POLICY_ABI, .name = "asks", .gpu_share = share};

static int open_program(struct model_table *p, const char *name, const char *section)
{
    struct config *c;
    struct trace_about about;
    struct err e = {0};
    cr_assert_eq(config_parse(&c, "p", section, strlen(section), &e), 0);
    p->name = name;
    int rc =
        trace_rows_open(c, 1u << TRACE_OPS, 1, &(struct trace_places){0}, &p->rows, &about, &e);
    config_free(c);
    return rc;
}

static int run(const char *machine, const char *service, struct measures *out, struct err *e)
{
    struct model_table program[2];
    struct machine *m;
    struct config *c;
    char text[512];
    cr_assert_eq(
        open_program(&program[0], "a", "{\"synth\": {\"preset\": \"resnet50-inference\"}}"), 0);
    cr_assert_eq(open_program(&program[1], "b", "{\"synth\": {\"preset\": \"bert-train\"}}"), 0);
    cr_assert_eq(train_machine(&m, machine, e), 0, "%s", e->msg);
    snprintf(text, sizeof text,
             "{\"sharing\": \"mps\", \"gaps\": \"device\", \"share_ms\": 5, \"infer\": %s, "
             "\"tenants\": [{\"program\": \"a\", \"prio\": 1, \"percent\": 50, \"count\": 60}, "
             "{\"program\": \"b\", \"percent\": 50, \"background\": true}]}",
             service);
    cr_assert_eq(config_parse(&c, "gpu", text, strlen(text), e), 0, "%s", e->msg);
    struct policy_slot slot = {.ops = &ops, .label = "asks"};
    const struct model_env env = {.seed = 1,
                                  .sim = {.seed = 1},
                                  .machine = m,
                                  .program = program,
                                  .n_programs = 2,
                                  .policy = &slot,
                                  .infer = &infer};
    questions = 0;
    int rc = model_gpu.run(c, &env, out, e);
    cr_expect_null(tap.called, "the service must take its ear off the tap");
    config_free(c);
    machine_free(m);
    for (int i = 0; i < 2; i++)
        program[i].rows->close(program[i].rows);
    return rc;
}

static double number(const struct measures *m, const char *name)
{
    const double *v = measures_find(m, name);
    return v ? *v : -1;
}

/* How long sixty requests take; *calls: inferences that were charged. */
static double span(const char *service, double *calls, double *cpu_s)
{
    struct measures *out = measures_new();
    struct err e = {0};
    cr_assert_eq(run("machines/v100-node.json", service, out, &e), 0, "%s", e.msg);
    const double s = number(out, "span");
    *calls = number(out, "infer_calls");
    *cpu_s = number(out, "infer_cpu_time");
    measures_free(out);
    return s;
}

Test(gpu_infer, an_answer_counts_when_it_is_there)
{
    double calls, cpu, free_of_it, charged, late, never;
    part = 900;
    asks = true;
    operations = 10000;
    free_of_it = span("{\"mode\": \"free\"}", &calls, &cpu);
    cr_expect_eq(calls, -1, "nothing is charged, and nothing said");
    charged = span("{}", &calls, &cpu);
    cr_expect_eq(calls, questions);
    cr_expect_gt(cpu, 0);
    cr_expect_lt(charged, free_of_it * 1.05, "%g, free %g", charged, free_of_it);
    operations = UINT64_C(1000000000000); /* longer than a period: the next question comes first */
    late = span("{}", &calls, &cpu);
    asks = false;
    part = 500;
    never = span("{\"mode\": \"free\"}", &calls, &cpu);
    cr_expect_eq(late, never, "%g, want %g", late, never);
    cr_expect_gt(never, free_of_it * 1.02, "%g, with nine tenths %g", never, free_of_it);
}

Test(gpu_infer, a_machine_that_does_not_say_what_it_costs_is_refused_when_somebody_asks)
{
    struct trace_op op[4];
    struct measures *out = measures_new();
    struct err e = {0};
    for (uint64_t i = 0; i < 4; i++)
        op[i] = op_kernel(i * 100000, 80000, 0);
    const struct gpu_case c = {
        .section = "{'sharing':'mps','share_ms':0.1,'tenants':[{'program':'p','count':3}]}",
        .op = op,
        .n = 4,
        .other = op,
        .n_other = 4,
        .programs = true,
        .policy = &ops,
        .infer = &infer};
    part = 500;
    asks = false;
    cr_expect_eq(gpu_try(&c, out, &e), 0, "%s", e.msg);
    asks = true;
    cr_expect_neq(gpu_try(&c, out, &e), 0);
    cr_expect_neq((void *)strstr(e.msg, "infer"), NULL, "%s", e.msg);
    cr_expect_null(tap.called);
    measures_free(out);
}
