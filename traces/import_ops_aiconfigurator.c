/* import_ops_aiconfigurator.c - aiconfigurator's operator tables as CSV, told apart by their
 * columns.
 *
 *   gemm_dtype,m,n,k,latency                              "gemm:DTYPE" {m, n, k}
 *   batch_size,isl,num_heads,num_key_value_heads,kv_cache_dtype,latency
 *                                         "prompt_attention:DTYPE" {prompts, tokens, heads, KV
 * heads} batch_size,num_heads,num_key_value_heads,kv_cache_dtype,step,latency
 *                                 "decode_attention:DTYPE" {sequences, context, heads, KV heads}
 *   kernel_source,num_gpus,message_size,latency,backend   "all_reduce:BACKEND" {GPUs, elements}
 *   op_name,nccl_dtype,num_gpus,message_size,latency      "nccl:OP:DTYPE" {GPUs, elements}
 *
 * They are published as Parquet.  A first line "# constants: {"name":"value",..}" has the columns
 * that are the same in every row.  latency is in ms, of one call; kept to a picosecond.         */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "traces/import_text.h"
#include "traces/parse.h"

enum { COLUMNS = 16, KEYS = 4, NAMES = 2, NAME_MOST = 40 };
#define PS_PER_MS UINT64_C(1000000000)
#define TIME_MAX  (UINT64_MAX / 1024)
#define KEY_MAX   (UINT64_C(1) << 40)

static const struct kind {
    const char *prefix;
    const char *key[KEYS];
    const char *name[NAMES]; /* columns, or constants, that the operator's name ends with */
} kinds[] = {
    {"gemm", {"m", "n", "k"}, {"gemm_dtype"}},
    {"prompt_attention",
     {"batch_size", "isl", "num_heads", "num_key_value_heads"},
     {"kv_cache_dtype"}},
    {"decode_attention",
     {"batch_size", "step", "num_heads", "num_key_value_heads"},
     {"kv_cache_dtype"}},
    {"all_reduce", {"num_gpus", "message_size"}, {"backend"}},
    {"nccl", {"num_gpus", "message_size"}, {"op_name", "nccl_dtype"}},
};
#define KINDS (sizeof kinds / sizeof *kinds)

enum { KEY = 0, NAME = KEY + KEYS, TIME = NAME + NAMES, COUNT };
struct table {
    const struct kind *kind;
    char constant[NAMES][NAME_MOST + 1]; /* "": a column says it */
    int column[COUNT];                   /* -1: none */
    int columns;
};

static bool ops_sniff(const char *head, size_t len)
{
    static const char constants[] = "# constants: {\"framework\":\"";
    return len > sizeof constants - 1 && !memcmp(head, constants, sizeof constants - 1);
}

static int column_of(const struct slice *head, int n, const char *name)
{
    for (int i = 0; name && i < n; i++)
        if (slice_is(head[i], name))
            return i;
    return -1;
}

static bool has_keys(const struct kind *k, const struct slice *head, int n)
{
    for (int i = 0; i < KEYS && k->key[i]; i++)
        if (column_of(head, n, k->key[i]) < 0)
            return false;
    return true;
}

/* "name":"value" of the first line. */
static void constant_of(struct slice line, const char *name, char out[NAME_MOST + 1])
{
    struct slice before;
    *out = '\0';
    while (slice_until(&line, "\"", &before)) {
        struct slice key, value;
        if (!slice_until(&line, "\"", &key))
            return;
        if (!slice_is(key, name) || !slice_begins(line, ":\""))
            continue;
        line.s += 2;
        line.n -= 2;
        if (slice_until(&line, "\"", &value) && value.n <= NAME_MOST) {
            memcpy(out, value.s, value.n);
            out[value.n] = '\0';
        }
        return;
    }
}

/* The line's fields, which last until the next line. */
static int split_head(const struct importer *im, struct slice *head, int *n, struct err *e)
{
    struct slice rest = slice_line(im);
    *n = 1;
    for (size_t i = 0; i < rest.n; i++)
        *n += rest.s[i] == ',';
    if (*n > COLUMNS)
        return import_complain(im, rest, e, "a line of at most %d column names", COLUMNS);
    return import_split(im, ',', head, *n, e);
}

