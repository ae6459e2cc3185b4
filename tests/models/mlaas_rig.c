/* mlaas_rig.c - see mlaas_rig.h. */
#include "tests/models/mlaas_rig.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct mlaas_rig_net one[] = {{"a", NULL, 1000, 0}};

struct hook {
    struct mlaas_rig *r;
    uint32_t group, rows;
    unsigned nets;
    sim_time at;
    bool answered;
};

/* ---- the harness's side ---------------------------------------------------------- */

static uint64_t flops(void *ctx, int model)
{
    return ((struct mlaas_rig *)ctx)->net[model].flops;
}
static const char *name(void *ctx, int model)
{
    return ((struct mlaas_rig *)ctx)->net[model].name;
}
static const char *kind(void *ctx, int model)
{
    return ((struct mlaas_rig *)ctx)->net[model].kind;
}

static uint64_t bytes(void *ctx, int model)
{
    return ((struct mlaas_rig *)ctx)->net[model].bytes;
}

/* ---- a machine whose every crossing is 1 us, a core 10 us a row, the GPU 2 us and 0.1 a row ----
 */

static const char profile[] =
    "{'schema':'malv-machine/1','name':'rig',"
    "'gpu':{'timeslice':T(1024),'context_switch':T(100),'memory':B(1e9)},"
    "'link':{'pcie':R(1)},"
    "'cost':{'vm_exit':T(1),'ipc_call':T(1),'ipc_reply':T(1),'launch':T(1),'doorbell':T(1),"
    "'gpu_reads_host':T(1),'gpu_to_host':T(1),'poll':T(1),'lake_stub':T(1),'lake_channel':T(1),"
    "'copy_small':T(1),'syscall':T(1),'kernel_fpu':T(1),'module_call':T(1),'batch_close':T(1),'"
    "graph_launch':T(1),'mailbox_write':T(1),'"
    "feature_put':T(1),'feature_commit':T(2),'feature_row':T(4)},"
    "'infer':{'graph':{'x':[1,1001],'y':[4,54],Q},'mailbox':{'x':[1,1001],'y':[1,51],Q},'load':R(2)"
    ",'flops':N(1000),'cpu':{'x':[1,1001],'y':[10,10010],Q},"
    "'gpu':{'x':[1,1001],'y':[2,102],Q}%s}%s}";

/* T(x), B(x), R(x), N(x) and Q stand for the long forms; ' for ". */
static char *spell(const char *text)
{
    static const char *const unit[] = {['T'] = "us", ['B'] = "B", ['R'] = "GB/s", ['N'] = "1"};
    char *out = malloc(strlen(text) * 12 + 1), *to = out;
    cr_assert_not_null(out);
    for (const char *p = text; *p; p++) {
        const bool letter = p > text && strchr("TBRN", *p) && p[1] == '(';
        if (letter) {
            const char *end = strchr(p, ')');
            to += sprintf(to,
                          "{\"value\":%.*s,\"unit\":\"%s\",\"source\":\"t\",\"evidence\":"
                          "\"assumed\"}",
                          (int)(end - p - 2), p + 2, unit[(int)*p]);
            p = end;
        } else if (*p == 'Q') {
            to += sprintf(to, "\"unit\":\"us\",\"source\":\"t\",\"evidence\":\"assumed\"");
        } else {
            *to++ = *p == '\'' ? '"' : *p;
        }
    }
    *to = 0;
    return out;
}

static struct config *parse(const char *text)
{
    struct config *c;
    struct err e = {0};
    char *json = spell(text);
    cr_assert_eq(config_parse(&c, "rig", json, strlen(json), &e), 0, "%s", e.msg);
    free(json);
    return c;
}

static void load_machine(struct mlaas_rig *r)
{
    char text[4096];
    struct err e = {0};
    const bool nets = r->profile && !strncmp(r->profile, "'net'", 5); /* belongs to infer */
    snprintf(text, sizeof text, profile, "", "");
    char more[2048] = "";
    if (r->profile)
        snprintf(more, sizeof more, ",%s", r->profile);
    snprintf(text, sizeof text, profile, nets ? more : "", nets ? "" : more);
    struct config *json = parse(text);
    cr_assert_eq(machine_load(&r->machine, json, &e), 0, "%s", e.msg);
    config_free(json);
}

static int open_service(struct mlaas_rig *r, struct err *e)
{
    struct mlaas_config c;
    r->net = r->net ? r->net : one;
    r->face = (struct model_infer){
        .ctx = r, .flops = flops, .name = name, .kind = kind, .bytes = bytes, .tap = &r->tap};
    r->sim = sim_new(NULL);
    r->cpu = cores_new(r->sim, r->cores ? r->cores : 1);
    r->out = measures_new();
    accel_begin(&r->gpu, r->sim);
    load_machine(r);
    cr_assert_eq(machine_use_begin(&r->use, r->machine, NULL), 0);
    r->section = parse(r->infer);
    const struct mlaas_env env = {.sim = r->sim,
                                  .cpu = r->cpu,
                                  .gpu = &r->gpu,
                                  .stack = stack_find(r->stack ? r->stack : "malv", NULL),
                                  .use = &r->use,
                                  .infer = &r->face,
                                  .out = r->out,
                                  .wants_gpu = r->wants_gpu,
                                  .ctx = r->ctx};
    int rc = mlaas_config(&c, r->section, e);
    return rc ? rc : mlaas_open(&r->m, &c, &env, e);
}

