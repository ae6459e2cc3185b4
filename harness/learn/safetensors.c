#include "harness/learn/safetensors.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "harness/base/files.h"
#include "sim/config.h"

#define FILE_MOST   (64u << 20)
#define HEADER_MOST (1u << 20)

struct safetensors {
    unsigned char *bytes; /* the data, after the header */
    uint64_t n_bytes;
    struct config *header;
    struct safetensor *tensor;
    size_t n;
};

static const struct {
    const char *name;
    unsigned bytes;
} dtypes[] = {{"F32", 4},  {"I8", 1},  {"I32", 4}, {"F64", 8}, {"F16", 2}, {"BF16", 2}, {"U8", 1},
              {"BOOL", 1}, {"I16", 2}, {"U16", 2}, {"U32", 4}, {"I64", 8}, {"U64", 8}};

static unsigned dtype_bytes(const char *name)
{
    for (size_t i = 0; i < sizeof dtypes / sizeof *dtypes; i++)
        if (!strcmp(dtypes[i].name, name))
            return dtypes[i].bytes;
    return 0;
}

/* ---- reading ------------------------------------------------------------------ */

struct described { /* one entry of the header, as text says it */
    const char *dtype;
    const struct config *shape, *data_offsets;
};
static const struct config_field described_fields[] = {
    CONFIG_STR(struct described, dtype, true), CONFIG_ANY(struct described, shape, true),
    CONFIG_ANY(struct described, data_offsets, true), CONFIG_END};

static int read_shape(const struct config *c, struct safetensor *t, unsigned size, struct err *e)
{
    if (config_kind(c) != CONFIG_ARRAY || config_count(c) > SAFETENSORS_DIMS)
        return config_complain(c, e, "an array of at most %d sizes", SAFETENSORS_DIMS);
    uint64_t bytes = size;
    t->n_dim = (uint32_t)config_count(c);
    for (uint32_t i = 0; i < t->n_dim; i++) {
        int rc = config_u64(config_at(c, i), 0, FILE_MOST, &t->shape[i], e);
        if (rc)
            return rc;
        bytes *= t->shape[i];
        if (bytes > FILE_MOST)
            return config_complain(c, e, "a tensor of at most %u bytes", FILE_MOST);
    }
    t->bytes = bytes;
    return 0;
}

static int read_tensor(struct safetensors *st, const struct config *c, struct safetensor *t,
                       struct err *e)
{
    struct described d = {0};
    uint64_t from, to;
    int rc = config_fill(c, described_fields, &d, e);
    if (rc)
        return rc;
    unsigned size = dtype_bytes(d.dtype);
    if (!size)
        return config_complain(config_get(c, "dtype"), e, "F32, I8, I32 or another known type");
    *t = (struct safetensor){.name = config_key(c), .dtype = d.dtype};
    if ((rc = read_shape(d.shape, t, size, e)))
        return rc;
    if (config_kind(d.data_offsets) != CONFIG_ARRAY || config_count(d.data_offsets) != 2)
        return config_complain(d.data_offsets, e, "[from, to]");
    if ((rc = config_u64(config_at(d.data_offsets, 0), 0, st->n_bytes, &from, e)) ||
        (rc = config_u64(config_at(d.data_offsets, 1), from, st->n_bytes, &to, e)))
        return rc;
    if (to - from != t->bytes)
        return config_complain(d.data_offsets, e, "%llu bytes, as dtype and shape say",
                               (unsigned long long)t->bytes);
    t->data = st->bytes + from;
    return 0;
}

static int by_place(const void *a, const void *b)
{
    const struct safetensor *x = a, *y = b;
    if (x->data != y->data)
        return (const char *)x->data < (const char *)y->data ? -1 : 1;
    return (x->bytes > y->bytes) - (x->bytes < y->bytes);
}

static int check_cover(struct safetensors *st, const char *name, struct err *e)
{
    if (st->n) /* pointers into one array: comparing them orders the offsets */
        qsort(st->tensor, st->n, sizeof *st->tensor, by_place);
    const unsigned char *at = st->bytes;
    for (size_t i = 0; i < st->n; i++) {
        if (st->tensor[i].data != at)
            return err_set(e, ERR_EPARSE,
                           "%s: tensor %s begins at byte %td, want %td: no holes, no overlaps",
                           name, st->tensor[i].name,
                           (const unsigned char *)st->tensor[i].data - st->bytes, at - st->bytes);
        at += st->tensor[i].bytes;
    }
    if (at != st->bytes + st->n_bytes)
        return err_set(e, ERR_EPARSE, "%s: %llu bytes of data, the tensors cover %td", name,
                       (unsigned long long)st->n_bytes, at - st->bytes);
    return 0;
}

