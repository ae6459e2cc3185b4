/* What the importers make of good and of bad rows. */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/traces/import_rig.h"

#define AZ "TIMESTAMP,ContextTokens,GeneratedTokens\n"
#define BU "Timestamp,Model,Request tokens,Response tokens,Total tokens,Log Type\n"
#define PO                                                                                         \
    "name,cpu_milli,memory_mib,num_gpu,gpu_milli,gpu_spec,qos,pod_phase,creation_time,deletion_"   \
    "time,scheduled_time\n"
#define AI "m,n,k,gemm_dtype,latency\n"
#define SW                                                                                         \
    "model,hardware,prompt_size,batch_size,token_size,peak_power,average_power,prompt_time,token_" \
    "time,e2e_time,tensor_parallel\n"
#define VB(i, o, t) "{\"input_toks\": " i ", \"output_toks\": " o ", \"arrival_time\": " t "}"
#define NO          "sn,cpu_milli,memory_mib,gpu,model\n"
#define MC(t, i, o, h)                                                                             \
    "{\"timestamp\": " t ", \"input_length\": " i ", \"output_length\": " o ", \"hash_ids\": " h "}"

static const struct {
    const char *format, *text, *want;
} bad[] = {
    {"azure-llm", "", "t:1:1: got an empty file, want a line of column names"},
    {"azure-llm", "TIMESTAMP,ContextTokens\n", "t:1:1: column \"GeneratedTokens\" is missing"},
    {"azure-llm", AZ "2023-11-16 18:17:03,x,10\n",
     "t:2:21: got \"x\", want an integer 0..100000000"},
    {"azure-llm", AZ "2023-11-16 18:17:03,-5,10\n",
     "t:2:21: got \"-5\", want an integer 0..100000000"},
    {"azure-llm", AZ "2023-11-16 18:17:03,5,99999999999999999999\n",
     "t:2:23: got \"99999999999999999999\", want an integer 0..100000000"},
    {"azure-llm", AZ "2023-11-16 18:17:03,5,\n", "t:2:23: got \"\", want an integer 0..100000000"},
    {"azure-llm", AZ "yesterday,5,1\n",
     "t:2:1: got \"yesterday\", want a time YYYY-MM-DD HH:MM:SS.fraction"},
    {"azure-llm", AZ "2023-11-16 18:17:03,5,1\n2023-11-16 18:17:02,5,1\n",
     "t:3:1: got \"2023-11-16 18:17:02\", want a time not before the first row's"},
    {"azure-llm", AZ "2023-11-16 18:17:03,5,1\n2023-11-16 18:17:05,5,1\n2023-11-16 18:17:04,5,1\n",
     "t:4:1: got a time of 1 s, want none before the row above (2 s)"},
    {"azure-llm", AZ "2023-11-16 18:17:03,5,1\n2023-11-16 18:17:04Z,5,1\n",
     "t:3:1: got \"2023-11-16 18:17:04Z\", want the zone of the first row (\"\")"},
    {"azure-llm", AZ "2023-11-16 18:17:03,5\n", "t:2:1: got 2 fields, want 3"},
    {"burstgpt", "Timestamp,Model,Request tokens,Response tokens,Log Type\n",
     "t:1:1: column \"Total tokens\" is missing"},
    {"burstgpt", BU "x,ChatGPT,472,18,490,Conversation log\n",
     "t:2:1: got \"x\", want a number of seconds"},
    {"burstgpt", BU "5,ChatGPT,472,18,490,Chat\n",
     "t:2:22: got \"Chat\", want \"Conversation log\" or \"API log\""},
    {"burstgpt", BU "5,ChatGPT,472,18,490,API log\n4,ChatGPT,1,1,2,API log\n",
     "t:3:1: got a time of 4 s, want none before the row above (5 s)"},
    {"mooncake", "[1]", "t:1:1: got \"[1\", want an object {...}"},
    {"mooncake", MC("0", "5", "6", "[1,2]") "\n" MC("0", "5", "-6", "[1,2]"),
     "t:2:54: got \"-6\", want an integer in range"},
    {"mooncake", MC("0", "5.5", "6", "[1,2]"), "t:1:34: got \"5.5\", want an integer in range"},
    {"mooncake", MC("0", "5", "6", "[1,]"), "t:1:72: got \"]\", want an integer in range"},
    {"mooncake", MC("0", "5", "6", "[1 2]"), "t:1:72: got \"2\", want a comma or ]"},
    {"mooncake", "{\"timestamp\": 0, \"input_length\": 5, \"output_length\": 6}",
     "t:1:1: key \"hash_ids\" is missing"},
    {"mooncake", "{\"timestamp\": 0, \"timestamp\": 1}",
     "t:1:18: got \"timestamp\", want every key once"},
    {"mooncake", "{\"tokens\": 0}",
     "t:1:2: got \"tokens\", want timestamp, input_length, output_length or hash_ids"},
    {"mooncake", MC("0", "5", "6", "[]") "x", "t:1:72: got \"x\", want the end of the line"},
    {"mooncake", "{\"timestamp\": 0, \"input_length\": 5", "t:1:35: got \"\", want a comma or }"},
    {"mooncake", MC("9", "5", "6", "[]") "\n" MC("8", "5", "6", "[]"),
     "t:2:1: got a time of 0.008 s, want none before the row above (0.009 s)"},
    {"openb-pods", "name,cpu_milli,memory_mib,num_gpu\n", "t:1:1: column \"gpu_milli\" is missing"},
    {"openb-pods", "name,cpu_milli,memory_mib,num_gpu,gpu_milli,creation_time\n",
     "t:1:1: column \"gpu_spec\" is missing"},
    {"openb-pods", PO "p,1,1,1,1001,,LS,Running,0,1,0\n",
     "t:2:9: got \"1001\", want an integer 0..1000"},
    {"openb-pods", PO "p,1,1,1,1000,,LS,Running,,1,0\n",
     "t:2:26: got \"\", want an integer 0..8589934592"},
    {"openb-pods", PO "p,1,1,1,1000,,LS,Running,7,6,7\n",
     "t:2:28: got \"6\", want a time not before creation_time (7)"},
    {"philly", "timestamp,duration,cluster\n", "t:1:1: column \"num_gpus\" is missing"},
    {"philly", "timestamp,duration,num_gpus,gpu_time,cluster\n2017-10-09,66.0,1,66.0,a\n",
     "t:2:1: got \"2017-10-09\", want YYYY-MM-DD HH:MM:SS"},
    {"philly", "timestamp,duration,num_gpus,gpu_time,cluster\n2017-10-09 07:01:55,long,1,1,a\n",
     "t:2:21: got \"long\", want seconds"},
    {"pai-sim",
     "job_id,user,num_inst,submit_time,num_gpu,num_cpu,duration,gpu_type\n0,a,1,-1,1,4,9,\n",
     "t:2:7: got \"-1\", want seconds"},
    {"splitwise", SW "m,h,512,1,128,1,0.7,slow,54.8,7168,2\n",
     "t:2:21: got \"slow\", want milliseconds, at most 18014398"},
    {"splitwise", SW "m,h,-5,1,128,1,0.7,1,54.8,7168,2\n",
     "t:2:5: got \"-5\", want an integer 0..4294967295"},
    {"distserve", "[1]", "t: got an array of 1, want an object of models"},
    {"distserve", "{\"m\": {\"two\": {}}}",
     "t: m.two: got an object, want an object, named by its tensor parallelism (1 to 1024)"},
    {"distserve", "{\"m\": {\"2\": {\"prefill\": [1, 2]}}}",
     "t: m.2.prefill: got an array of 2, want three numbers"},
    {"llmservingsim", "layer,tokens\nqkv_proj,1\n", "t:1:1: column \"time_us\" is missing"},
    {"llmservingsim", "layer,tokens,time_us\nqkv proj,1,2.5\n",
     "t:2:1: got \"qkv proj\", want a layer's name: up to 80 letters, digits and _"},
    {"llmservingsim", "layer,sequences,time_us\nlm_head,-1,2.5\n",
     "t:2:9: got \"-1\", want an integer 0..4294967295"},
    {"llmservingsim", "prefill_chunk,kv_prefill,n_decode,kv_decode,time_us\n0,0,1,16,fast\n",
     "t:2:10: got \"fast\", want microseconds"},
    {"aiconfigurator", "m,n,k\n",
     "t:1:1: got \"m,n,k\", want a column or a constant \"gemm_dtype\""},
    {"aiconfigurator", "# constants: {\"gemm_dtype\":\"fp8\"}\nm,n,k\n",
     "t:2:1: got \"m,n,k\", want a column \"latency\""},
    {"aiconfigurator", "x,y\n",
     "t:1:1: got \"x,y\", want columns of gemm (m,n,k), attention (batch_size,isl or "
     "step,num_heads,"
     "num_key_value_heads) or collectives (num_gpus,message_size)"},
    {"aiconfigurator", AI "1,2,3,fp8,1e-3\n", "t:2:11: got \"1e-3\", want milliseconds"},
    {"aiconfigurator", AI "1,2,3,a b,1\n",
     "t:2:7: got \"a b\", want a name of up to 40 letters, digits and _"},
    {"aiconfigurator", AI "1,2,x,fp8,1\n", "t:2:5: got \"x\", want an integer 0..1099511627776"},
    {"vllm-bench", VB("5", "6", "12.5") "\n" VB("5", "6", "12"),
     "t:2:1: got an arrival before the first row's"},
    {"vllm-bench", VB("5", "6", "\"noon\""), "t:1:53: got \"noon\", want seconds since 1970"},
    {"vllm-bench", "{\"input_toks\": 5, \"arrival_time\": 1}",
     "t:1:1: key \"output_toks\" is missing"},
    {"vllm-bench", "{\"tokens\": 5}",
     "t:1:2: got \"tokens\", want a key of vLLM's benchmark (arrival_time, input_toks, ..)"},
    {"openb-nodes", NO "n,1,1,many,T4\n", "t:2:7: got \"many\", want an integer 0..1024"},
};

