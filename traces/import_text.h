/* import_text.h - slices of a line, for formats whose lines are no CSV with a header. */
#ifndef TRACES_IMPORT_TEXT_H
#define TRACES_IMPORT_TEXT_H

#include "traces/import.h"

struct slice { /* of the current line, or of a literal */
    const char *s;
    size_t n;
};

struct slice slice_of(const char *text);
struct slice slice_line(const struct importer *im);
struct slice slice_trim(struct slice t); /* spaces and tabs at both ends */
bool slice_is(struct slice t, const char *text);
bool slice_begins(struct slice t, const char *text);
/* Up to the first `end`, which is passed over; false: there is none. */
bool slice_until(struct slice *rest, const char *end, struct slice *out);
/* Digits at the front. */
bool slice_number(struct slice *rest, uint64_t max, uint64_t *out);
bool slice_u64(struct slice t, uint64_t max, uint64_t *out); /* all of it is a number */
bool slice_hex(struct slice t, uint64_t *out);
bool slice_i32(struct slice t, int32_t *out); /* a minus is fine */

/* "FILE:LINE:COLUMN: got "TEXT", want WANT"; a slice outside the line complains of column 1. */
int import_complain(const struct importer *im, struct slice got, struct err *e,
                    const char *want_fmt, ...) __attribute__((format(printf, 4, 5)));
/* Splits the current line into exactly n trimmed fields. */
int import_split(const struct importer *im, char sep, struct slice *field, int n,
                 struct err *e) MUST_CHECK;
/* A field as a number 0..max; complains. */
int import_u64(const struct importer *im, struct slice t, uint64_t max, uint64_t *out,
               struct err *e) MUST_CHECK;
/* A text as a name; complains of NUL bytes. */
int import_slice_name(struct importer *im, struct slice t, uint32_t *id, struct err *e) MUST_CHECK;
/* The next line that is not empty: 1, 0 the end, negative an error. */
int import_line(struct importer *im, struct err *e) MUST_CHECK;
/* Adds a value to the current record's ragged ones; complains past max. */
int import_push(struct importer *im, uint64_t v, uint32_t max, struct err *e) MUST_CHECK;

#endif
