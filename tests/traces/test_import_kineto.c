/* Kineto: rows, dependencies and sentences of small traces written here by hand; published traces
 * are held against their facts in test_facts.c and come back in test_convert.c. */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "traces/import.h"
#include "traces/kineto.h"

static struct importer *open_text(const char *text, uint64_t skip, struct err *e)
{
    struct input *in;
    struct importer *im = NULL;
    cr_assert_eq(input_open_memory(&in, "t", text, strlen(text), e), 0);
    int rc = import_open_input(&im, in, import_format("kineto"), skip, e);
    cr_assert_eq(rc == 0, im != NULL);
    return im;
}

/* One line a row: time duration kind device/stream correlation <depends. */
static void describe(struct importer *im, char *to, size_t room)
{
    struct err e = {0};
    union trace_row row;
    size_t n = 0;
    int rc;
    *to = 0;
    while ((rc = import_next(im, &row, &e)) == 1) {
        const struct trace_op *op = &row.op;
        n += (size_t)snprintf(to + n, room - n, "%llu+%llu k%u %d/%u c%llu",
                              (unsigned long long)op->time_ns, (unsigned long long)op->duration_ns,
                              op->kind, (int)op->device, op->stream,
                              (unsigned long long)op->correlation);
        for (uint32_t i = 0; i < op->n_depends; i++)
            n += (size_t)snprintf(to + n, room - n, "<%llu", (unsigned long long)op->depends[i]);
        n += (size_t)snprintf(to + n, room - n, "\n");
    }
    cr_assert_eq(rc, 0, "%s", e.msg);
}

#define CALL(name, ts, dur, c)                                                                     \
    "{\"ph\":\"X\",\"cat\":\"cuda_runtime\",\"name\":\"" name "\",\"pid\":9,\"tid\":9,\"ts\":" ts  \
    ",\"dur\":" dur ",\"args\":{\"correlation\":" c "}},"
#define DEVICE(cat, name, stream, ts, dur, c)                                                      \
    "{\"ph\":\"X\",\"cat\":\"" cat "\",\"name\":\"" name "\",\"pid\":0,\"tid\":7,\"ts\":" ts       \
    ",\"dur\":" dur ",\"args\":{\"device\":0,\"stream\":" stream ",\"correlation\":" c "}},"
#define NOTE(name, more, c)                                                                        \
    "{\"ph\":\"X\",\"cat\":\"cuda_sync\",\"name\":\"" name                                         \
    "\",\"ts\":1,\"dur\":1,\"args\":{\"correlation\":" c ",\"device\":0," more "}},"
#define END "{\"ph\":\"M\",\"name\":\"process_name\"}"

