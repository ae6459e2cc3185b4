/* results_trials.c - the tables `columns` and `trials`. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "results/results_tables.h"

/* The names that occur in any trial, in order of first mention. */
struct names {
    struct {
        const char *name, *unit;
        enum better better;
    } * at;
    size_t n, cap;
    bool failed;
};

static void names_add(struct names *ns, const char *name, const char *unit, enum better better)
{
    for (size_t i = 0; i < ns->n; i++)
        if (!strcmp(ns->at[i].name, name))
            return;
    if (ns->n == ns->cap) {
        size_t cap = ns->cap ? 2 * ns->cap : 32;
        void *grown = realloc(ns->at, cap * sizeof *ns->at);
        if (!grown) {
            ns->failed = true;
            return;
        }
        ns->at = grown;
        ns->cap = cap;
    }
    ns->at[ns->n].name = name;
    ns->at[ns->n].unit = unit;
    ns->at[ns->n++].better = better;
}

static const struct {
    const char *suffix;
    double q; /* < 0: the mean */
} derived[] = {{".mean", -1}, {".p50", 0.5}, {".p90", 0.9}, {".p99", 0.99}};
#define N_DERIVED (sizeof derived / sizeof *derived)

static double derive(const struct sketch *s, size_t which)
{
    return derived[which].q < 0 ? sketch_mean(s) : sketch_quantile(s, derived[which].q);
}

static const struct sketch *sketch_of(const struct measures *m, const char *name)
{
    for (size_t i = 0; i < m->n_sketch; i++)
        if (!strcmp(m->sketch[i].name, name))
            return m->sketch[i].sketch;
    return NULL;
}

struct shape { /* of the trials table */
    struct names numbers, sketches;
    size_t n_factor, why;
    const struct result_trial *like; /* whose factors name the columns; NULL when no trial */
};

static void find_shape(const struct result_set *rs, struct shape *s)
{
    for (size_t i = 0; i < rs->n_trial; i++) {
        const struct result_trial *t = &rs->trial[i];
        s->like = &rs->trial[0];
        s->n_factor = s->like->n_factor;
        s->why = longest(s->why, t->why);
        for (size_t k = 0; k < t->measures->n_number; k++)
            names_add(&s->numbers, t->measures->number[k].name, t->measures->number[k].unit,
                      t->measures->number[k].better);
        for (size_t k = 0; k < t->measures->n_sketch; k++)
            names_add(&s->sketches, t->measures->sketch[k].name, t->measures->sketch[k].unit,
                      BETTER_NONE);
    }
}

static void write_columns(struct h5 *f, const struct shape *s)
{
    static const char *const better[] = {"", "less", "more"};
    struct h5_table t = {0};
    char name[256];
    size_t wide = 1, wide_unit = 1, row = 0;
    for (size_t i = 0; i < s->n_factor; i++)
        wide = longest(wide, s->like->factor[i].path);
    for (size_t i = 0; i < s->numbers.n; i++) {
        wide = longest(wide, s->numbers.at[i].name);
        wide_unit = longest(wide_unit, s->numbers.at[i].unit);
    }
    for (size_t i = 0; i < s->sketches.n; i++) {
        snprintf(name, sizeof name, "%s%s", s->sketches.at[i].name, derived[0].suffix);
        wide = longest(wide, name);
        wide_unit = longest(wide_unit, s->sketches.at[i].unit);
    }
    h5_table_column(&t, "name", H5_TEXT, wide);
    h5_table_column(&t, "role", H5_TEXT, sizeof "derived" - 1);
    h5_table_column(&t, "unit", H5_TEXT, wide_unit);
    h5_table_column(&t, "better", H5_TEXT, sizeof "less" - 1);
    h5_table_rows(&t, s->n_factor + s->numbers.n + N_DERIVED * s->sketches.n);
    for (size_t i = 0; i < s->n_factor; i++, row++) {
        h5_set_text(&t, row, 0, s->like->factor[i].path);
        h5_set_text(&t, row, 1, "factor");
    }
    for (size_t i = 0; i < s->numbers.n; i++, row++) {
        h5_set_text(&t, row, 0, s->numbers.at[i].name);
        h5_set_text(&t, row, 1, "number");
        h5_set_text(&t, row, 2, s->numbers.at[i].unit);
        h5_set_text(&t, row, 3, better[s->numbers.at[i].better]);
    }
    for (size_t i = 0; i < s->sketches.n; i++)
        for (size_t k = 0; k < N_DERIVED; k++, row++) {
            snprintf(name, sizeof name, "%s%s", s->sketches.at[i].name, derived[k].suffix);
            h5_set_text(&t, row, 0, name);
            h5_set_text(&t, row, 1, "derived");
            h5_set_text(&t, row, 2, s->sketches.at[i].unit);
        }
    h5_put_table(f, "columns", &t);
    h5_table_free(&t);
}