ParameterizedTestParameters(import, bad_rows_are_sentences)
{
    static int row[sizeof bad / sizeof *bad];
    for (size_t i = 0; i < sizeof row / sizeof *row; i++)
        row[i] = (int)i;
    return cr_make_param_array(int, row, sizeof row / sizeof *row);
}

ParameterizedTest(int *row, import, bad_rows_are_sentences)
{
    struct err e = {0};
    union trace_row r;
    int rc;
    struct importer *im = import_text(bad[*row].format, bad[*row].text, 0, &rc, &e);
    while (rc == 0 && (rc = import_next(im, &r, &e)) == 1)
        rc = 0;
    cr_expect_lt(rc, 0);
    cr_expect_str_eq(e.msg, bad[*row].want);
    import_close(im);
}

Test(import, bad_rows_can_be_left_out_and_are_counted)
{
    struct err e = {0};
    union trace_row r;
    int rc, n = 0;
    static const char text[] =
        AZ "2023-11-16 18:17:03,5,1\nnonsense\n2023-11-16 18:17:05,x,1\n"
           "2023-11-16 18:17:04,5,2\n2023-11-16 18:17:03,5,1\n2023-11-16 18:17:06,7,3\n";
    struct importer *im = import_text("azure-llm", text, 3, &rc, &e);
    while ((rc = import_next(im, &r, &e)) == 1)
        n++;
    cr_assert_eq(rc, 0, "%s", e.msg);
    cr_assert_eq(n, 3);
    cr_assert_eq(import_meta(im)->skipped_rows, 3);
    cr_assert_eq(import_meta(im)->span_ns, UINT64_C(3000000000));
    import_close(im);
    im = import_text("azure-llm", text, 2, &rc, &e);
    while ((rc = import_next(im, &r, &e)) == 1) {
    }
    cr_assert_eq(rc, ERR_ERANGE, "the third bad row is one too many");
    import_close(im);
}

