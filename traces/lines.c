/* lines.c - finds line ends in a sliding buffer; a line is never copied twice. */
#include "traces/lines.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_CAP ((size_t)1 << 18)

/* Makes room behind `have`: first by moving the current line to the front, then by growing. */
static int make_room(struct lines *l, struct err *e)
{
    if (l->from) {
        memmove(l->buf, l->buf + l->from, l->have - l->from);
        l->at -= l->from;
        l->have -= l->from;
        l->from = 0;
    }
    if (l->have < l->cap - 1)
        return 0;
    if (l->cap > LINE_MAX_BYTES)
        return err_set(e, ERR_EIO, "%s:%llu:1: got a line of more than %zu bytes",
                       input_name(l->in), (unsigned long long)l->number, LINE_MAX_BYTES);
    char *more = realloc(l->buf, 2 * l->cap);
    if (!more)
        return err_set(e, ERR_ENOMEM, "%s: out of memory", input_name(l->in));
    l->buf = more;
    l->cap *= 2;
    return 0;
}

static int fill(struct lines *l, struct err *e)
{
    int rc = make_room(l, e);
    if (rc)
        return rc;
    long n = input_read(l->in, l->buf + l->have, l->cap - 1 - l->have, e);
    if (n < 0)
        return (int)n;
    l->have += (size_t)n;
    l->eof = n == 0;
    return 0;
}

static int skip_mark(struct lines *l, struct err *e)
{
    while (!l->eof && l->have < 3) {
        int rc = fill(l, e);
        if (rc)
            return rc;
    }
    const char *b = l->buf;
    if (l->have >= 2 && (!memcmp(b, "\xff\xfe", 2) || !memcmp(b, "\xfe\xff", 2)))
        return err_set(e, ERR_EPARSE, "%s:1:1: got UTF-16 text, want UTF-8", input_name(l->in));
    if (l->have >= 3 && !memcmp(b, "\xef\xbb\xbf", 3))
        l->at = l->from = 3;
    return 0;
}

int lines_open(struct lines *l, struct input *in, struct err *e)
{
    *l = (struct lines){.in = in, .cap = FIRST_CAP, .number = 0};
    if (!(l->buf = malloc(l->cap))) {
        lines_close(l);
        return err_set(e, ERR_ENOMEM, "out of memory");
    }
    int rc = skip_mark(l, e);
    if (rc)
        lines_close(l);
    return rc;
}

/* Ends the current line at its '\n' (or at the end of the input) and steps over it. */
static void cut(struct lines *l, char *lf)
{
    size_t end = lf ? (size_t)(lf - l->buf) : l->have;
    l->unended = !lf;
    l->at = lf ? end + 1 : end;
    l->text = l->buf + l->from;
    l->crlf = lf && end > l->from && l->buf[end - 1] == '\r';
    if (l->crlf)
        end--;
    l->len = end - l->from;
    l->text[l->len] = 0;
}

/* Finds the end of the line that begins or goes on at `at`. */
static int scan(struct lines *l, struct err *e)
{
    size_t seen = l->at - l->from; /* relative: fill() may move the line */
    for (;;) {
        char *lf = memchr(l->buf + l->from + seen, '\n', l->have - l->from - seen);
        if (lf || l->eof) {
            if (!lf && l->at == l->have)
                return 0;
            cut(l, lf);
            return 1;
        }
        seen = l->have - l->from;
        int rc = fill(l, e);
        if (rc)
            return rc;
    }
}

int lines_next(struct lines *l, struct err *e)
{
    l->number += 1 + l->joined;
    l->joined = 0;
    l->from = l->at;
    return scan(l, e);
}

int lines_join(struct lines *l, struct err *e)
{
    assert(l->number > 0);
    size_t cut_at = l->len;
    bool crlf = l->crlf;
    if (l->unended)
        return 0;
    int rc = scan(l, e);
    if (rc <= 0)
        return rc;
    l->text[cut_at] = crlf ? '\r' : '\n'; /* the bytes that the cut had covered */
    l->joined++;
    return 1;
}

void lines_close(struct lines *l)
{
    if (l->in)
        input_close(l->in);
    free(l->buf);
    *l = (struct lines){0};
}
