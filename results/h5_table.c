/* h5_table.c - the in-memory half of a table: columns, rows, cells. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "results/h5.h"

size_t h5_table_column(struct h5_table *t, const char *name, enum h5_kind kind, size_t width)
{
    assert(!t->data); /* columns come before rows */
    struct h5_column *grown = realloc(t->column, (t->n_column + 1) * sizeof *grown);
    char *own = strdup(name);
    if (grown)
        t->column = grown;
    if (!grown || !own) {
        free(own);
        t->failed = true;
        return 0;
    }
    if (kind != H5_TEXT)
        width = kind == H5_U8 ? 1 : 8;
    else if (width == 0)
        width = 1; /* HDF5 has no text of no width */
    t->column[t->n_column] = (struct h5_column){own, kind, width, t->row_size};
    t->row_size += width;
    return t->n_column++;
}

void h5_table_rows(struct h5_table *t, size_t n)
{
    t->data = calloc(n ? n : 1, t->row_size ? t->row_size : 1);
    t->n_row = n;
    if (!t->data)
        t->failed = true;
}

static unsigned char *cell(const struct h5_table *t, size_t row, size_t col, enum h5_kind kind)
{
    assert(row < t->n_row && col < t->n_column && t->column[col].kind == kind);
    (void)kind;
    return t->data + row * t->row_size + t->column[col].offset;
}

void h5_set_u64(struct h5_table *t, size_t row, size_t col, uint64_t v)
{
    if (!t->failed)
        memcpy(cell(t, row, col, H5_U64), &v, sizeof v);
}

void h5_set_f64(struct h5_table *t, size_t row, size_t col, double v)
{
    if (!t->failed)
        memcpy(cell(t, row, col, H5_F64), &v, sizeof v);
}

void h5_set_text(struct h5_table *t, size_t row, size_t col, const char *s)
{
    if (t->failed)
        return;
    size_t n = strlen(s);
    assert(n <= t->column[col].width);
    memcpy(cell(t, row, col, H5_TEXT), s, n);
}

size_t h5_table_find(const struct h5_table *t, const char *name)
{
    for (size_t i = 0; i < t->n_column; i++)
        if (!strcmp(t->column[i].name, name))
            return i;
    return H5_NO_COLUMN;
}

uint64_t h5_cell_u64(const struct h5_table *t, size_t row, size_t col)
{
    uint64_t v;
    memcpy(&v, cell(t, row, col, H5_U64), sizeof v);
    return v;
}

double h5_cell_f64(const struct h5_table *t, size_t row, size_t col)
{
    double v;
    memcpy(&v, cell(t, row, col, H5_F64), sizeof v);
    return v;
}

char *h5_cell_text(const struct h5_table *t, size_t row, size_t col)
{
    return strndup((const char *)cell(t, row, col, H5_TEXT), t->column[col].width);
}

void h5_table_free(struct h5_table *t)
{
    for (size_t i = 0; i < t->n_column; i++)
        free(t->column[i].name);
    free(t->column);
    free(t->data);
    *t = (struct h5_table){0};
}
