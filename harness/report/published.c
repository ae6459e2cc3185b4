#include "harness/report/published.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "harness/base/files.h"

enum { COL_SERIES, COL_X, COL_VALUE, COL_SOURCE, COLUMNS };
static const char *const column_name[COLUMNS] = {"series", "x", "value", "source"};

#define MOST_FIELDS 16
#define MOST_FIELD  1024
#define MOST_BYTES  ((size_t)16 << 20)

/* Where the reader is, and the fields of the line it has just read. */
struct reader {
    const char *name, *at, *end;
    unsigned line;
    char *field[MOST_FIELDS];
    unsigned column[MOST_FIELDS]; /* where each field begins, from 1 */
    size_t n;
};

static void drop_fields(struct reader *r)
{
    for (size_t i = 0; i < r->n; i++)
        free(r->field[i]);
    r->n = 0;
}

/* One field, its quotes taken off; r->at is left on what ended it. */
static int take_field(struct reader *r, const char *line, struct err *e)
{
    char text[MOST_FIELD];
    size_t n = 0;
    const unsigned column = (unsigned)(r->at - line) + 1;
    const bool quotes = r->at < r->end && *r->at == '"';
    r->at += quotes;
    for (; r->at < r->end && *r->at != '\n'; r->at++) {
        if (!quotes && *r->at == ',')
            break;
        if (quotes && *r->at == '"' && !(r->at + 1 < r->end && r->at[1] == '"'))
            break;
        r->at += quotes && *r->at == '"'; /* two stand for one */
        if (*r->at == 0)
            return err_set(e, ERR_EPARSE, "%s:%u:%u: got a zero byte, want text", r->name, r->line,
                           column);
        if (n + 1 == sizeof text)
            return err_set(e, ERR_EPARSE, "%s:%u:%u: got a field of more than %d bytes", r->name,
                           r->line, column, MOST_FIELD - 1);
        text[n++] = *r->at;
    }
    if (quotes && (r->at == r->end || *r->at != '"'))
        return err_set(e, ERR_EPARSE, "%s:%u:%u: the quoted field does not end in its line",
                       r->name, r->line, column);
    r->at += quotes;
    if (!quotes && n && text[n - 1] == '\r')
        n--;
    if (r->n == MOST_FIELDS)
        return err_set(e, ERR_EPARSE, "%s:%u: got more than %d fields", r->name, r->line,
                       MOST_FIELDS);
    r->column[r->n] = column;
    r->field[r->n] = strndup(text, n);
    return r->field[r->n++] ? 0 : err_set(e, ERR_ENOMEM, "out of memory");
}

/* The next line that holds something: 1, 0 at the end, or an error. */
static int take_line(struct reader *r, struct err *e)
{
    drop_fields(r);
    while (r->at < r->end && (*r->at == '#' || *r->at == '\n' || *r->at == '\r')) {
        const char *nl = memchr(r->at, '\n', (size_t)(r->end - r->at));
        r->at = nl ? nl + 1 : r->end;
        r->line++;
    }
    if (r->at == r->end)
        return 0;
    for (const char *line = r->at;;) {
        const int rc = take_field(r, line, e);
        if (rc)
            return rc;
        if (r->at < r->end && *r->at == '\r')
            r->at++;
        if (r->at == r->end || *r->at == '\n')
            break;
        if (*r->at != ',')
            return err_set(e, ERR_EPARSE, "%s:%u:%u: got '%c' after a quoted field, want a comma",
                           r->name, r->line, (unsigned)(r->at - line) + 1,
                           *r->at >= ' ' && *r->at < 127 ? *r->at : '?');
        r->at++;
    }
    r->at += r->at < r->end;
    return 1;
}

static int read_header(struct reader *r, size_t where[COLUMNS], struct err *e)
{
    const int got = take_line(r, e);
    if (got <= 0)
        return got ? got
                   : err_set(e, ERR_EPARSE, "%s: is empty, want a line of column names", r->name);
    for (size_t c = 0; c < COLUMNS; c++) {
        where[c] = MOST_FIELDS;
        for (size_t i = 0; i < r->n; i++)
            if (!strcmp(r->field[i], column_name[c]))
                where[c] = i;
        if (where[c] == MOST_FIELDS)
            return err_set(e, ERR_EPARSE, "%s:%u: no column \"%s\", want series, x, value, source",
                           r->name, r->line, column_name[c]);
    }
    return 0;
}