Test(import, azure_times_are_exact_to_a_tick)
{
    struct err e = {0};
    union trace_row r;
    int rc;
    struct importer *im = import_text("azure-llm",
                                      AZ "2023-11-16 23:59:59.9999999,5,1\n"
                                         "2023-11-17 00:00:00.0000001,6,2\n",
                                      0, &rc, &e);
    cr_assert_eq(import_next(im, &r, &e), 1);
    cr_assert_eq(r.request.time_ns, 0);
    cr_assert_eq(import_next(im, &r, &e), 1);
    cr_assert_eq(r.request.time_ns, 200);
    cr_assert_eq(r.request.prompt_tokens, 6);
    cr_assert_str_eq(import_meta(im)->epoch, "2023-11-16 23:59:59.9999999");
    import_close(im);
}

/* The second release inserts two columns; failed requests have no response. */
Test(import, burstgpt_columns_are_found_by_name)
{
    struct err e = {0};
    union trace_row r;
    int rc;
    struct importer *im =
        import_text("burstgpt",
                    "Timestamp,Session ID,Elapsed time,Model,Request tokens,Response tokens,Total "
                    "tokens,Log Type\n"
                    "5.25,17,3.1,GPT-4,472,0,472,API log\n6,abc,,ChatGPT,1,2,3,Conversation log\n",
                    0, &rc, &e);
    cr_assert_eq(rc, 0, "%s", e.msg);
    cr_assert_eq(import_next(im, &r, &e), 1, "%s", e.msg);
    cr_assert_eq(r.request.time_ns, UINT64_C(5250000000));
    cr_assert_eq(r.request.session, 18);
    cr_assert_eq(r.request.tenant, 1);
    cr_assert_eq(r.request.output_tokens, 0);
    cr_assert_str_eq(names_text(im->names, r.request.model), "GPT-4");
    cr_assert_eq(import_next(im, &r, &e), 1, "%s", e.msg);
    cr_assert(r.request.session >> 63, "a session that is a text becomes a hash");
    cr_assert_eq(import_meta(im)->failed_requests, 1);
    import_close(im);
}

