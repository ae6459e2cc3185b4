/* import_jobs_map.c - rows of a log of jobs by a column map (column_map.h), and back.
 *
 * Calendar times are kept as the wall clock wrote them, ns since 1970; a log has one zone.
 * Fractions are exact: rounded half up to a ns, a thousandth or a byte, once. */
#include <string.h>

#include "traces/column_map.h"
#include "traces/parse.h"

#define NS_PER_S UINT64_C(1000000000)
#define GPUS_MAX 65536u
#define MEM_MAX  (UINT64_C(1) << 50)
#define DIGITS   18 /* of a fraction */
#define EPOCH    "1970-01-01 00:00:00"

enum { TIMES_GPUS = JOBS_FIELDS, TIMES_CPUS, TIMES_MEM, COLUMNS };
_Static_assert(COLUMNS <= IMPORT_STATE, "IMPORT_STATE is too small");

__extension__ typedef unsigned __int128 u128;

static void put_decimal(FILE *to, uint64_t v, uint64_t unit)
{
    char text[DIGITS + 1];
    uint64_t part = (uint64_t)((u128)(v % unit) * UINT64_C(1000000000000000000) / unit);
    int n = DIGITS;
    /* the next place down decides, so that what is read again is v */
    snprintf(text, sizeof text, "%0*llu", DIGITS, (unsigned long long)part);
    while (n && text[n - 1] == '0')
        n--;
    fprintf(to, "%llu%s%.*s", (unsigned long long)(v / unit), n ? "." : "", n, text);
}

int jobs_map_open(struct importer *im, struct err *e)
{
    const struct column_map *m = column_map_of(im->format);
    int rc = column_map_open(im, e);
    if (!rc)
        rc = column_map_find(im, m->field[JOBS_GPUS].times, &im->column[TIMES_GPUS], e);
    if (!rc)
        rc = column_map_find(im, m->field[JOBS_CPUS].times, &im->column[TIMES_CPUS], e);
    if (!rc)
        rc = column_map_find(im, m->field[JOBS_MEM].times, &im->column[TIMES_MEM], e);
    if (!rc && m->field[JOBS_SUBMIT].datetime)
        snprintf(im->meta.epoch, sizeof im->meta.epoch, EPOCH);
    return rc;
}

static int between(struct importer *im, uint64_t from, enum jobs_field which, uint64_t to,
                   uint64_t *span, struct err *e)
{
    *span = TRACE_TIME_NONE;
    if (from == TRACE_TIME_NONE || to == TRACE_TIME_NONE)
        return 0;
    if (to < from)
        return csv_complain(&im->csv, im->column[which], e, "a time not before the job's %s",
                            which == JOBS_END ? "start" : "submission");
    *span = to - from;
    return 0;
}

static int times(struct importer *im, struct trace_job *j, struct err *e)
{
    uint64_t start, end;
    int rc;
    if ((rc = column_map_time(im, JOBS_SUBMIT, &j->time_ns, e)) ||
        (rc = column_map_time(im, JOBS_START, &start, e)) ||
        (rc = column_map_time(im, JOBS_END, &end, e)) ||
        (rc = column_map_time(im, JOBS_DURATION, &j->duration_ns, e)) ||
        (rc = column_map_time(im, JOBS_WAIT, &j->wait_ns, e)))
        return rc;
    if (j->time_ns == TRACE_TIME_NONE)
        return csv_complain(&im->csv, im->column[JOBS_SUBMIT], e, "when the job was submitted");
    if (im->column[JOBS_DURATION] < 0)
        rc = between(im, start, JOBS_END, end, &j->duration_ns, e);
    /* a start that is the submission says nothing of a wait */
    if (!rc && im->column[JOBS_WAIT] < 0 && im->column[JOBS_START] != im->column[JOBS_SUBMIT])
        rc = between(im, j->time_ns, JOBS_START, start, &j->wait_ns, e);
    return rc;
}

/* How many of what the column says; 1 without such a column. */
static int multiple(struct importer *im, int at, uint64_t *n, struct err *e)
{
    *n = 1;
    if (at < 0)
        return 0;
    *n = 0;
    if (column_map_missing(im, at))
        return 0;
    if (column_map_decimal(&im->csv.field[at], 1000, GPUS_MAX * 1000u, n) && *n % 1000 == 0) {
        *n /= 1000;
        return 0;
    }
    return csv_complain(&im->csv, at, e, "an integer 0..%u", GPUS_MAX);
}

