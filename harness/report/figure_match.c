/* Finds the trials behind each published value, and how far off they are. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "harness/report/figure.h"
#include "results/metric.h"
#include "results/stats.h"

/* "0.5" and "0.50" are the same value; so are equal texts. */
static bool same_value(const char *a, const char *b)
{
    char *end_a, *end_b;
    const double x = strtod(a, &end_a), y = strtod(b, &end_b);
    if (end_a != a && end_b != b && !*end_a && !*end_b)
        return x == y;
    return !strcmp(a, b);
}

/* What a config value reads as when it is a factor: text without its quotes.  malloc'd. */
static char *plain_text(const struct config *c)
{
    const char *s;
    if (config_kind(c) == CONFIG_STRING && !config_str(c, &s, NULL))
        return strdup(s);
    return config_text(c);
}

/* The value at a dotted path in the experiment as written. */
static const struct config *at_path(const struct config *c, const char *path)
{
    char key[128];
    while (c && *path) {
        const size_t n = strcspn(path, ".");
        if (n >= sizeof key)
            return NULL;
        memcpy(key, path, n);
        key[n] = 0;
        c = config_kind(c) == CONFIG_OBJECT ? config_get(c, key) : NULL;
        path += n + (path[n] == '.');
    }
    return c;
}

struct values {
    double *y, *over; /* over: what to divide by, if `divided` */
    size_t n;
    bool divided;
};

/* What the trial had at `path`: swept, or the same for all.  malloc'd; NULL: nothing there. */
static char *value_at(const struct config *experiment, const struct result_trial *t,
                      const char *path)
{
    for (size_t i = 0; i < t->n_factor; i++)
        if (!strcmp(t->factor[i].path, path))
            return strdup(t->factor[i].value);
    const struct config *c = at_path(experiment, path);
    return c ? plain_text(c) : NULL;
}

static bool selected(const struct figure_series *s, const struct config *experiment,
                     const struct result_trial *t)
{
    bool all = true;
    for (size_t i = 0; all && s->select && i < config_count(s->select); i++) {
        const struct config *want = config_at(s->select, i);
        char *have = value_at(experiment, t, config_key(want)), *text = plain_text(want);
        all = have && text && same_value(have, text);
        free(have);
        free(text);
    }
    return all;
}

bool figure_wants(const struct figure *f, const struct config *experiment,
                  const struct result_trial *t)
{
    for (size_t i = 0; i < f->n_series; i++)
        if (selected(&f->series[i], experiment, t))
            return true;
    for (size_t i = 0; i < f->n_baseline; i++)
        if (selected(&f->baseline[i].trials, experiment, t))
            return true;
    return false;
}

static bool at_x(const struct figure_series *s, const struct config *experiment,
                 const struct result_trial *t, double x)
{
    if (!s->x_path)
        return s->x_fixed == x;
    char *have = value_at(experiment, t, s->x_path), *end;
    const double v = have ? strtod(have, &end) : NAN;
    const bool same = have && end != have && !*end && fabs(v - x) <= 1e-9 * fmax(fabs(v), fabs(x));
    free(have);
    return same;
}

int figure_gather(const struct figure *f, const struct result_set *rs,
                  const struct config *experiment, const struct figure_series *s, double x,
                  double *y, size_t *n, struct err *e)
{
    for (size_t i = 0; i < rs->n_trial; i++) {
        const struct result_trial *t = &rs->trial[i];
        if (*n == rs->n_trial || !selected(s, experiment, t) || !at_x(s, experiment, t, x))
            continue;
        if (t->failed)
            return err_set(e, ERR_EFAIL, "%s: trial %llu failed: %s", f->file,
                           (unsigned long long)t->index, t->why ? t->why : "no reason given");
        if (!metric_value(t->measures, s->y, &y[*n]))
            return err_set(e, ERR_ENAME, "%s: series \"%.120s\": trials have no measure \"%.80s\"",
                           f->file, s->name, s->y);
        y[(*n)++] *= s->scale;
    }
    return 0;
}

