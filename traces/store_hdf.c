/* store_hdf.c - columns and attributes on HDF5. */
#include "traces/store_hdf.h"

#include <hdf5.h>
#include <stdlib.h>
#include <string.h>

#include "traces/record.h"

_Static_assert(sizeof(hid_t) == sizeof(h5id), "hid_t is not 64 bits");

#define DEFLATE_LEVEL 2 /* measured: 1 is 12 % larger, 6 is 3 % smaller and twice as slow */
#define ZSTD_LEVEL    3
#define NAMES_MAX     ((hsize_t)1 << 32)

void h5_quiet(void)
{
    H5dont_atexit(); /* it would flush what failed once more, and crash */
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
}

bool store_filter_there(enum store_filter f)
{
    h5_quiet();
    return f != STORE_ZSTD || H5Zfilter_avail(STORE_ZSTD_ID) > 0;
}

static hid_t memory_type(unsigned width)
{
    return width == 8 ? H5T_NATIVE_UINT64 : width == 4 ? H5T_NATIVE_UINT32 : H5T_NATIVE_UINT8;
}

static hid_t file_type(unsigned width)
{
    return width == 8 ? H5T_STD_U64LE : width == 4 ? H5T_STD_U32LE : H5T_STD_U8LE;
}

static bool set_filters(hid_t pl, enum store_filter filter)
{
    unsigned level = ZSTD_LEVEL;
    if (filter == STORE_PLAIN)
        return true;
    if (H5Pset_shuffle(pl) < 0)
        return false;
    if (filter == STORE_ZSTD)
        return H5Pset_filter(pl, STORE_ZSTD_ID, H5Z_FLAG_MANDATORY, 1, &level) >= 0;
    return H5Pset_deflate(pl, DEFLATE_LEVEL) >= 0;
}

h5id h5_column_create(h5id group, const char *name, const char *unit, unsigned width, uint64_t fill,
                      enum store_filter filter)
{
    hsize_t zero = 0, chunk = STORE_CHUNK, max = H5S_UNLIMITED;
    uint32_t fill32 = (uint32_t)fill;
    uint8_t fill8 = (uint8_t)fill;
    const void *fv = width == 8 ? (void *)&fill : width == 4 ? (void *)&fill32 : (void *)&fill8;
    hid_t set = -1, space = H5Screate_simple(1, &zero, &max), pl = H5Pcreate(H5P_DATASET_CREATE);
    bool ok = space >= 0 && pl >= 0 && H5Pset_chunk(pl, 1, &chunk) >= 0 &&
              H5Pset_obj_track_times(pl, false) >= 0 &&
              H5Pset_fill_value(pl, memory_type(width), fv) >= 0 && set_filters(pl, filter);
    if (ok)
        set = H5Dcreate2(group, name, file_type(width), space, H5P_DEFAULT, pl, H5P_DEFAULT);
    if (set >= 0 && !h5_text_attr(set, "unit", unit)) {
        H5Dclose(set);
        set = -1;
    }
    H5Sclose(space);
    H5Pclose(pl);
    return set;
}

/* Reads or writes the rows at..at+n. */
static bool move(hid_t set, unsigned width, uint64_t at, void *to, const void *from, size_t n)
{
    hsize_t start = at, count = n;
    hid_t mem = H5Screate_simple(1, &count, NULL), file = H5Dget_space(set);
    bool ok = mem >= 0 && file >= 0 &&
              H5Sselect_hyperslab(file, H5S_SELECT_SET, &start, NULL, &count, NULL) >= 0;
    if (ok && to)
        ok = H5Dread(set, memory_type(width), mem, file, H5P_DEFAULT, to) >= 0;
    else if (ok)
        ok = H5Dwrite(set, memory_type(width), mem, file, H5P_DEFAULT, from) >= 0;
    H5Sclose(mem);
    H5Sclose(file);
    return ok;
}

bool h5_column_append(h5id set, unsigned width, uint64_t at, const void *data, size_t n)
{
    hsize_t size = at + n;
    if (H5Dset_extent(set, &size) < 0)
        return false;
    return !data || move(set, width, at, NULL, data, n);
}

bool h5_column_read(h5id set, unsigned width, uint64_t at, void *data, size_t n)
{
    return n == 0 || move(set, width, at, data, NULL, n);
}

static bool is_column(hid_t set, unsigned width, uint64_t *rows)
{
    hsize_t size = 0;
    hid_t type = H5Dget_type(set), space = H5Dget_space(set);
    bool ok = type >= 0 && space >= 0 && H5Tget_class(type) == H5T_INTEGER &&
              H5Tget_sign(type) == H5T_SGN_NONE && H5Tget_size(type) == width &&
              H5Sget_simple_extent_ndims(space) == 1;
    if (ok)
        ok = H5Sget_simple_extent_dims(space, &size, NULL) == 1;
    H5Tclose(type);
    H5Sclose(space);
    *rows = size;
    return ok;
}

h5id h5_column_open(h5id group, const char *path, const char *name, unsigned width, uint64_t *rows,
                    struct err *e)
{
    hid_t set = H5Lexists(group, name, H5P_DEFAULT) > 0 ? H5Dopen2(group, name, H5P_DEFAULT) : -1;
    if (set < 0) {
        err_set(e, ERR_EPARSE, "%s: dataset \"%s\" is missing", path, name);
        return -1;
    }
    if (!is_column(set, width, rows)) {
        H5Dclose(set);
        err_set(e, ERR_EPARSE, "%s: dataset \"%s\": want a list of %u-bit unsigned integers", path,
                name, 8 * width);
        return -1;
    }
    return set;
}