/* In the record's unit: the constant, or the column; 0 when it is not said. */
static int amount(struct importer *im, enum jobs_field which, uint64_t max, uint64_t *v,
                  struct err *e)
{
    const struct map_field *f = &column_map_of(im->format)->field[which];
    const int at = im->column[which];
    *v = f->constant;
    if (at < 0 || column_map_missing(im, at) ||
        column_map_decimal(&im->csv.field[at], f->scale, max, v))
        return 0;
    return csv_complain(&im->csv, at, e, "a number, not negative, of at most %llu",
                        (unsigned long long)(max / f->scale));
}

static int too_much(struct importer *im, enum jobs_field which, struct err *e)
{
    return csv_complain(&im->csv, im->column[which], e, "less of \"%s\" in one job",
                        column_map_field_name(column_map_of(im->format), which));
}

/* A job's GPUs are whole ones, of which it has the same part each. */
static int gpus(struct importer *im, struct trace_job *j, struct err *e)
{
    const struct map_field *f = &column_map_of(im->format)->field[JOBS_GPU_MILLI];
    uint64_t milli, n, each;
    int rc;
    if ((rc = amount(im, JOBS_GPUS, GPUS_MAX * 1000u, &milli, e)) ||
        (rc = multiple(im, im->column[TIMES_GPUS], &n, e)) ||
        (rc = amount(im, JOBS_GPU_MILLI, 1000, &each, e)))
        return rc;
    const uint64_t whole = (milli + 999) / 1000;
    if (whole * n > GPUS_MAX)
        return too_much(im, JOBS_GPUS, e);
    j->gpus = (uint32_t)(whole * n);
    if (im->column[JOBS_GPU_MILLI] >= 0 || f->constant) {
        if (milli % 1000)
            return csv_complain(&im->csv, im->column[JOBS_GPUS], e,
                                "whole GPUs, as \"gpu_milli\" says which part of each");
        j->gpu_milli = (uint32_t)each;
    } else if (j->gpus) {
        j->gpu_milli = (uint32_t)((milli + whole - 1) / whole);
    }
    return 0;
}

static int host(struct importer *im, struct trace_job *j, struct err *e)
{
    uint64_t milli, bytes, n;
    int rc;
    if ((rc = amount(im, JOBS_CPUS, UINT32_MAX, &milli, e)) ||
        (rc = multiple(im, im->column[TIMES_CPUS], &n, e)))
        return rc;
    if (n && milli > UINT32_MAX / n)
        return too_much(im, JOBS_CPUS, e);
    j->cpu_milli = (uint32_t)(milli * n);
    if ((rc = amount(im, JOBS_MEM, MEM_MAX, &bytes, e)) ||
        (rc = multiple(im, im->column[TIMES_MEM], &n, e)))
        return rc;
    if (n && bytes > MEM_MAX / n)
        return too_much(im, JOBS_MEM, e);
    j->mem_bytes = bytes * n;
    return 0;
}

static int names(struct importer *im, struct trace_job *j, struct err *e)
{
    uint32_t *const to[] = {&j->user, &j->group, &j->gpu_spec, &j->status, &j->qos, &j->name};
    int rc = 0;
    for (int i = JOBS_USER; i <= JOBS_NAME && !rc; i++) {
        *to[i - JOBS_USER] = TRACE_NAME_NONE;
        if (!column_map_missing(im, im->column[i]))
            rc = import_name(im, im->column[i], to[i - JOBS_USER], e);
    }
    return rc;
}

int jobs_map_row(struct importer *im, union trace_row *out, struct err *e)
{
    struct trace_job *j = &out->job;
    int rc = csv_next(&im->csv, e);
    if (rc <= 0)
        return rc;
    *j = (struct trace_job){.row = im->rows};
    if ((rc = times(im, j, e)) || (rc = gpus(im, j, e)) || (rc = host(im, j, e)) ||
        (rc = names(im, j, e)))
        return rc;
    im->rows++;
    return 1;
}

/* ---- and back ---- */