static const struct {
    const char *what, *events, *rows;
} cases[] = {
    {"nothing of interest", "", ""},
    {"any order, launch before its kernel, decimals to the ns",
     DEVICE("kernel", "k", "7", "1695835542514261.125", "2.0005", "4")
         CALL("cudaLaunchKernel", "1695835542514260.0", "0.25", "4"),
     "0+250 k7 -1/9 c4\n1125+2001 k0 0/7 c4\n"},
    {"a launch and its kernel at one time",
     DEVICE("Kernel", "k", "7", "5", "1", "4") CALL("cudaLaunchKernel", "5", "1", "4"),
     "0+1000 k7 -1/9 c4\n0+1000 k0 0/7 c4\n"},
    {"copies by direction, memset, collectives",
     DEVICE("gpu_memcpy", "Memcpy HtoD (Pinned -> Device)", "7", "1", "1", "1")
         DEVICE("gpu_memcpy", "CopyDeviceToHost", "7", "2", "1", "2")
             DEVICE("Memcpy", "Memcpy DtoD (Device -> Device)", "7", "3", "1", "3")
                 DEVICE("gpu_memcpy", "Memcpy PtoP (Device -> Device)", "7", "4", "1", "4")
                     DEVICE("gpu_memset", "Memset (Device)", "7", "5", "1", "5")
                         DEVICE("kernel", "ncclDevKernel_AllReduce", "7", "6", "1", "6"),
     "0+1000 k1 0/7 c1\n1000+1000 k2 0/7 c2\n2000+1000 k3 0/7 c3\n3000+1000 k4 0/7 c4\n"
     "4000+1000 k5 0/7 c5\n5000+1000 k6 0/7 c6\n"},
    {"a stream's wait without a note: the last stream of the thread",
     CALL("cudaLaunchKernel", "0", "1", "1") CALL("cudaLaunchKernel", "1", "1", "2")
         CALL("cudaStreamSynchronize", "3", "20", "3") DEVICE("kernel", "k", "7", "5", "4", "1")
             DEVICE("kernel", "k", "8", "5", "10", "2"),
     "0+1000 k7 -1/9 c1\n1000+1000 k7 -1/9 c2\n3000+20000 k8 -1/9 c3<2\n5000+4000 k0 0/7 c1\n"
     "5000+10000 k0 0/8 c2\n"},
    {"the same, when that stream had not ended: another one's",
     CALL("cudaLaunchKernel", "0", "1", "1") CALL("cudaLaunchKernel", "1", "1", "2")
         CALL("cudaStreamSynchronize", "3", "7", "3") DEVICE("kernel", "k", "7", "5", "4", "1")
             DEVICE("kernel", "k", "8", "5", "90", "2"),
     "0+1000 k7 -1/9 c1\n1000+1000 k7 -1/9 c2\n3000+7000 k8 -1/9 c3<1\n5000+4000 k0 0/7 c1\n"
     "5000+90000 k0 0/8 c2\n"},
    {"with a note: the stream that it names",
     CALL("cudaLaunchKernel", "0", "1", "1") CALL("cudaLaunchKernel", "1", "1", "2")
         CALL("cudaStreamSynchronize", "3", "20", "3") NOTE("Stream Sync", "\"stream\":7", "3")
             DEVICE("kernel", "k", "7", "5", "4", "1") DEVICE("kernel", "k", "8", "5", "10", "2"),
     "0+1000 k7 -1/9 c1\n1000+1000 k7 -1/9 c2\n3000+20000 k8 -1/9 c3<1\n5000+4000 k0 0/7 c1\n"
     "5000+10000 k0 0/8 c2\n"},
    {"a device's wait: every stream of it",
     CALL("cudaLaunchKernel", "0", "1", "1") CALL("cudaLaunchKernel", "1", "1", "2")
         CALL("cudaDeviceSynchronize", "3", "20", "3") DEVICE("kernel", "k", "7", "5", "4", "1")
             DEVICE("kernel", "k", "8", "5", "10", "2"),
     "0+1000 k7 -1/9 c1\n1000+1000 k7 -1/9 c2\n3000+20000 k8 -1/9 c3<1<2\n5000+4000 k0 0/7 c1\n"
     "5000+10000 k0 0/8 c2\n"},
    {"a stream waits for an event: what was launched before its record, and only from there on",
     CALL("cudaLaunchKernel", "0", "1", "1") CALL("cudaEventRecord", "2", "1", "2")
         CALL("cudaLaunchKernel", "3", "1", "3") CALL("cudaLaunchKernel", "5", "1", "4")
             CALL("cudaStreamWaitEvent", "7", "1", "5") CALL("cudaLaunchKernel", "9", "1", "6")
                 NOTE("Stream Wait Event",
                      "\"stream\":8,\"wait_on_stream\":7,\"wait_on_cuda_event_record_corr_id\":2",
                      "5") DEVICE("kernel", "k", "7", "10", "5", "1")
                     DEVICE("kernel", "k", "7", "15", "5", "3")
                         DEVICE("kernel", "k", "8", "10", "2", "4")
                             DEVICE("kernel", "k", "8", "16", "2", "6"),
     "0+1000 k7 -1/9 c1\n2000+1000 k9 -1/9 c2\n3000+1000 k7 -1/9 c3\n5000+1000 k7 -1/9 c4\n"
     "7000+1000 k9 -1/9 c5\n9000+1000 k7 -1/9 c6\n10000+5000 k0 0/7 c1\n10000+2000 k0 0/8 c4\n"
     "15000+5000 k0 0/7 c3\n16000+2000 k0 0/8 c6<1\n"},
    {"a copy that had ended when its call returned was waited for",
     CALL("cudaMemcpy", "0", "10", "1")
         DEVICE("gpu_memcpy", "Memcpy DtoH (Device -> Pageable)", "7", "4", "5", "1"),
     "0+4000 k7 -1/9 c1\n4000+6000 k8 -1/9 c0<1\n4000+5000 k2 0/7 c1\n"},
    {"a graph is one launch of many, in two streams",
     CALL("cudaGraphLaunch", "0", "1", "1") DEVICE("kernel", "k", "7", "2", "1", "1")
         DEVICE("kernel", "k", "7", "3", "1", "1") DEVICE("kernel", "k", "8", "3", "2", "1")
             CALL("cudaDeviceSynchronize", "2", "9", "2"),
     "0+1000 k7 -1/9 c1\n2000+9000 k8 -1/9 c2<1\n2000+1000 k0 0/7 c1\n3000+1000 k0 0/7 c1\n"
     "3000+2000 k0 0/8 c1\n"},
    {"AMD's calls have addresses and kinds of their own",
     "{\"ph\":\"X\",\"cat\":\"cuda_runtime\",\"name\":\"hipMemcpyWithStream\",\"tid\":9,\"ts\":0,"
     "\"dur\":9,\"args\":{\"stream\":\"0x5f\",\"kind\":\"1\",\"bytes\":\"4\",\"correlation\":\"3\"}"
     "},"
     "{\"ph\":\"X\",\"cat\":\"gpu_memcpy\",\"name\":\"Memcpy HtoD (Host -> "
     "Device)\",\"pid\":2,\"tid\":1,"
     "\"ts\":3,\"dur\":4,\"args\":{\"kind\":\"HtoD\",\"stream\":\"0x5f\",\"correlation\":3}},",
     "0+3000 k7 -1/9 c3\n3000+6000 k8 -1/9 c0<3\n3000+4000 k1 2/1 c3\n"},
    {"copies from host to host are left out",
     DEVICE("gpu_memcpy", "Memcpy HtoH (Host -> Host)", "7", "5", "1", "1")
         DEVICE("gpu_memset", "Memset", "7", "9", "1", "2"),
     "0+1000 k5 0/7 c2\n"},
    {"a wait for an event of a stream: what had been launched there, if it had ended",
     CALL("cudaLaunchKernel", "0", "1", "1") CALL("cudaStreamWaitEvent", "2", "1", "2")
         CALL("cudaLaunchKernel", "3", "1", "3") CALL("cudaLaunchKernel", "4", "1", "4")
             CALL("cudaStreamWaitEvent", "5", "1", "5") CALL("cudaLaunchKernel", "6", "1", "6")
                 NOTE("Stream Wait Event", "\"stream\":8,\"wait_on_stream\":7", "2")
                     NOTE("Stream Wait Event", "\"stream\":8,\"wait_on_stream\":7", "5")
                         DEVICE("kernel", "k", "7", "10", "5", "1")
                             DEVICE("kernel", "k", "7", "15", "500", "4")
                                 DEVICE("kernel", "k", "8", "20", "1", "3")
                                     DEVICE("kernel", "k", "8", "21", "1", "6"),
     "0+1000 k7 -1/9 c1\n2000+1000 k9 -1/9 c2\n3000+1000 k7 -1/9 c3\n4000+1000 k7 -1/9 c4\n"
     "5000+1000 k9 -1/9 c5\n6000+1000 k7 -1/9 c6\n10000+5000 k0 0/7 c1\n15000+500000 k0 0/7 c4\n"
     "20000+1000 k0 0/8 c3<1\n21000+1000 k0 0/8 c6\n"},
    {"a call within a call of the same correlation goes",
     CALL("cuLaunchKernel", "1", "1", "1") CALL("cudaLaunchKernel", "0", "3", "1")
         DEVICE("kernel", "k", "7", "5", "1", "1"),
     "0+3000 k7 -1/9 c1\n5000+1000 k0 0/7 c1\n"},
};

