/* test_gpu_moves.c - checkpoint, restore, migration: nothing lost, nothing twice, later by exactly
 * what moving takes. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "harness/base/profile.h"
#include "models/machine.h"
#include "tests/models/gpu_ops.h"

#define MS      UINT64_C(1000000)
#define MACHINE "machines/h100-server.json"
enum { KERNELS = 10, COUNT = 20 };
static const double bytes = 8.0 * 0x1p30;

static double constant(const char *name)
{
    struct config *c;
    struct machine *m;
    struct err e = {0};
    cr_assert_eq(profile_load(&c, MACHINE, &e), 0, "%s", e.msg);
    cr_assert_eq(machine_load(&m, c, &e), 0, "%s", e.msg);
    const struct machine_cost *k = machine_find(m, name);
    cr_assert(k, "no %s", name);
    double v = k->value;
    config_free(c);
    machine_free(m);
    return v;
}

/* Iterations of ten kernels of 1 ms; `more` goes into the tenant, `events` into the section. */
static struct measures *run(const char *more, const char *events)
{
    struct trace_op op[KERNELS];
    char section[700];
    for (uint64_t i = 0; i < KERNELS; i++)
        op[i] = op_kernel(i * MS, MS, 7);
    snprintf(section, sizeof section, "{'tenants':[{'program':'p','count':%d,'memory_gib':8%s}]%s}",
             COUNT, more, events);
    return gpu_go(&(struct gpu_case){
        .section = section, .op = op, .n = KERNELS, .programs = true, .machine = MACHINE});
}

static void spans(const struct measures *m, double want)
{
    cr_expect_float_eq(gpu_number(m, "span"), want, 2e-9, "%.9f s, want %.9f",
                       gpu_number(m, "span"), want);
    cr_expect_eq(gpu_number(m, "p.iterations"), COUNT);
    cr_expect_eq(gpu_number(m, "kernels"), COUNT * KERNELS);
}

/* Asked at 55 ms, quiet at 60; away until 5 s. */
Test(gpu_moves, away_and_back)
{
    const double save = bytes / constant("link.unpinned"),
                 create = constant("gpu.context_create") / 1e12;
    struct measures *m = run("", ""), *n = run("", ",'events':[{'at_s':0.055,'tenant':'p','do':"
                                                   "'checkpoint'},{'at_s':5,'tenant':'p','do':"
                                                   "'restore'}]");
    spans(m, 0.2);
    spans(n, 5 + create + save + 0.14);
    cr_expect_float_eq(gpu_number(n, "p.downtime"), 5 + create + save - 0.06, 2e-9);
    cr_expect_float_eq(gpu_number(n, "p.quiesce"), 0.005, 1e-12);
    cr_expect_eq(gpu_number(n, "p.moved"), 2 * bytes);
    measures_free(m);
    measures_free(n);
}

/* A restore that comes too early waits for the save; pinned memory goes at the link's speed. */
Test(gpu_moves, an_early_restore_and_pinned_memory)
{
    const double save = bytes / constant("link.pcie"),
                 create = constant("gpu.context_create") / 1e12;
    struct measures *m = run("", ",'events':[{'at_s':0.055,'tenant':'p','do':'checkpoint','pinned':"
                                 "true},{'at_s':0.06,'tenant':'p','do':'restore','pinned':true}]");
    spans(m, 0.2 + create + 2 * save);
    measures_free(m);
}

Test(gpu_moves, to_another_device_and_back)
{
    const double save = bytes / constant("link.unpinned"),
                 create = constant("gpu.context_create") / 1e12;
    struct measures *m = run("", ",'events':[{'at_s':0.055,'tenant':'p','do':'migrate','to_device':"
                                 "1},{'at_s':30,'tenant':'p','do':'migrate','to_device':0}]");
    spans(m, 0.2 + create + 2 * save); /* the second comes when all is done */
    measures_free(m);
    m = run("", ",'events':[{'at_s':0.055,'tenant':'p','do':'migrate','to_device':1},"
                "{'at_s':4.5,'tenant':'p','do':'migrate','to_device':0}]");
    cr_expect_eq(gpu_number(m, "p.iterations"), COUNT);
    cr_expect_eq(gpu_number(m, "kernels"), COUNT * KERNELS);
    measures_free(m);
}

/* Requests that come while it is away are answered when it is back, in order. */
Test(gpu_moves, requests_wait)
{
    const double save = bytes / constant("link.unpinned"),
                 create = constant("gpu.context_create") / 1e12;
    struct measures *m =
        run(",'arrivals':{'process':'uniform','rate_per_s':50}",
            ",'events':[{'at_s':0.005,'tenant':'p','do':'migrate','to_device':1}]");
    const struct sketch *s = gpu_sketch(m, "p.latency");
    const double back = 1e3 * (0.005 + 2 * save + create); /* ms; arrivals every 20 ms */
    double sum = 0;
    for (int i = 0; i < COUNT; i++)
        sum += back + 10 * (i + 1) - 20 * (i + 1);
    cr_expect_float_eq(sketch_mean(s), sum / COUNT, 1e-3, "%g ms, want %g", sketch_mean(s),
                       sum / COUNT);
    cr_expect_eq(gpu_number(m, "p.iterations"), COUNT);
    measures_free(m);
}

/* What another tenant has taken meanwhile is not there. */
Test(gpu_moves, no_room_to_come_back_to)
{
    struct trace_op op = op_kernel(0, MS, 7);
    struct measures *m = gpu_go(&(struct gpu_case){
        .section = "{'duration_s':9,'tenants':[{'program':'p','memory_gib':60},{'program':'q',"
                   "'device':1,'memory_gib':60}],'events':[{'at_s':0.5,'tenant':'p','do':'migrate',"
                   "'to_device':1,'pinned':true}]}",
        .op = &op,
        .n = 1,
        .other = &op,
        .n_other = 1,
        .programs = true,
        .machine = MACHINE});
    cr_expect_eq(gpu_number(m, "p.iterations"), 500);
    cr_expect_geq(gpu_number(m, "q.iterations"), 8999);
    bool said = false;
    for (size_t i = 0; i < m->n_incident; i++)
        said |= !strcmp(m->incident[i].who, "p");
    cr_expect(said, "nothing was said about p");
    measures_free(m);
}

/* Asked in a pause of 30 ms, at 55: the iteration that is due at 80 begins when it is back. */
Test(gpu_moves, in_a_pause)
{
    const double save = bytes / constant("link.unpinned"),
                 create = constant("gpu.context_create") / 1e12;
    struct measures *m = run(
        ",'think_ms':30", ",'events':[{'at_s':0.055,'tenant':'p','do':'migrate','to_device':1}]");
    spans(m, 0.055 + create + 2 * save + 18 * 0.01 + 17 * 0.03);
    measures_free(m);
}
