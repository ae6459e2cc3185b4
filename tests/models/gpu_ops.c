/* gpu_ops.c - see gpu_ops.h. */
#include "tests/models/gpu_ops.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/base/profile.h"
#include "models/machine.h"
#include "models/policy_slot.h"

struct rows {
    struct row_source base;
    const struct trace_op *op;
    size_t n, at;
};

static int next(struct row_source *self, union trace_row *out, struct err *e)
{
    (void)e;
    struct rows *r = (struct rows *)self;
    if (r->at == r->n)
        return 0;
    out->op = r->op[r->at++];
    return 1;
}
static int rewind_rows(struct row_source *self, struct err *e)
{
    (void)e;
    ((struct rows *)self)->at = 0;
    return 0;
}
static void close_rows(struct row_source *self)
{
    free(self);
}

struct row_source *gpu_rows(const struct trace_op *op, size_t n)
{
    struct rows *r = calloc(1, sizeof *r);
    *r = (struct rows){
        {.table = TRACE_OPS, .next = next, .rewind = rewind_rows, .close = close_rows}, op, n, 0};
    return &r->base;
}

/* ---- a machine ------------------------------------------------------------------- */

#define LEAF(name, value, unit)                                                                    \
    "'" name "':{'value':" value ",'unit':'" unit "','source':'test','evidence':'assumed'}"

static const char machine_half[] = LEAF("sms", "50", "1") "," LEAF("flops", "50e12", "1");
static const char machine_whole[] = LEAF("sms", "100", "1") "," LEAF("flops", "100e12", "1");
static const char machine_gpu[] = "," LEAF("memory", "16", "GiB") "," LEAF(
    "bandwidth", "1000", "GB/s") "," LEAF("timeslice", "1", "ms");
static const char machine_rest[] = "," LEAF("context_switch", "100", "us");
static const char machine_link[] = LEAF("pcie", "10", "GB/s");
static const char machine_cost[] =
    LEAF("gpu_intercept", "0", "us") "," LEAF("gpu_dispatch", "0", "us");

static struct config *parse(const char *text, struct err *e)
{
    struct config *c = NULL;
    char *json = strdup(text);
    for (char *p = json; *p; p++)
        *p = *p == '\'' ? '"' : *p;
    cr_assert_eq(config_parse(&c, "test", json, strlen(json), e), 0, "%s", e->msg);
    free(json);
    return c;
}

struct config *gpu_machine(bool half)
{
    struct err e = {0};
    char text[2048];
    snprintf(text, sizeof text,
             "{'schema':'malv-machine/1','name':'bench','gpu':{%s%s%s},'link':{%s},'cost':{%s}}",
             half ? machine_half : machine_whole, machine_gpu, machine_rest, machine_link,
             machine_cost);
    return parse(text, &e);
}

/* ---- a run ------------------------------------------------------------------------ */

int gpu_try(const struct gpu_case *c, struct measures *m, struct err *e)
{
    struct machine *machine;
    struct config *profile = NULL;
    if (c->machine)
        cr_assert_eq(profile_load(&profile, c->machine, e), 0, "%s", e->msg);
    else
        profile = gpu_machine(c->half);
    struct config *section = parse(c->section, e);
    cr_assert_eq(machine_load(&machine, profile, e), 0, "%s", e->msg);
    struct policy_slot slot = {.ops = c->policy, .label = "test"};
    struct row_source *rows = gpu_rows(c->op, c->n), *other = gpu_rows(c->other, c->n_other);
    struct model_table program[2] = {{"p", rows}, {"q", other}};
    struct model_env env = {.seed = c->seed ? c->seed : 1,
                            .sim = {.shuffle_ties = c->shuffle != 0, .shuffle_seed = c->shuffle},
                            .machine = machine,
                            .stack = c->stack,
                            .rows = c->programs ? NULL : rows,
                            .requests = c->requests,
                            .program = c->programs ? program : NULL,
                            .n_programs = c->programs ? 2 : 0,
                            .policy = c->policy ? &slot : NULL,
                            .infer = c->infer};
    int rc = model_gpu.run(section, &env, m, e);
    rows->close(rows);
    other->close(other);
    machine_free(machine);
    config_free(profile);
    config_free(section);
    return rc;
}

struct measures *gpu_go(const struct gpu_case *c)
{
    struct measures *m = measures_new();
    struct err e = {0};
    cr_assert_eq(gpu_try(c, m, &e), 0, "%s", e.msg);
    return m;
}

double gpu_number(const struct measures *m, const char *name)
{
    const double *v = measures_find(m, name);
    cr_assert(v, "no measure %s", name);
    return *v;
}

const struct sketch *gpu_sketch(const struct measures *m, const char *name)
{
    for (size_t i = 0; i < m->n_sketch; i++)
        if (!strcmp(m->sketch[i].name, name))
            return m->sketch[i].sketch;
    cr_assert_fail("no sketch %s", name);
    return NULL;
}

struct trace_op op_kernel(uint64_t at, uint64_t ns, uint32_t stream)
{
    return (struct trace_op){.time_ns = at,
                             .kind = TRACE_OP_KERNEL,
                             .stream = stream,
                             .duration_ns = ns,
                             .bound = TRACE_OP_BOUND_COMPUTE};
}

struct trace_op op_launch(uint64_t at, uint64_t ns, uint64_t correlation)
{
    return (struct trace_op){.time_ns = at,
                             .kind = TRACE_OP_LAUNCH,
                             .device = TRACE_NAME_NONE,
                             .duration_ns = ns,
                             .correlation = correlation};
}
