/* csv.h - comma-separated text as RFC 4180 has it, columns found by name.
 *
 * Quoted fields may hold commas, doubled quotes and line ends.  Every row has
 * as many fields as the header; empty lines are passed over.  Complaints are
 * FILE:LINE:COLUMN, where column counts bytes from 1 in the line.           */
#ifndef TRACES_CSV_H
#define TRACES_CSV_H

#include <stddef.h>
#include <stdint.h>

#include "sim/err.h"
#include "traces/lines.h"

#define CSV_COLUMNS 128

struct csv_field {
    const char *text; /* unquoted; borrowed until the next row */
    size_t len;
    size_t column; /* where it begins */
};

struct csv {
    struct lines lines;
    struct csv_field field[CSV_COLUMNS];
    int fields; /* in the current row */
    char *header[CSV_COLUMNS];
    int columns; /* in the header */
};

int csv_open(struct csv *c, struct input *in,
             struct err *e) MUST_CHECK; /* takes `in` over, reads the header */
/* A file without such a line: its rows have that many fields, by number. */
int csv_open_bare(struct csv *c, struct input *in, int columns, struct err *e) MUST_CHECK;
int csv_next(struct csv *c, struct err *e) MUST_CHECK; /* 1 a row, 0 the end, negative an error */
void csv_close(struct csv *c);

int csv_column(const struct csv *c, const char *name); /* -1: not there */
int csv_want_column(const struct csv *c, const char *name, int *out, struct err *e) MUST_CHECK;

/* "FILE:LINE:COLUMN: got "TEXT", want WANT"; field -1 complains of the row. */
int csv_complain(const struct csv *c, int field, struct err *e, const char *want_fmt, ...)
    __attribute__((format(printf, 4, 5)));
/* An integer 0..max. */
int csv_u64(const struct csv *c, int field, uint64_t max, uint64_t *out, struct err *e) MUST_CHECK;
int csv_u32(const struct csv *c, int field, uint32_t max, uint32_t *out, struct err *e) MUST_CHECK;

#endif
