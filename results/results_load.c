/* results_load.c - a results file, or its journal, back into memory. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "results/journal.h"
#include "results/results_tables.h"

/* The column of each fixed name; a file that lacks one is not ours. */
static bool find_columns(const struct h5_table *t, const char *const *names,
                         const enum h5_kind *kinds, size_t n, size_t *col)
{
    for (size_t i = 0; i < n; i++) {
        col[i] = h5_table_find(t, names[i]);
        if (col[i] == H5_NO_COLUMN || t->column[col[i]].kind != kinds[i])
            return false;
    }
    return true;
}

static int bad(const char *table, struct err *e)
{
    return err_set(e, ERR_EPARSE, "table %s is not what schema " RESULTS_SCHEMA " says", table);
}

static enum better better_of(const char *s)
{
    return !strcmp(s, "less") ? BETTER_LESS : !strcmp(s, "more") ? BETTER_MORE : BETTER_NONE;
}

/* One cell of a trial, as the row of `columns` that describes it says. */
static int take_cell(struct result_trial *r, const struct h5_table *t, size_t row, const char *name,
                     const char *role, const char *unit, const char *better, struct err *e)
{
    size_t col = h5_table_find(t, name);
    if (!strcmp(role, "derived"))
        return 0; /* the sketches have it */
    if (col == H5_NO_COLUMN)
        return bad("trials", e);
    if (!strcmp(role, "factor") && t->column[col].kind == H5_TEXT) {
        struct result_factor *f = &r->factor[r->n_factor++];
        f->path = strdup(name);
        f->value = h5_cell_text(t, row, col);
        return f->path && f->value ? 0 : err_set(e, ERR_ENOMEM, "out of memory for a trial");
    }
    if (strcmp(role, "number") || t->column[col].kind != H5_F64)
        return bad("columns", e);
    double v = h5_cell_f64(t, row, col);
    if (!isnan(v))
        measures_number(r->measures, name, unit, better_of(better), v);
    return 0;
}

static int take_cells(struct result_trial *r, const struct h5_table *t, size_t row,
                      const struct h5_table *columns, struct err *e)
{
    static const char *const names[] = {"name", "role", "unit", "better"};
    static const enum h5_kind kinds[] = {H5_TEXT, H5_TEXT, H5_TEXT, H5_TEXT};
    size_t col[4];
    if (!find_columns(columns, names, kinds, 4, col))
        return bad("columns", e);
    r->factor = calloc(columns->n_row + 1, sizeof *r->factor);
    r->measures = measures_new();
    int rc = r->factor && r->measures ? 0 : err_set(e, ERR_ENOMEM, "out of memory for a trial");
    for (size_t i = 0; i < columns->n_row && !rc; i++) {
        char *text[4];
        bool whole = true;
        for (size_t k = 0; k < 4; k++)
            whole = (text[k] = h5_cell_text(columns, i, col[k])) && whole;
        rc = whole ? take_cell(r, t, row, text[0], text[1], text[2], text[3], e)
                   : err_set(e, ERR_ENOMEM, "out of memory for a trial");
        for (size_t k = 0; k < 4; k++)
            free(text[k]);
    }
    return rc;
}

static int take_trials(struct result_set *rs, const struct h5_table *t,
                       const struct h5_table *columns, struct err *e)
{
    static const char *const names[] = {"index", "seed", "failed", "why"};
    static const enum h5_kind kinds[] = {H5_U64, H5_U64, H5_U64, H5_TEXT};
    size_t col[4];
    if (!find_columns(t, names, kinds, 4, col))
        return bad("trials", e);
    for (size_t row = 0; row < t->n_row; row++) {
        struct result_trial r = {.index = h5_cell_u64(t, row, col[0]),
                                 .seed = h5_cell_u64(t, row, col[1]),
                                 .failed = h5_cell_u64(t, row, col[2]) != 0,
                                 .why = h5_cell_text(t, row, col[3])};
        int rc = take_cells(&r, t, row, columns, e);
        if (!rc)
            rc = results_add(rs, &r, e);
        else
            result_trial_clear(&r);
        if (rc)
            return rc;
    }
    return 0;
}

