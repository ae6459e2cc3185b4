/* Which figures a report has, and what is on them. */
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "harness/base/outfile.h"
#include "harness/report/report_figures.h"

#define MOST_ROWS 24

int report_keep(struct report *r, struct plot *p, const char *section, const char *caption,
                const char *dir, struct err *e)
{
    bool drawn = false;
    int rc = 0;
    if (plot_points(p)) {
        struct report_figure *grown = realloc(r->figure, (r->n_figure + 1) * sizeof *grown);
        if (!grown)
            rc = err_set(e, ERR_ENOMEM, "out of memory");
        else
            r->figure = grown;
        if (!rc)
            rc = plot_write(p, dir, &drawn, e);
        if (!rc) {
            struct report_figure *fig = &r->figure[r->n_figure++];
            *fig = (struct report_figure){.section = section};
            snprintf(fig->name, sizeof fig->name, "%s", p->name);
            snprintf(fig->title, sizeof fig->title, "%s", p->title);
            snprintf(fig->caption, sizeof fig->caption, "%s", caption);
            r->drawn = drawn;
        }
    }
    plot_free(p);
    return rc;
}

void report_file_name(char *out, size_t size, const char *kind, const char *metric, size_t setting)
{
    if (setting == SIZE_MAX)
        snprintf(out, size, "%s-%s", kind, metric);
    else
        snprintf(out, size, "%s-%s-%zu", kind, metric, setting + 1);
    for (char *c = out; *c; c++)
        if (!((*c >= 'a' && *c <= 'z') || (*c >= '0' && *c <= '9')))
            *c = '-';
}

void report_capital(char *s)
{
    if (*s >= 'a' && *s <= 'z')
        *s = (char)(*s - 'a' + 'A');
}

const char *report_unit(const char *unit)
{
    return strcmp(unit, "1") ? unit : "";
}

/* ---- one bar per policy and setting ------------------------------------------ */

/* *shown: how many settings had room. */
static bool bar_rows(const struct report *r, const char *metric, struct plot *p, size_t *shown)
{
    for (*shown = 0; *shown < r->n_setting && p->n_row < MOST_ROWS; ++*shown) {
        const struct report_setting *s = &r->setting[*shown];
        if (*s->text && !plot_row(p, s->text)) /* a heading for the rows below */
            return false;
        for (size_t k = 0; k < s->n; k++) {
            struct summary sum;
            char name[160];
            cell_summary(s->entry[k].cell, metric, CONFIDENCE, &sum);
            if (!sum.n)
                continue;
            snprintf(name, sizeof name, "%s%s%s", s->entry[k].label, *s->text ? ", " : "", s->text);
            struct plot_series *one = plot_add(p, name, (unsigned)s->entry[k].value, PLOT_BARS);
            plot_point(one, sum.mean, (double)p->n_row, sum.lo, sum.hi);
            if (!plot_row(p, s->entry[k].label))
                return false;
        }
    }
    return true;
}

static int bars(struct report *r, const struct metric *m, const char *dir, struct err *e)
{
    char name[80], title[120], caption[160];
    size_t shown;
    report_file_name(name, sizeof name, "compare", m->name, SIZE_MAX);
    report_metric_title(m->name, title, sizeof title);
    report_capital(title);
    struct plot p = {.name = name, .title = title, .xlabel = report_unit(m->unit), .ylabel = ""};
    if (!bar_rows(r, m->name, &p, &shown)) {
        plot_free(&p);
        return err_set(e, ERR_ENOMEM, "out of memory");
    }
    int n = snprintf(caption, sizeof caption, "%s",
                     r->seeds > 1 ? "Mean over seeds with its 95 % confidence interval."
                                  : "One seed only: no interval can be given.");
    if (shown < r->n_setting)
        snprintf(caption + n, sizeof caption - (size_t)n,
                 " The first %zu of %zu settings; summary.csv has all.", shown, r->n_setting);
    return report_keep(r, &p, "compare", caption, dir, e);
}

/* ---- distributions ------------------------------------------------------------ */

struct cdf {
    struct plot_series *series;
    uint64_t total, below;
    double least; /* where a value of zero is drawn: the axis is logarithmic */
    double shown; /* share at the last point */
};

/* A point only where the curve has moved, so that a page stays small. */
static void cdf_bucket(void *ctx, double value, uint64_t count)
{
    struct cdf *c = ctx;
    const double x = value > 0 ? value : c->least;
    c->below += count;
    const double share = (double)c->below / (double)c->total;
    if (share - c->shown < 0.004 && c->below < c->total && c->series->n)
        return;
    if (!c->series->n) /* up from the axis: one value alone is a line too */
        plot_point(c->series, x, 0, NAN, NAN);
    c->shown = share;
    plot_point(c->series, x, share, NAN, NAN);
}

static void least_positive(void *ctx, double value, uint64_t count)
{
    double *least = ctx;
    if (count && value > 0 && value < *least)
        *least = value;
}

/* The smallest value above zero in any entry; INFINITY: there is none. */
static double least_of(const struct report_setting *s, const char *sketch)
{
    double least = INFINITY;
    for (size_t i = 0; i < s->n; i++) {
        struct sketch *all = cell_sketch(s->entry[i].cell, sketch);
        if (all)
            sketch_each(all, least_positive, &least);
        sketch_free(all);
    }
    return least;
}

static void cdf_curves(const struct report_setting *s, const char *sketch, double least,
                       struct plot *p)
{
    for (size_t i = 0; i < s->n; i++) {
        struct sketch *all = cell_sketch(s->entry[i].cell, sketch);
        if (all && sketch_count(all)) {
            struct cdf c = {plot_add(p, s->entry[i].label, (unsigned)s->entry[i].value, PLOT_LINES),
                            sketch_count(all), 0, least / 10, 0};
            if (c.series)
                sketch_each(all, cdf_bucket, &c);
        }
        sketch_free(all);
    }
}