/* The same for all entries behind one published value, and what each value is to be divided by. */
static int gather(const struct figure *f, const struct result_set *rs,
                  const struct config *experiment, const struct published_row *row,
                  struct values *v, struct err *e)
{
    int rc = 0;
    *v = (struct values){.y = v->y, .over = v->over};
    for (size_t k = 0; !rc && k < f->n_series; k++) {
        struct figure_series s = f->series[k];
        size_t from = v->n;
        if (strcmp(s.name, row->series))
            continue;
        rc = figure_gather(f, rs, experiment, &s, row->x, v->y, &v->n, e);
        for (size_t i = from; i < v->n; i++)
            v->over[i] = 1;
        if (rc || !s.over)
            continue;
        v->divided = true;
        s.y = s.over;
        s.scale = 1;
        rc = figure_gather(f, rs, experiment, &s, row->x, v->over, &from, e);
    }
    return rc;
}

/* To one value per trial, whose mean is the ratio R of the means and whose spread is that of the
 * ratio to first order: R + (y - R over) / mean over (Cochran 1977, Sampling Techniques, 6.4). */
static void linearize(struct values *v)
{
    double y = 0, over = 0;
    for (size_t i = 0; i < v->n; i++) {
        y += v->y[i];
        over += v->over[i];
    }
    const double ratio = y / over, mean = over / (double)v->n;
    for (size_t i = 0; i < v->n; i++)
        v->y[i] = ratio + (v->y[i] - ratio * v->over[i]) / mean;
}

static double tolerance_of(const struct figure *f, const char *series)
{
    for (size_t i = 0; i < f->n_series; i++)
        if (!strcmp(f->series[i].name, series) && !isnan(f->series[i].tolerance))
            return f->series[i].tolerance;
    return f->tolerance;
}

static void judge(const struct figure *f, const struct published_row *row,
                  const struct summary *sum, struct figure_point *p)
{
    const double ours = sum->mean;
    const double near = ours < row->lo ? row->lo : ours > row->hi ? row->hi : ours;
    *p = (struct figure_point){.series = row->series,
                               .source = row->source,
                               .x = row->x,
                               .published = row->value,
                               .ours = ours,
                               .lo = sum->lo,
                               .hi = sum->hi,
                               .band = {row->lo, row->hi},
                               .trials = sum->n,
                               .pass = true};
    if (isnan(row->value)) /* shown, not judged */
        return;
    p->error = fabs(ours - near);
    if (f->kind != TOLERANCE_ABSOLUTE && near != 0)
        p->error /= fabs(near);
    p->pass = p->error <= tolerance_of(f, row->series);
    if (f->kind == TOLERANCE_INTERVAL) /* no interval, no pass */
        p->pass = p->pass && p->lo <= row->hi && row->lo <= p->hi;
}

static int match_all(struct figure *f, const struct result_set *rs, const struct config *experiment,
                     struct values *y, struct err *e)
{
    f->max_error = 0;
    f->missed = f->wrong_way = 0;
    for (size_t i = 0; i < f->published.n; i++) {
        const struct published_row *row = &f->published.row[i];
        struct summary sum;
        const int rc = gather(f, rs, experiment, row, y, e);
        if (rc)
            return rc;
        if (!y->n)
            return err_set(e, ERR_ENAME, "%s: no trial for series \"%.120s\" at %g", f->file,
                           row->series, row->x);
        if (y->divided)
            linearize(y);
        stats_summary(y->y, y->n, FIGURE_CONFIDENCE, &sum);
        judge(f, row, &sum, &f->point[f->n]);
        f->max_error = fmax(f->max_error, f->point[f->n].error);
        f->missed += !f->point[f->n].pass;
        f->n++;
    }
    return 0;
}

int figure_match(struct figure *f, const struct result_set *rs, struct err *e)
{
    struct config *experiment = NULL;
    struct values y = {.y = calloc(rs->n_trial + 1, sizeof(double)),
                       .over = calloc(rs->n_trial + 1, sizeof(double))};
    free(f->point);
    f->n = 0;
    f->point = calloc(f->published.n + 1, sizeof *f->point);
    int rc = y.y && y.over && f->point ? 0 : err_set(e, ERR_ENOMEM, "out of memory");
    if (!rc)
        rc =
            config_parse(&experiment, f->file, rs->experiment_json, strlen(rs->experiment_json), e);
    if (!rc)
        rc = match_all(f, rs, experiment, &y, e);
    if (!rc)
        rc = figure_direction_judge(f, rs, experiment, e);
    if (!rc)
        figure_order_judge(f);
    f->pass = f->missed <= f->allow_misses && !f->wrong_way && !f->wrong_order;
    config_free(experiment);
    free(y.y);
    free(y.over);
    return rc;
}