static void trial_columns(struct h5_table *t, const struct result_set *rs, const struct shape *s)
{
    h5_table_column(t, "index", H5_U64, 0);
    h5_table_column(t, "seed", H5_U64, 0);
    h5_table_column(t, "failed", H5_U64, 0);
    h5_table_column(t, "why", H5_TEXT, s->why);
    for (size_t i = 0; i < s->n_factor; i++) {
        size_t wide = 0;
        for (size_t k = 0; k < rs->n_trial; k++)
            wide = longest(wide, rs->trial[k].factor[i].value);
        h5_table_column(t, s->like->factor[i].path, H5_TEXT, wide);
    }
    for (size_t i = 0; i < s->numbers.n; i++)
        h5_table_column(t, s->numbers.at[i].name, H5_F64, 0);
    for (size_t i = 0; i < s->sketches.n; i++)
        for (size_t k = 0; k < N_DERIVED; k++) {
            char name[256];
            snprintf(name, sizeof name, "%s%s", s->sketches.at[i].name, derived[k].suffix);
            h5_table_column(t, name, H5_F64, 0);
        }
}

static void trial_row(struct h5_table *t, size_t row, const struct result_trial *r,
                      const struct shape *s)
{
    size_t col = 0;
    h5_set_u64(t, row, col++, r->index);
    h5_set_u64(t, row, col++, r->seed);
    h5_set_u64(t, row, col++, r->failed);
    h5_set_text(t, row, col++, r->why ? r->why : "");
    for (size_t i = 0; i < s->n_factor; i++)
        h5_set_text(t, row, col++, r->factor[i].value);
    for (size_t i = 0; i < s->numbers.n; i++) {
        const double *v = measures_find(r->measures, s->numbers.at[i].name);
        h5_set_f64(t, row, col++, v ? *v : (double)NAN);
    }
    for (size_t i = 0; i < s->sketches.n; i++) {
        const struct sketch *k = sketch_of(r->measures, s->sketches.at[i].name);
        for (size_t d = 0; d < N_DERIVED; d++)
            h5_set_f64(t, row, col++, k ? derive(k, d) : (double)NAN);
    }
}

static void write_units(struct h5 *f, const struct names *ns, const char *suffix)
{
    for (size_t i = 0; i < ns->n; i++) {
        char name[256];
        snprintf(name, sizeof name, "unit.%s%s", ns->at[i].name, suffix);
        h5_put_text(f, "trials", name, ns->at[i].unit);
    }
}

void results_write_trials(struct h5 *f, const struct result_set *rs)
{
    struct shape s = {0};
    struct h5_table t = {0};
    find_shape(rs, &s);
    trial_columns(&t, rs, &s);
    h5_table_rows(&t, rs->n_trial);
    t.failed |= s.numbers.failed || s.sketches.failed;
    for (size_t i = 0; i < rs->n_trial && !t.failed; i++)
        trial_row(&t, i, &rs->trial[i], &s);
    write_columns(f, &s);
    h5_put_table(f, "trials", &t);
    write_units(f, &s.numbers, "");
    for (size_t d = 0; d < N_DERIVED; d++)
        write_units(f, &s.sketches, derived[d].suffix);
    h5_table_free(&t);
    free(s.numbers.at);
    free(s.sketches.at);
}
