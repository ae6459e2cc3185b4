/* schema.h - the tables of malv-trace/1 as data: one list of columns serves
 * the writer, the reader, verify and the docs.
 *
 * On disk every column is a 1-D dataset /TABLE/COLUMN of little-endian
 * unsigned integers, so that pandas or h5py read a column without a parser.
 * A value equal to `fill` is "not said"; whole chunks of it take no space.  */
#ifndef TRACES_SCHEMA_H
#define TRACES_SCHEMA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "traces/meta.h"
#include "traces/record.h"
#include "traces/sha256.h"

struct trace_column {
    const char *name, *unit;
    unsigned width; /* bytes: 4 or 8 */
    size_t offset;  /* in the record struct */
    uint64_t fill;
};

/* A list of values in every record: on disk all lists end to end in /TABLE/NAME, and in
 * /TABLE/NAME_end where each of them ends.                                  */
struct trace_ragged {
    const char *name, *unit, *end_name;
    size_t count, values;  /* offsets of the uint32_t and of the const uint64_t * in the record */
    uint32_t max;          /* values of one record */
    size_t in_meta;        /* the number of all of them, a uint64_t */
    const char *meta_name; /* that attribute */
};

struct trace_schema {
    const char *table;
    size_t record_size;
    const struct trace_column *columns;
    unsigned n_columns;
    bool timed;                        /* the first column is time_ns, and never goes back */
    size_t in_meta;                    /* the number of rows in struct trace_meta, a uint64_t */
    const struct trace_ragged *ragged; /* NULL: none */
};

extern const struct trace_schema trace_schemas[TRACE_TABLES];

#define SCHEMA_COLUMNS 16 /* at most */

uint64_t column_get(const struct trace_column *c, const void *record);
void column_set(const struct trace_column *c, void *record, uint64_t v);

/* The ragged values of a record: their number, and where they are. */
uint32_t ragged_get(const struct trace_ragged *g, const void *record, const uint64_t **values);
void ragged_set(const struct trace_ragged *g, void *record, const uint64_t *values, uint32_t n);

/* The number of rows of a table, and of values of its ragged column, that a trace speaks of. */
uint64_t *schema_rows(enum trace_table t, struct trace_meta *m);
uint64_t *schema_values(enum trace_table t, struct trace_meta *m); /* NULL: nothing ragged */
uint64_t schema_meta_rows(const struct trace_meta *m);             /* of whichever table it is */

/* Adds the record to a digest: its columns in order, little-endian, then its ragged values. */
void schema_digest(enum trace_table t, const union trace_row *row, struct sha256 *s);
/* After the last record: the names that the records refer to; NULL: none. */
struct trace_names;
void schema_digest_names(const struct trace_names *names, struct sha256 *s);

#endif
