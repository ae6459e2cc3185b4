/* A metric along a swept number: latency against load, against batch size. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "harness/report/report_figures.h"

#define LEAST_VALUES 3 /* two make no curve */

static bool number_at(const struct axis *a, size_t value, double *out)
{
    char *end;
    const char *s = a->value[value].text;
    *out = strtod(s, &end);
    return end != s && !*end && isfinite(*out);
}

static bool all_numbers(const struct axis *a)
{
    double v;
    for (size_t i = 0; i < a->n; i++)
        if (!number_at(a, i, &v))
            return false;
    return a->n >= LEAST_VALUES;
}

/* "stack kvm": what all cells of a curve's frame share. */
static bool same_frame(const struct cells *c, const struct cell *a, const struct cell *b,
                       size_t axis, size_t by)
{
    for (size_t i = 0; i < c->n_axis; i++)
        if (i != axis && i != by && a->at[i] != b->at[i])
            return false;
    return true;
}

static void frame_title(const struct cells *c, const struct cell *cell, size_t axis, size_t by,
                        char *out, size_t size)
{
    size_t at = strlen(out);
    for (size_t i = 0; i < c->n_axis && at < size; i++)
        if (i != axis && i != by)
            at += (size_t)snprintf(out + at, size - at, ", %s %s", axis_name(&c->axis[i]),
                                   c->axis[i].value[cell->at[i]].label);
}

/* Points of one value of the compared axis, in order of x, however they were swept. */
static void curve(const struct report *r, const struct cell *frame, size_t axis, size_t value,
                  const char *metric, struct plot_series *to)
{
    const struct cells *c = r->cells;
    double last = -INFINITY;
    for (;;) {
        const struct cell *next = NULL;
        double x, best = INFINITY;
        for (size_t i = 0; i < c->n; i++) {
            const struct cell *cell = &c->cell[i];
            if (!same_frame(c, frame, cell, axis, r->by) ||
                (r->by < c->n_axis && cell->at[r->by] != value) ||
                !number_at(&c->axis[axis], cell->at[axis], &x) || x <= last || x >= best)
                continue;
            best = x;
            next = cell;
        }
        struct summary s;
        if (!next)
            return;
        cell_summary(next, metric, CONFIDENCE, &s);
        if (s.n)
            plot_point(to, best, s.mean, s.lo, s.hi);
        last = best;
    }
}

static int frame_figure(struct report *r, const struct metric *m, size_t axis,
                        const struct cell *frame, size_t number, const char *dir, struct err *e)
{
    const struct cells *c = r->cells;
    const size_t values = r->by < c->n_axis ? c->axis[r->by].n : 1;
    char name[80], kind[48], title[200], label[64];
    snprintf(kind, sizeof kind, "along-%.32s", axis_name(&c->axis[axis]));
    report_file_name(name, sizeof name, kind, m->name, number);
    report_metric_title(m->name, title, sizeof title);
    report_capital(title);
    frame_title(c, frame, axis, r->by, title, sizeof title);
    snprintf(label, sizeof label, "%s", axis_name(&c->axis[axis]));
    struct plot p = {.name = name, .title = title, .xlabel = label, .ylabel = report_unit(m->unit)};
    for (size_t v = 0; v < values; v++) {
        const char *who = r->by < c->n_axis ? c->axis[r->by].value[v].label : "this run";
        curve(r, frame, axis, v, m->name, plot_add(&p, who, (unsigned)v, PLOT_CURVE));
    }
    return report_keep(r, &p, "compare", "Means over seeds with their 95 % confidence intervals.",
                       dir, e);
}

int report_curves(struct report *r, const struct metric *m, const char *dir, struct err *e)
{
    const struct cells *c = r->cells;
    int rc = 0;
    for (size_t axis = 0; !rc && axis < c->n_axis; axis++) {
        size_t drawn = 0;
        if (axis == r->by || !all_numbers(&c->axis[axis]))
            continue;
        for (size_t i = 0; !rc && i < c->n && drawn < MOST_SETTINGS; i++) {
            bool first = true;
            for (size_t k = 0; first && k < i; k++)
                first = !same_frame(c, &c->cell[k], &c->cell[i], axis, r->by);
            if (first)
                rc = frame_figure(r, m, axis, &c->cell[i], drawn++, dir, e);
        }
    }
    return rc;
}