Test(import, mooncake_keys_come_in_any_order)
{
    struct err e = {0};
    union trace_row r;
    int rc;
    struct importer *im = import_text("mooncake",
                                      "{\"hash_ids\":[7,18446744073709551615],\"output_length\":3,"
                                      "\"input_length\":513,\"timestamp\":4}\r\n\n",
                                      0, &rc, &e);
    cr_assert_eq(import_next(im, &r, &e), 1, "%s", e.msg);
    cr_assert_eq(r.request.time_ns, 4000000);
    cr_assert_eq(r.request.n_prefix, 2);
    cr_assert_eq(r.request.prefix[1], UINT64_MAX);
    cr_assert_eq(import_next(im, &r, &e), 0, "%s", e.msg);
    import_close(im);
}

Test(import, short_pod_lists_say_nothing_of_times)
{
    struct err e = {0};
    union trace_row r;
    int rc;
    struct importer *im = import_text(
        "openb-pods",
        "name,cpu_milli,memory_mib,num_gpu,gpu_milli\nopenb-pod-0000,12000,16384,1,460\n", 0, &rc,
        &e);
    cr_assert_eq(import_next(im, &r, &e), 1, "%s", e.msg);
    cr_assert_eq(r.job.duration_ns, TRACE_TIME_NONE);
    cr_assert_eq(r.job.wait_ns, TRACE_TIME_NONE);
    cr_assert_eq(r.job.status, TRACE_NAME_NONE);
    cr_assert_eq(r.job.mem_bytes, UINT64_C(16384) << 20);
    import_close(im);
}