static bool is_time(const char *unit)
{
    return !strcmp(unit, "s") || !strcmp(unit, "ms") || !strcmp(unit, "us") || !strcmp(unit, "ns");
}

static int cdf_figure(struct report *r, size_t setting, const char *sketch, const char *unit,
                      const char *dir, struct err *e)
{
    const struct report_setting *s = &r->setting[setting];
    const double least = least_of(s, sketch);
    char name[80], title[160], what[96], label[64], caption[120];
    if (isinf(least)) /* all zero: there is nothing to see */
        return 0;
    report_file_name(name, sizeof name, "cdf", sketch, setting);
    report_metric_title(sketch, what, sizeof what);
    report_capital(what);
    snprintf(title, sizeof title, "%s%s%s", what, *s->text ? ", " : "", s->text);
    snprintf(label, sizeof label, "%s", report_unit(unit));
    struct plot p = {.name = name,
                     .title = title,
                     .xlabel = label,
                     .ylabel = "share at or below",
                     .log_x = true,
                     .y_max = 1};
    cdf_curves(s, sketch, least, &p);
    const char *left = is_time(unit) ? "All seeds together; further left is faster."
                                     : "All seeds together; further left is less.";
    snprintf(caption, sizeof caption, "%s Zero stands at %.2g.", left, least / 10);
    bool zero = false;
    for (size_t i = 0; i < p.n_series; i++)
        zero = zero || (p.series[i].n && p.series[i].point[0].x < least);
    if (!zero)
        caption[strlen(left)] = 0;
    return report_keep(r, &p, "latency", caption, dir, e);
}

/* ---- over time ----------------------------------------------------------------- */

static const struct measure_series *series_named(const struct result_trial *t, const char *name)
{
    for (size_t i = 0; t->measures && i < t->measures->n_series; i++)
        if (!strcmp(t->measures->series[i].name, name))
            return &t->measures->series[i];
    return NULL;
}

static void series_points(struct plot_series *to, const struct measure_series *s)
{
    for (uint32_t b = 0; to && b < s->bins && s->width; b++)
        plot_point(to, (double)s->width * (b + 0.5) / 1e9, s->sum[b] / (double)s->width, NAN, NAN);
}

static int time_figure(struct report *r, size_t setting, const char *series, const char *unit,
                       const char *dir, struct err *e)
{
    const struct report_setting *s = &r->setting[setting];
    char name[80], title[160], what[96], caption[120];
    report_file_name(name, sizeof name, "time", series, setting);
    report_metric_title(series, what, sizeof what);
    report_capital(what);
    snprintf(title, sizeof title, "%s%s%s", what, *s->text ? ", " : "", s->text);
    struct plot p = {
        .name = name, .title = title, .xlabel = "simulated time (s)", .ylabel = report_unit(unit)};
    uint64_t seed = 0;
    for (size_t i = 0; i < s->n; i++) {
        const struct result_trial *t = s->entry[i].cell->n ? s->entry[i].cell->trial[0] : NULL;
        const struct measure_series *found = t ? series_named(t, series) : NULL;
        if (!found)
            continue;
        seed = t->seed;
        series_points(plot_add(&p, s->entry[i].label, (unsigned)s->entry[i].value, PLOT_LINES),
                      found);
    }
    snprintf(caption, sizeof caption, "One run of each, seed %llu: means over short intervals.",
             (unsigned long long)seed);
    return report_keep(r, &p, "time", caption, dir, e);
}

/* ---- all of them ---------------------------------------------------------------- */

static const struct measures *any_measures(const struct report *r)
{
    const struct measures *best = NULL;
    for (size_t i = 0; i < r->rs->n_trial; i++) {
        const struct measures *m = r->rs->trial[i].failed ? NULL : r->rs->trial[i].measures;
        if (m && (!best || m->n_sketch + m->n_series > best->n_sketch + best->n_series))
            best = m;
    }
    return best;
}

static int setting_figures(struct report *r, const struct measures *m, const char *dir,
                           struct err *e)
{
    int rc = 0;
    for (size_t k = 0; m && !rc && k < m->n_sketch; k++)
        for (size_t s = 0; !rc && s < r->n_setting && s < MOST_SETTINGS; s++)
            rc = cdf_figure(r, s, m->sketch[k].name, m->sketch[k].unit, dir, e);
    for (size_t k = 0; m && !rc && k < m->n_series; k++)
        for (size_t s = 0; !rc && s < r->n_setting && s < MOST_SETTINGS; s++)
            rc = time_figure(r, s, m->series[k].name, m->series[k].unit, dir, e);
    return rc;
}

int report_figures(struct report *r, const char *dir, struct err *e)
{
    const struct metric *column[4];
    char path[PATH_MAX];
    if (snprintf(path, sizeof path, "%s/figures", dir) >= (int)sizeof path)
        return err_set(e, ERR_EIO, "%.80s...: the path is too long", dir);
    const size_t n = report_columns(r, column, 4);
    int rc = report_shares_figures(r, path, e);
    for (size_t i = 0; !rc && i < n; i++)
        if (i == 0 || column[i]->better != BETTER_NONE)
            rc = bars(r, column[i], path, e);
    for (size_t i = 0; !rc && i < n && i < 2; i++)
        rc = report_curves(r, column[i], path, e);
    return rc ? rc : setting_figures(r, any_measures(r), path, e);
}
