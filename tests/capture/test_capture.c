/* test_capture.c - malv capture from end to end, with a CUPTI that tells made-up records: the
 * recorder, the raw file and the command are those that run on a GPU. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness/capture_files.h"
#include "tests/sanitized.h"
#include "traces/file.h"

#define PROGRAM BUILD "/tests/capture/fake/cuda-program "

static char folder[64], out[80], said[4096];

static void begin(void)
{
    snprintf(folder, sizeof folder, "/tmp/malv-capture-XXXXXX");
    cr_assert(mkdtemp(folder));
    snprintf(out, sizeof out, "%s/t.h5", folder);
}

static void end(void)
{
    char line[128];
    snprintf(line, sizeof line, "rm -rf %s", folder);
    cr_expect_eq(system(line), 0);
}

/* The exit status of malv capture OPTIONS -- COMMAND; `said`: its standard error. */
static int capture(const char *env, const char *options, const char *command)
{
    char line[1024];
    snprintf(line, sizeof line,
             "MALV_LIBCUPTI=" BUILD "/tests/capture/fake/libcupti.so MALV_LIBCUDA=" BUILD
             "/tests/gpu-kernels/fake/libcuda.so.1 %s " BUILD
             "/malv capture -o %s %s -- %s 2>%s/said >/dev/null",
             env, out, options, command, folder);
    int how = system(line);
    snprintf(line, sizeof line, "%s/said", folder);
    FILE *f = fopen(line, "r");
    said[f ? fread(said, 1, sizeof said - 1, f) : 0] = 0;
    if (f)
        fclose(f);
    return WEXITSTATUS(how);
}

struct want {
    uint64_t us, duration;
    uint32_t device, stream, kind;
    const char *name;
    uint64_t correlation, depends;
};
#define HOST TRACE_NAME_NONE

/* What plain() of cuda_program.c does, by hand: stream 7 is 0, stream 13 is 1. */
static const struct want plain[] = {
    {0, 20, HOST, 0, TRACE_OP_LAUNCH, "cudaLaunchKernel", 1, 0},
    {30, 5, HOST, 0, TRACE_OP_LAUNCH, "cudaLaunchKernel", 4, 0},
    {36, 1, HOST, 0, TRACE_OP_LAUNCH, "cudaMemcpyAsync", 5, 0},
    {38, 182, HOST, 0, TRACE_OP_SYNC, "cudaStreamSynchronize", 0, 5},
    {40, 100, 0, 0, TRACE_OP_KERNEL, "first", 1, 0},
    {150, 40, 0, 1, TRACE_OP_KERNEL, "second", 4, 1},
    {200, 10, 0, 1, TRACE_OP_D2H, "memcpy DtoH", 5, 0},
    {230, 60, HOST, 0, TRACE_OP_LAUNCH, "cudaMemcpy", 7, 0},
    {290, 80, 0, 0, TRACE_OP_H2D, "memcpy HtoD", 7, 0},
    {290, 100, HOST, 0, TRACE_OP_SYNC, "cudaMemcpy", 0, 7},
    {400, 10, HOST, 0, TRACE_OP_SYNC, "cudaDeviceSynchronize", 0, 7},
};
enum { PLAIN = sizeof plain / sizeof *plain };

static void check_row(struct trace_file *f, const struct want *w, const struct trace_op *op)
{
    const char *name = names_text(trace_file_names(f), op->name);
    cr_expect_str_eq(name ? name : "", w->name);
    cr_expect_eq(op->time_ns, w->us * 1000, "%s at %lu", w->name, (unsigned long)op->time_ns);
    cr_expect_eq(op->duration_ns, w->duration * 1000, "%s", w->name);
    cr_expect_eq(op->device, w->device, "%s", w->name);
    cr_expect_eq(op->stream, w->stream, "%s", w->name);
    cr_expect_eq(op->kind, w->kind, "%s", w->name);
    cr_expect_eq(op->correlation, w->correlation, "%s", w->name);
    cr_expect_eq(op->n_depends, w->depends != 0, "%s", w->name);
    if (op->n_depends)
        cr_expect_eq(op->depends[0], w->depends, "%s", w->name);
}

static struct trace_file *open_trace(void)
{
    struct trace_file *f = NULL;
    struct err e = {0};
    cr_assert_eq(trace_file_open(&f, out, NULL, 0, &e), 0, "%s", e.msg);
    return f;
}

