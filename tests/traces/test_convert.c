/* Whole traces: import, export, import gives the same; verify notices what is not as it was. */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <hdf5.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "traces/convert.h"

static char store[64], store2[64], text[64];

static void begin(void)
{
    snprintf(store, sizeof store, "/tmp/malv-convert-%ld.h5", (long)getpid());
    snprintf(store2, sizeof store2, "/tmp/malv-convert-%ld-2.h5", (long)getpid());
    snprintf(text, sizeof text, "/tmp/malv-convert-%ld.txt", (long)getpid());
}

static void end(void)
{
    unlink(store);
    unlink(store2);
    unlink(text);
}

TestSuite(convert, .init = begin, .fini = end);

static const char *const published[] = {
    "azure-llm-2023/AzureLLMInferenceTrace_code.csv",
    "azure-llm-2023/AzureLLMInferenceTrace_conv.csv",
    "mooncake-fast25/conversation_trace.jsonl",
    "mooncake-fast25/toolagent_trace.jsonl",
    "mooncake-fast25/synthetic_trace.jsonl",
    "burstgpt-format-sample/burstgpt_sample.csv",
    "spec2006-memtraces/403.gcc",
    "spec2006-memtraces/444.namd",
    "spec2006-memtraces/447.dealII",
    "alibaba-openb-2023/openb_pod_list_default.csv",
    "alibaba-openb-2023/openb_pod_list_cpu250.csv",
    "alibaba-openb-2023/openb_pod_list_gpushare100.csv",
    "alibaba-openb-2023/openb_pod_list_gpuspec33.csv",
    "alibaba-openb-2023/openb_pod_list_multigpu50.csv",
    "alibaba-openb-2023/openb_node_list_all_node.csv",
    "alibaba-openb-2023/openb_node_list_gpu_node.csv",
};

ParameterizedTestParameters(convert, published_files_come_back_byte_for_byte)
{
    static int row[sizeof published / sizeof *published];
    for (size_t i = 0; i < sizeof row / sizeof *row; i++)
        row[i] = (int)i;
    return cr_make_param_array(int, row, sizeof row / sizeof *row);
}

static bool locate(const char *file, char *path, size_t n)
{
    static const char *const ends[] = {"", ".xz", ".gz", ".zst"};
    const char *data = getenv("MALV_DATA");
    for (int i = 0; i < 4; i++) {
        snprintf(path, n, "%s/%s%s", data ? data : "../shared/traces", file, ends[i]);
        if (access(path, R_OK) == 0)
            return true;
    }
    return false;
}

static struct trace_meta to_store(const char *from, const char *to)
{
    struct err e = {0};
    struct trace_file *f;
    struct trace_meta m;
    cr_assert_eq(trace_file_open(&f, from, NULL, 0, &e), 0, "%s", e.msg);
    cr_assert_eq(convert_to_store(f, to, STORE_DEFLATE, &m, NULL, NULL, &e), 0, "%s", e.msg);
    trace_file_close(f);
    return m;
}

static void to_text(const char *from, const char *to)
{
    struct err e = {0};
    struct trace_file *f;
    cr_assert_eq(trace_file_open(&f, from, NULL, 0, &e), 0, "%s", e.msg);
    FILE *out = fopen(to, "wb");
    cr_assert_eq(convert_export(f, trace_file_format(f), out, &e), 0, "%s", e.msg);
    fclose(out);
    trace_file_close(f);
}

/* The digest of the decoded bytes is the same: so are the bytes. */
ParameterizedTest(int *row, convert, published_files_come_back_byte_for_byte, .init = begin,
                  .fini = end)
{
    char path[512];
    struct err e = {0};
    struct trace_meta verified;
    if (!locate(published[*row], path, sizeof path))
        cr_skip_test("%s is not here", published[*row]);
    struct trace_meta first = to_store(path, store);
    to_text(store, text);
    struct trace_meta again = to_store(text, store2);
    cr_expect_str_eq(again.input_sha256, first.input_sha256, "%s", path);
    cr_expect_str_eq(again.digest, first.digest, "%s", path);
    cr_expect_eq(convert_verify(store, &verified, NULL, NULL, &e), 0, "%s", e.msg);
}

/* The lines of ftrace say more than the records hold: the records come back. */
Test(convert, a_scheduler_trace_comes_back_record_by_record)
{
    char path[512];
    if (!locate("linux-sched/lisa_trace.txt", path, sizeof path))
        cr_skip_test("linux-sched/lisa_trace.txt is not here");
    struct trace_meta first = to_store(path, store);
    to_text(store, text);
    struct trace_meta again = to_store(text, store2);
    cr_expect_str_eq(again.digest, first.digest);
    cr_expect_eq(first.sched, 2941);
}

