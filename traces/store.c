/* store.c - writes the canonical trace.
 *
 * Rows are gathered column by column; a full block is one chunk of each
 * dataset.  A block that holds nothing but the fill value is not written:
 * HDF5 gives the fill value back for chunks that are not there.             */
#include "traces/store.h"

#include <errno.h>
#include <assert.h>
#include <hdf5.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "traces/schema.h"
#include "traces/store_hdf.h"

struct out_column {
    h5id set;
    unsigned width;
    uint64_t fill;
    unsigned char *block; /* STORE_CHUNK values */
    uint32_t used;
    bool told; /* something in the block is not the fill value */
    uint64_t written;
};

struct store_writer {
    const struct trace_schema *schema;
    enum trace_table table;
    char *path, *temp;
    h5id file, group;
    struct out_column column[SCHEMA_COLUMNS];
    struct out_column value_end, value; /* ragged: values[end[i-1] .. end[i]) */
    uint64_t rows, values, failed, first_ns, last_ns;
    struct sha256 digest;
    bool failed_io;
};

static bool column_begin(struct out_column *c, h5id group, const char *name, const char *unit,
                         unsigned width, uint64_t fill, enum store_filter filter)
{
    c->width = width;
    c->fill = fill;
    c->block = malloc((size_t)STORE_CHUNK * width);
    c->set = h5_column_create(group, name, unit, width, fill, filter);
    return c->block && c->set >= 0;
}

static bool column_flush(struct out_column *c)
{
    bool ok = c->used == 0 ||
              h5_column_append(c->set, c->width, c->written, c->told ? c->block : NULL, c->used);
    c->written += c->used;
    c->used = 0;
    c->told = false;
    return ok;
}

static inline bool column_put(struct out_column *c, uint64_t v)
{
    if (c->width == 8)
        memcpy(c->block + 8 * (size_t)c->used, &v, 8);
    else
        memcpy(c->block + 4 * (size_t)c->used, &(uint32_t){(uint32_t)v}, 4);
    c->told |= v != c->fill;
    return ++c->used < STORE_CHUNK || column_flush(c);
}

static void column_end(struct out_column *c)
{
    free(c->block);
    if (c->set > 0)
        H5Dclose(c->set);
}

static hid_t create_file(const char *path)
{
    hid_t fcpl = H5Pcreate(H5P_FILE_CREATE), f = -1;
    if (fcpl >= 0 && H5Pset_obj_track_times(fcpl, false) >= 0)
        f = H5Fcreate(path, H5F_ACC_TRUNC, fcpl, H5P_DEFAULT);
    H5Pclose(fcpl);
    return f;
}

static hid_t create_group(hid_t file, const char *name)
{
    hid_t pl = H5Pcreate(H5P_GROUP_CREATE), g = -1;
    if (pl >= 0 && H5Pset_obj_track_times(pl, false) >= 0)
        g = H5Gcreate2(file, name, H5P_DEFAULT, pl, H5P_DEFAULT);
    H5Pclose(pl);
    return g;
}

static bool begin(struct store_writer *w, enum store_filter filter)
{
    w->file = create_file(w->temp);
    w->group = w->file < 0 ? -1 : create_group(w->file, w->schema->table);
    if (w->group < 0)
        return false;
    for (unsigned i = 0; i < w->schema->n_columns; i++) {
        const struct trace_column *c = &w->schema->columns[i];
        if (!column_begin(&w->column[i], w->group, c->name, c->unit, c->width, c->fill, filter))
            return false;
    }
    const struct trace_ragged *g = w->schema->ragged;
    return !g || (column_begin(&w->value_end, w->group, g->end_name, "index", 8, 0, filter) &&
                  column_begin(&w->value, w->group, g->name, g->unit, 8, 0, filter));
}

int store_create(struct store_writer **out, const char *path, enum trace_table table,
                 enum store_filter filter, struct err *e)
{
    h5_quiet();
    *out = NULL;
    if (!store_filter_there(filter))
        return err_set(e, ERR_ENAME, "%s: this HDF5 has no zstd filter; deflate is always there",
                       path);
    struct store_writer *w = calloc(1, sizeof *w);
    if (!w)
        return err_set(e, ERR_ENOMEM, "out of memory");
    w->schema = &trace_schemas[table];
    w->table = table;
    w->file = w->group = -1;
    w->path = strdup(path);
    sha256_init(&w->digest);
    if (!w->path || asprintf(&w->temp, "%s.tmp.%ld", path, (long)getpid()) < 0) {
        w->temp = NULL;
        store_abort(w);
        return err_set(e, ERR_ENOMEM, "out of memory");
    }
    errno = 0;
    if (!begin(w, filter)) {
        const int why = errno;
        store_abort(w);
        return err_set(e, ERR_EIO, "%s: can't be created%s%s", path, why ? ": " : "",
                       why ? strerror(why) : "");
    }
    *out = w;
    return 0;
}

