/* schema.h - the tables of malv-trace/1 as data: one list of columns serves
 * the writer, the reader, verify and the docs.
 *
 * On disk every column is a 1-D dataset /TABLE/COLUMN of little-endian
 * unsigned integers, so that pandas or h5py read a column without a parser.
 * A value equal to `fill` is "not said"; whole chunks of it take no space.  */
#ifndef TRACES_SCHEMA_H
#define TRACES_SCHEMA_H

#include <stddef.h>
#include <stdint.h>

#include "traces/record.h"
#include "traces/sha256.h"

struct trace_column {
    const char *name, *unit;
    unsigned width; /* bytes: 4 or 8 */
    size_t offset;  /* in the record struct */
    uint64_t fill;
};

struct trace_schema {
    const char *table;
    size_t record_size;
    const struct trace_column *columns;
    unsigned n_columns;
};

extern const struct trace_schema trace_schemas[TRACE_TABLES];

#define SCHEMA_COLUMNS 16 /* at most */

uint64_t column_get(const struct trace_column *c, const void *record);
void column_set(const struct trace_column *c, void *record, uint64_t v);

/* Adds the record to a digest: its columns in order, little-endian, then its prefix blocks. */
void schema_digest(enum trace_table t, const union trace_row *row, struct sha256 *s);
/* After the last record: the names that the records refer to; NULL: none. */
struct trace_names;
void schema_digest_names(const struct trace_names *names, struct sha256 *s);

#endif
