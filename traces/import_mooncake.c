/* import_mooncake.c - Mooncake traces (FAST'25): one JSON object a line.
 *
 * {"timestamp": ms, "input_length": n, "output_length": n, "hash_ids": [..]}
 * A hash id names a block of 512 prompt tokens together with all before it:
 * equal leading ids are a shared prefix.  The last block may be partial.    */
#include <stdlib.h>

#include "traces/json_rows.h"

#define TOKENS_MAX 100000000u
#define BLOCKS_MAX (1u << 20)
#define MS_MAX     (UINT64_MAX / 4000000)

enum { TIME, INPUT, OUTPUT, HASHES, KEYS };
static const char *const keys[] = {"timestamp", "input_length", "output_length", "hash_ids", NULL};

static bool mooncake_sniff(const char *head, size_t len)
{
    return json_rows_sniff(head, len, "\"timestamp\"", "\"input_length\"");
}

static int push(struct importer *im, uint64_t id)
{
    if (im->prefix.n == im->prefix.cap) {
        uint32_t cap = im->prefix.cap ? 2 * im->prefix.cap : 256;
        uint64_t *v = realloc(im->prefix.v, cap * sizeof *v);
        if (!v)
            return ERR_ENOMEM;
        im->prefix.v = v;
        im->prefix.cap = cap;
    }
    im->prefix.v[im->prefix.n++] = id;
    return 0;
}

static int hashes(struct importer *im, struct json *j)
{
    im->prefix.n = 0;
    if (!json_expect(j, '[', "an array of block ids") || json_take(j, ']'))
        return 0;
    do {
        uint64_t id;
        if (im->prefix.n == BLOCKS_MAX)
            json_fail(j, "at most 1048576 block ids");
        if (!json_u64(j, UINT64_MAX, &id))
            return 0;
        int rc = push(im, id);
        if (rc)
            return rc;
    } while (json_take(j, ','));
    json_expect(j, ']', "a comma or ]");
    return 0;
}

static int value(struct importer *im, struct json *j, unsigned key, struct trace_request *r)
{
    uint64_t v = 0;
    if (key == HASHES)
        return hashes(im, j);
    json_u64(j, key == TIME ? MS_MAX : TOKENS_MAX, &v);
    if (key == TIME)
        r->time_ns = v * 1000000;
    else
        *(key == INPUT ? &r->prompt_tokens : &r->output_tokens) = (uint32_t)v;
    return 0;
}

static const struct json_rows rows = {keys, KEYS,
                                      "timestamp, input_length, output_length or hash_ids", value};

static int mooncake_row(struct importer *im, union trace_row *out, struct err *e)
{
    int rc = json_rows_next(im, &rows, &out->request, e);
    out->request.model = TRACE_NAME_NONE;
    out->request.n_prefix = im->prefix.n;
    out->request.prefix = im->prefix.v;
    return rc;
}

static void mooncake_put(struct exporter *x, const union trace_row *row)
{
    const struct trace_request *r = &row->request;
    fprintf(x->to,
            "{\"timestamp\": %llu, \"input_length\": %u, \"output_length\": %u, \"hash_ids\": [",
            (unsigned long long)(r->time_ns / 1000000), r->prompt_tokens, r->output_tokens);
    for (uint32_t i = 0; i < r->n_prefix; i++)
        fprintf(x->to, "%s%llu", i ? ", " : "", (unsigned long long)r->prefix[i]);
    fputs("]}", x->to);
}

const struct import_format import_mooncake = {
    .name = "mooncake",
    .title = "Mooncake request traces (FAST'25)",
    .source = "Mooncake FAST'25 release (Qin et al.), github.com/kvcache-ai/Mooncake",
    .licence = "Apache-2.0",
    .table = TRACE_REQUESTS,
    .labels = {"input_length", "output_length"},
    .sniff = mooncake_sniff,
    .row = mooncake_row,
    .put = mooncake_put,
};
