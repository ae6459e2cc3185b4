/* import_costs_csv.c - anybody's table of measured costs: name,where,with,unit,k1,..,k6,value.
 *
 * Columns are found by name; only name, unit and value must be there.  Keys are integers, 0 when
 * left empty.  unit: "ps", "ns", "us", "ms" or "s" of a time, "1" of a ratio or a rate per second
 * (kept to a millionth), "count" of an integer.  A time is kept to a picosecond.                */
#include <string.h>

#include "traces/import.h"
#include "traces/parse.h"

#define MILLION   UINT64_C(1000000)
#define VALUE_MAX (UINT64_MAX / 2)

enum { NAME, WHERE, WITH, UNIT, K1, VALUE = K1 + 6, COLUMNS };
static const char *const columns[COLUMNS] = {"name", "where", "with", "unit", "k1",   "k2",
                                             "k3",   "k4",    "k5",   "k6",   "value"};

static const struct {
    const char *name;
    uint64_t scale; /* of the canonical unit in one of this */
    enum trace_cost_unit is;
} units[] = {
    {"ps", 1, TRACE_COST_PS},
    {"ns", 1000, TRACE_COST_PS},
    {"us", MILLION, TRACE_COST_PS},
    {"ms", 1000 * MILLION, TRACE_COST_PS},
    {"s", MILLION *MILLION, TRACE_COST_PS},
    {"1", MILLION, TRACE_COST_MICRO},
    {"count", 1, TRACE_COST_COUNT},
};
#define UNITS (sizeof units / sizeof *units)

static bool costs_sniff(const char *head, size_t len)
{
    static const char begin[] = "name,", end[] = ",value";
    const size_t n = sizeof end - 1;
    return len > sizeof begin + n && !memcmp(head, begin, sizeof begin - 1) &&
           !memcmp(head + len - n, end, n) && memmem(head, len, ",unit,", 6);
}

static int costs_open(struct importer *im, struct err *e)
{
    for (int i = 0; i < COLUMNS; i++) {
        const bool must = i == NAME || i == UNIT || i == VALUE;
        im->column[i] = csv_column(&im->csv, columns[i]);
        int rc = must ? csv_want_column(&im->csv, columns[i], &im->column[i], e) : 0;
        if (rc)
            return rc;
    }
    return 0;
}

static int name_of(struct importer *im, int what, uint32_t *id, struct err *e)
{
    *id = TRACE_NAME_NONE;
    return im->column[what] < 0 ? 0 : import_name(im, im->column[what], id, e);
}

static int keys(struct importer *im, struct trace_cost *c, struct err *e)
{
    int rc = 0;
    for (int i = 0; i < 6 && !rc; i++) {
        const int at = im->column[K1 + i];
        if (at >= 0 && im->csv.field[at].len)
            rc = csv_u64(&im->csv, at, UINT64_MAX, &c->key[i], e);
    }
    return rc;
}

static int value(struct importer *im, struct trace_cost *c, struct err *e)
{
    const struct csv_field *u = &im->csv.field[im->column[UNIT]];
    const struct csv_field *v = &im->csv.field[im->column[VALUE]];
    size_t i = 0;
    while (i < UNITS && (u->len != strlen(units[i].name) || memcmp(u->text, units[i].name, u->len)))
        i++;
    if (i == UNITS)
        return csv_complain(&im->csv, im->column[UNIT], e, "ps, ns, us, ms, s, 1 or count");
    c->unit = units[i].is;
    if (units[i].scale == 1)
        return csv_u64(&im->csv, im->column[VALUE], VALUE_MAX, &c->value, e);
    if (parse_decimal_ns(v->text, v->len, units[i].scale, &c->value) && c->value <= VALUE_MAX)
        return 0;
    return csv_complain(&im->csv, im->column[VALUE], e, "a number, at most %llu",
                        (unsigned long long)(VALUE_MAX / units[i].scale));
}

static int costs_row(struct importer *im, union trace_row *out, struct err *e)
{
    struct trace_cost *c = &out->cost;
    int rc = csv_next(&im->csv, e);
    if (rc <= 0)
        return rc;
    if (im->csv.field[im->column[NAME]].len == 0)
        return csv_complain(&im->csv, im->column[NAME], e, "a name");
    if ((rc = name_of(im, NAME, &c->name, e)) || (rc = name_of(im, WHERE, &c->where, e)) ||
        (rc = name_of(im, WITH, &c->with, e)) || (rc = keys(im, c, e)) || (rc = value(im, c, e)))
        return rc;
    return 1;
}

static void costs_head(struct exporter *x)
{
    for (int i = 0; i < COLUMNS; i++)
        fprintf(x->to, "%s%s", i ? "," : "", columns[i]);
}

static void costs_put(struct exporter *x, const union trace_row *row)
{
    static const char *const unit[TRACE_COST_UNITS] = {"ps", "1", "count"};
    const struct trace_cost *c = &row->cost;
    char text[40];
    export_csv_name(x, c->name);
    fputc(',', x->to);
    export_csv_name(x, c->where);
    fputc(',', x->to);
    export_csv_name(x, c->with);
    fprintf(x->to, ",%s", c->unit < TRACE_COST_UNITS ? unit[c->unit] : "");
    for (int i = 0; i < 6; i++)
        fprintf(x->to, ",%llu", (unsigned long long)c->key[i]);
    format_decimal_ns(text, c->value, c->unit == TRACE_COST_MICRO ? MILLION : 1);
    fprintf(x->to, ",%s", text);
}

const struct import_format import_costs_csv = {
    .name = "costs-csv",
    .title = "measured costs: name,where,with,unit,k1..k6,value",
    .source = "not said",
    .licence = "not said",
    .table = TRACE_COSTS,
    .csv = true,
    .sniff = costs_sniff,
    .open = costs_open,
    .row = costs_row,
    .head = costs_head,
    .put = costs_put,
};