Test(capture, rows_and_dependencies_of_a_program, .init = begin, .fini = end)
{
    union trace_row row;
    struct err e = {0};
    cr_assert_eq(capture("", "", PROGRAM "plain"), 0, "%s", said);
    cr_expect(strstr(said, "11 operations of 1 process"), "%s", said);
    struct trace_file *f = open_trace();
    for (int i = 0; i < PLAIN; i++) {
        cr_assert_eq(trace_file_next(f, &row, &e), 1, "row %d %s", i, e.msg);
        check_row(f, &plain[i], &row.op);
        if (row.op.kind == TRACE_OP_KERNEL)
            cr_expect(row.op.grid == 8 && row.op.block == 128 && row.op.registers == 32 &&
                      row.op.smem == 3072);
        if (row.op.kind == TRACE_OP_H2D)
            cr_expect_eq(row.op.bytes, 1 << 20);
    }
    cr_expect_eq(trace_file_next(f, &row, &e), 0);
    trace_file_close(f);
}

/* What graph() does: the kernels of a graph share the correlation of its launch. */
static const struct want graph[] = {
    {0, 10, HOST, 0, TRACE_OP_LAUNCH, "cudaLaunchKernel", 1, 0},
    {13, 62, HOST, 0, TRACE_OP_SYNC, "cudaEventSynchronize", 0, 1},
    {20, 10, 0, 0, TRACE_OP_KERNEL, "a", 1, 0},
    {40, 10, 0, 0, TRACE_OP_KERNEL, "b", 1, 0},
    {60, 10, 0, 1, TRACE_OP_KERNEL, "c", 1, 0},
};

Test(capture, a_graph_is_launched_once, .init = begin, .fini = end)
{
    union trace_row row;
    struct err e = {0};
    cr_assert_eq(capture("", "-q", PROGRAM "graph"), 0, "%s", said);
    struct trace_file *f = open_trace();
    for (size_t i = 0; i < sizeof graph / sizeof *graph; i++) {
        cr_assert_eq(trace_file_next(f, &row, &e), 1, "row %zu %s", i, e.msg);
        check_row(f, &graph[i], &row.op);
    }
    cr_expect_eq(trace_file_next(f, &row, &e), 0);
    trace_file_close(f);
}

static uint64_t rows_of(uint32_t *tenants)
{
    union trace_row row;
    struct err e = {0};
    struct trace_file *f = open_trace();
    uint64_t n = 0;
    *tenants = 0;
    for (; trace_file_next(f, &row, &e) == 1; n++)
        *tenants = row.op.tenant >= *tenants ? row.op.tenant + 1 : *tenants;
    trace_file_close(f);
    return n;
}

Test(capture, however_the_program_ends_there_is_a_trace, .init = begin, .fini = end)
{
    static const struct {
        const char *command, *env;
        int status;
        uint64_t rows;
        uint32_t tenants;
    } cases[] = {
        {PROGRAM "plain 7", "", 7, PLAIN, 1},
        {PROGRAM "abort", "FAKE_CUPTI=slow", 134, PLAIN, 1}, /* the last words */
        {PROGRAM "kill", "", 137, PLAIN, 1},                 /* the periodic flush */
        {PROGRAM "twice", "", 0, 2 * PLAIN, 2},
        {PROGRAM "fork", "", 0, 2 * PLAIN, 2},
        {PROGRAM "fork kill", "", 0, 2 * PLAIN, 2},
        {PROGRAM "many 50000", "", 0, 100000, 1}, /* a dozen buffers */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint32_t tenants;
        cr_assert_eq(capture(cases[i].env, "-q", cases[i].command), cases[i].status, "%s: %s",
                     cases[i].command, said);
        cr_expect_str_eq(said, "", "%s", cases[i].command);
        cr_expect_eq(rows_of(&tenants), cases[i].rows, "%s", cases[i].command);
        cr_expect_eq(tenants, cases[i].tenants, "%s", cases[i].command);
    }
}

Test(capture, what_was_recorded_reads_again, .init = begin, .fini = end)
{
    char raw[128];
    struct err e = {0};
    union trace_row row;
    struct trace_file *f;
    cr_assert_eq(capture("", "-q --keep-raw", PROGRAM "plain"), 0, "%s", said);
    snprintf(raw, sizeof raw, "%s.raw", out);
    cr_assert_eq(trace_file_open(&f, raw, NULL, 0, &e), 0, "%s", e.msg);
    cr_expect_str_eq(trace_file_format(f)->name, "malv-raw");
    cr_expect_eq(trace_file_next(f, &row, &e), 1);
    trace_file_close(f);
}

