/* column_map_row.c - what the formats of column maps share: columns, numbers, times. */
#include <string.h>

#include "traces/column_map.h"
#include "traces/parse.h"

#define S_MAX    (UINT64_C(1) << 33) /* 272 years */
#define NS_PER_S UINT64_C(1000000000)
#define DIGITS   18 /* of a fraction that are looked at */

enum { ZONE_SEEN = 1 };

__extension__ typedef unsigned __int128 u128;

static uint64_t power_of_ten(int n)
{
    uint64_t v = 1;
    while (n--)
        v *= 10;
    return v;
}

bool column_map_decimal(const struct csv_field *f, uint64_t unit, uint64_t max, uint64_t *out)
{
    const char *dot = f->len ? memchr(f->text, '.', f->len) : NULL;
    size_t n = dot ? (size_t)(dot - f->text) : f->len;
    uint64_t whole, part = 0;
    int digits = 0;
    if (!parse_u64(f->text, n, UINT64_MAX, &whole) || (dot && n + 1 == f->len))
        return false;
    for (size_t i = n + 1; i < f->len; i++) {
        if (f->text[i] < '0' || f->text[i] > '9')
            return false;
        if (digits < DIGITS && ++digits)
            part = 10 * part + (uint64_t)(f->text[i] - '0');
    }
    const uint64_t place = power_of_ten(digits);
    const u128 all = (u128)whole * unit + ((u128)part * unit + place / 2) / place;
    *out = (uint64_t)all;
    return all <= max;
}

int column_map_find(const struct importer *im, const char *name, int *out, struct err *e)
{
    const struct column_map *m = column_map_of(im->format);
    *out = -1;
    if (!*name)
        return 0;
    if (!m->format.bare)
        return csv_want_column(&im->csv, name, out, e);
    for (int i = 0; i < m->n_columns && *out < 0; i++)
        if (!strcmp(m->column[i], name))
            *out = i;
    return 0;
}

int column_map_open(struct importer *im, struct err *e)
{
    const struct column_map *m = column_map_of(im->format);
    int rc = 0;
    for (int i = 0; i < MAP_FIELDS && !rc; i++)
        rc = column_map_find(im, m->field[i].column, &im->column[i], e);
    return rc;
}

bool column_map_missing(const struct importer *im, int at)
{
    const struct column_map *m = column_map_of(im->format);
    if (at < 0 || im->csv.field[at].len == 0)
        return true;
    for (int i = 0; i < m->n_missing; i++)
        if (im->csv.field[at].len == strlen(m->missing[i]) &&
            !memcmp(im->csv.field[at].text, m->missing[i], im->csv.field[at].len))
            return true;
    return false;
}

static int stamp(struct importer *im, int at, uint64_t *ns, struct err *e)
{
    const struct csv_field *f = &im->csv.field[at];
    struct stamp s;
    if (!parse_stamp(f->text, f->len, &s))
        return csv_complain(&im->csv, at, e, "a time YYYY-MM-DD HH:MM:SS");
    if (!(im->flags & ZONE_SEEN))
        memcpy(im->stamp.zone, s.zone, sizeof s.zone);
    im->flags |= ZONE_SEEN;
    if (strcmp(s.zone, im->stamp.zone))
        return csv_complain(&im->csv, at, e, "the same zone as the first time, \"%s\"",
                            im->stamp.zone);
    if (s.fraction_digits > im->stamp.digits)
        im->stamp.digits = s.fraction_digits;
    im->stamp.elide |= s.fraction_digits == 0;
    *ns = s.ns;
    return 0;
}

int column_map_time(struct importer *im, int field, uint64_t *ns, struct err *e)
{
    const struct map_field *f = &column_map_of(im->format)->field[field];
    const int at = im->column[field];
    *ns = TRACE_TIME_NONE;
    if (column_map_missing(im, at))
        return 0;
    if (f->datetime)
        return stamp(im, at, ns, e);
    if (column_map_decimal(&im->csv.field[at], f->scale, S_MAX * NS_PER_S, ns))
        return 0;
    return csv_complain(&im->csv, at, e, "a number, not negative, of at most 2^33 s");
}
