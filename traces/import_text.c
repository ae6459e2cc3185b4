/* import_text.c - cutting lines. */
#include "traces/import_text.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "traces/parse.h"

struct slice slice_of(const char *text)
{
    return (struct slice){text, strlen(text)};
}

struct slice slice_line(const struct importer *im)
{
    return (struct slice){im->csv.lines.text, im->csv.lines.len};
}

static bool blank(char c)
{
    return c == ' ' || c == '\t';
}

struct slice slice_trim(struct slice t)
{
    for (; t.n && blank(t.s[0]); t.s++, t.n--) {
    }
    for (; t.n && blank(t.s[t.n - 1]); t.n--) {
    }
    return t;
}

bool slice_is(struct slice t, const char *text)
{
    return t.n == strlen(text) && !memcmp(t.s, text, t.n);
}

bool slice_begins(struct slice t, const char *text)
{
    size_t n = strlen(text);
    return t.n >= n && !memcmp(t.s, text, n);
}

bool slice_until(struct slice *rest, const char *end, struct slice *out)
{
    size_t n = strlen(end);
    const char *at = rest->n >= n ? memmem(rest->s, rest->n, end, n) : NULL;
    if (!at)
        return false;
    size_t len = (size_t)(at - rest->s);
    *out = (struct slice){rest->s, len};
    rest->s += len + n;
    rest->n -= len + n;
    return true;
}

bool slice_number(struct slice *rest, uint64_t max, uint64_t *out)
{
    size_t n = 0;
    while (n < rest->n && rest->s[n] >= '0' && rest->s[n] <= '9')
        n++;
    if (!parse_u64(rest->s, n, max, out))
        return false;
    rest->s += n;
    rest->n -= n;
    return true;
}

bool slice_u64(struct slice t, uint64_t max, uint64_t *out)
{
    return parse_u64(t.s, t.n, max, out);
}

bool slice_hex(struct slice t, uint64_t *out)
{
    static const char digits[] = "0123456789abcdef";
    if (t.n == 0 || t.n > 16)
        return false;
    *out = 0;
    for (size_t i = 0; i < t.n; i++) {
        const char *d = t.s[i] ? strchr(digits, t.s[i]) : NULL;
        if (!d)
            return false;
        *out = *out << 4 | (uint64_t)(d - digits);
    }
    return true;
}

bool slice_i32(struct slice t, int32_t *out)
{
    bool minus = t.n && t.s[0] == '-';
    uint64_t v;
    if (!parse_u64(t.s + minus, t.n - minus, INT32_MAX, &v))
        return false;
    *out = minus ? -(int32_t)v : (int32_t)v;
    return true;
}

int import_complain(const struct importer *im, struct slice got, struct err *e,
                    const char *want_fmt, ...)
{
    const struct lines *l = &im->csv.lines;
    bool inside = l->text && got.s >= l->text && got.s <= l->text + l->len;
    int shown = got.n < 40 ? (int)got.n : 40;
    char want[160];
    va_list ap;
    va_start(ap, want_fmt);
    vsnprintf(want, sizeof want, want_fmt, ap);
    va_end(ap);
    return err_set(e, ERR_EPARSE, "%s:%llu:%zu: got \"%.*s%s\", want %s", input_name(l->in),
                   (unsigned long long)l->number, inside ? (size_t)(got.s - l->text) + 1 : 1, shown,
                   got.s, got.n > 40 ? "..." : "", want);
}

int import_split(const struct importer *im, char sep, struct slice *field, int n, struct err *e)
{
    struct slice rest = slice_line(im);
    const char mark[2] = {sep, 0};
    for (int i = 0; i < n; i++) {
        bool more = slice_until(&rest, mark, &field[i]);
        if (!more)
            field[i] = rest;
        if (more != (i + 1 < n))
            return err_set(e, ERR_EPARSE, "%s:%llu:1: got %s than %d fields, want %d",
                           input_name(im->csv.lines.in), (unsigned long long)im->csv.lines.number,
                           more ? "more" : "fewer", n, n);
        field[i] = slice_trim(field[i]);
    }
    return 0;
}

int import_u64(const struct importer *im, struct slice t, uint64_t max, uint64_t *out,
               struct err *e)
{
    if (slice_u64(t, max, out))
        return 0;
    return import_complain(im, t, e, "an integer 0..%llu", (unsigned long long)max);
}

int import_slice_name(struct importer *im, struct slice t, uint32_t *id, struct err *e)
{
    *id = TRACE_NAME_NONE;
    if (t.n == 0 || memchr(t.s, 0, t.n))
        return import_complain(im, t, e, "a name without NUL bytes");
    *id = names_id(im->names, t.s, t.n);
    return *id == TRACE_NAME_NONE ? err_set(e, ERR_ENOMEM, "out of memory") : 0;
}

int import_line(struct importer *im, struct err *e)
{
    int rc;
    do
        rc = lines_next(&im->csv.lines, e);
    while (rc == 1 && slice_trim(slice_line(im)).n == 0);
    return rc;
}

int import_push(struct importer *im, uint64_t v, uint32_t max, struct err *e)
{
    if (im->prefix.n == max)
        return import_complain(im, slice_line(im), e, "at most %u values", max);
    if (im->prefix.n == im->prefix.cap) {
        uint32_t cap = im->prefix.cap ? 2 * im->prefix.cap : 256;
        uint64_t *more = realloc(im->prefix.v, cap * sizeof *more);
        if (!more)
            return err_set(e, ERR_ENOMEM, "out of memory");
        im->prefix.v = more;
        im->prefix.cap = cap;
    }
    im->prefix.v[im->prefix.n++] = v;
    return 0;
}
