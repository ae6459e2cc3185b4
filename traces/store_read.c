/* store_read.c - reads the canonical trace, a block of rows at a time.
 *
 * Nothing in a file is trusted: lengths, offsets, order and kinds are checked
 * as they come by, and a damaged file is a sentence.                        */
#include <assert.h>
#include <hdf5.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "traces/schema.h"
#include "traces/store.h"
#include "traces/store_hdf.h"

#define RAGGED_WINDOW (1u << 21) /* values held at once: any record's fit, and then some */

struct in_column {
    h5id set;
    unsigned char *block;
};

struct store_reader {
    char *path;
    h5id file, group;
    enum trace_table table;
    const struct trace_schema *schema;
    struct trace_meta meta;
    struct in_column column[SCHEMA_COLUMNS], value_end;
    h5id value;
    uint64_t *values; /* the window of ragged values [from, from + held) */
    uint64_t values_from, values_held, values_all;
    uint64_t rows, next; /* next row to give out */
    uint64_t block_from, block_rows;
    uint64_t last_ns, last_end;
};

bool store_is(const char *path)
{
    unsigned char head[8];
    FILE *f = fopen(path, "rb");
    bool is = f && fread(head, 1, 8, f) == 8 && !memcmp(head, "\x89HDF\r\n\x1a\n", 8);
    if (f)
        fclose(f);
    return is;
}

static int open_column(struct store_reader *r, struct in_column *c, const char *name,
                       unsigned width, struct err *e)
{
    uint64_t rows;
    c->set = h5_column_open(r->group, r->path, name, width, &rows, e);
    if (c->set < 0)
        return ERR_EPARSE;
    if (rows != r->rows)
        return err_set(e, ERR_EPARSE, "%s: dataset \"%s\": got %llu rows, want %llu", r->path, name,
                       (unsigned long long)rows, (unsigned long long)r->rows);
    c->block = malloc((size_t)STORE_CHUNK * width);
    return c->block ? 0 : err_set(e, ERR_ENOMEM, "%s: out of memory", r->path);
}

static int open_ragged(struct store_reader *r, const struct trace_ragged *g, struct err *e)
{
    int rc = open_column(r, &r->value_end, g->end_name, 8, e);
    if (rc)
        return rc;
    r->value = h5_column_open(r->group, r->path, g->name, 8, &r->values_all, e);
    return r->value < 0 ? ERR_EPARSE : 0;
}

static int open_columns(struct store_reader *r, struct err *e)
{
    for (unsigned i = 0; i < r->schema->n_columns; i++) {
        const struct trace_column *c = &r->schema->columns[i];
        int rc = open_column(r, &r->column[i], c->name, c->width, e);
        if (rc)
            return rc;
    }
    return r->schema->ragged ? open_ragged(r, r->schema->ragged, e) : 0;
}

