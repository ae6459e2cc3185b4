/* A figure's comparison as a picture. */
#include <math.h>
#include <string.h>

#include "harness/report/figure.h"
#include "harness/report/plot.h"

#define MOST_CURVES 5 /* more in one frame cannot be told apart */

static const char *axis_words(const struct figure_axis *a, char *out, size_t size)
{
    snprintf(out, size, *a->unit && strcmp(a->unit, "1") ? "%s (%s)" : "%s", a->label, a->unit);
    return out;
}

/* Several entries may feed one series. */
static bool named_before(const struct figure *f, size_t k)
{
    for (size_t i = 0; i < k; i++)
        if (!strcmp(f->series[i].name, f->series[k].name))
            return true;
    return false;
}

/* Ours as dots with their interval, theirs as hollow squares. */
static void curves(const struct figure *f, struct plot *p)
{
    char name[160];
    for (size_t k = 0; k < f->n_series; k++) {
        if (named_before(f, k))
            continue;
        struct plot_series *ours = plot_add(p, f->series[k].name, (unsigned)k, PLOT_POINTS);
        for (size_t i = 0; i < f->n; i++)
            if (!strcmp(f->point[i].series, f->series[k].name))
                plot_point(ours, f->point[i].x, f->point[i].ours, f->point[i].lo, f->point[i].hi);
        snprintf(name, sizeof name, "%s, published", f->series[k].name);
        struct plot_series *theirs = plot_add(p, name, (unsigned)k, PLOT_MARKS);
        for (size_t i = 0; i < f->n; i++)
            if (!strcmp(f->point[i].series, f->series[k].name) && !isnan(f->point[i].published))
                plot_point(theirs, f->point[i].x, f->point[i].published, f->point[i].band[0],
                           f->point[i].band[1]);
    }
}

/* Many series: how far each point is from the published value, one row per series. */
static void ratios(const struct figure *f, struct plot *p)
{
    for (size_t i = 0; i < f->n; i++) {
        const struct figure_point *q = &f->point[i];
        size_t row = 0, before = 0;
        if (isnan(q->published))
            continue;
        while (row < p->n_row && strcmp(p->row[row], q->series))
            row++;
        if (row == p->n_row && !plot_row(p, q->series))
            return;
        if (p->n_series == 0)
            plot_add(p, "ours, with its 99 % interval", 0, PLOT_DOTS);
        for (size_t k = 0; k < i; k++)
            before += !strcmp(f->point[k].series, q->series);
        const double y =
            (double)row + 0.2 * ((double)(before % 4) - 1.5); /* side by side in the row */
        const bool once = isnan(q->lo); /* one trial: no interval, but a dot */
        if (p->n_series && q->published != 0)
            plot_point(&p->series[0], q->ours / q->published, y,
                       (once ? q->ours : q->lo) / q->published,
                       (once ? q->ours : q->hi) / q->published);
    }
}

static size_t count_names(const struct figure *f)
{
    size_t n = 0;
    for (size_t k = 0; k < f->n_series; k++)
        n += !named_before(f, k);
    return n;
}

int figure_draw(const struct figure *f, const char *dir, bool *drawn, struct err *e)
{
    char x[128], y[128];
    struct plot p = {.name = f->name, .title = f->title};
    if (count_names(f) <= MOST_CURVES) {
        p.xlabel = axis_words(&f->x, x, sizeof x);
        p.ylabel = axis_words(&f->y, y, sizeof y);
        curves(f, &p);
    } else {
        p.xlabel = "ours / published";
        p.ylabel = "";
        ratios(f, &p);
    }
    const int rc = plot_write(&p, dir, drawn, e);
    plot_free(&p);
    return rc;
}
