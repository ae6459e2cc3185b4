/* test_gpu_replay.c - captures that others published, replayed on their own GPUs: spans and sums
 * against what somebody else's program (Python, the capture's FACTS.json) says of them. */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/base/profile.h"
#include "models/gpu/remote.h"
#include "models/machine.h"
#include "tests/models/gpu_ops.h"
#include "traces/source.h"

static const struct capture {
    const char *format, *file, *machine;
    double kernel_span, kernels_s, h2d, h2d_s; /* from FACTS.json; 0: not there */
    double operations;                         /* kernels, copies, memsets */
} captures[] = {
    {"kineto",
     "kineto-chakra/hta__critical_path__alexnet__benchmark_result_2869224_1695835535_trace.json.gz",
     "machines/a100-40gb.json", 12.840244, 0.010692, 0, 0, 79 + 16 + 3},
    {"kineto", "kineto-chakra/param__resnet_kineto.json.gz", "machines/rtx2080ti-host.json",
     10.149748, 4.103141, 0, 0, 9628 + 123 + 362},
    {"nsys", "nsys-h100-sqlite/h100_2gpu_1s.sqlite.xz", "machines/h100-server.json", 0.960485009,
     0.044829522, 50950507584.0, 1.841630798, 3442 + 904 + 22},
};

static struct row_source *open_capture(const struct capture *c, struct err *e)
{
    char text[400];
    struct config *section;
    struct row_source *rows = NULL;
    struct trace_about about;
    snprintf(text, sizeof text, "{\"import\":{\"format\":\"%s\",\"file\":\"data:%s\"}}", c->format,
             c->file);
    cr_assert_eq(config_parse(&section, "test", text, strlen(text), e), 0, "%s", e->msg);
    int rc =
        trace_rows_open(section, 1u << TRACE_OPS, 1, &(struct trace_places){0}, &rows, &about, e);
    config_free(section);
    cr_assert(!rc || rc == ERR_ENAME, "%s", e->msg);
    return rc ? NULL : rows;
}

static struct measures *replay(const struct capture *c, struct row_source *rows, const char *text)
{
    struct err e = {0};
    struct config *json, *section;
    struct machine *machine;
    struct measures *m = measures_new();
    cr_assert_eq(profile_load(&json, c->machine, &e), 0, "%s", e.msg);
    cr_assert_eq(machine_load(&machine, json, &e), 0, "%s", e.msg);
    cr_assert_eq(config_parse(&section, "test", text, strlen(text), &e), 0, "%s", e.msg);
    struct model_env env = {.seed = 1, .machine = machine, .rows = rows};
    cr_assert_eq(model_gpu.run(section, &env, m, &e), 0, "%s", e.msg);
    config_free(section);
    config_free(json);
    machine_free(machine);
    return m;
}

ParameterizedTestParameters(gpu_replay, own_device)
{
    static int row[sizeof captures / sizeof *captures];
    for (size_t i = 0; i < sizeof row / sizeof *row; i++)
        row[i] = (int)i;
    return cr_make_param_array(int, row, sizeof row / sizeof *row);
}

static void within(const struct measures *m, const char *name, double want, double part)
{
    const double got = gpu_number(m, name);
    cr_expect(!want || (got > want * (1 - part) && got < want * (1 + part)), "%s: %g, want %g",
              name, got, want);
}

ParameterizedTest(int *row, gpu_replay, own_device)
{
    const struct capture *c = &captures[*row];
    struct err e = {0};
    struct row_source *rows = open_capture(c, &e);
    if (!rows)
        cr_skip_test("%s is not here", c->file);
    struct measures *m = replay(c, rows, "{}");
    within(m, "kernel_span", c->kernel_span, 0.02);
    within(m, "kernel_time", c->kernels_s, 0.02);
    within(m, "h2d", c->h2d, 1e-9);
    cr_expect_eq(gpu_number(m, "operations"), c->operations);
    cr_expect_lt(gpu_number(m, "start_error_max"), 0.05);
    cr_expect_lt(gpu_number(m, "span_error"), 0.02);
    cr_expect_gt(gpu_number(m, "span_error"), -0.02);
    measures_free(m);
    rows->close(rows);
}

/* Not an echo: over a link of half the bandwidth the copies of the H100s, which fill their link,
 * take twice as long, and the span follows; kernels, of which there are few, hardly matter. */
Test(gpu_replay, a_slower_link_shows)
{
    const struct capture *c = &captures[2];
    struct err e = {0};
    struct row_source *rows = open_capture(c, &e);
    if (!rows)
        cr_skip_test("%s is not here", c->file);
    struct measures *m = replay(c, rows, "{\"captured_on\":{\"link_gbs\":128}}");
    within(m, "copy_time", 2 * c->h2d_s, 0.03);
    within(m, "span", 0.969447605 + c->h2d_s / 2, 0.02); /* two GPUs, each half of the copies */
    measures_free(m);
    rows->close(rows);
}

/* ---- a channel between the program and its GPU ---- */

static double call_ns(enum remote_kind kind, const char *profile)
{
    struct err e = {0};
    struct config *json;
    struct machine *machine;
    struct machine_use use;
    struct remote_channel c;
    cr_assert_eq(profile_load(&json, profile, &e), 0, "%s", e.msg);
    cr_assert_eq(machine_load(&machine, json, &e), 0, "%s", e.msg);
    cr_assert_eq(machine_use_begin(&use, machine, &e), 0, "%s", e.msg);
    cr_assert_eq(remote_channel_read(&c, kind, &use, &e), 0, "%s", e.msg);
    const double guest = (double)remote_async(&c), server = (double)remote_behind(&c);
    machine_use_end(&use);
    machine_free(machine);
    config_free(json);
    return (guest > server ? guest : server) / 1e3;
}

/* A program that waits for its launches waits that much longer for each of them. */
Test(gpu_replay, remoted_calls)
{
    enum { N = 100 };
    struct trace_op op[2 * N];
    const struct capture here = {.machine = "machines/a100-40gb.json"};
    for (uint64_t i = 0; i < N; i++) {
        op[2 * i] = op_launch(i * 50000, 4000, i + 1);
        op[2 * i + 1] = op_kernel(i * 50000 + 6000, 10000, 7);
        op[2 * i + 1].correlation = i + 1;
    }
    static const char *const text[] = {"{}", "{\"remote\":\"tcp\"}", "{\"remote\":\"ring\"}"};
    static const enum remote_kind kind[] = {REMOTE_NONE, REMOTE_TCP, REMOTE_RING};
    for (size_t i = 0; i < sizeof text / sizeof *text; i++) {
        struct row_source *rows = gpu_rows(op, 2 * N);
        struct measures *m = replay(&here, rows, text[i]);
        const double want =
            (N - 1) * 50000.0 + 16000 + (i ? N * call_ns(kind[i], here.machine) : 0);
        cr_expect_float_eq(gpu_number(m, "span") * 1e9, want, N, "%s: %g ns, want %g", text[i],
                           gpu_number(m, "span") * 1e9, want);
        measures_free(m);
        rows->close(rows);
    }
}
