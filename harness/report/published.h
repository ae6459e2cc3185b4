/* published.h - values that others published, as a small CSV: columns
 * series, x, value, source, in any order, named in the first line.
 *
 * Lines that begin with # are notes.  Fields may be quoted as in RFC 4180.
 * A value is a number, a band "lo..hi" inside which others found it, or
 * nothing: ours is then shown where nobody has published one.
 * A value stands once: the same series and x twice is an error.             */
#ifndef HARNESS_REPORT_PUBLISHED_H
#define HARNESS_REPORT_PUBLISHED_H

#include <stddef.h>

#include "sim/err.h"

struct published_row {
    char *series, *source;
    double x, value; /* value: the middle of a band; NAN: nothing published */
    double lo, hi;   /* the band; a number is a band of no width */
};
struct published {
    struct published_row *row;
    size_t n;
};

int published_parse(struct published *p, const char *name, const char *text, size_t len,
                    struct err *e) MUST_CHECK;
int published_load(struct published *p, const char *path, struct err *e) MUST_CHECK;
void published_free(struct published *p);

#endif