ParameterizedTestParameters(kineto, rows)
{
    static int row[sizeof cases / sizeof *cases];
    for (size_t i = 0; i < sizeof row / sizeof *row; i++)
        row[i] = (int)i;
    return cr_make_param_array(int, row, sizeof row / sizeof *row);
}

ParameterizedTest(int *i, kineto, rows)
{
    char text[8192], got[4096];
    struct err e = {0};
    snprintf(text, sizeof text, "{\"traceEvents\":[%s" END "]}", cases[*i].events);
    struct importer *im = open_text(text, 0, &e);
    cr_assert(im, "%s: %s", cases[*i].what, e.msg);
    describe(im, got, sizeof got);
    cr_expect_str_eq(got, cases[*i].rows, "%s:\n%s", cases[*i].what, got);
    import_close(im);
}

static const struct {
    const char *text, *says;
} bad[] = {
    {"{\"traceEvents\":[\n {\"ph\":\"X\",}]}",
     "t:2:12: got no JSON (parse error: invalid object key (must be a string)), want a Chrome "
     "trace"},
    {"{\"traceEvents\":[", "t:1:17: got no JSON (parse error: premature EOF), want a Chrome trace"},
    {"{\"events\":[]}", "t:1:1: key \"traceEvents\" is missing"},
    {"[{\"ph\":\"X\",\"cat\":\"kernel\"}]", "t:1:2: key \"name\" is missing"},
    {"[{\"ph\":\"X\",\"cat\":\"kernel\",\"name\":\"k\",\"dur\":1}]",
     "t:1:2: key \"ts\" is missing"},
    {"[{\"ph\":\"X\",\"cat\":\"kernel\",\"name\":\"k\",\"ts\":1}]",
     "t:1:2: key \"dur\" is missing"},
    {"[{\"ph\":\"X\",\"cat\":\"kernel\",\"name\":\"k\",\n\"ts\":-1,\"dur\":1}]",
     "t:2:6: got -1, want a decimal count of microseconds below 2^62 ns"},
    {"[{\"ph\":\"X\",\"cat\":\"kernel\",\"name\":\"k\",\n\"ts\":\"1\",\"dur\":1}]",
     "t:2:6: got 1, want a number of microseconds"},
    {"[{\"ph\":\"X\",\"cat\":\"kernel\",\"name\":\"k\",\"ts\":1,\"dur\":1,\"pid\":\"x\"}]",
     "t:1:2: key \"args.device\" is missing"},
    {"[{\"ph\":\"X\",\"cat\":\"gpu_memcpy\",\"name\":\"Memcpy ?\",\"ts\":1,\"dur\":1}]",
     "t:1:2: this copy's name does not say which way it goes"},
    {"[{\"ph\":\"X\",\"cat\":\"kernel\",\"name\":\"k\",\"ts\":1,\"dur\":1,\"args\":{\"device\":"
     "9999999}}]",
     "t:1:70: got 9999999, want a smaller whole number"},
    {"[{\"ph\":\"X\",\"cat\":\"kernel\",\"name\":\"k\",\"ts\":1,\"dur\":1,\"args\":{\"grid\":[1,2."
     "5]}}]",
     "t:1:71: got 2.5, want a size of a grid or a block"},
    {"[{\"ph\":\"X\",\"cat\":\"kernel\",\"name\":\"k\\u0000\",\"ts\":1,\"dur\":1}]",
     "a name without NUL bytes"},
    {"[{\"ph\":\"X\",\"cat\":\"kernel\",\"name\":\"k\",\"ts\":1,\"dur\":1,\"args\":{"
     "\"correlation\":"
     "2000000000000000,\"device\":0,\"stream\":0}}]",
     "t:1:2: its correlation is above 2^50"},
    {"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[",
     "t:1:65: got more than 64 levels, want a Chrome trace"},
};

