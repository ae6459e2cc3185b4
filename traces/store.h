/* store.h - the canonical trace on disk: malv-trace/1 in HDF5.
 *
 * Written row by row and read row by row in bounded memory.  One file holds
 * one table of records, the names they refer to and
 * the attributes of meta.h.  The same records give the same bytes.  A file
 * appears under its name only when it is complete (store_commit); whoever is
 * killed before leaves nothing but a NAME.tmp.PID.
 *
 * Rows of timed tables go in and come out in time order.                    */
#ifndef TRACES_STORE_H
#define TRACES_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include "sim/err.h"
#include "traces/meta.h"
#include "traces/names.h"
#include "traces/record.h"

enum store_filter { STORE_DEFLATE, STORE_ZSTD, STORE_PLAIN };
bool store_filter_there(enum store_filter f); /* zstd: when HDF5 finds its plugin */

struct store_writer;
int store_create(struct store_writer **w, const char *path, enum trace_table table,
                 enum store_filter filter, struct err *e) MUST_CHECK;
int store_put(struct store_writer *w, const union trace_row *row, struct err *e) MUST_CHECK;
/* Writes names and attributes (counts and digest are filled in from what was put), renames,
 * frees w.  names may be NULL. */
int store_commit(struct store_writer *w, struct trace_meta *meta, const struct trace_names *names,
                 struct err *e) MUST_CHECK;
void store_abort(struct store_writer *w); /* removes the temporary file; NULL is fine */

struct store_reader;
int store_open(struct store_reader **r, const char *path, struct err *e) MUST_CHECK;
bool store_is(const char *path); /* does it begin like an HDF5 file? */
enum trace_table store_table(const struct store_reader *r);
const struct trace_meta *store_meta(const struct store_reader *r);
uint64_t store_rows(const struct store_reader *r);
int store_names(struct store_reader *r, struct trace_names **names,
                struct err *e) MUST_CHECK; /* to free */
/* 1 a row, 0 the end, negative an error.  Ragged values are borrowed until the next call. */
int store_next(struct store_reader *r, union trace_row *row, struct err *e) MUST_CHECK;
/* The next row read will be the first at or after t.  For timed tables. */
int store_seek(struct store_reader *r, uint64_t t, struct err *e) MUST_CHECK;
void store_rewind(struct store_reader *r); /* to the first row of all */
void store_close(struct store_reader *r);

#endif
