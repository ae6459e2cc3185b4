/* h5.c - files, attributes and arrays; the only doors to HDF5 are here and in h5_rows.c. */
#include "results/h5.h"

#include <assert.h>
#include <hdf5.h>
#include <stdlib.h>
#include <string.h>

#include "results/h5_file.h"

static_assert(sizeof(hid_t) == sizeof(int64_t), "h5_file.h keeps handles as int64_t");

int64_t h5_text_type(size_t width)
{
    hid_t t = H5Tcopy(H5T_C_S1);
    H5Tset_size(t, width);
    H5Tset_strpad(t, H5T_STR_NULLPAD);
    H5Tset_cset(t, H5T_CSET_UTF8);
    return t;
}

void h5_fail(struct h5 *f, const char *what, const char *name)
{
    if (!f->what[0])
        snprintf(f->what, sizeof f->what, "%s %s", what, name);
}

bool h5_ok(const struct h5 *f)
{
    return !f->what[0];
}

static int attach(struct h5 **out, hid_t file, const char *path, const char *doing, struct err *e)
{
    *out = NULL;
    if (file < 0)
        return err_set(e, ERR_EIO, "%s: HDF5 can not %s it", path, doing);
    struct h5 *f = calloc(1, sizeof *f);
    if (!f || !(f->path = strdup(path))) {
        free(f);
        H5Fclose(file);
        return err_set(e, ERR_ENOMEM, "%s: out of memory", path);
    }
    f->file = file;
    *out = f;
    return 0;
}

static void quiet(void)
{
    H5dont_atexit();                       /* it would flush what failed once more, and crash */
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL); /* we report failures ourselves */
}

/* The 1.8 format: attributes may exceed 64 KiB (the experiment's text can),
 * and every reader of the last fifteen years knows it. */
int h5_create(struct h5 **f, const char *path, struct err *e)
{
    quiet();
    hid_t access = H5Pcreate(H5P_FILE_ACCESS), create = H5Pcreate(H5P_FILE_CREATE);
    H5Pset_libver_bounds(access, H5F_LIBVER_V18, H5F_LIBVER_V18);
    H5Pset_obj_track_times(create, 0);
    hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, create, access);
    H5Pclose(create);
    H5Pclose(access);
    return attach(f, file, path, "create", e);
}

int h5_open(struct h5 **f, const char *path, struct err *e)
{
    quiet();
    return attach(f, H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT), path, "read", e);
}

int h5_close(struct h5 *f, struct err *e)
{
    int rc = 0;
    if (H5Fclose(f->file) < 0)
        h5_fail(f, "closing", "the file");
    if (!h5_ok(f))
        rc = err_set(e, ERR_EIO, "%s: HDF5 failed at %s", f->path, f->what);
    free(f->path);
    free(f);
    return rc;
}

static void put_attribute(struct h5 *f, const char *on, const char *name, hid_t type, const void *v)
{
    if (!h5_ok(f))
        return;
    hid_t space = H5Screate(H5S_SCALAR);
    hid_t a = H5Acreate_by_name(f->file, on ? on : ".", name, type, space, H5P_DEFAULT, H5P_DEFAULT,
                                H5P_DEFAULT);
    if (a < 0 || H5Awrite(a, type, v) < 0)
        h5_fail(f, "attribute", name);
    if (a >= 0)
        H5Aclose(a);
    H5Sclose(space);
}

void h5_put_text(struct h5 *f, const char *on, const char *name, const char *text)
{
    size_t n = strlen(text);
    hid_t type = h5_text_type(n ? n : 1);
    put_attribute(f, on, name, type, text);
    H5Tclose(type);
}

void h5_put_u64(struct h5 *f, const char *name, uint64_t v)
{
    put_attribute(f, NULL, name, H5T_NATIVE_UINT64, &v);
}

