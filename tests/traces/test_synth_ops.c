/* Synthesized programs: against published totals, closed forms, and what a timeline must keep. */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tests/traces/synth_rig.h"
#include "traces/schema.h"

Test(synth_ops, quantiles_are_those_of_the_tables)
{
    static const double known[][2] = {{0.5, 0},
                                      {0.75, 0.6744897502},
                                      {0.975, 1.959963985},
                                      {0.99, 2.326347874},
                                      {0.999, 3.090232306},
                                      {1e-6, -4.753424309},
                                      {1 - 1e-12, 7.034483825}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        cr_expect_float_eq(synth_ops_quantile(known[i][0]), known[i][1], 1e-5, "%g", known[i][0]);
}

/* Kernels and ms of an iteration, and which share of the kernels needs less than 80 SMs, of the
 * profiles that the presets were fitted to, computed by another program.  A lognormal does not
 * hold the SMs of transformer-xl-train, most of whose kernels fill one SM or more than a hundred.
 */
static const struct {
    const char *preset;
    uint64_t kernels;
    double ms, below_80;
    bool misses;
} known[] = {
    {"resnet50-inference", 175, 6.498, 0.606, false},
    {"resnet101-inference", 345, 11.567, 0.652, false},
    {"mobilenetv2-inference", 152, 2.263, 0.730, false},
    {"bert-inference", 572, 48.625, 0.150, false},
    {"transformer-xl-inference", 459, 16.671, 0.403, false},
    {"resnet50-train", 946, 95.278, 0.625, false},
    {"resnet101-train", 1847, 155.933, 0.633, false},
    {"mobilenetv2-train", 890, 40.476, 0.743, false},
    {"bert-train", 4777, 190.766, 0.772, false},
    {"transformer-xl-train", 4354, 125.369, 0.676, true},
};

Test(synth_ops, presets_take_what_the_profiles_took)
{
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        struct err e = {0};
        union trace_row r;
        uint64_t kernels = 0, ns = 0, below = 0;
        char text[80];
        snprintf(text, sizeof text, "{\"preset\": \"%s\"}", known[i].preset);
        struct row_source *s = synth_text(text, 7 + i, &e);
        cr_assert(s, "%s", e.msg);
        while (s->next(s, &r, &e) == 1) {
            if (r.op.kind != TRACE_OP_KERNEL)
                continue;
            kernels++;
            ns += r.op.duration_ns;
            below += r.op.sms < 80;
        }
        s->close(s);
        cr_expect_eq(kernels, known[i].kernels, "%s", text);
        cr_expect_float_eq((double)ns * 1e-6, known[i].ms, 0.002 + 1e-4 * known[i].ms, "%s: %g ms",
                           text, (double)ns * 1e-6);
        double share = (double)below / (double)kernels;
        cr_expect_eq(fabs(share - known[i].below_80) > 0.1, known[i].misses, "%s: %g", text, share);
    }
}

struct seen { /* of a device operation, by correlation */
    uint64_t launched, begins, ends;
};
#define SEEN 4096

static void expect_wait(const struct trace_op *op, const struct seen *seen, uint64_t last)
{
    uint64_t ends = op->time_ns;
    cr_assert_gt(op->n_depends, 0);
    for (uint32_t i = 0; i < op->n_depends; i++) {
        cr_assert(op->depends[i] > 0 && op->depends[i] <= last);
        ends = seen[op->depends[i]].ends > ends ? seen[op->depends[i]].ends : ends;
    }
    if (op->kind == TRACE_OP_SYNC)
        cr_assert(op->time_ns + op->duration_ns >= ends);
    else
        cr_assert(op->time_ns >= ends);
}