ParameterizedTestParameters(kineto, sentences)
{
    static int row[sizeof bad / sizeof *bad];
    for (size_t i = 0; i < sizeof row / sizeof *row; i++)
        row[i] = (int)i;
    return cr_make_param_array(int, row, sizeof row / sizeof *row);
}

ParameterizedTest(int *i, kineto, sentences)
{
    struct err e = {0};
    struct importer *im = open_text(bad[*i].text, 0, &e);
    cr_assert_null(im, "%s", bad[*i].text);
    cr_expect_eq(e.code, ERR_EPARSE);
    cr_expect(strstr(e.msg, bad[*i].says), "got \"%s\"\nwant \"%s\"", e.msg, bad[*i].says);
}

Test(kineto, bad_events_may_be_passed_over)
{
    char got[256];
    struct err e = {0};
    const char *text =
        "[{\"ph\":\"X\",\"cat\":\"kernel\"}," DEVICE("kernel", "k", "7", "5", "1", "1")
            DEVICE("kernel", "k", "7", "-1", "1", "1") END "]";
    struct importer *im = open_text(text, 2, &e);
    cr_assert(im, "%s", e.msg);
    describe(im, got, sizeof got);
    cr_expect_str_eq(got, "0+1000 k0 0/7 c1\n");
    cr_expect_eq(import_meta(im)->skipped_rows, 2);
    import_close(im);
    cr_expect_null(open_text(text, 1, &e));
    cr_expect(strstr(e.msg, "got -1, want a decimal"), "%s", e.msg);
}

