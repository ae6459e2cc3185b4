/* file.h - any trace file, canonical or as published, row by row. */
#ifndef TRACES_FILE_H
#define TRACES_FILE_H

#include <stdio.h>

#include "sim/err.h"
#include "traces/import.h"
#include "traces/store.h"

struct trace_file;
/* format NULL: a canonical file, or whichever format its first line shows. */
int trace_file_open(struct trace_file **f, const char *path, const struct import_format *format,
                    uint64_t skip_bad, struct err *e) MUST_CHECK;
int trace_file_next(struct trace_file *f, union trace_row *row, struct err *e) MUST_CHECK;
/* Whose it is, where the format does not know: texts of a line, NULL: as it is; a source without a
 * licence has none that is known.  ERR_EUSAGE: too long, more than a line, or a canonical file. */
int trace_file_label(struct trace_file *f, const char *source, const char *licence,
                     struct err *e) MUST_CHECK;
void trace_file_close(struct trace_file *f);

enum trace_table trace_file_table(const struct trace_file *f);
const struct import_format *trace_file_format(const struct trace_file *f); /* NULL: synthesized */
bool trace_file_canonical(const struct trace_file *f);
uint64_t trace_file_expected(const struct trace_file *f); /* rows; 0: not known */
/* Complete once trace_file_next has said 0. */
const struct trace_meta *trace_file_meta(struct trace_file *f);
const struct trace_names *trace_file_names(struct trace_file *f);

#endif