/* Rows are in time order, so a wait may come before what it waits for: two passes. */
static uint64_t pass(struct row_source *s, struct seen *seen, bool judge, uint64_t latency_ns)
{
    struct err e = {0};
    union trace_row r;
    uint64_t last_ns = 0, last = 0, waits = 0, stream_ends[SYNTH_OPS_STREAMS] = {0};
    cr_assert_eq(s->rewind(s, &e), 0);
    while (s->next(s, &r, &e) == 1) {
        const struct trace_op *op = &r.op;
        struct seen *at = &seen[op->correlation];
        cr_assert(op->time_ns >= last_ns && op->correlation < SEEN);
        last_ns = op->time_ns;
        if (op->kind == TRACE_OP_LAUNCH) {
            cr_assert_eq(op->correlation, ++last);
            at->launched = op->time_ns + op->duration_ns;
        } else if (trace_op_on_device(op)) {
            cr_assert(op->correlation && op->correlation <= last);
            cr_assert_geq(op->time_ns, at->launched + latency_ns);
            cr_assert_geq(op->time_ns, stream_ends[op->stream]);
            at->begins = op->time_ns;
            at->ends = stream_ends[op->stream] = op->time_ns + op->duration_ns;
        }
        waits += op->kind == TRACE_OP_SYNC;
        if (judge && op->n_depends)
            expect_wait(op, seen, last);
    }
    cr_assert_geq(last, 1);
    return waits;
}

static const char *const programs[] = {
    "{\"preset\": \"resnet50-inference\", \"iterations\": 3}",
    "{\"preset\": \"mobilenetv2-inference\", \"iterations\": 5, \"streams\": 3, \"jitter\": 0.2}",
    "{\"preset\": \"llm-decode\", \"iterations\": 4, \"streams\": 8, \"host_us\": 20}",
    "{\"preset\": \"llm-prefill\", \"iterations\": 2, \"queue\": 3, \"idle_us\": 50}",
    "{\"preset\": \"resnet50-inference\", \"iterations\": 3, \"streams\": 64, \"queue\": 1}",
};

Test(synth_ops, timelines_keep_their_order)
{
    for (size_t i = 0; i < sizeof programs / sizeof *programs; i++) {
        static struct seen seen[SEEN];
        struct err e = {0};
        struct row_source *s = synth_text(programs[i], 3, &e);
        cr_assert(s, "%s", e.msg);
        memset(seen, 0, sizeof seen);
        uint64_t waits = pass(s, seen, false, 3000);
        cr_expect_eq(pass(s, seen, true, 3000), waits);
        cr_expect(waits >= 2 && waits <= 5);
        s->close(s);
    }
}

/* count kernels of 10 us, launches of launch us, latency 2 us: when the last one ends. */
static double end_of(uint32_t count, double launch, unsigned queue, const char *more)
{
    struct err e = {0};
    union trace_row r;
    char text[400];
    uint64_t ends = 0;
    snprintf(text, sizeof text,
             "{\"table\": \"ops\", \"launch_us\": %g, \"latency_us\": 2, \"queue\": %u%s, "
             "\"kernels\": [{\"name\": \"k\", \"count\": %u, \"us\": 10}]}",
             launch, queue, more, count);
    struct row_source *s = synth_text(text, 1, &e);
    cr_assert(s, "%s", e.msg);
    while (s->next(s, &r, &e) == 1)
        if (trace_op_on_device(&r.op))
            ends = r.op.time_ns + r.op.duration_ns;
    s->close(s);
    return (double)ends * 1e-3;
}

Test(synth_ops, an_iteration_takes_what_the_formula_says)
{
    cr_expect_float_eq(end_of(100, 4, 1024, ""), 4 + 2 + 100 * 10, 1e-9);   /* device-bound */
    cr_expect_float_eq(end_of(100, 25, 1024, ""), 100 * 25 + 2 + 10, 1e-9); /* launch-bound */
    /* a queue of one: launch, run, launch, run */
    cr_expect_float_eq(end_of(100, 4, 1, ""), 100 * (4 + 2 + 10), 1e-9);
    /* four streams at once, launches hidden behind no longer */
    cr_expect_float_eq(end_of(100, 4, 1024, ", \"streams\": 4"), 100 * 4 + 2 + 10, 1e-9);
    /* a copy of 1 MB at 10 GB/s and 5 us before, and its launch */
    cr_expect_float_eq(
        end_of(100, 4, 1024, ", \"h2d_bytes\": 1000000, \"copy_us\": 5, \"copy_gbps\": 10"),
        4 + 2 + 105 + 100 * 10, 1e-9);
    /* the second iteration begins when the first has been waited for, and 7 us later */
    cr_expect_float_eq(end_of(100, 4, 1024, ", \"iterations\": 2, \"idle_us\": 7"),
                       2 * (4 + 2 + 1000) + 7, 1e-9);
}