/* Calls put for every column: those of the list, else those of the fields. */
static void each_column(const struct column_map *m, struct exporter *x, const struct trace_job *j,
                        void (*put)(struct exporter *, const struct trace_job *, const char *, int))
{
    bool first = true;
    for (int c = 0; c < m->n_columns; c++, first = false) {
        int field = 0;
        while (field < JOBS_FIELDS && strcmp(m->field[field].column, m->column[c]))
            field++;
        fputs(first ? "" : ",", x->to);
        put(x, j, m->column[c], field);
    }
    for (int i = 0; i < JOBS_FIELDS && !m->n_columns; i++) {
        int before = 0;
        while (before < i && strcmp(m->field[before].column, m->field[i].column))
            before++;
        if (!*m->field[i].column || before < i)
            continue;
        fputs(first ? "" : ",", x->to);
        put(x, j, m->field[i].column, i);
        first = false;
    }
}

static void put_name(struct exporter *x, const struct trace_job *j, const char *column, int field)
{
    (void)j;
    (void)field;
    export_csv_text(x, column);
}

void jobs_map_head(struct exporter *x)
{
    each_column(column_map_of(x->format), x, NULL, put_name);
}

static void put_time(struct exporter *x, const struct map_field *f, uint64_t ns)
{
    char text[64];
    if (ns == TRACE_TIME_NONE)
        return;
    if (!f->datetime) {
        put_decimal(x->to, ns, f->scale);
        return;
    }
    format_stamp(text, ns, x->stamp.elide && ns % NS_PER_S == 0 ? 0 : x->stamp.digits);
    fprintf(x->to, "%s%s", text, x->stamp.zone);
}

static uint64_t later(uint64_t from, uint64_t span)
{
    return from == TRACE_TIME_NONE || span == TRACE_TIME_NONE ? TRACE_TIME_NONE : from + span;
}

static void put_field(struct exporter *x, const struct trace_job *j, const char *column, int field)
{
    const struct column_map *m = column_map_of(x->format);
    const bool at_once = !strcmp(m->field[JOBS_START].column, m->field[JOBS_SUBMIT].column);
    const uint64_t start = at_once ? j->time_ns : later(j->time_ns, j->wait_ns);
    const struct map_field *f = &m->field[field == JOBS_FIELDS ? 0 : field];
    const uint32_t name[] = {j->user, j->group, j->gpu_spec, j->status, j->qos, j->name};
    const uint64_t at[] = {j->time_ns, start, later(start, j->duration_ns), j->duration_ns,
                           j->wait_ns};
    (void)column;
    if (field >= JOBS_USER && field < JOBS_FIELDS)
        export_csv_name(x, name[field - JOBS_USER]);
    else if (field <= JOBS_WAIT)
        put_time(x, f, at[field]);
    else if (field == JOBS_GPUS)
        put_decimal(x->to,
                    *m->field[JOBS_GPU_MILLI].column || m->field[JOBS_GPU_MILLI].constant
                        ? 1000ull * j->gpus
                        : (uint64_t)j->gpus * j->gpu_milli,
                    f->scale);
    else if (field == JOBS_GPU_MILLI)
        put_decimal(x->to, j->gpu_milli, f->scale);
    else if (field == JOBS_CPUS)
        put_decimal(x->to, j->cpu_milli, f->scale);
    else if (field == JOBS_MEM)
        put_decimal(x->to, j->mem_bytes, f->scale);
}

void jobs_map_put(struct exporter *x, const union trace_row *row)
{
    each_column(column_map_of(x->format), x, &row->job, put_field);
}

/* What the name stands for without a map. */
static int no_map(struct importer *im, struct err *e)
{
    return err_set(e, ERR_EUSAGE, "%s: jobs-map wants a column map: \"map\", or --map", im->path);
}

static int no_row(struct importer *im, union trace_row *out, struct err *e)
{
    (void)im;
    (void)out;
    (void)e;
    return 0;
}

const struct import_format import_jobs_map = {
    .name = "jobs-map",
    .title = "any log of jobs, by a column map (--map)",
    .source = "not said",
    .licence = "not said",
    .table = TRACE_JOBS,
    .csv = true,
    .open = no_map,
    .row = no_row,
};
