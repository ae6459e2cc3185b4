/* h5.h - the few things that results need from HDF5: text and number
 * attributes, byte and number arrays, and tables.
 *
 * A table is a one-dimensional compound dataset, filled cell by cell in
 * memory and written in one go; its columns are numbers or fixed-width text,
 * so h5py and pandas read it as it stands.  Nothing written depends on when
 * or where: no object times, no filters whose output could differ between
 * library versions.
 *
 * Errors are sticky: after the first failure nothing more happens and
 * h5_close reports it.                                                      */
#ifndef RESULTS_H5_H
#define RESULTS_H5_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sim/err.h"

struct h5;
int h5_create(struct h5 **f, const char *path, struct err *e) MUST_CHECK;
int h5_open(struct h5 **f, const char *path, struct err *e) MUST_CHECK; /* to read */
int h5_close(struct h5 *f, struct err *e) MUST_CHECK;                   /* always frees */
bool h5_ok(const struct h5 *f);

/* Attributes of the file or, with on != NULL, of a dataset. */
void h5_put_text(struct h5 *f, const char *on, const char *name, const char *text);
void h5_put_u64(struct h5 *f, const char *name, uint64_t v);
char *h5_get_text(struct h5 *f, const char *name); /* malloc'd; NULL after a failure */
uint64_t h5_get_u64(struct h5 *f, const char *name);

enum h5_kind { H5_U8, H5_U64, H5_F64, H5_TEXT };
void h5_put_array(struct h5 *f, const char *name, enum h5_kind kind, const void *data, size_t n);
void *h5_get_array(struct h5 *f, const char *name, enum h5_kind kind, size_t *n); /* malloc'd */

struct h5_column {
    char *name;
    enum h5_kind kind;
    size_t width, offset; /* bytes in a row */
};
struct h5_table {
    struct h5_column *column;
    size_t n_column, n_row, row_size;
    unsigned char *data;
    bool failed; /* out of memory; h5_put_table makes it the file's failure */
};

/* Columns first, then rows, then cells.  Text width is that of the longest. */
size_t h5_table_column(struct h5_table *t, const char *name, enum h5_kind kind, size_t width);
void h5_table_rows(struct h5_table *t, size_t n);
void h5_set_u64(struct h5_table *t, size_t row, size_t col, uint64_t v);
void h5_set_f64(struct h5_table *t, size_t row, size_t col, double v);
void h5_set_text(struct h5_table *t, size_t row, size_t col, const char *s);

#define H5_NO_COLUMN SIZE_MAX
size_t h5_table_find(const struct h5_table *t, const char *name);
uint64_t h5_cell_u64(const struct h5_table *t, size_t row, size_t col);
double h5_cell_f64(const struct h5_table *t, size_t row, size_t col);
char *h5_cell_text(const struct h5_table *t, size_t row, size_t col); /* malloc'd */
void h5_table_free(struct h5_table *t);

void h5_put_table(struct h5 *f, const char *name, const struct h5_table *t);
void h5_get_table(struct h5 *f, const char *name, struct h5_table *t);

#endif
