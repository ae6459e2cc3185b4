/* import_vllm_bench.c - requests.jsonl of LLMServingSim's vLLM benchmark: one JSON object a line.
 *
 * {"request_id": "..", "input_toks": n, "output_toks": n, "arrival_time": seconds since 1970, ..}
 * What the run measured of the request (queued_ts, scheduled_ts, first_token_ts, last_token_ts, on
 * a clock of its own) has no place in a trace of requests: a model that is to meet it may not see
 * it.  request_id is not kept.                                                                   */
#include "traces/json_rows.h"
#include "traces/parse.h"

#define TOKENS_MAX 100000000u
#define NS_PER_S   UINT64_C(1000000000)
#define TIME_MAX   (UINT64_MAX / 4)

enum { TIME, INPUT, OUTPUT, NEEDED };
static const char *const keys[] = {"arrival_time",   "input_toks",    "output_toks",
                                   "request_id",     "queued_ts",     "scheduled_ts",
                                   "first_token_ts", "last_token_ts", NULL};

static bool bench_sniff(const char *head, size_t len)
{
    return json_rows_sniff(head, len, "\"input_toks\"", "\"arrival_time\"");
}

/* Seconds since 1970, to a nanosecond. */
static void seconds(struct json *j, uint64_t *ns)
{
    while (j->at < j->len && (j->text[j->at] == ' ' || j->text[j->at] == '\t'))
        j->at++;
    const size_t from = j->at;
    json_skip(j);
    size_t to = j->at;
    if (j->wrong)
        return;
    if (parse_decimal_ns(j->text + from, to - from, NS_PER_S, ns) && *ns <= TIME_MAX)
        return;
    j->at = from;
    json_fail(j, "seconds since 1970");
}

static int value(struct importer *im, struct json *j, unsigned key, struct trace_request *r)
{
    uint64_t v = 0;
    (void)im;
    if (key == TIME) {
        seconds(j, &r->time_ns);
        return 0;
    }
    json_u64(j, TOKENS_MAX, &v);
    *(key == INPUT ? &r->prompt_tokens : &r->output_tokens) = (uint32_t)v;
    return 0;
}

static const struct json_rows rows = {
    keys, NEEDED, "a key of vLLM's benchmark (arrival_time, input_toks, ..)", value};

/* The first arrival is time 0. */
static int since_first(struct importer *im, uint64_t *ns, struct err *e)
{
    if (!*im->meta.epoch) {
        im->time_zero = *ns;
        im->stamp.digits = 9;
        format_stamp(im->meta.epoch, *ns, 9);
    }
    if (*ns < im->time_zero)
        return err_set(e, ERR_EPARSE, "%s:%llu:1: got an arrival before the first row's",
                       input_name(im->csv.lines.in), (unsigned long long)im->csv.lines.number);
    *ns -= im->time_zero;
    return 0;
}

static int bench_row(struct importer *im, union trace_row *out, struct err *e)
{
    int rc = json_rows_next(im, &rows, &out->request, e);
    out->request.model = TRACE_NAME_NONE;
    if (rc == 1 && (rc = since_first(im, &out->request.time_ns, e)) == 0)
        return 1;
    return rc;
}

static void bench_put(struct exporter *x, const union trace_row *row)
{
    const struct trace_request *r = &row->request;
    char at[40];
    format_decimal_ns(at, x->epoch_ns + r->time_ns, NS_PER_S);
    fprintf(x->to, "{\"input_toks\": %u, \"output_toks\": %u, \"arrival_time\": %s}",
            r->prompt_tokens, r->output_tokens, at);
}

const struct import_format import_vllm_bench = {
    .name = "vllm-bench",
    .title = "Requests of LLMServingSim's vLLM benchmark",
    .source = "LLMServingSim, github.com/casys-kaist/LLMServingSim, bench/",
    .licence = "MIT",
    .table = TRACE_REQUESTS,
    .labels = {"input_toks", "output_toks"},
    .sniff = bench_sniff,
    .row = bench_row,
    .put = bench_put,
};