Test(capture, why_there_is_no_trace_is_said, .init = begin, .fini = end)
{
    static const struct {
        const char *env, *command, *says;
        int status;
    } cases[] = {
        {"MALV_LIBCUDA=/none/libcuda.so.1", PROGRAM "plain", "no GPU to capture on: no NVIDIA", 1},
        {"FAKE_CUDA=none", PROGRAM "plain", "no GPU to capture on: cuInit says", 1},
        {"MALV_LIBCUPTI=/none/libcupti.so", PROGRAM "plain", "no CUPTI library", 99},
        {"FAKE_CUPTI=old", PROGRAM "plain", "CUPTI is version 10, want 12", 1},
        {"FAKE_CUPTI=silent", PROGRAM "plain", "CUPTI says CUPTI_ERROR_NOT_COMPATIBLE", 1},
        {"", PROGRAM "idle", "nothing was captured: ", 1},
        {"", PROGRAM "many 0", "ran nothing on a GPU", 1},
        {"", "/none/program", "/none/program: No such file or directory", 2},
        {"", "", "want a COMMAND to capture", 2},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        cr_expect_eq(capture(cases[i].env, "", cases[i].command), cases[i].status, "%zu: %s", i,
                     said);
        cr_expect(strstr(said, cases[i].says), "%zu: %s", i, said);
    }
}

/* A process that was killed in a write, between two that were not. */
Test(capture, a_raw_file_that_is_cut_does_not_hurt_the_next, .init = begin, .fini = end)
{
    char dir[128], raw[72], line[900];
    struct err e = {0};
    int files;
    snprintf(raw, sizeof raw, "%s/t.raw", folder);
    cr_assert_eq(capture_files_begin(raw, dir, sizeof dir, &e), 0, "%s", e.msg);
    snprintf(line, sizeof line,
             "p=tests/fuzz/corpus/capture/plain; cp $p %s/1.raw; head -c 1000 $p >%s/2.raw; "
             "cp $p %s/3.raw; head -c 50 $p >%s/4.raw",
             dir, dir, dir, dir);
    cr_assert_eq(system(line), 0);
    cr_assert_eq(capture_files_gather(dir, raw, &files, &e), 0, "%s", e.msg);
    cr_expect_eq(files, 3, "the fourth is no process yet");
    cr_expect_neq(access(dir, F_OK), 0);
    snprintf(out, sizeof out, "%s", raw);
    uint32_t tenants;
    cr_expect_gt(rows_of(&tenants), 2 * PLAIN);
    cr_expect_eq(tenants, 3);
}

/* 64 buffers of 1 MiB hold some 262 000 pairs of records of 40 and 216 bytes. */
Test(capture, memory_is_bounded_and_what_is_lost_is_said, .init = begin, .fini = end)
{
    uint32_t tenants;
    cr_assert_eq(capture("FAKE_CUPTI=hoard", "", PROGRAM "many 300000"), 0, "%s", said);
    cr_assert(strstr(said, " records were lost: the program outran its recorder"), "%s", said);
    uint64_t rows = rows_of(&tenants), lost = strtoull(strstr(said, ": ") + 2, NULL, 10);
    cr_expect_eq(rows + lost, 600000, "%lu rows, %lu lost", (unsigned long)rows,
                 (unsigned long)lost);
    cr_expect_gt(rows, 500000);
}

Test(capture, it_may_be_loaded_before_the_program, .init = begin, .fini = end)
{
    uint32_t tenants;
    if (SANITIZED)
        cr_skip_test("the sanitizer wants to be loaded first");
    cr_assert_eq(capture("", "-q --preload", PROGRAM "plain"), 0, "%s", said);
    cr_expect_eq(rows_of(&tenants), PLAIN);
}

/* From the program to the model: the replay on the same device takes as long as the program did. */
Test(capture, what_was_captured_replays, .init = begin, .fini = end)
{
    static const char experiment[] =
        "{\"schema\":\"malv-experiment/1\",\"name\":\"again\",\"model\":\"gpu\",\"machine\":"
        "\"machines/h100-server.json\",\"seed\":1,\"trials\":1,\"trace\":{\"file\":\"%s\"},"
        "\"gpu\":{}}";
    char line[600], text[2048] = "";
    cr_assert_eq(capture("", "-q", PROGRAM "plain"), 0, "%s", said);
    snprintf(line, sizeof line, "%s/x.json", folder);
    FILE *f = fopen(line, "w");
    cr_assert(f);
    fprintf(f, experiment, out);
    fclose(f);
    snprintf(line, sizeof line, BUILD "/malv run %s/x.json -q -o %s/r.h5 --json 2>&1", folder,
             folder);
    f = popen(line, "r");
    text[fread(text, 1, sizeof text - 1, f)] = 0;
    cr_assert_eq(pclose(f), 0, "%s", text);
    cr_expect(strstr(text, "\"span\":0.00041,"), "%s", text);
    cr_expect(strstr(text, "\"span_error\":0,"), "%s", text);
    cr_expect(strstr(text, "\"start_error_max\":0,"), "%s", text);
}
