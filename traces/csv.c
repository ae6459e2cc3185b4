/* csv.c - splits in place: a field is a slice of the line buffer. */
#include "traces/csv.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "traces/parse.h"

static int too_many(const struct csv *c, struct err *e)
{
    return err_set(e, ERR_EPARSE, "%s:%llu:1: got more than %d fields", input_name(c->lines.in),
                   (unsigned long long)c->lines.number, CSV_COLUMNS);
}

/* The closing quote of the field opened at `at`, reading on over line ends. */
static int find_close(struct csv *c, size_t at, size_t *close, struct err *e)
{
    struct lines *l = &c->lines;
    for (size_t i = at + 1;; i++) {
        while (i >= l->len) {
            int rc = lines_join(l, e);
            if (rc < 0)
                return rc;
            if (rc == 0)
                return err_set(e, ERR_EPARSE, "%s:%llu:%zu: got a quote that is never closed",
                               input_name(l->in), (unsigned long long)l->number, at + 1);
        }
        if (l->text[i] != '"')
            continue;
        if (i + 1 >= l->len || l->text[i + 1] != '"') {
            *close = i;
            return 0;
        }
        i++; /* a doubled quote stands for one */
    }
}

static size_t unquote(char *s, size_t len)
{
    size_t to = 0;
    for (size_t i = 0; i < len; i++) {
        s[to++] = s[i];
        if (s[i] == '"')
            i++;
    }
    return to;
}

/* A quoted field at `at`; *end is the comma behind it, or the line's end.
 * Its text is unquoted only once the row is complete: joining moves lines. */
static int quoted(struct csv *c, size_t at, size_t *end, struct err *e)
{
    size_t close = 0;
    int rc = find_close(c, at, &close, e);
    if (rc)
        return rc;
    *end = close + 1;
    if (*end < c->lines.len && c->lines.text[*end] != ',')
        return err_set(e, ERR_EPARSE, "%s:%llu:%zu: got text behind a closing quote, want a comma",
                       input_name(c->lines.in), (unsigned long long)c->lines.number, *end + 1);
    return 0;
}

/* Slices are offsets first, as lines_join may move the text. */
static int split(struct csv *c, struct err *e)
{
    size_t at = 0, end, from[CSV_COLUMNS];
    for (c->fields = 0;; at = end + 1) {
        if (c->fields == CSV_COLUMNS)
            return too_many(c, e);
        if (at < c->lines.len && c->lines.text[at] == '"') {
            int rc = quoted(c, at, &end, e);
            if (rc)
                return rc;
        } else {
            char *comma =
                at < c->lines.len ? memchr(c->lines.text + at, ',', c->lines.len - at) : NULL;
            end = comma ? (size_t)(comma - c->lines.text) : c->lines.len;
        }
        from[c->fields] = at;
        c->field[c->fields++].len = end - at;
        if (end >= c->lines.len)
            break;
    }
    for (int i = 0; i < c->fields; i++) {
        struct csv_field *f = &c->field[i];
        char *text = c->lines.text + from[i];
        f->column = from[i] + 1;
        if (f->len >= 2 && text[0] == '"')
            f->len = unquote(++text, f->len - 2);
        f->text = text;
    }
    return 1;
}

static int row(struct csv *c, struct err *e)
{
    int rc;
    do
        rc = lines_next(&c->lines, e);
    while (rc == 1 && c->lines.len == 0);
    return rc == 1 ? split(c, e) : rc;
}

int csv_next(struct csv *c, struct err *e)
{
    int rc = row(c, e);
    if (rc == 1 && c->fields != c->columns)
        return err_set(e, ERR_EPARSE, "%s:%llu:1: got %d field%s, want %d", input_name(c->lines.in),
                       (unsigned long long)c->lines.number, c->fields, c->fields == 1 ? "" : "s",
                       c->columns);
    return rc;
}

int csv_open(struct csv *c, struct input *in, struct err *e)
{
    memset(c, 0, sizeof *c);
    int rc = lines_open(&c->lines, in, e);
    if (rc)
        return rc;
    rc = row(c, e);
    if (rc == 0)
        rc = err_set(e, ERR_EPARSE, "%s:1:1: got an empty file, want a line of column names",
                     input_name(in));
    for (int i = 0; rc == 1 && i < c->fields; i++, c->columns++)
        if (!(c->header[i] = strndup(c->field[i].text, c->field[i].len)))
            rc = err_set(e, ERR_ENOMEM, "out of memory");
    if (rc == 1)
        return 0;
    csv_close(c);
    return rc;
}

int csv_open_bare(struct csv *c, struct input *in, int columns, struct err *e)
{
    assert(columns > 0 && columns <= CSV_COLUMNS);
    memset(c, 0, sizeof *c);
    c->columns = columns;
    return lines_open(&c->lines, in, e);
}

void csv_close(struct csv *c)
{
    lines_close(&c->lines);
    for (int i = 0; i < c->columns; i++)
        free(c->header[i]);
    c->columns = 0;
}

int csv_column(const struct csv *c, const char *name)
{
    for (int i = 0; i < c->columns; i++)
        if (!strcmp(c->header[i], name))
            return i;
    return -1;
}

int csv_want_column(const struct csv *c, const char *name, int *out, struct err *e)
{
    if ((*out = csv_column(c, name)) >= 0)
        return 0;
    return err_set(e, ERR_ENAME, "%s:1:1: column \"%s\" is missing", input_name(c->lines.in), name);
}

int csv_complain(const struct csv *c, int field, struct err *e, const char *want_fmt, ...)
{
    char want[160];
    va_list ap;
    va_start(ap, want_fmt);
    vsnprintf(want, sizeof want, want_fmt, ap);
    va_end(ap);
    assert(field < c->fields);
    const struct csv_field none = {"", 0, 1}, *f = field < 0 ? &none : &c->field[field];
    int shown = f->len < 40 ? (int)f->len : 40;
    return err_set(e, ERR_EPARSE, "%s:%llu:%zu: got \"%.*s%s\", want %s", input_name(c->lines.in),
                   (unsigned long long)c->lines.number, f->column, shown, f->text,
                   f->len > 40 ? "..." : "", want);
}

int csv_u64(const struct csv *c, int field, uint64_t max, uint64_t *out, struct err *e)
{
    const struct csv_field *f = &c->field[field];
    if (parse_u64(f->text, f->len, max, out))
        return 0;
    return csv_complain(c, field, e, "an integer 0..%llu", (unsigned long long)max);
}

int csv_u32(const struct csv *c, int field, uint32_t max, uint32_t *out, struct err *e)
{
    uint64_t v = 0;
    int rc = csv_u64(c, field, max, &v, e);
    *out = (uint32_t)v;
    return rc;
}
