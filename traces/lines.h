/* lines.h - the lines of an input, one at a time, numbered from 1.
 *
 * LF and CRLF both end a line; the last may have no end.  A UTF-8 byte order
 * mark is dropped; UTF-16 is refused by name.  A line is at most LINE_MAX_BYTES.  How the
 * lines ended is remembered, so that an export can give the bytes back.     */
#ifndef TRACES_LINES_H
#define TRACES_LINES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sim/err.h"
#include "traces/input.h"

#define LINE_MAX_BYTES ((size_t)16 << 20)

struct lines {
    struct input *in; /* owned */
    char *buf;
    size_t cap, at, have; /* the unread part is buf[at..have) */
    size_t from;          /* where the current line begins */
    bool eof;
    char *text; /* the current line, NUL behind it, no line end */
    size_t len;
    uint64_t number;    /* of the line that `text` begins on */
    uint64_t joined;    /* lines that lines_join has added to it */
    bool crlf, unended; /* the last line read ended in CR LF; had no end */
};

int lines_open(struct lines *l, struct input *in, struct err *e) MUST_CHECK; /* takes `in` over */
int lines_next(struct lines *l,
               struct err *e) MUST_CHECK; /* 1 a line, 0 the end, negative an error */
/* Adds the next line to the current one with a '\n' between: 1, 0 at the end, or an error. */
int lines_join(struct lines *l, struct err *e) MUST_CHECK;
void lines_close(struct lines *l);

#endif
