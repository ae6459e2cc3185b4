/* results_parts.c - the tables of sketches, series and incidents. */
#include "results/results_tables.h"

struct bucket_rows {
    struct h5_table table;
    size_t row;
};

static void count_bucket(void *ctx, double value, uint64_t count)
{
    (void)value;
    (void)count;
    ++*(size_t *)ctx;
}

static void put_bucket(void *ctx, double value, uint64_t count)
{
    struct bucket_rows *b = ctx;
    h5_set_f64(&b->table, b->row, 0, value);
    h5_set_u64(&b->table, b->row++, 1, count);
}

/* The columns that every table of things within trials begins with. */
static void named_columns(struct h5_table *t, size_t name, size_t unit)
{
    h5_table_column(t, "trial", H5_U64, 0);
    h5_table_column(t, "name", H5_TEXT, name);
    h5_table_column(t, "unit", H5_TEXT, unit);
}

static void named_row(struct h5_table *t, size_t row, uint64_t trial, const char *name,
                      const char *unit)
{
    h5_set_u64(t, row, 0, trial);
    h5_set_text(t, row, 1, name);
    h5_set_text(t, row, 2, unit);
}

static const double quantiles[] = {0.5, 0.9, 0.99, 0.999};

static void sketch_columns(struct h5_table *t, size_t name, size_t unit)
{
    static const char *const whole[] = {"count", "first", "n", "packed_at", "packed_n"};
    static const char *const real[] = {"mean", "min", "max", "p50", "p90", "p99", "p999"};
    named_columns(t, name, unit);
    for (size_t i = 0; i < sizeof whole / sizeof *whole; i++)
        h5_table_column(t, whole[i], H5_U64, 0);
    for (size_t i = 0; i < sizeof real / sizeof *real; i++)
        h5_table_column(t, real[i], H5_F64, 0);
}

static void sketch_row(struct h5_table *t, size_t row, uint64_t trial,
                       const struct measure_sketch *m, struct bucket_rows *b, struct buf *packed)
{
    size_t first = b->row, at = packed->len;
    sketch_each(m->sketch, put_bucket, b);
    sketch_pack(m->sketch, packed);
    named_row(t, row, trial, m->name, m->unit);
    h5_set_u64(t, row, 3, sketch_count(m->sketch));
    h5_set_u64(t, row, 4, first);
    h5_set_u64(t, row, 5, b->row - first);
    h5_set_u64(t, row, 6, at);
    h5_set_u64(t, row, 7, packed->len - at);
    h5_set_f64(t, row, 8, sketch_mean(m->sketch));
    h5_set_f64(t, row, 9, sketch_min(m->sketch));
    h5_set_f64(t, row, 10, sketch_max(m->sketch));
    for (size_t q = 0; q < sizeof quantiles / sizeof *quantiles; q++)
        h5_set_f64(t, row, 11 + q, sketch_quantile(m->sketch, quantiles[q]));
}

void results_write_sketches(struct h5 *f, const struct result_set *rs)
{
    struct h5_table t = {0};
    struct bucket_rows b = {0};
    struct buf packed = {0};
    size_t n = 0, n_bucket = 0, name = 0, unit = 0, row = 0;
    for (size_t i = 0; i < rs->n_trial; i++)
        for (size_t k = 0; k < rs->trial[i].measures->n_sketch; k++, n++) {
            const struct measure_sketch *m = &rs->trial[i].measures->sketch[k];
            name = longest(name, m->name);
            unit = longest(unit, m->unit);
            sketch_each(m->sketch, count_bucket, &n_bucket);
        }
    sketch_columns(&t, name, unit);
    h5_table_rows(&t, n);
    h5_table_column(&b.table, "value", H5_F64, 0);
    h5_table_column(&b.table, "count", H5_U64, 0);
    h5_table_rows(&b.table, n_bucket);
    for (size_t i = 0; i < rs->n_trial; i++)
        for (size_t k = 0; k < rs->trial[i].measures->n_sketch; k++)
            sketch_row(&t, row++, rs->trial[i].index, &rs->trial[i].measures->sketch[k], &b,
                       &packed);
    t.failed |= packed.failed;
    h5_put_table(f, "sketches", &t);
    h5_put_table(f, "buckets", &b.table);
    h5_put_array(f, "packed", H5_U8, packed.data, packed.len);
    h5_table_free(&t);
    h5_table_free(&b.table);
    buf_free(&packed);
}