static int number_of(const struct reader *r, size_t field, double *out, struct err *e)
{
    char *end;
    const char *s = r->field[field];
    *out = strtod(s, &end);
    if (end == s || *end || !isfinite(*out) || *s == ' ')
        return err_set(e, ERR_EPARSE, "%s:%u:%u: got \"%.40s\", want a number", r->name, r->line,
                       r->column[field], s);
    return 0;
}

/* A number, "lo..hi", or nothing. */
static int value_of(const struct reader *r, size_t field, struct published_row *row, struct err *e)
{
    char *s = r->field[field], *dots = strstr(s, "..");
    row->value = row->lo = row->hi = NAN;
    if (!*s)
        return 0;
    if (!dots) {
        int rc = number_of(r, field, &row->value, e);
        row->lo = row->hi = row->value;
        return rc;
    }
    char *end_lo, *end_hi;
    *dots = 0; /* or its first dot would be taken for a decimal point */
    row->lo = strtod(s, &end_lo);
    *dots = '.';
    row->hi = strtod(dots + 2, &end_hi);
    row->value = row->lo + (row->hi - row->lo) / 2;
    if (end_lo == dots && dots != s && end_hi != dots + 2 && !*end_hi && isfinite(row->value) &&
        row->lo <= row->hi)
        return 0;
    return err_set(e, ERR_EPARSE, "%s:%u:%u: got \"%.40s\", want a band lo..hi", r->name, r->line,
                   r->column[field], s);
}

static int add_row(struct published *p, struct reader *r, const size_t where[COLUMNS],
                   struct err *e)
{
    struct published_row row = {0};
    const char *series = r->field[where[COL_SERIES]];
    int rc = number_of(r, where[COL_X], &row.x, e);
    if (!rc)
        rc = value_of(r, where[COL_VALUE], &row, e);
    if (!rc && !*series)
        rc = err_set(e, ERR_EPARSE, "%s:%u:%u: the series has no name", r->name, r->line,
                     r->column[where[COL_SERIES]]);
    for (size_t i = 0; !rc && i < p->n; i++)
        if (p->row[i].x == row.x && !strcmp(p->row[i].series, series))
            rc = err_set(e, ERR_EPARSE, "%s:%u: \"%.80s\" at %g stands twice", r->name, r->line,
                         series, row.x);
    if (rc)
        return rc;
    struct published_row *grown = realloc(p->row, (p->n + 1) * sizeof *grown);
    if (!grown)
        return err_set(e, ERR_ENOMEM, "out of memory");
    p->row = grown;
    row.series = strdup(series);
    row.source = strdup(r->field[where[COL_SOURCE]]);
    p->row[p->n++] = row;
    return row.series && row.source ? 0 : err_set(e, ERR_ENOMEM, "out of memory");
}

static int read_rows(struct published *p, struct reader *r, struct err *e)
{
    size_t where[COLUMNS];
    int rc = read_header(r, where, e);
    const size_t want = r->n;
    while (!rc) {
        r->line++;
        const int got = take_line(r, e);
        if (got <= 0)
            return got ? got : p->n ? 0 : err_set(e, ERR_EPARSE, "%s: holds no values", r->name);
        if (r->n != want)
            rc = err_set(e, ERR_EPARSE, "%s:%u: got %zu fields, want %zu as in the first line",
                         r->name, r->line, r->n, want);
        else
            rc = add_row(p, r, where, e);
    }
    return rc;
}

int published_parse(struct published *p, const char *name, const char *text, size_t len,
                    struct err *e)
{
    struct reader r = {.name = name, .at = text, .end = text + len, .line = 1};
    *p = (struct published){0};
    const int rc = read_rows(p, &r, e);
    drop_fields(&r);
    if (rc)
        published_free(p);
    return rc;
}

int published_load(struct published *p, const char *path, struct err *e)
{
    unsigned char *text;
    size_t len;
    *p = (struct published){0};
    int rc = files_read(path, MOST_BYTES, &text, &len, e);
    if (rc)
        return rc;
    rc = published_parse(p, path, (const char *)text, len, e);
    free(text);
    return rc;
}

void published_free(struct published *p)
{
    for (size_t i = 0; i < p->n; i++) {
        free(p->row[i].series);
        free(p->row[i].source);
    }
    free(p->row);
    *p = (struct published){0};
}
