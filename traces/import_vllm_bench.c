/* import_vllm_bench.c - requests.jsonl of LLMServingSim's vLLM benchmark: one JSON object a line.
 *
 * {"request_id": "..", "input_toks": n, "output_toks": n, "arrival_time": seconds since 1970, ..}
 * What the run measured of the request (queued_ts, scheduled_ts, first_token_ts, last_token_ts, on
 * a clock of its own) has no place in a trace of requests: a model that is to meet it may not see
 * it.  request_id is not kept.  Keys may come in any order; one that is not known is refused.   */
#include <string.h>

#include "traces/import.h"
#include "traces/json.h"
#include "traces/parse.h"

#define TOKENS_MAX 100000000u
#define NS_PER_S   UINT64_C(1000000000)
#define TIME_MAX   (UINT64_MAX / 4)

enum { SEEN_TIME = 1, SEEN_INPUT = 2, SEEN_OUTPUT = 4, SEEN_ALL = 7 };
static const struct {
    const char *key;
    unsigned bit; /* 0: passed over */
} members[] = {
    {"arrival_time", SEEN_TIME}, {"input_toks", SEEN_INPUT}, {"output_toks", SEEN_OUTPUT},
    {"request_id", 0},           {"queued_ts", 0},           {"scheduled_ts", 0},
    {"first_token_ts", 0},       {"last_token_ts", 0},
};
#define MEMBERS (sizeof members / sizeof *members)

static bool bench_sniff(const char *head, size_t len)
{
    static const char input[] = "\"input_toks\"", at[] = "\"arrival_time\"";
    return len && head[0] == '{' && memmem(head, len, input, sizeof input - 1) &&
           memmem(head, len, at, sizeof at - 1);
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

static void tokens(struct json *j, uint32_t *out)
{
    uint64_t v = 0;
    json_u64(j, TOKENS_MAX, &v);
    *out = (uint32_t)v;
}

static void member(struct json *j, struct trace_request *r, unsigned *seen)
{
    const char *key;
    size_t len, i = 0;
    const size_t key_at = j->at;
    if (!json_key(j, &key, &len))
        return;
    while (i < MEMBERS && (len != strlen(members[i].key) || memcmp(key, members[i].key, len)))
        i++;
    if (i == MEMBERS || *seen & members[i].bit) {
        j->at = key_at;
        json_fail(j, i == MEMBERS ? "a key of vLLM's benchmark (arrival_time, input_toks, ..)"
                                  : "every key once");
        return;
    }
    *seen |= members[i].bit;
    switch (members[i].bit) {
    case SEEN_TIME:
        seconds(j, &r->time_ns);
        break;
    case SEEN_INPUT:
        tokens(j, &r->prompt_tokens);
        break;
    case SEEN_OUTPUT:
        tokens(j, &r->output_tokens);
        break;
    default:
        json_skip(j);
    }
}

static int complain(const struct importer *im, const struct json *j, struct err *e)
{
    const struct lines *l = &im->csv.lines;
    const char *got = l->text + j->at;
    size_t n = strcspn(got, " ,]}:");
    if (n == 0 && j->at < l->len)
        n = 1;
    const char *quote = *got == '"' ? "" : "\"";
    return err_set(e, ERR_EPARSE, "%s:%llu:%zu: got %s%.*s%s, want %s", input_name(l->in),
                   (unsigned long long)l->number, j->at + 1, quote, n < 40 ? (int)n : 40, got,
                   quote, j->wrong);
}

static int missing(const struct importer *im, unsigned seen, struct err *e)
{
    size_t i = 0;
    while (seen & members[i].bit)
        i++;
    return err_set(e, ERR_EPARSE, "%s:%llu:1: key \"%s\" is missing", input_name(im->csv.lines.in),
                   (unsigned long long)im->csv.lines.number, members[i].key);
}

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
    struct lines *l = &im->csv.lines;
    struct json j;
    unsigned seen = 0;
    int rc;
    do
        rc = lines_next(l, e);
    while (rc == 1 && l->len == 0);
    if (rc <= 0)
        return rc;
    json_begin(&j, l->text, l->len);
    if (json_expect(&j, '{', "an object {...}")) {
        do
            member(&j, &out->request, &seen);
        while (json_take(&j, ','));
        json_expect(&j, '}', "a comma or }");
    }
    if (!json_end(&j))
        return complain(im, &j, e);
    if (seen != SEEN_ALL)
        return missing(im, seen, e);
    if ((rc = since_first(im, &out->request.time_ns, e)))
        return rc;
    out->request.model = TRACE_NAME_NONE;
    return 1;
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