char *h5_get_text(struct h5 *f, const char *name)
{
    hid_t a = h5_ok(f) ? H5Aopen(f->file, name, H5P_DEFAULT) : -1;
    hid_t type = a < 0 ? -1 : H5Aget_type(a);
    char *text = NULL;
    if (type >= 0 && H5Tget_class(type) == H5T_STRING && H5Tis_variable_str(type) == 0 &&
        (text = calloc(1, H5Tget_size(type) + 1)) && H5Aread(a, type, text) < 0) {
        free(text);
        text = NULL;
    }
    if (!text)
        h5_fail(f, "text attribute", name);
    if (type >= 0)
        H5Tclose(type);
    if (a >= 0)
        H5Aclose(a);
    return text;
}

uint64_t h5_get_u64(struct h5 *f, const char *name)
{
    uint64_t v = 0;
    hid_t a = h5_ok(f) ? H5Aopen(f->file, name, H5P_DEFAULT) : -1;
    hid_t space = a < 0 ? -1 : H5Aget_space(a);
    if (space < 0 || H5Sget_simple_extent_npoints(space) != 1 ||
        H5Aread(a, H5T_NATIVE_UINT64, &v) < 0) {
        h5_fail(f, "number attribute", name);
        v = 0;
    }
    if (space >= 0)
        H5Sclose(space);
    if (a >= 0)
        H5Aclose(a);
    return v;
}

int64_t h5_dataset(struct h5 *f, const char *name, int64_t type, size_t n)
{
    hsize_t dim = n;
    hid_t space = H5Screate_simple(1, &dim, NULL), create = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_obj_track_times(create, 0);
    hid_t d = H5Dcreate2(f->file, name, type, space, H5P_DEFAULT, create, H5P_DEFAULT);
    H5Pclose(create);
    H5Sclose(space);
    return d;
}

static hid_t memory_type(enum h5_kind kind)
{
    return kind == H5_U8    ? H5T_NATIVE_UINT8
           : kind == H5_U64 ? H5T_NATIVE_UINT64
                            : H5T_NATIVE_DOUBLE;
}

static hid_t disk_type(enum h5_kind kind)
{
    return kind == H5_U8 ? H5T_STD_U8LE : kind == H5_U64 ? H5T_STD_U64LE : H5T_IEEE_F64LE;
}

int64_t h5_copy_type(enum h5_kind kind, size_t width, bool on_disk)
{
    if (kind == H5_TEXT)
        return h5_text_type(width);
    return H5Tcopy(on_disk ? disk_type(kind) : memory_type(kind));
}

void h5_put_array(struct h5 *f, const char *name, enum h5_kind kind, const void *data, size_t n)
{
    if (!h5_ok(f))
        return;
    hid_t d = h5_dataset(f, name, disk_type(kind), n);
    if (d < 0 || (n && H5Dwrite(d, memory_type(kind), H5S_ALL, H5S_ALL, H5P_DEFAULT, data) < 0))
        h5_fail(f, "dataset", name);
    if (d >= 0)
        H5Dclose(d);
}

/* Number of elements of a one-dimensional dataset, or -1. */
int64_t h5_length(int64_t dataset)
{
    hid_t space = H5Dget_space(dataset);
    int64_t n = space >= 0 && H5Sget_simple_extent_ndims(space) == 1
                    ? (int64_t)H5Sget_simple_extent_npoints(space)
                    : -1;
    if (space >= 0)
        H5Sclose(space);
    return n;
}

void *h5_get_array(struct h5 *f, const char *name, enum h5_kind kind, size_t *n)
{
    *n = 0;
    hid_t d = h5_ok(f) ? H5Dopen2(f->file, name, H5P_DEFAULT) : -1;
    int64_t len = d < 0 ? -1 : h5_length(d);
    size_t width = kind == H5_U8 ? 1 : 8;
    /* A damaged file can claim any length; storage says what is really there. */
    if (len > 0 && H5Dget_storage_size(d) < (hsize_t)len * width)
        len = -1;
    void *data = len < 0 ? NULL : calloc((size_t)len + 1, width);
    if (data && len > 0 && H5Dread(d, memory_type(kind), H5S_ALL, H5S_ALL, H5P_DEFAULT, data) < 0) {
        free(data);
        data = NULL;
    }
    if (data)
        *n = (size_t)len;
    else
        h5_fail(f, "dataset", name);
    if (d >= 0)
        H5Dclose(d);
    return data;
}