static int read_meta(struct store_reader *r, struct err *e)
{
    char schema[META_TEXT];
    if (!h5_text_attr_get(r->file, "schema", schema, sizeof schema))
        return err_set(e, ERR_EPARSE, "%s: not a canonical trace: attribute \"schema\" is missing",
                       r->path);
    if (strcmp(schema, TRACE_SCHEMA))
        return err_set(e, ERR_EPARSE, "%s: got schema \"%s\", want \"%s\"", r->path, schema,
                       TRACE_SCHEMA);
    bool ok = true;
#define X(name, what) ok &= h5_text_attr_get(r->file, #name, r->meta.name, META_TEXT);
    META_TEXTS(X)
#undef X
#define X(name, what) ok &= h5_number_attr_get(r->file, #name, &r->meta.name);
    META_NUMBERS(X)
#undef X
#define X(name, what)                                                                              \
    if (!h5_number_attr_get(r->file, #name, &r->meta.name))                                        \
        r->meta.name = 0;
    META_LATER(X)
#undef X
#define X(name, what)                                                                              \
    if (!h5_text_attr_get(r->file, #name, r->meta.name, META_TEXT))                                \
        *r->meta.name = 0;
    META_LATER_TEXTS(X)
#undef X
    return ok ? 0
              : err_set(e, ERR_EPARSE, "%s: an attribute of %s is missing", r->path, TRACE_SCHEMA);
}

static int open_table(struct store_reader *r, struct err *e)
{
    for (int t = 0; t < TRACE_TABLES; t++) {
        if (H5Lexists(r->file, trace_schemas[t].table, H5P_DEFAULT) <= 0)
            continue;
        r->table = (enum trace_table)t;
        r->schema = &trace_schemas[t];
        r->group = H5Gopen2(r->file, r->schema->table, H5P_DEFAULT);
        break;
    }
    if (r->group < 0)
        return err_set(e, ERR_EPARSE, "%s: holds no table of " TRACE_SCHEMA "", r->path);
    r->rows = *schema_rows(r->table, &r->meta);
    return open_columns(r, e);
}

/* The index of the chunks passed is dropped soon: a stream never comes back to it, and memory
 * must not grow with the trace.  HDF5's own default lets this cache grow to 32 MiB. */
#define INDEX_CACHE (256u << 10) /* bytes */

static hid_t open_file(const char *path)
{
    hid_t access = H5Pcreate(H5P_FILE_ACCESS), file = -1;
    H5AC_cache_config_t cache = {.version = H5AC__CURR_CACHE_CONFIG_VERSION};
    if (access >= 0 && H5Pget_mdc_config(access, &cache) >= 0) {
        cache.set_initial_size = true;
        cache.initial_size = cache.min_size = cache.max_size = INDEX_CACHE;
        cache.incr_mode = H5C_incr__off;
        cache.flash_incr_mode = H5C_flash_incr__off;
        cache.decr_mode = H5C_decr__off;
        if (H5Pset_mdc_config(access, &cache) >= 0)
            file = H5Fopen(path, H5F_ACC_RDONLY, access);
    }
    if (access >= 0)
        H5Pclose(access);
    return file;
}

int store_open(struct store_reader **out, const char *path, struct err *e)
{
    h5_quiet();
    *out = NULL;
    struct store_reader *r = calloc(1, sizeof *r);
    if (!r || !(r->path = strdup(path))) {
        free(r);
        return err_set(e, ERR_ENOMEM, "out of memory");
    }
    r->file = r->group = -1;
    int rc = 0;
    if (!store_is(path))
        rc = err_set(e, ERR_EIO, "%s: can't be read as HDF5", path);
    else if ((r->file = open_file(path)) < 0)
        rc = err_set(e, ERR_EIO, "%s: damaged: HDF5 can't open it", path);
    if (!rc)
        rc = read_meta(r, e);
    if (!rc)
        rc = open_table(r, e);
    if (rc) {
        store_close(r);
        return rc;
    }
    *out = r;
    return 0;
}

enum trace_table store_table(const struct store_reader *r)
{
    return r->table;
}

const struct trace_meta *store_meta(const struct store_reader *r)
{
    return &r->meta;
}

uint64_t store_rows(const struct store_reader *r)
{
    return r->rows;
}

int store_names(struct store_reader *r, struct trace_names **names, struct err *e)
{
    return h5_texts_read(r->file, r->path, names, e);
}

static int damaged(const struct store_reader *r, const char *what, struct err *e)
{
    return err_set(e, ERR_EPARSE, "%s: damaged: %s near row %llu", r->path, what,
                   (unsigned long long)r->next);
}

/* Blocks are aligned to chunks: each is inflated once. */
static int read_block(struct store_reader *r, struct err *e)
{
    uint64_t from = r->next - r->next % STORE_CHUNK, left = r->rows - from;
    size_t n = left < STORE_CHUNK ? (size_t)left : STORE_CHUNK;
    for (unsigned i = 0; i < r->schema->n_columns; i++)
        if (!h5_column_read(r->column[i].set, r->schema->columns[i].width, from, r->column[i].block,
                            n))
            return damaged(r, r->schema->columns[i].name, e);
    if (r->values_all && !h5_column_read(r->value_end.set, 8, from, r->value_end.block, n))
        return damaged(r, r->schema->ragged->end_name, e);
    r->block_from = from;
    r->block_rows = n;
    return 0;
}

/* Points the record at its ragged values, moving the window when it must. */
static int give_values(struct store_reader *r, size_t i, union trace_row *out, struct err *e)
{
    const struct trace_ragged *g = r->schema->ragged;
    uint64_t end;
    ragged_set(g, out, NULL, 0);
    if (!r->values_all)
        return 0;
    memcpy(&end, r->value_end.block + 8 * i, 8);
    if (end < r->last_end || end > r->values_all || end - r->last_end > g->max)
        return damaged(r, g->end_name, e);
    if (end > r->values_from + r->values_held) {
        uint64_t left = r->values_all - r->last_end;
        size_t n = left < RAGGED_WINDOW ? (size_t)left : RAGGED_WINDOW;
        if (!r->values && !(r->values = malloc(RAGGED_WINDOW * sizeof *r->values)))
            return err_set(e, ERR_ENOMEM, "%s: out of memory", r->path);
        if (!h5_column_read(r->value, 8, r->last_end, r->values, n))
            return damaged(r, g->name, e);
        r->values_from = r->last_end;
        r->values_held = n;
    }
    const uint64_t *at = r->values ? r->values + (r->last_end - r->values_from) : NULL;
    ragged_set(g, out, at, (uint32_t)(end - r->last_end));
    r->last_end = end;
    return 0;
}

/* column_set without its checks: this is the hot loop of every replay. */
static inline void scatter(const struct store_reader *r, size_t i, void *record)
{
    for (unsigned c = 0; c < r->schema->n_columns; c++) {
        const struct trace_column *col = &r->schema->columns[c];
        char *to = (char *)record + col->offset;
        if (col->width == 8)
            memcpy(to, r->column[c].block + 8 * i, 8);
        else
            memcpy(to, r->column[c].block + 4 * i, 4);
    }
}

int store_next(struct store_reader *r, union trace_row *row, struct err *e)
{
    int rc = 0;
    if (r->next == r->rows)
        return 0;
    if (r->next >= r->block_from + r->block_rows && (rc = read_block(r, e)))
        return rc;
    size_t i = (size_t)(r->next - r->block_from);
    if (!r->schema->timed) /* the head that all rows share is in no column */
        memset(row, 0, r->schema->record_size);
    scatter(r, i, row);
    if (r->schema->ragged && (rc = give_values(r, i, row, e)))
        return rc;
    if (r->schema->timed) {
        if (row->request.time_ns < r->last_ns)
            return damaged(r, "time_ns goes back", e);
        r->last_ns = row->request.time_ns;
    }
    r->next++;
    return 1;
}

/* One value of a column, for the binary search. */
static bool peek(const struct in_column *c, uint64_t at, uint64_t *v)
{
    return h5_column_read(c->set, 8, at, v, 1);
}

static void position(struct store_reader *r, uint64_t row)
{
    r->next = row;
    r->block_from = r->block_rows = 0;
    r->last_ns = 0;
    r->last_end = 0;
    r->values_from = r->values_held = 0;
}

void store_rewind(struct store_reader *r)
{
    position(r, 0);
}

int store_seek(struct store_reader *r, uint64_t t, struct err *e)
{
    uint64_t lo = 0, hi = r->rows, at;
    assert(r->schema->timed && r->schema->columns[0].width == 8);
    while (lo < hi) {
        uint64_t mid = lo + (hi - lo) / 2;
        if (!peek(&r->column[0], mid, &at))
            return damaged(r, "time_ns", e);
        if (at < t)
            lo = mid + 1;
        else
            hi = mid;
    }
    position(r, lo);
    if (lo && r->values_all && !peek(&r->value_end, lo - 1, &r->last_end))
        return damaged(r, r->schema->ragged->end_name, e);
    r->values_from = r->last_end;
    return 0;
}

void store_close(struct store_reader *r)
{
    if (!r)
        return;
    for (unsigned i = 0; i < SCHEMA_COLUMNS; i++) {
        free(r->column[i].block);
        if (r->column[i].set > 0)
            H5Dclose(r->column[i].set);
    }
    free(r->value_end.block);
    if (r->value_end.set > 0)
        H5Dclose(r->value_end.set);
    if (r->value > 0)
        H5Dclose(r->value);
    if (r->group >= 0)
        H5Gclose(r->group);
    if (r->file >= 0)
        H5Fclose(r->file);
    free(r->values);
    free(r->path);
    free(r);
}