Test(synth_ops, without_launches_every_stream_is_busy)
{
    struct err e = {0};
    union trace_row r;
    uint64_t ends[3] = {0}, n = 0, last = 0;
    struct row_source *s =
        synth_text("{\"preset\": \"stream\", \"streams\": 3, \"rows\": 9999}", 1, &e);
    cr_assert(s, "%s", e.msg);
    for (; s->next(s, &r, &e) == 1; n++) {
        cr_assert(r.op.kind == TRACE_OP_KERNEL && r.op.stream < 3 && r.op.correlation == 0);
        cr_assert(r.op.time_ns >= last && r.op.time_ns == ends[r.op.stream]);
        ends[r.op.stream] += r.op.duration_ns;
        last = r.op.time_ns;
    }
    s->close(s);
    cr_expect_eq(n, 9999);
    /* 9,999 kernels of 10 us on average, whole iterations but for the last */
    cr_expect_float_eq((double)(ends[0] + ends[1] + ends[2]) * 1e-3, 99990, 120);
}

Test(synth_ops, a_bound_cuts_and_the_mean_stays)
{
    struct err e = {0};
    union trace_row r;
    uint64_t ns = 0, most = 0;
    struct row_source *s =
        synth_text("{\"table\": \"ops\", \"launches\": false, \"kernels\": [{\"name\": \"k\", "
                   "\"count\": 500, \"us\": 20, \"sigma\": 2, \"max_us\": 60}]}",
                   1, &e);
    cr_assert(s, "%s", e.msg);
    while (s->next(s, &r, &e) == 1) {
        ns += r.op.duration_ns;
        most = r.op.duration_ns > most ? r.op.duration_ns : most;
    }
    s->close(s);
    cr_expect_eq(ns, 500 * 20000);
    cr_expect(most == 60000 || most == 60001);
}

#define K "\"kernels\": [{\"name\": \"k\", \"us\": 10}]"
static const struct {
    const char *text, *want;
} bad[] = {
    {"{\"table\": \"ops\"}", "t: got an object, want a preset, kernels or a network"},
    {"{\"table\": \"ops\", \"kernels\": []}",
     "t: kernels: got an array of 0, want a list of 1..8 kinds of kernels"},
    {"{\"table\": \"ops\", \"kernels\": [{\"name\": \"a b\", \"us\": 1}]}",
     "t: kernels[0].name: got \"a b\", want 1..31 letters, digits and any of _-./"},
    {"{\"table\": \"ops\", \"kernels\": [{\"name\": \"a\", \"us\": 5, \"max_us\": 4}]}",
     "t: kernels[0].max_us: got 4, want at least us, 5: it is the mean"},
    {"{\"table\": \"ops\", \"kernels\": [{\"name\": \"a\", \"us\": 5, \"bound\": \"both\"}]}",
     "t: kernels[0].bound: got \"both\", want one of \"none\", \"compute\", \"memory\""},
    {"{\"table\": \"ops\", \"kernels\": [{\"name\": \"a\", \"us\": 5, \"count\": 600000}, "
     "{\"name\": \"b\", "
     "\"us\": 5, \"count\": 600000}]}",
     "t: kernels: got an array of 2, want at most 1000000 kernels in all"},
    {"{\"table\": \"ops\", \"launches\": false, \"host_us\": 1, " K "}",
     "t: host_us: of no use without launches"},
    {"{\"table\": \"ops\", \"rows\": 5, \"iterations\": 1, " K "}",
     "t: got an object, want one of iterations, rows and duration_s"},
    {"{\"table\": \"ops\", \"iterations\": 1e9, \"idle_us\": 1e9, " K "}",
     "t: got an object, want a trace of at most 1e+09 s: times count ns in 64 bits"},
    {"{\"table\": \"ops\", \"preset\": \"vms-mixed\"}", NULL},
};

Test(synth_ops, wrong_parameters_are_refused)
{
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct err e = {0};
        cr_expect_null(synth_text(bad[i].text, 1, &e), "%s", bad[i].text);
        cr_expect_eq(strncmp(e.msg, "t: ", 3), 0, "%s: %s", bad[i].text, e.msg);
        if (bad[i].want)
            cr_expect_str_eq(e.msg, bad[i].want);
    }
}