static void series_row(struct h5_table *t, size_t row, uint64_t trial,
                       const struct measure_series *s, struct buf *bins)
{
    named_row(t, row, trial, s->name, s->unit);
    h5_set_u64(t, row, 3, s->width);
    h5_set_u64(t, row, 4, s->bins);
    h5_set_u64(t, row, 5, bins->len / sizeof(double));
    h5_set_u64(t, row, 6, s->since);
    h5_set_f64(t, row, 7, s->level);
    buf_bytes(bins, s->sum, s->bins * sizeof *s->sum);
}

void results_write_series(struct h5 *f, const struct result_set *rs)
{
    struct h5_table t = {0};
    struct buf bins = {0};
    size_t n = 0, name = 0, unit = 0, row = 0;
    for (size_t i = 0; i < rs->n_trial; i++)
        for (size_t k = 0; k < rs->trial[i].measures->n_series; k++, n++) {
            name = longest(name, rs->trial[i].measures->series[k].name);
            unit = longest(unit, rs->trial[i].measures->series[k].unit);
        }
    named_columns(&t, name, unit);
    h5_table_column(&t, "width_ns", H5_U64, 0);
    h5_table_column(&t, "bins", H5_U64, 0);
    h5_table_column(&t, "first", H5_U64, 0);
    h5_table_column(&t, "since_ns", H5_U64, 0);
    h5_table_column(&t, "level", H5_F64, 0);
    h5_table_rows(&t, n);
    for (size_t i = 0; i < rs->n_trial; i++)
        for (size_t k = 0; k < rs->trial[i].measures->n_series; k++)
            series_row(&t, row++, rs->trial[i].index, &rs->trial[i].measures->series[k], &bins);
    t.failed |= bins.failed;
    h5_put_table(f, "series", &t);
    h5_put_array(f, "series_integral", H5_F64, bins.data, bins.len / sizeof(double));
    h5_table_free(&t);
    buf_free(&bins);
}

void results_write_incidents(struct h5 *f, const struct result_set *rs)
{
    struct h5_table t = {0};
    size_t n = 0, kind = 0, who = 0, text = 0, row = 0;
    for (size_t i = 0; i < rs->n_trial; i++)
        for (size_t k = 0; k < rs->trial[i].measures->n_incident; k++, n++) {
            const struct measure_incident *m = &rs->trial[i].measures->incident[k];
            kind = longest(kind, m->kind);
            who = longest(who, m->who);
            text = longest(text, m->text);
        }
    h5_table_column(&t, "trial", H5_U64, 0);
    h5_table_column(&t, "kind", H5_TEXT, kind);
    h5_table_column(&t, "who", H5_TEXT, who);
    h5_table_column(&t, "when_ns", H5_U64, 0);
    h5_table_column(&t, "decision", H5_U64, 0);
    h5_table_column(&t, "text", H5_TEXT, text);
    h5_table_rows(&t, n);
    for (size_t i = 0; i < rs->n_trial; i++)
        for (size_t k = 0; k < rs->trial[i].measures->n_incident; k++, row++) {
            const struct measure_incident *m = &rs->trial[i].measures->incident[k];
            h5_set_u64(&t, row, 0, rs->trial[i].index);
            h5_set_text(&t, row, 1, m->kind);
            h5_set_text(&t, row, 2, m->who);
            h5_set_u64(&t, row, 3, m->when);
            h5_set_u64(&t, row, 4, m->decision);
            h5_set_text(&t, row, 5, m->text);
        }
    h5_put_table(f, "incidents", &t);
    h5_table_free(&t);
}