static bool put_ragged(struct store_writer *w, const union trace_row *row)
{
    const uint64_t *v;
    uint32_t n = ragged_get(w->schema->ragged, row, &v);
    bool ok = true;
    w->values += n;
    for (uint32_t i = 0; ok && i < n; i++)
        ok = column_put(&w->value, v[i]);
    return ok && column_put(&w->value_end, w->values);
}

int store_put(struct store_writer *w, const union trace_row *row, struct err *e)
{
    uint64_t t = w->schema->timed ? row->request.time_ns : 0;
    _Static_assert(offsetof(struct trace_request, time_ns) == offsetof(struct trace_job, time_ns),
                   "time comes first in every timed record");
    if (w->rows && t < w->last_ns)
        return err_set(e, ERR_ERANGE, "%s: row %llu goes back in time: %llu ns after %llu ns",
                       w->path, (unsigned long long)w->rows, (unsigned long long)t,
                       (unsigned long long)w->last_ns);
    if (w->rows == 0)
        w->first_ns = t;
    const uint64_t *values;
    if (w->schema->ragged && ragged_get(w->schema->ragged, row, &values) > w->schema->ragged->max)
        return err_set(e, ERR_ERANGE, "%s: row %llu: got more than %u values of %s", w->path,
                       (unsigned long long)w->rows, w->schema->ragged->max,
                       w->schema->ragged->name);
    bool ok = true;
    for (unsigned i = 0; i < w->schema->n_columns; i++)
        ok &= column_put(&w->column[i], column_get(&w->schema->columns[i], row));
    if (w->schema->ragged)
        ok &= put_ragged(w, row);
    if (w->table == TRACE_REQUESTS)
        w->failed += row->request.output_tokens == 0;
    schema_digest(w->table, row, &w->digest);
    w->rows++;
    w->last_ns = t;
    return ok ? 0 : err_set(e, ERR_EIO, "%s: writing failed (disk full?)", w->path);
}

static bool flush_all(struct store_writer *w)
{
    bool ok = true;
    for (unsigned i = 0; i < w->schema->n_columns; i++)
        ok &= column_flush(&w->column[i]);
    if (w->schema->ragged) {
        ok &= column_flush(&w->value);
        ok &= column_flush(&w->value_end);
    }
    return ok;
}

static void complete(struct store_writer *w, struct trace_meta *m)
{
    for (int t = 0; t < TRACE_TABLES; t++)
        *schema_rows((enum trace_table)t, m) = w->table == (enum trace_table)t ? w->rows : 0;
    for (int t = 0; t < TRACE_TABLES; t++)
        if (trace_schemas[t].ragged)
            *schema_values((enum trace_table)t, m) =
                w->table == (enum trace_table)t ? w->values : 0;
    m->failed_requests = w->failed;
    m->first_ns = w->first_ns;
    m->span_ns = w->last_ns;
    sha256_hex(&w->digest, m->digest);
}

static bool write_meta(struct store_writer *w, const struct trace_meta *m)
{
    bool ok =
        h5_text_attr(w->file, "schema", TRACE_SCHEMA) && h5_text_attr(w->file, "time_unit", "ns");
#define X(name, what) ok = ok && h5_text_attr(w->file, #name, m->name);
    META_TEXTS(X)
    META_LATER_TEXTS(X)
#undef X
#define X(name, what) ok = ok && h5_number_attr(w->file, #name, m->name);
    META_NUMBERS(X)
    META_LATER(X)
#undef X
    return ok;
}

static bool close_file(struct store_writer *w)
{
    for (unsigned i = 0; i < SCHEMA_COLUMNS; i++)
        column_end(&w->column[i]);
    column_end(&w->value_end);
    column_end(&w->value);
    if (w->group >= 0)
        H5Gclose(w->group);
    return w->file < 0 || H5Fclose(w->file) >= 0;
}

static void release(struct store_writer *w)
{
    free(w->path);
    free(w->temp);
    free(w);
}

int store_commit(struct store_writer *w, struct trace_meta *meta, const struct trace_names *names,
                 struct err *e)
{
    schema_digest_names(names, &w->digest);
    complete(w, meta);
    bool ok = flush_all(w) && h5_texts_write(w->file, names) && write_meta(w, meta);
    ok = close_file(w) && ok;
    int rc = 0;
    if (!ok || rename(w->temp, w->path)) {
        unlink(w->temp);
        rc = err_set(e, ERR_EIO, "%s: writing failed (disk full?)", w->path);
    }
    release(w);
    return rc;
}

void store_abort(struct store_writer *w)
{
    if (!w)
        return;
    close_file(w);
    if (w->temp)
        unlink(w->temp);
    release(w);
}