bool h5_text_attr(h5id at, const char *name, const char *text)
{
    hid_t type = H5Tcopy(H5T_C_S1), space = H5Screate(H5S_SCALAR), a = -1;
    bool ok = type >= 0 && space >= 0 && H5Tset_size(type, strlen(text) + 1) >= 0 &&
              H5Tset_cset(type, H5T_CSET_UTF8) >= 0;
    if (ok)
        a = H5Acreate2(at, name, type, space, H5P_DEFAULT, H5P_DEFAULT);
    ok = a >= 0 && H5Awrite(a, type, text) >= 0;
    H5Aclose(a);
    H5Sclose(space);
    H5Tclose(type);
    return ok;
}

bool h5_number_attr(h5id at, const char *name, uint64_t v)
{
    hid_t space = H5Screate(H5S_SCALAR);
    hid_t a = H5Acreate2(at, name, H5T_STD_U64LE, space, H5P_DEFAULT, H5P_DEFAULT);
    bool ok = a >= 0 && H5Awrite(a, H5T_NATIVE_UINT64, &v) >= 0;
    H5Aclose(a);
    H5Sclose(space);
    return ok;
}

/* Opens a scalar attribute of a class; -1 when it is not that. */
static hid_t scalar(hid_t at, const char *name, H5T_class_t class, hid_t *type)
{
    hid_t a = H5Aexists(at, name) > 0 ? H5Aopen(at, name, H5P_DEFAULT) : -1;
    hid_t space = H5Aget_space(a);
    *type = H5Aget_type(a);
    bool ok = a >= 0 && *type >= 0 && H5Sget_simple_extent_npoints(space) == 1 &&
              H5Tget_class(*type) == class;
    H5Sclose(space);
    if (ok)
        return a;
    H5Tclose(*type);
    H5Aclose(a);
    return -1;
}

bool h5_text_attr_get(h5id at, const char *name, char *text, size_t n)
{
    hid_t type, a = scalar(at, name, H5T_STRING, &type);
    text[0] = 0;
    if (a < 0)
        return false;
    size_t size = H5Tget_size(type);
    char *all = H5Tis_variable_str(type) > 0 || size > 65536 ? NULL : calloc(1, size + 1);
    bool ok = all && H5Aread(a, type, all) >= 0;
    if (ok) {
        strncpy(text, all, n - 1);
        text[n - 1] = 0;
    }
    free(all);
    H5Tclose(type);
    H5Aclose(a);
    return ok;
}

bool h5_number_attr_get(h5id at, const char *name, uint64_t *v)
{
    hid_t type, a = scalar(at, name, H5T_INTEGER, &type);
    *v = 0;
    if (a < 0)
        return false;
    bool ok = H5Aread(a, H5T_NATIVE_UINT64, v) >= 0;
    H5Tclose(type);
    H5Aclose(a);
    return ok;
}

bool h5_texts_write(h5id file, const struct trace_names *names)
{
    uint64_t end = 0;
    uint32_t n = names ? names_count(names) : 0;
    hid_t g = H5Gcreate2(file, "names", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    h5id bytes = h5_column_create(g, "text", "NUL-terminated", 1, 0, STORE_DEFLATE);
    bool ok = g >= 0 && bytes >= 0;
    struct block {
        char text[STORE_CHUNK];
        size_t used;
    } *b = calloc(1, sizeof *b);
    ok = ok && b;
    for (uint32_t i = 0; ok && i < n; i++) {
        const char *s = names_text(names, i);
        for (size_t left = strlen(s) + 1; ok && left; left--) {
            b->text[b->used++] = *s++;
            if (b->used < STORE_CHUNK && (left > 1 || i + 1 < n))
                continue;
            ok = h5_column_append(bytes, 1, end, b->text, b->used);
            end += b->used;
            b->used = 0;
        }
    }
    ok = ok && h5_number_attr(g, "count", n);
    free(b);
    H5Dclose(bytes);
    H5Gclose(g);
    return ok;
}

/* Cuts the bytes at their NULs. */
static bool split(const char *text, size_t len, struct trace_names *names)
{
    for (size_t at = 0; at < len;) {
        size_t n = strnlen(text + at, len - at);
        if (at + n == len) /* no NUL behind the last */
            return false;
        uint32_t want = names_count(names);
        if (names_id(names, text + at, n) != want) /* twice the same, or out of memory */
            return false;
        at += n + 1;
    }
    return true;
}

int h5_texts_read(h5id file, const char *path, struct trace_names **names, struct err *e)
{
    uint64_t len = 0;
    *names = names_new();
    h5id set = h5_column_open(file, path, "names/text", 1, &len, e);
    char *text = len < NAMES_MAX ? malloc(len + 1) : NULL;
    int rc = 0;
    if (set < 0)
        rc = ERR_EPARSE;
    else if (!*names || !text)
        rc = err_set(e, ERR_ENOMEM, "%s: %llu bytes of names: out of memory", path,
                     (unsigned long long)len);
    else if (!h5_column_read(set, 1, 0, text, len) || !split(text, len, *names))
        rc = err_set(e, ERR_EPARSE, "%s: dataset \"names/text\": damaged", path);
    if (rc) {
        names_free(*names);
        *names = NULL;
    }
    free(text);
    if (set >= 0)
        H5Dclose(set);
    return rc;
}