static struct measures *measures_of(const struct result_set *rs, uint64_t index)
{
    const struct result_trial *t = results_trial(rs, index);
    return t ? t->measures : NULL;
}

static int take_sketch(struct measures *m, const char *name, const char *unit, struct buf *packed,
                       struct err *e)
{
    struct sketch *s = sketch_unpack(packed);
    if (!s)
        return bad("packed", e);
    struct sketch *fresh = measures_sketch(m, name, unit, false);
    for (size_t i = 0; i < m->n_sketch; i++)
        if (fresh && m->sketch[i].sketch == fresh) {
            sketch_free(fresh);
            m->sketch[i].sketch = s;
            return 0;
        }
    sketch_free(s);
    return err_set(e, ERR_ENOMEM, "out of memory for a sketch");
}

static int take_sketches(struct result_set *rs, const struct h5_table *t, const unsigned char *data,
                         size_t n, struct err *e)
{
    static const char *const names[] = {"trial", "packed_at", "packed_n", "name", "unit"};
    static const enum h5_kind kinds[] = {H5_U64, H5_U64, H5_U64, H5_TEXT, H5_TEXT};
    size_t col[5];
    if (!find_columns(t, names, kinds, 5, col))
        return bad("sketches", e);
    for (size_t row = 0; row < t->n_row; row++) {
        struct measures *m = measures_of(rs, h5_cell_u64(t, row, col[0]));
        uint64_t at = h5_cell_u64(t, row, col[1]), len = h5_cell_u64(t, row, col[2]);
        if (!m || at > n || len > n - at)
            return bad("sketches", e);
        struct buf b = {0};
        buf_bytes(&b, data + at, len);
        char *name = h5_cell_text(t, row, col[3]), *unit = h5_cell_text(t, row, col[4]);
        int rc = name && unit ? take_sketch(m, name, unit, &b, e)
                              : err_set(e, ERR_ENOMEM, "out of memory for a sketch");
        free(name);
        free(unit);
        buf_free(&b);
        if (rc)
            return rc;
    }
    return 0;
}

static int take_series(struct result_set *rs, const struct h5_table *t, const double *sum, size_t n,
                       struct err *e)
{
    static const char *const names[] = {"trial",    "width_ns", "bins", "first",
                                        "since_ns", "level",    "name", "unit"};
    static const enum h5_kind kinds[] = {H5_U64, H5_U64, H5_U64,  H5_U64,
                                         H5_U64, H5_F64, H5_TEXT, H5_TEXT};
    size_t col[8];
    if (!find_columns(t, names, kinds, 8, col))
        return bad("series", e);
    for (size_t row = 0; row < t->n_row; row++) {
        struct measures *m = measures_of(rs, h5_cell_u64(t, row, col[0]));
        uint64_t bins = h5_cell_u64(t, row, col[2]), first = h5_cell_u64(t, row, col[3]);
        if (!m || bins > SERIES_BINS || first > n || bins > n - first)
            return bad("series", e);
        char *name = h5_cell_text(t, row, col[6]), *unit = h5_cell_text(t, row, col[7]);
        struct measure_series *s = name && unit ? measures_series(m, name, unit) : NULL;
        free(name);
        free(unit);
        if (!s)
            return err_set(e, ERR_ENOMEM, "out of memory for a series");
        s->width = h5_cell_u64(t, row, col[1]);
        s->bins = (uint32_t)bins;
        s->since = h5_cell_u64(t, row, col[4]);
        s->level = h5_cell_f64(t, row, col[5]);
        memcpy(s->sum, sum + first, bins * sizeof *sum);
    }
    return 0;
}

static int take_incidents(struct result_set *rs, const struct h5_table *t, struct err *e)
{
    static const char *const names[] = {"trial", "when_ns", "decision", "kind", "who", "text"};
    static const enum h5_kind kinds[] = {H5_U64, H5_U64, H5_U64, H5_TEXT, H5_TEXT, H5_TEXT};
    size_t col[6];
    if (!find_columns(t, names, kinds, 6, col))
        return bad("incidents", e);
    for (size_t row = 0; row < t->n_row; row++) {
        struct measures *m = measures_of(rs, h5_cell_u64(t, row, col[0]));
        if (!m)
            return bad("incidents", e);
        char *kind = h5_cell_text(t, row, col[3]), *who = h5_cell_text(t, row, col[4]),
             *text = h5_cell_text(t, row, col[5]);
        if (kind && who && text)
            measures_incident(m, kind, who, h5_cell_u64(t, row, col[1]),
                              h5_cell_u64(t, row, col[2]), text);
        else
            m->failed = true;
        free(kind);
        free(who);
        free(text);
    }
    return 0;
}

