/* fuzz_store.c - canonical traces that are not as they should be.
 *
 * Bytes of an HDF5 file would mostly test the HDF5 library, so the bytes here
 * say what a well-formed HDF5 file holds: which columns are missing or of
 * another width or length, what the attributes claim, what the offsets say.
 * The reader gives rows that keep its promises, or a sentence.              */
#include "tests/fuzz/fuzz.h"

#include <assert.h>
#include <hdf5.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "traces/schema.h"
#include "traces/store.h"

struct bytes {
    const uint8_t *at, *end;
};

static unsigned take(struct bytes *b)
{
    return b->at < b->end ? *b->at++ : 0;
}

static void put_column(hid_t g, const char *name, unsigned width, unsigned rows, struct bytes *b)
{
    unsigned odd = take(b);
    uint64_t v[300] = {0}, now = 0;
    if (odd == 1)
        return;
    rows += odd == 2;
    width = odd == 3 ? 12 - width : width;
    hsize_t n = odd == 4 ? 0 : rows;
    for (unsigned i = 0; i < rows; i++) {
        unsigned step = take(b);
        now = step == 255 ? UINT64_MAX - i : step == 254 ? 0 : now + step;
        v[i] = now;
    }
    hsize_t two[2] = {n, 1};
    hid_t space = H5Screate_simple(odd == 5 ? 2 : 1, two, NULL);
    hid_t type = odd == 6     ? H5T_IEEE_F64LE
                 : odd == 7   ? H5T_STD_I64LE
                 : width == 8 ? H5T_STD_U64LE
                              : H5T_STD_U32LE;
    hid_t set = H5Dcreate2(g, name, type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    H5Dwrite(set, H5T_NATIVE_UINT64, H5S_ALL, H5S_ALL, H5P_DEFAULT, v);
    H5Dclose(set);
    H5Sclose(space);
}

static void put_text(hid_t f, const char *name, const char *text, unsigned odd)
{
    hid_t type = H5Tcopy(H5T_C_S1), space = H5Screate(H5S_SCALAR);
    if (odd == 3)
        text = "?";
    if (odd != 1) {
        H5Tset_size(type, strlen(text) + 1);
        hid_t a =
            H5Acreate2(f, name, odd == 2 ? H5T_STD_U64LE : type, space, H5P_DEFAULT, H5P_DEFAULT);
        if (odd != 2)
            H5Awrite(a, type, text);
        H5Aclose(a);
    }
    H5Tclose(type);
    H5Sclose(space);
}

static void put_number(hid_t f, const char *name, uint64_t v, unsigned odd)
{
    hid_t space = H5Screate(H5S_SCALAR);
    v = odd == 4 ? UINT64_MAX : odd == 5 ? 0 : v;
    hid_t a = H5Acreate2(f, name, H5T_STD_U64LE, space, H5P_DEFAULT, H5P_DEFAULT);
    H5Awrite(a, H5T_NATIVE_UINT64, &v);
    H5Aclose(a);
    H5Sclose(space);
}

static void put_attributes(hid_t f, unsigned table, unsigned rows, struct bytes *b)
{
    struct trace_meta m = {0};
    unsigned odd = take(b);
    *schema_rows((enum trace_table)table, &m) = rows;
    put_text(f, "schema", TRACE_SCHEMA, odd);
#define X(name, what) put_text(f, #name, "text", odd == 9 ? take(b) : 0);
    META_TEXTS(X)
    META_LATER_TEXTS(X)
#undef X
#define X(name, what) put_number(f, #name, m.name, odd);
    META_NUMBERS(X)
    META_LATER(X)
#undef X
}

static void build(const char *path, struct bytes *b)
{
    unsigned table = take(b) % TRACE_TABLES, rows = take(b);
    const struct trace_schema *s = &trace_schemas[table];
    hid_t f = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    hid_t g =
        H5Gcreate2(f, take(b) == 1 ? "other" : s->table, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    put_attributes(f, table, rows, b);
    if (s->ragged) {
        put_column(g, s->ragged->end_name, 8, rows, b);
        put_column(g, s->ragged->name, 8, take(b), b);
    }
    for (unsigned i = 0; i < s->n_columns; i++)
        put_column(g, s->columns[i].name, s->columns[i].width, rows, b);
    H5Gclose(g);
    H5Fclose(f);
}

static void read_all(const char *path)
{
    struct err e = {0};
    struct store_reader *r;
    union trace_row row;
    uint64_t last = 0, sum = 0;
    int rc = store_open(&r, path, &e);
    if (rc) {
        assert(rc < 0 && e.code && !strncmp(e.msg, path, strlen(path)));
        return;
    }
    const struct trace_schema *sc = &trace_schemas[store_table(r)];
    const uint64_t *values;
    while ((rc = store_next(r, &row, &e)) == 1) {
        assert(!sc->timed || row.request.time_ns >= last);
        last = sc->timed ? row.request.time_ns : 0;
        uint32_t n = sc->ragged ? ragged_get(sc->ragged, &row, &values) : 0;
        for (uint32_t k = 0; k < n; k++)
            sum += values[k]; /* all of it is there to be read */
    }
    assert(rc == 0 || (e.code && !strncmp(e.msg, path, strlen(path))));
    if (sc->timed && store_seek(r, sum % 1000, &e) == 0)
        (void)!store_next(r, &row, &e);
    store_close(r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char path[64];
    struct bytes b = {data, data + size};
    snprintf(path, sizeof path, "/tmp/malv-fuzz-%ld.h5", (long)getpid());
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    build(path, &b);
    read_all(path);
    unlink(path);
    return 0;
}
