/* h5_rows.c - tables in and out of a file. */
#include <hdf5.h>
#include <stdlib.h>
#include <string.h>

#include "results/h5_file.h"

static hid_t row_type(const struct h5_table *t, bool on_disk)
{
    hid_t type = H5Tcreate(H5T_COMPOUND, t->row_size);
    for (size_t i = 0; i < t->n_column; i++) {
        const struct h5_column *c = &t->column[i];
        hid_t cell = h5_copy_type(c->kind, c->width, on_disk);
        herr_t rc = H5Tinsert(type, c->name, c->offset, cell);
        H5Tclose(cell);
        if (rc < 0) { /* two columns of one name */
            H5Tclose(type);
            return -1;
        }
    }
    return type;
}

void h5_put_table(struct h5 *f, const char *name, const struct h5_table *t)
{
    if (t->failed)
        h5_fail(f, "memory for table", name);
    if (!h5_ok(f))
        return;
    hid_t disk = row_type(t, true), memory = row_type(t, false);
    hid_t d = disk < 0 ? -1 : h5_dataset(f, name, disk, t->n_row);
    if (d < 0 || (t->n_row && H5Dwrite(d, memory, H5S_ALL, H5S_ALL, H5P_DEFAULT, t->data) < 0))
        h5_fail(f, "table", name);
    if (d >= 0)
        H5Dclose(d);
    if (memory >= 0)
        H5Tclose(memory);
    if (disk >= 0)
        H5Tclose(disk);
}

/* One member of the stored compound as a column; false for kinds we never write. */
static bool read_column(struct h5_table *t, hid_t type, unsigned i)
{
    char *name = H5Tget_member_name(type, i);
    hid_t member = H5Tget_member_type(type, i);
    H5T_class_t class = member < 0 ? H5T_NO_CLASS : H5Tget_class(member);
    bool ok = name && (class == H5T_INTEGER || class == H5T_FLOAT ||
                       (class == H5T_STRING && H5Tis_variable_str(member) == 0));
    if (ok)
        h5_table_column(t, name,
                        class == H5T_INTEGER ? H5_U64
                        : class == H5T_FLOAT ? H5_F64
                                             : H5_TEXT,
                        H5Tget_size(member));
    H5free_memory(name);
    if (member >= 0)
        H5Tclose(member);
    return ok && !t->failed;
}

static bool read_rows(struct h5_table *t, hid_t d)
{
    hid_t type = H5Dget_type(d);
    int64_t n = h5_length(d);
    bool ok = type >= 0 && H5Tget_class(type) == H5T_COMPOUND && n >= 0 &&
              (n == 0 || H5Dget_storage_size(d) >= (hsize_t)n * H5Tget_size(type));
    int members = ok ? H5Tget_nmembers(type) : 0;
    for (int i = 0; ok && i < members; i++)
        ok = read_column(t, type, (unsigned)i);
    hid_t memory = ok ? row_type(t, false) : -1;
    if (ok)
        h5_table_rows(t, (size_t)n);
    ok = ok && !t->failed && memory >= 0 &&
         (n == 0 || H5Dread(d, memory, H5S_ALL, H5S_ALL, H5P_DEFAULT, t->data) >= 0);
    if (memory >= 0)
        H5Tclose(memory);
    if (type >= 0)
        H5Tclose(type);
    return ok;
}

void h5_get_table(struct h5 *f, const char *name, struct h5_table *t)
{
    *t = (struct h5_table){0};
    hid_t d = h5_ok(f) ? H5Dopen2(f->file, name, H5P_DEFAULT) : -1;
    if (d < 0 || !read_rows(t, d))
        h5_fail(f, "table", name);
    if (d >= 0)
        H5Dclose(d);
}