/* Bytes in, records, the same bytes out. */
static const struct {
    const char *format, *text;
} round_trips[] = {
    {"azure-llm",
     "TIMESTAMP,ContextTokens,GeneratedTokens\r\n2023-11-16 18:17:03.9799600,4808,10\r\n"
     "2023-11-16 18:17:04.0319601,3180,8"},
    {"azure-llm", AZ "2024-05-10 00:00:00.009930+00:00,1,2\n2024-05-10 00:00:01+00:00,1,2\n"},
    {"azure-llm", AZ},
    {"burstgpt", BU "5,ChatGPT,472,18,490,Conversation log\n6,GPT-4,1,0,1,API log\n"},
    {"burstgpt", "Timestamp,Session ID,Model,Request tokens,Response tokens,Total tokens,Log Type\n"
                 "5,17,ChatGPT,472,18,490,Conversation log\n6,,\"a,\"\"b\"\"\",1,2,3,API log\n"
                 "7,#8000000000000abc,x,1,2,3,API log\n"},
    {"burstgpt", BU "19440110.0,GPT-4,906,446,1352,Conversation log\n"
                    "19440161.5,ChatGPT,36,29,65,Conversation log\n"},
    {"mooncake", MC("0", "6758", "500", "[0, 1, 2]") "\n" MC("3000", "13", "1", "[]") "\n"},
    {"openb-pods", PO "p0,12000,16384,1,1000,V100M16|V100M32,LS,Running,7,12537496,9\n"
                      "p1,6000,12288,0,0,,BE,Pending,3,5,\n"},
    {"openb-pods", "name,cpu_milli,memory_mib,num_gpu,gpu_milli\np0,12000,16384,1,460"},
    {"openb-nodes", NO "n0,32000,262144,0,\nn1,64000,262144,2,P100\n"},
    {"llmservingsim", "layer,tokens,time_us\nqkv_proj,1,54.898\no_proj,16,38.13133\n"},
    {"llmservingsim", "layer,sequences,time_us\nlm_head,1,1096.93\nsampler,1,25"},
    {"llmservingsim", "prefill_chunk,kv_prefill,n_decode,kv_decode,time_us\n0,0,1,16,9.31067\n"
                      "2048,512,1,16,340.771\n"},
    {"vllm-bench", VB("2358", "531", "1787267980.0827403") "\n" VB("1", "2", "1787267981") "\n"},
};

ParameterizedTestParameters(import, export_gives_the_bytes_back)
{
    static int row[sizeof round_trips / sizeof *round_trips];
    for (size_t i = 0; i < sizeof row / sizeof *row; i++)
        row[i] = (int)i;
    return cr_make_param_array(int, row, sizeof row / sizeof *row);
}

ParameterizedTest(int *row, import, export_gives_the_bytes_back)
{
    const char *text = round_trips[*row].text;
    struct err e = {0};
    union trace_row kept[8], r;
    uint64_t blocks[8][8];
    int rc, n = 0;
    char *out = NULL;
    size_t len;
    struct importer *im = import_text(round_trips[*row].format, text, 0, &rc, &e);
    cr_assert_eq(rc, 0, "%s", e.msg);
    while ((rc = import_next(im, &r, &e)) == 1) {
        kept[n] = r;
        if (im->format->table == TRACE_REQUESTS && r.request.n_prefix) {
            memcpy(blocks[n], r.request.prefix, r.request.n_prefix * sizeof **blocks);
            kept[n].request.prefix = blocks[n];
        }
        n++;
    }
    cr_assert_eq(rc, 0, "%s", e.msg);
    FILE *f = open_memstream(&out, &len);
    struct exporter x;
    cr_assert_eq(export_begin(&x, im->format, import_meta(im), im->names, f, &e), 0, "%s", e.msg);
    for (int i = 0; i < n; i++)
        export_row(&x, &kept[i]);
    cr_assert_eq(export_end(&x, &e), 0, "%s", e.msg);
    fclose(f);
    cr_expect_str_eq(out, text);
    free(out);
    import_close(im);
}

Test(import, formats_have_names)
{
    struct err e = {0};
    const struct import_format *f;
    cr_assert_eq(import_format_named("openb-pods", &f, &e), 0);
    cr_assert_eq(import_format_named("azure", &f, &e), ERR_ENAME);
    cr_assert_str_eq(e.msg, "no format \"azure\"; malv trace import --help lists them");
}
