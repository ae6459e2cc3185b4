/* json_rows.h - requests of a format that has one JSON object a line.
 *
 * Keys may come in any order; one that is not known is refused, and so is a needed one that comes
 * twice or not at all.  Empty lines are passed over.                        */
#ifndef TRACES_JSON_ROWS_H
#define TRACES_JSON_ROWS_H

#include "traces/import.h"
#include "traces/json.h"

struct json_rows {
    const char *const *key; /* NULL ends them */
    unsigned needed;        /* the first so many; what the others say is passed over */
    const char *known;      /* said to be wanted in the place of any other */
    /* The value of a needed key comes next: into r, or it fails j.  < 0: out of memory. */
    int (*value)(struct importer *im, struct json *j, unsigned key, struct trace_request *r);
};

/* A line that is an object with both of these in it, quotes and all. */
bool json_rows_sniff(const char *head, size_t len, const char *a, const char *b);
/* 1 a row, 0 the end, < 0. */
int json_rows_next(struct importer *im, const struct json_rows *f, struct trace_request *r,
                   struct err *e) MUST_CHECK;

#endif
