/* tornado_print.c - a sensitivity as text, JSON and a chart. */
#include <math.h>
#include <string.h>

#include "harness/base/fmt.h"
#include "harness/report/plot.h"
#include "harness/report/tornado.h"

#define ROWS_DRAWN 20 /* the rest moves nothing that can be seen beside them */

static struct fmt words(double v)
{
    struct fmt out = {.s = "-"};
    if (!isnan(v))
        snprintf(out.s, sizeof out.s, "%.6g", v);
    return out;
}

static size_t count_flips(const struct tornado *t)
{
    size_t n = 0;
    for (size_t i = 0; i < t->n; i++)
        n += tornado_flips(t, &t->row[i]);
    return n;
}

/* The rows behind `n` move nothing. */
static size_t count_moving(const struct tornado *t)
{
    size_t n = 0;
    while (n < t->n && tornado_swing(t, &t->row[n]) > 0)
        n++;
    return n;
}

static void still(const struct tornado *t, size_t first, FILE *out)
{
    if (first < t->n)
        fputs("  change nothing:", out);
    for (size_t i = first; i < t->n; i++)
        fprintf(out, "%s %s%s", i > first ? "," : "", t->row[i].constant,
                t->row[i].why ? " (as far as it runs)" : "");
    fputs(first < t->n ? "\n" : "", out);
}

void tornado_text(const struct tornado *t, const char *title, bool ratio, FILE *out)
{
    const size_t n = count_moving(t);
    int width = 8;
    for (size_t i = 0; i < n; i++)
        width = (int)strlen(t->row[i].constant) > width ? (int)strlen(t->row[i].constant) : width;
    fprintf(out, "%s: %.6g\n\n  %-*s %12s %12s %12s\n", title, t->base, width, "constant",
            "divided", "multiplied", "change");
    for (size_t i = 0; i < n; i++) {
        const struct tornado_row *r = &t->row[i];
        const double change = t->base != 0 ? tornado_swing(t, r) / fabs(t->base) : NAN;
        fprintf(out, "  %-*s %12s %12s %10.2f %%%s%s%s\n", width, r->constant, words(r->less).s,
                words(r->more).s, 100 * change, ratio && tornado_flips(t, r) ? "  FLIPS" : "",
                r->why ? "  does not run: " : "", r->why ? r->why : "");
    }
    still(t, n, out);
    fprintf(out, "\n%zu constants, each divided and multiplied by %g", t->n, t->factor);
    if (ratio)
        fprintf(out, "; %zu of them decide who is ahead", count_flips(t));
    fputs("\n", out);
}

static void json_field(FILE *out, const char *name, double v)
{
    fprintf(out, ",\"%s\":", name);
    json_number(out, v);
}

void tornado_json(const struct tornado *t, const char *metric, const char *title, FILE *out)
{
    fputs("{\"metric\":", out);
    json_string(out, metric);
    fputs(",\"title\":", out);
    json_string(out, title);
    json_field(out, "base", t->base);
    json_field(out, "factor", t->factor);
    fputs(",\"constants\":[", out);
    for (size_t i = 0; i < t->n; i++) {
        const struct tornado_row *r = &t->row[i];
        fputs(i ? ",\n{\"name\":" : "\n{\"name\":", out);
        json_string(out, r->constant);
        json_field(out, "less", r->less);
        json_field(out, "more", r->more);
        if (r->why) {
            fputs(",\"why\":", out);
            json_string(out, r->why);
        }
        fputs("}", out);
    }
    fputs("]}", out);
}

int tornado_draw(const struct tornado *t, const char *name, const char *title, const char *dir,
                 bool *drawn, struct err *e)
{
    struct plot p = {.name = name, .title = title, .xlabel = title, .ylabel = ""};
    char less[40], more[40];
    snprintf(less, sizeof less, "divided by %g", t->factor);
    snprintf(more, sizeof more, "multiplied by %g", t->factor);
    struct plot_series *down = plot_add(&p, less, 0, PLOT_DOTS);
    struct plot_series *up = plot_add(&p, more, 1, PLOT_DOTS);
    (void)down;
    const size_t n = count_moving(t) < ROWS_DRAWN ? count_moving(t) : ROWS_DRAWN;
    for (size_t i = 0; i < n && !p.failed && up; i++) {
        const struct tornado_row *r = &t->row[i];
        plot_row(&p, r->constant);
        /* plot_add may have moved the first */
        if (!isnan(r->less))
            plot_point(&p.series[0], r->less, (double)i, fmin(r->less, t->base),
                       fmax(r->less, t->base));
        if (!isnan(r->more))
            plot_point(&p.series[1], r->more, (double)i, fmin(r->more, t->base),
                       fmax(r->more, t->base));
    }
    const int rc = plot_write(&p, dir, drawn, e);
    plot_free(&p);
    return rc;
}
