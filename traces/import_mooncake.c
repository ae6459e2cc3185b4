/* import_mooncake.c - Mooncake traces (FAST'25): one JSON object a line.
 *
 * {"timestamp": ms, "input_length": n, "output_length": n, "hash_ids": [..]}
 * A hash id names a block of 512 prompt tokens together with all before it:
 * equal leading ids are a shared prefix.  The last block may be partial.
 * Keys may come in any order; a key that is not among the four is refused.  */
#include <stdlib.h>
#include <string.h>

#include "traces/import.h"
#include "traces/json.h"

#define TOKENS_MAX 100000000u
#define BLOCKS_MAX (1u << 20)
#define MS_MAX     (UINT64_MAX / 4000000)

enum { SEEN_TIME = 1, SEEN_INPUT = 2, SEEN_OUTPUT = 4, SEEN_HASHES = 8, SEEN_ALL = 15 };

static bool mooncake_sniff(const char *head, size_t len)
{
    static const char stamp[] = "\"timestamp\"", input[] = "\"input_length\"";
    return len && head[0] == '{' && memmem(head, len, stamp, sizeof stamp - 1) &&
           memmem(head, len, input, sizeof input - 1);
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

static bool is(const char *key, size_t len, const char *name)
{
    return len == strlen(name) && !memcmp(key, name, len);
}

static int member(struct importer *im, struct json *j, struct trace_request *r, unsigned *seen)
{
    const char *key;
    size_t len;
    uint64_t v = 0;
    unsigned bit;
    int rc = 0;
    size_t key_at = j->at;
    if (!json_key(j, &key, &len))
        return 0;
    if (is(key, len, "timestamp")) {
        bit = SEEN_TIME;
        json_u64(j, MS_MAX, &v);
        r->time_ns = v * 1000000;
    } else if (is(key, len, "input_length")) {
        bit = SEEN_INPUT;
        json_u64(j, TOKENS_MAX, &v);
        r->prompt_tokens = (uint32_t)v;
    } else if (is(key, len, "output_length")) {
        bit = SEEN_OUTPUT;
        json_u64(j, TOKENS_MAX, &v);
        r->output_tokens = (uint32_t)v;
    } else if (is(key, len, "hash_ids")) {
        bit = SEEN_HASHES;
        rc = hashes(im, j);
    } else {
        j->at = key_at;
        json_fail(j, "timestamp, input_length, output_length or hash_ids");
        return 0;
    }
    if (*seen & bit) {
        j->at = key_at;
        json_fail(j, "every key once");
    }
    *seen |= bit;
    return rc;
}

static int complain(const struct importer *im, const struct json *j, const char *want,
                    struct err *e)
{
    const struct lines *l = &im->csv.lines;
    const char *got = l->text + j->at;
    size_t n = strcspn(got, " ,]}:");
    if (n == 0 && j->at < l->len)
        n = 1;
    const char *quote = *got == '"' ? "" : "\"";
    return err_set(e, ERR_EPARSE, "%s:%llu:%zu: got %s%.*s%s, want %s", input_name(l->in),
                   (unsigned long long)l->number, j->at + 1, quote, n < 40 ? (int)n : 40, got,
                   quote, want);
}

static int mooncake_row(struct importer *im, union trace_row *out, struct err *e)
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
        do {
            if ((rc = member(im, &j, &out->request, &seen)) < 0)
                return err_set(e, rc, "out of memory");
        } while (json_take(&j, ','));
        json_expect(&j, '}', "a comma or }");
    }
    if (!json_end(&j))
        return complain(im, &j, j.wrong, e);
    if (seen != SEEN_ALL)
        return err_set(e, ERR_EPARSE, "%s:%llu:1: key \"%s\" is missing", input_name(l->in),
                       (unsigned long long)l->number,
                       !(seen & SEEN_TIME)     ? "timestamp"
                       : !(seen & SEEN_INPUT)  ? "input_length"
                       : !(seen & SEEN_OUTPUT) ? "output_length"
                                               : "hash_ids");
    out->request.model = TRACE_NAME_NONE;
    out->request.n_prefix = im->prefix.n;
    out->request.prefix = im->prefix.v;
    return 1;
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
