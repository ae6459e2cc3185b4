/* import_ops_llmservingsim.c - LLMServingSim's profiles of a GPU: attention.csv, dense.csv and
 * per_sequence.csv of its folders perf/GPU/MODEL/DTYPE/tpN, told apart by their columns.
 *
 *   layer,tokens,time_us                                        "dense:LAYER" {tokens}
 *   layer,sequences,time_us                                     "sequence:LAYER" {sequences}
 *   prefill_chunk,kv_prefill,n_decode,kv_decode,time_us         "attention" {these four}
 *
 * Times are of one layer, kept to a picosecond.  GPU, model and degree of parallelism are in the
 * folder's name alone and are not said.                                                        */
#include <ctype.h>
#include <string.h>

#include "traces/import.h"
#include "traces/parse.h"

enum kind { DENSE, SEQUENCE, ATTENTION, KINDS };
enum { PLAIN_KEYS = 1, ATTENTION_KEYS = 4, TIME = 4, LAYER = 5 };
static const struct {
    const char *head, *prefix;
    const char *key[ATTENTION_KEYS];
    int keys;
} kinds[KINDS] = {
    {"layer,tokens,time_us", "dense:", {"tokens"}, PLAIN_KEYS},
    {"layer,sequences,time_us", "sequence:", {"sequences"}, PLAIN_KEYS},
    {"prefill_chunk,kv_prefill,n_decode,kv_decode,time_us",
     "attention",
     {"prefill_chunk", "kv_prefill", "n_decode", "kv_decode"},
     ATTENTION_KEYS},
};
#define PS_PER_US UINT64_C(1000000)
#define KEY_MAX   UINT32_MAX
#define TIME_MAX  (UINT64_MAX / 1024)
#define NAME_MOST 80

static bool is_head(const char *head, size_t len, enum kind k)
{
    return len == strlen(kinds[k].head) && !memcmp(head, kinds[k].head, len);
}

static bool ops_sniff(const char *head, size_t len)
{
    return is_head(head, len, DENSE) || is_head(head, len, SEQUENCE) ||
           is_head(head, len, ATTENTION);
}

static int ops_open(struct importer *im, struct err *e)
{
    enum kind k = csv_column(&im->csv, "prefill_chunk") >= 0 ? ATTENTION
                  : csv_column(&im->csv, "sequences") >= 0   ? SEQUENCE
                                                             : DENSE;
    im->flags = k;
    int rc = csv_want_column(&im->csv, "time_us", &im->column[TIME], e);
    for (int i = 0; i < kinds[k].keys && !rc; i++)
        rc = csv_want_column(&im->csv, kinds[k].key[i], &im->column[i], e);
    if (!rc && k != ATTENTION)
        rc = csv_want_column(&im->csv, "layer", &im->column[LAYER], e);
    return rc;
}

static int name_of(struct importer *im, enum kind k, uint32_t *id, struct err *e)
{
    char name[NAME_MOST + 16];
    snprintf(name, sizeof name, "%s", kinds[k].prefix);
    if (k != ATTENTION) {
        const struct csv_field *f = &im->csv.field[im->column[LAYER]];
        bool ok = f->len > 0 && f->len <= NAME_MOST;
        for (size_t i = 0; ok && i < f->len; i++)
            ok = isalnum((unsigned char)f->text[i]) || f->text[i] == '_';
        if (!ok)
            return csv_complain(&im->csv, im->column[LAYER], e,
                                "a layer's name: up to %d letters, digits and _", NAME_MOST);
        const size_t at = strlen(name);
        memcpy(name + at, f->text, f->len);
        name[at + f->len] = '\0';
    }
    return import_label(im, name, id, e);
}

static int ops_row(struct importer *im, union trace_row *out, struct err *e)
{
    struct trace_cost *c = &out->cost;
    const enum kind k = (enum kind)im->flags;
    int rc = csv_next(&im->csv, e);
    if (rc <= 0)
        return rc;
    c->where = c->with = TRACE_NAME_NONE;
    c->unit = TRACE_COST_PS;
    rc = name_of(im, k, &c->name, e);
    for (int i = 0; i < kinds[k].keys && !rc; i++)
        rc = csv_u64(&im->csv, im->column[i], KEY_MAX, &c->key[i], e);
    if (rc)
        return rc;
    const struct csv_field *t = &im->csv.field[im->column[TIME]];
    if (!parse_decimal_ns(t->text, t->len, PS_PER_US, &c->value) || c->value > TIME_MAX)
        return csv_complain(&im->csv, im->column[TIME], e, "microseconds");
    return 1;
}

static void ops_head(struct exporter *x)
{
    fputs(kinds[x->flags % KINDS].head, x->to);
}

static void ops_put(struct exporter *x, const union trace_row *row)
{
    const enum kind k = (enum kind)(x->flags % KINDS);
    const struct trace_cost *c = &row->cost;
    const char *name = names_text(x->names, c->name);
    char time[40];
    if (k != ATTENTION)
        fprintf(x->to, "%s,", name ? name + strlen(kinds[k].prefix) : "");
    for (int i = 0; i < kinds[k].keys; i++)
        fprintf(x->to, "%llu,", (unsigned long long)c->key[i]);
    format_decimal_ns(time, c->value, PS_PER_US);
    fputs(time, x->to);
}

const struct import_format import_ops_llmservingsim = {
    .name = "llmservingsim",
    .title = "LLMServingSim's operator tables: dense, per_sequence, attention",
    .source = "LLMServingSim, github.com/casys-kaist/LLMServingSim",
    .licence = "MIT",
    .table = TRACE_COSTS,
    .csv = true,
    .sniff = ops_sniff,
    .open = ops_open,
    .row = ops_row,
    .head = ops_head,
    .put = ops_put,
};