void mlaas_rig_open(struct mlaas_rig *r)
{
    struct err e = {0};
    cr_assert_eq(open_service(r, &e), 0, "%s", e.msg);
}

void mlaas_rig_refused(struct mlaas_rig *r, const char *why)
{
    struct err e = {0};
    cr_assert(open_service(r, &e), "%s was accepted", r->infer);
    cr_expect_str_eq(e.msg, why);
    mlaas_rig_close(r);
}

/* ---- hooks ------------------------------------------------------------------------- */

static void answered(void *ctx, uint64_t arg)
{
    struct hook *h = ctx;
    struct mlaas_rig *r = h->r;
    (void)arg;
    cr_assert_not(h->answered, "a hook was answered twice");
    h->answered = true;
    r->answered++;
    r->last_us = (double)(sim_now(r->sim) - h->at) / 1e3;
    r->waited_us += r->last_us;
    free(h);
}

static void hook(void *ctx, uint64_t arg)
{
    struct hook *h = ctx;
    struct mlaas_rig *r = h->r;
    (void)arg;
    mlaas_hook_begin(r->m);
    mlaas_hook_group(r->m, h->group);
    for (int i = 0; i < 8; i++)
        if (h->nets & 1u << i && !mlaas_full(r->m))
            r->tap.called(r->tap.ctx, i, h->rows);
    if (!mlaas_hook_end(r->m, answered, h, 0))
        answered(h, 0);
}

void mlaas_rig_ask(struct mlaas_rig *r, sim_time when, uint32_t group, unsigned nets, uint32_t rows)
{
    struct hook *h = malloc(sizeof *h);
    cr_assert_not_null(h);
    *h = (struct hook){.r = r, .group = group, .nets = nets, .rows = rows, .at = when};
    r->asked++;
    sim_at(r->sim, when, 0, hook, h, 0);
}

struct other {
    struct mlaas_rig *r;
    uint32_t puts, commits, rows;
    bool hook, on;
    int model;
};

static struct other *other(struct other from)
{
    struct other *o = malloc(sizeof *o);
    cr_assert_not_null(o);
    *o = from;
    return o;
}

static void use_store(void *ctx, uint64_t arg)
{
    struct other *o = ctx;
    struct mlaas_rig *r = o->r;
    (void)arg;
    struct hook *h = calloc(1, sizeof *h);
    cr_assert_not_null(h);
    *h = (struct hook){.r = r, .at = sim_now(r->sim)};
    if (o->hook)
        mlaas_hook_begin(r->m);
    r->tap.stored(r->tap.ctx, o->puts, o->commits, o->rows);
    if (!o->hook || !mlaas_hook_end(r->m, answered, h, 0))
        free(h);
    free(o);
}

void mlaas_rig_store(struct mlaas_rig *r, sim_time when, uint32_t puts, uint32_t commits,
                     uint32_t rows, bool as_hook)
{
    r->asked += as_hook;
    sim_at(r->sim, when, 0, use_store,
           other((struct other){
               .r = r, .puts = puts, .commits = commits, .rows = rows, .hook = as_hook}),
           0);
}

static void hold_now(void *ctx, uint64_t arg)
{
    struct other *o = ctx;
    (void)arg;
    cr_expect(o->r->tap.holds(o->r->tap.ctx, o->model, o->on));
    free(o);
}

void mlaas_rig_hold(struct mlaas_rig *r, int model, bool on)
{
    cr_assert(on);
    r->tap.held[r->tap.n_held++] = model;
}

void mlaas_rig_hold_at(struct mlaas_rig *r, sim_time when, int model, bool on)
{
    sim_at(r->sim, when, 0, hold_now, other((struct other){.r = r, .model = model, .on = on}), 0);
}

void mlaas_rig_poisson(struct mlaas_rig *r, uint64_t n, double mean_gap_us)
{
    struct rng rng;
    double at = 0;
    rng_init(&rng, 7, "test", "arrivals");
    for (uint64_t i = 0; i < n; i++)
        mlaas_rig_ask(r, (sim_time)(at += rng_exponential(&rng, mean_gap_us * 1e3)), 0, 1, 1);
}

void mlaas_rig_run(struct mlaas_rig *r)
{
    struct err e = {0};
    sim_run(r->sim, SIM_NEVER);
    cr_assert_eq(mlaas_failed(r->m, &e), 0, "%s", e.msg);
    cr_expect_eq(r->answered, r->asked, "%llu asked, %llu answered", (unsigned long long)r->asked,
                 (unsigned long long)r->answered);
    cr_expect(mlaas_idle(r->m));
    mlaas_report(r->m, r->out);
}

double mlaas_rig_number(struct mlaas_rig *r, const char *name_)
{
    const double *v = measures_find(r->out, name_);
    cr_assert_not_null(v, "no number %s", name_);
    return *v;
}

void mlaas_rig_close(struct mlaas_rig *r)
{
    mlaas_close(r->m);
    machine_use_end(&r->use);
    machine_free(r->machine);
    measures_free(r->out);
    config_free(r->section);
    cores_free(r->cpu);
    sim_free(r->sim);
}