Test(kineto, microseconds_are_read_exactly)
{
    static const struct {
        const char *text;
        uint64_t ns;
    } good[] = {{"1695835542514261.219", 1695835542514261219},
                {"0.0005", 1},
                {"0.00049", 0},
                {"1.5e3", 1500000},
                {"1E0", 1000},
                {"15e-1", 1500},
                {"1.5e-2", 15},
                {"25e-5", 0},
                {"1.695835542514261219e+15", 1695835542514261219}};
    static const char *const none[] = {"-1",     "1e", "e5", "1e99", "9e18", "5000000000000000",
                                       "1.5e+-3"};
    uint64_t got;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        cr_expect(kineto_ns(good[i].text, strlen(good[i].text), &got), "%s", good[i].text);
        cr_expect_eq(got, good[i].ns, "%s: %llu", good[i].text, (unsigned long long)got);
    }
    for (size_t i = 0; i < sizeof none / sizeof *none; i++)
        cr_expect_not(kineto_ns(none[i], strlen(none[i]), &got), "%s", none[i]);
}

Test(kineto, sizes)
{
    struct err e = {0};
    union trace_row row;
    struct importer *im = open_text(
        "[" DEVICE("kernel", "k", "7", "0", "1",
                   "1,\"grid\":[2,3,5],\"block\":[32,2,1],\"registers per thread\":40,"
                   "\"shared memory\":4096")
            DEVICE("kernel", "ncclDevKernel_AllGather", "7", "1", "1",
                   "2,\"In msg nelems\":100,\"Out msg nelems\":800,\"dtype\":\"BFloat16\"")
                DEVICE("gpu_memcpy", "Memcpy HtoD", "7", "2", "1", "3,\"bytes\":77") END "]",
        0, &e);
    cr_assert(im, "%s", e.msg);
    cr_assert_eq(import_next(im, &row, &e), 1);
    cr_expect(row.op.grid == 30 && row.op.block == 64 && row.op.registers == 40 &&
              row.op.smem == 4096 && row.op.bytes == 0);
    cr_assert_eq(import_next(im, &row, &e), 1);
    cr_expect_eq(row.op.bytes, 1600);
    cr_assert_eq(import_next(im, &row, &e), 1);
    cr_expect_eq(row.op.bytes, 77);
    import_close(im);
}

/* Devices first, each in its order, as profilers write: more than memory is given for. */
Test(kineto, a_long_profile_is_sorted_on_disk)
{
    const unsigned n = 200000;
    struct err e = {0};
    union trace_row row;
    char *text;
    size_t len;
    FILE *to = open_memstream(&text, &len);
    fputs("[", to);
    for (unsigned i = 1; i <= n; i++)
        fprintf(to, DEVICE("kernel", "k%u", "7", "%u5", "7", "%u"), i % 9, i, i);
    for (unsigned i = 1; i <= n; i++)
        fprintf(to, CALL("cudaLaunchKernel", "%u0", "4", "%u"), i, i);
    fputs(END "]", to);
    fclose(to);
    struct importer *im = open_text(text, 0, &e);
    cr_assert(im, "%s", e.msg);
    for (unsigned i = 0; i < 2 * n; i++) {
        cr_assert_eq(import_next(im, &row, &e), 1, "%s", e.msg);
        cr_assert_eq(row.op.time_ns, 5000 * (uint64_t)i);
        cr_assert_eq(row.op.correlation, i / 2 + 1);
        cr_assert_eq(row.op.kind, i % 2 ? TRACE_OP_KERNEL : TRACE_OP_LAUNCH);
    }
    cr_assert_eq(import_next(im, &row, &e), 0);
    import_close(im);
    free(text);
}

Test(kineto, calendar_and_notes)
{
    struct err e = {0};
    char got[512];
    struct importer *im = open_text(
        "{\"deviceProperties\":[{\"id\":0,\"name\":\"NVIDIA X=1\"}],\"traceEvents\":[" DEVICE(
            "kernel", "k", "7", "1000000", "1", "1") END
        "],\"baseTimeNanoseconds\":1700000000000000000}",
        0, &e);
    cr_assert(im, "%s", e.msg);
    describe(im, got, sizeof got);
    cr_expect_str_eq(import_meta(im)->epoch, "2023-11-14 22:13:21.000000000");
    cr_expect_str_eq(import_meta(im)->notes, "device=NVIDIA X 1;events=2;X events by cat:kernel=1");
    import_close(im);
}