static int take_tables(struct result_set *rs, struct h5 *f, struct err *e)
{
    struct h5_table columns, trials, sketches, series, incidents;
    size_t n_packed, n_sum;
    h5_get_table(f, "columns", &columns);
    h5_get_table(f, "trials", &trials);
    h5_get_table(f, "sketches", &sketches);
    h5_get_table(f, "series", &series);
    h5_get_table(f, "incidents", &incidents);
    unsigned char *packed = h5_get_array(f, "packed", H5_U8, &n_packed);
    double *sum = h5_get_array(f, "series_integral", H5_F64, &n_sum);
    int rc = 0;
    if (h5_ok(f) && !(rc = take_trials(rs, &trials, &columns, e)) &&
        !(rc = take_sketches(rs, &sketches, packed, n_packed, e)) &&
        !(rc = take_series(rs, &series, sum, n_sum, e)))
        rc = take_incidents(rs, &incidents, e);
    for (size_t i = 0; i < rs->n_trial && !rc; i++)
        if (rs->trial[i].measures->failed)
            rc = err_set(e, ERR_ENOMEM, "out of memory for trial results");
    free(sum);
    free(packed);
    h5_table_free(&incidents);
    h5_table_free(&series);
    h5_table_free(&sketches);
    h5_table_free(&trials);
    h5_table_free(&columns);
    return rc;
}

static int take_head(struct result_set *r, struct h5 *f, struct err *e)
{
    char *schema = h5_get_text(f, "schema");
    int rc = 0;
    if (!schema || strcmp(schema, RESULTS_SCHEMA))
        rc = err_set(e, ERR_EPARSE, "schema is \"%s\", want \"" RESULTS_SCHEMA "\"",
                     schema ? schema : "");
    free(schema);
    if (rc)
        return rc;
    r->name = h5_get_text(f, "name");
    r->title = h5_get_text(f, "title");
    r->version = h5_get_text(f, "version");
    r->planned = h5_get_u64(f, "planned");
    r->experiment_json = h5_get_text(f, "experiment");
    r->machine_json = h5_get_text(f, "machine");
    r->trace_json = h5_get_text(f, "trace");
    return 0;
}

bool results_are(const char *path)
{
    struct h5 *f;
    struct err e = {0};
    if (h5_open(&f, path, &e))
        return false;
    static const char any[] = "malv-results/";
    char *schema = h5_get_text(f, "schema");
    const bool ours = schema && !strncmp(schema, any, sizeof any - 1);
    free(schema);
    return !h5_close(f, &e) && ours;
}

static int load_h5(struct result_set **rs, const char *path, struct err *e)
{
    struct h5 *f;
    int rc = h5_open(&f, path, e);
    if (rc)
        return rc;
    struct result_set *r = calloc(1, sizeof *r);
    rc = r ? take_head(r, f, e) : err_set(e, ERR_ENOMEM, "out of memory for results");
    if (!rc)
        rc = take_tables(r, f, e);
    if (rc)
        err_wrap(e, rc, "%s", path);
    int closed = h5_close(f, e); /* the first cause wins */
    if (!rc && !(rc = closed))
        *rs = r;
    else
        results_free(r);
    return rc;
}

int results_load(struct result_set **rs, const char *path, struct err *e)
{
    char journal[4096];
    *rs = NULL;
    if (access(path, F_OK) == 0)
        return load_h5(rs, path, e);
    if (snprintf(journal, sizeof journal, "%s" JOURNAL_SUFFIX, path) < (int)sizeof journal &&
        access(journal, F_OK) == 0)
        return journal_read(rs, journal, e);
    return err_set(e, ERR_EIO, "%s: there is no such file, nor a journal of one", path);
}