/* A profile says more than its timeline: the records come back. */
Test(convert, profiles_come_back_record_by_record)
{
    static const struct {
        const char *file;
        uint64_t rows;
    } known[] = {{"kineto-chakra/param__resnet_kineto.json", 36042},
                 {"kineto-chakra/hta__critical_path__alexnet__benchmark_result_2869224_1695835535_"
                  "trace.json",
                  459}};
    char path[512];
    for (int i = 0; i < 2; i++) {
        if (!locate(known[i].file, path, sizeof path))
            cr_skip_test("%s is not here", known[i].file);
        struct trace_meta first = to_store(path, store);
        to_text(store, text);
        struct trace_meta again = to_store(text, store2);
        cr_expect_str_eq(again.digest, first.digest);
        cr_expect_str_eq(again.epoch, first.epoch);
        cr_expect_eq(first.ops, known[i].rows);
    }
}

static void synthesize(const char *preset, uint64_t n, struct trace_meta *m)
{
    struct err e = {0};
    struct synth_any p;
    cr_assert_eq(synth_any_preset(preset, &p, &e), 0, "%s", e.msg);
    p.p.requests.requests = n;
    cr_assert_eq(convert_synth(&p, 1, store, STORE_DEFLATE, m, NULL, NULL, &e), 0, "%s", e.msg);
}

/* The same records on every machine: these digests were made on one of them.  A change here is a
 * change of every result that replays a synthesized trace.                  */
static const struct {
    const char *preset, *digest;
} golden[] = {
    {"azure-code", "2eb3310eb237a7afa4a2c271aedc67f849693bcf5f2ab1785d5587f21bbe26ea"},
    {"azure-conv", "25ead93c6fcee5f7935c2b8d22a17e9b5690566f22fffba50b3d984330916852"},
    {"mooncake", "50c856525807fa9258f5023e48168fdbb1edef1acaa3f48107257d565e243725"},
    {"burstgpt", "23bc1035207e17d95433a00df979b537fc5d3069c8467c6bf993ea46de5dbc3f"},
    {"mixed", "a23f860778790c72857a30b203130de733151dbb26de8cedd66ec3f7ed9937a3"},
};

Test(convert, synthesized_traces_are_the_same_everywhere)
{
    for (size_t i = 0; i < sizeof golden / sizeof *golden; i++) {
        struct trace_meta m;
        synthesize(golden[i].preset, 2000, &m);
        cr_expect_str_eq(m.digest, golden[i].digest, "%s", golden[i].preset);
    }
}

static void overwrite(const char *dataset, hsize_t row, uint64_t v)
{
    hsize_t one = 1;
    hid_t f = H5Fopen(store, H5F_ACC_RDWR, H5P_DEFAULT), d = H5Dopen2(f, dataset, H5P_DEFAULT);
    hid_t mem = H5Screate_simple(1, &one, NULL), file = H5Dget_space(d);
    H5Sselect_hyperslab(file, H5S_SELECT_SET, &row, NULL, &one, NULL);
    cr_assert_geq(H5Dwrite(d, H5T_NATIVE_UINT64, mem, file, H5P_DEFAULT, &v), 0);
    H5Sclose(mem);
    H5Sclose(file);
    H5Dclose(d);
    H5Fclose(f);
}

static void rewrite_number(const char *name, uint64_t v)
{
    hid_t f = H5Fopen(store, H5F_ACC_RDWR, H5P_DEFAULT), a = H5Aopen(f, name, H5P_DEFAULT);
    cr_assert_geq(H5Awrite(a, H5T_NATIVE_UINT64, &v), 0);
    H5Aclose(a);
    H5Fclose(f);
}

static void expect_missed(const char *what)
{
    struct err e = {0};
    struct trace_meta m;
    cr_expect_eq(convert_verify(store, &m, NULL, NULL, &e), ERR_ETOL, "%s: %s", what, e.msg);
    cr_expect(strstr(e.msg, what), "got \"%s\", want \"%s\" in it", e.msg, what);
}

Test(convert, verify_notices_a_changed_record)
{
    struct trace_meta m;
    synthesize("mooncake", 300, &m);
    overwrite("requests/output_tokens", 123, 77777);
    expect_missed("attribute digest says ");
}

Test(convert, verify_notices_a_changed_prefix)
{
    struct trace_meta m;
    synthesize("mooncake", 300, &m);
    overwrite("requests/prefix", 5, 1);
    expect_missed("attribute digest says ");
}

Test(convert, verify_notices_time_going_back)
{
    struct trace_meta m;
    synthesize("mixed", 300, &m);
    overwrite("requests/time_ns", 200, 1);
    expect_missed("damaged: time_ns goes back near row 200");
}

Test(convert, verify_notices_offsets_out_of_order)
{
    struct trace_meta m;
    synthesize("mooncake", 300, &m);
    overwrite("requests/prefix_end", 100, UINT64_MAX);
    expect_missed("damaged: prefix_end near row 100");
}

Test(convert, verify_notices_a_name_that_is_not_there)
{
    struct trace_meta m;
    synthesize("mixed", 300, &m);
    overwrite("requests/model", 7, 3);
    expect_missed("row 7: column model: got name 3 of 0");
}

Test(convert, verify_notices_wrong_counts)
{
    struct trace_meta m;
    synthesize("mixed", 300, &m);
    rewrite_number("span_ns", 5);
    expect_missed("attribute span_ns says 5, the records say ");
    rewrite_number("requests", 299);
    expect_missed("got 300 rows, want 299");
}