static int check_meta(const struct config *meta, struct err *e)
{
    const char *text;
    if (config_kind(meta) != CONFIG_OBJECT)
        return config_complain(meta, e, "an object of texts");
    for (size_t i = 0; i < config_count(meta); i++) {
        int rc = config_str(config_at(meta, i), &text, e);
        if (rc)
            return rc;
    }
    return 0;
}

static int read_all(struct safetensors *st, const char *name, struct err *e)
{
    if (config_kind(st->header) != CONFIG_OBJECT)
        return config_complain(st->header, e, "an object of tensors");
    size_t n = config_count(st->header);
    if (!(st->tensor = calloc(n ? n : 1, sizeof *st->tensor)))
        return err_set(e, ERR_ENOMEM, "%s: out of memory", name);
    for (size_t i = 0; i < n; i++) {
        const struct config *c = config_at(st->header, i);
        int rc;
        if (!strcmp(config_key(c), "__metadata__"))
            rc = check_meta(c, e);
        else
            rc = read_tensor(st, c, &st->tensor[st->n++], e);
        if (rc)
            return rc;
    }
    return check_cover(st, name, e);
}

static int parse(struct safetensors *st, const char *name, const unsigned char *bytes, size_t n,
                 struct err *e)
{
    uint64_t header = 0;
    if (n < 8)
        return err_set(e, ERR_EPARSE, "%s: %zu bytes, want at least the 8 of a header length", name,
                       n);
    for (int i = 7; i >= 0; i--)
        header = header << 8 | bytes[i];
    if (header > HEADER_MOST || header > n - 8)
        return err_set(e, ERR_EPARSE, "%s: says its header has %llu bytes, want at most %zu", name,
                       (unsigned long long)header, n - 8 < HEADER_MOST ? n - 8 : HEADER_MOST);
    if (!header || bytes[8] != '{')
        return err_set(e, ERR_EPARSE, "%s: no JSON object after the header length", name);
    int rc = config_parse(&st->header, name, (const char *)bytes + 8, header, e);
    if (rc)
        return rc;
    st->n_bytes = n - 8 - header;
    if (!(st->bytes = malloc(st->n_bytes + 1)))
        return err_set(e, ERR_ENOMEM, "%s: out of memory", name);
    memcpy(st->bytes, bytes + 8 + header, st->n_bytes);
    return read_all(st, name, e);
}

int safetensors_parse(struct safetensors **out, const char *name, const void *bytes, size_t n,
                      struct err *e)
{
    *out = NULL;
    struct safetensors *st = calloc(1, sizeof *st);
    if (!st)
        return err_set(e, ERR_ENOMEM, "%s: out of memory", name);
    int rc = parse(st, name, bytes, n, e);
    if (rc)
        safetensors_free(st);
    else
        *out = st;
    return rc;
}

int safetensors_load(struct safetensors **st, const char *path, struct err *e)
{
    unsigned char *bytes;
    size_t n;
    *st = NULL;
    int rc = files_read(path, FILE_MOST, &bytes, &n, e);
    if (!rc)
        rc = safetensors_parse(st, path, bytes, n, e);
    free(bytes);
    return rc;
}

void safetensors_free(struct safetensors *st)
{
    if (!st)
        return;
    config_free(st->header);
    free(st->tensor);
    free(st->bytes);
    free(st);
}

size_t safetensors_count(const struct safetensors *st)
{
    return st->n;
}

const struct safetensor *safetensors_at(const struct safetensors *st, size_t i)
{
    assert(i < st->n);
    return &st->tensor[i];
}

const struct safetensor *safetensors_find(const struct safetensors *st, const char *name)
{
    for (size_t i = 0; i < st->n; i++)
        if (!strcmp(st->tensor[i].name, name))
            return &st->tensor[i];
    return NULL;
}

const char *safetensors_meta(const struct safetensors *st, const char *key)
{
    const struct config *meta = config_get(st->header, "__metadata__");
    const struct config *c = meta ? config_get(meta, key) : NULL;
    const char *text = NULL;
    return c && !config_str(c, &text, NULL) ? text : NULL;
}