static int find_columns(struct importer *im, struct table *t, const struct slice *head,
                        const char *first, struct err *e)
{
    size_t k = 0;
    while (k < KINDS && !has_keys(&kinds[k], head, t->columns))
        k++;
    if (k == KINDS)
        return import_complain(
            im, slice_line(im), e,
            "columns of gemm (m,n,k), attention (batch_size,isl or step,num_heads,"
            "num_key_value_heads) or collectives (num_gpus,message_size)");
    /* the collectives' keys are the same: NCCL's have names of operations */
    const bool nccl = column_of(head, t->columns, "nccl_dtype") >= 0;
    t->kind = strcmp(kinds[k].prefix, "all_reduce") == 0 && nccl ? &kinds[KINDS - 1] : &kinds[k];
    for (int i = 0; i < KEYS; i++)
        t->column[KEY + i] = column_of(head, t->columns, t->kind->key[i]);
    t->column[TIME] = column_of(head, t->columns, "latency");
    for (int i = 0; i < NAMES && t->kind->name[i]; i++) {
        t->column[NAME + i] = column_of(head, t->columns, t->kind->name[i]);
        constant_of(slice_of(first), t->kind->name[i], t->constant[i]);
        if (t->column[NAME + i] < 0 && !*t->constant[i])
            return import_complain(im, slice_line(im), e, "a column or a constant \"%s\"",
                                   t->kind->name[i]);
    }
    return t->column[TIME] < 0 ? import_complain(im, slice_line(im), e, "a column \"latency\"") : 0;
}

static int ops_open(struct importer *im, struct err *e)
{
    struct slice head[COLUMNS];
    char first[2048] = "";
    struct table *t = calloc(1, sizeof *t);
    im->own = t;
    if (!t)
        return err_set(e, ERR_ENOMEM, "out of memory");
    int rc = import_line(im, e);
    if (rc == 1 && slice_begins(slice_line(im), "#")) {
        const struct slice l = slice_line(im);
        memcpy(first, l.s, l.n < sizeof first ? l.n : sizeof first - 1);
        rc = import_line(im, e);
    }
    if (rc <= 0)
        return rc ? rc : import_complain(im, slice_of(""), e, "a line of column names");
    rc = split_head(im, head, &t->columns, e);
    return rc ? rc : find_columns(im, t, head, first, e);
}

static void ops_done(struct importer *im)
{
    free(im->own);
}

/* Up to NAME_MOST letters, digits and _; appended behind a colon. */
static bool append(char *name, struct slice part)
{
    bool ok = part.n > 0 && part.n <= NAME_MOST;
    for (size_t i = 0; ok && i < part.n; i++)
        ok = isalnum((unsigned char)part.s[i]) || part.s[i] == '_';
    if (!ok)
        return false;
    const size_t at = strlen(name);
    name[at] = ':';
    memcpy(name + at + 1, part.s, part.n);
    name[at + 1 + part.n] = '\0';
    return true;
}

static int name_of(struct importer *im, const struct table *t, const struct slice *f, uint32_t *id,
                   struct err *e)
{
    char name[64 + NAMES * (NAME_MOST + 1)];
    snprintf(name, sizeof name, "%s", t->kind->prefix);
    for (int i = 0; i < NAMES && t->kind->name[i]; i++) {
        const int c = t->column[NAME + i];
        const struct slice part = c >= 0 ? f[c] : slice_of(t->constant[i]);
        if (!append(name, part))
            return import_complain(im, part, e, "a name of up to %d letters, digits and _",
                                   NAME_MOST);
    }
    return import_label(im, name, id, e);
}

static int ops_row(struct importer *im, union trace_row *out, struct err *e)
{
    const struct table *t = im->own;
    struct slice f[COLUMNS];
    struct trace_cost *c = &out->cost;
    int rc = import_line(im, e);
    if (rc <= 0)
        return rc;
    if ((rc = import_split(im, ',', f, t->columns, e)))
        return rc;
    c->where = c->with = TRACE_NAME_NONE;
    c->unit = TRACE_COST_PS;
    rc = name_of(im, t, f, &c->name, e);
    for (int i = 0; i < KEYS && !rc && t->kind->key[i]; i++)
        rc = import_u64(im, f[t->column[KEY + i]], KEY_MAX, &c->key[i], e);
    if (rc)
        return rc;
    const struct slice ms = f[t->column[TIME]];
    if (!parse_decimal_ns(ms.s, ms.n, PS_PER_MS, &c->value) || c->value > TIME_MAX)
        return import_complain(im, ms, e, "milliseconds");
    return 1;
}

const struct import_format import_ops_aiconfigurator = {
    .name = "aiconfigurator",
    .title = "aiconfigurator's operator tables: gemm, attention, all-reduce, NCCL",
    .source = "aiconfigurator, github.com/ai-dynamo/aiconfigurator",
    .licence = "Apache-2.0",
    .table = TRACE_COSTS,
    .sniff = ops_sniff,
    .open = ops_open,
    .done = ops_done,
    .row = ops_row,
};
