/* How a figure's comparison is shown: as text, JSON and Markdown. */
#include <math.h>
#include <string.h>

#include "harness/report/figure.h"
#include "harness/base/fmt.h"

static const char *const kind_words[] = {"relative", "absolute", "interval"};

/* "3 %" of a relative error, else the number. */
static struct fmt error_words(const struct figure *f, double error)
{
    struct fmt out;
    if (f->kind == TOLERANCE_ABSOLUTE)
        snprintf(out.s, sizeof out.s, "%.3g", error);
    else
        snprintf(out.s, sizeof out.s, "%.3g %%", 100 * error);
    return out;
}

/* "1.5", a band "1..1.06", or "-". */
static struct fmt published_words(const struct figure_point *p)
{
    struct fmt out;
    if (isnan(p->published))
        snprintf(out.s, sizeof out.s, "-");
    else if (p->band[0] < p->band[1])
        snprintf(out.s, sizeof out.s, "%g..%g", p->band[0], p->band[1]);
    else
        snprintf(out.s, sizeof out.s, "%.6g", p->published);
    return out;
}

static struct fmt point_error(const struct figure *f, const struct figure_point *p)
{
    struct fmt none = {.s = "-"};
    return isnan(p->published) ? none : error_words(f, p->error);
}

static size_t count_judged(const struct figure *f)
{
    size_t n = 0;
    for (size_t i = 0; i < f->n; i++)
        n += !isnan(f->point[i].published);
    return n;
}

static void verdict(const struct figure *f, FILE *out)
{
    fprintf(out, "largest error %s, tolerance %s%s%s: ", error_words(f, f->max_error).s,
            error_words(f, f->tolerance).s, f->own_tolerances ? " or the series' own" : "",
            f->kind == TOLERANCE_INTERVAL ? " and inside the 99 % confidence interval" : "");
    if (f->missed)
        fprintf(out, "%zu of %zu points outside", f->missed, count_judged(f));
    else
        fprintf(out, "all %zu points within it", count_judged(f));
    if (f->allow_misses)
        fprintf(out, ", %llu may be", (unsigned long long)f->allow_misses);
    if (count_judged(f) < f->n)
        fprintf(out, "; %zu more have no published value", f->n - count_judged(f));
    if (f->n_baseline)
        fprintf(out, "; %zu of %zu on the wrong side of the baseline", f->wrong_way, f->n);
    if (f->n_group)
        fprintf(out, "; %zu of %zu pairs in another order", f->wrong_order, f->pairs);
}

/* What is to be said of a point beside its numbers. */
static const char *remark(const struct figure_point *p)
{
    if (p->direction < 0)
        return p->pass ? "wrong side" : "missed, wrong side";
    if (p->out_of_order)
        return p->pass ? "out of order" : "missed, out of order";
    return p->pass ? "" : "missed";
}

void figure_text(const struct figure *f, FILE *out)
{
    int width = 6;
    if (f->absent) {
        fprintf(out, "%s: %s\npublished: %s\n\nskipped: %s\n", f->name, f->title, f->source,
                f->absent);
        return;
    }
    for (size_t i = 0; i < f->n; i++)
        width = (int)strlen(f->point[i].series) > width ? (int)strlen(f->point[i].series) : width;
    fprintf(out, "%s: %s\npublished: %s\n\n", f->name, f->title, f->source);
    fprintf(out, "  %-*s %10s %12s %12s %22s %10s\n", width, "series", "x", "published", "ours",
            "99 % interval", "error");
    for (size_t i = 0; i < f->n; i++) {
        const struct figure_point *p = &f->point[i];
        char interval[48] = "-";
        if (!isnan(p->lo))
            snprintf(interval, sizeof interval, "%.5g..%.5g", p->lo, p->hi);
        fprintf(out, "  %-*s %10g %12s %12.6g %22s %10s%s%s%s\n", width, p->series, p->x,
                published_words(p).s, p->ours, interval, point_error(f, p).s,
                p->pass ? "" : "  MISSED", p->direction < 0 ? "  WRONG SIDE" : "",
                p->out_of_order ? "  OUT OF ORDER" : "");
    }
    fputs("\n", out);
    verdict(f, out);
    fputs("\n", out);
    if (f->misses)
        fprintf(out, "%s\n", f->misses);
}

static void json_field(FILE *out, const char *name, double v)
{
    fprintf(out, ",\"%s\":", name);
    json_number(out, v);
}

static void json_point(const struct figure_point *p, bool first, FILE *out)
{
    fputs(first ? "\n{\"series\":" : ",\n{\"series\":", out);
    json_string(out, p->series);
    json_field(out, "x", p->x);
    json_field(out, "published", p->published);
    if (p->band[0] < p->band[1])
        fprintf(out, ",\"band\":[%.17g,%.17g]", p->band[0], p->band[1]);
    json_field(out, "ours", p->ours);
    json_field(out, "error", p->error);
    json_field(out, "lo", p->lo);
    json_field(out, "hi", p->hi);
    if (p->direction)
        fprintf(out, ",\"direction\":\"%s\"", p->direction > 0 ? "right" : "wrong");
    fprintf(out, ",\"trials\":%zu,\"pass\":%s}", p->trials, p->pass ? "true" : "false");
}

void figure_json(const struct figure *f, FILE *out)
{
    fputs("{\"figure\":", out);
    json_string(out, f->name);
    fputs(",\"title\":", out);
    json_string(out, f->title);
    fputs(",\"source\":", out);
    json_string(out, f->source);
    json_field(out, "tolerance", f->tolerance);
    fprintf(out, ",\"tolerance_kind\":\"%s\"", kind_words[f->kind]);
    if (f->absent) {
        fputs(",\"max_error\":null,\"pass\":null,\"points\":[],\"skipped\":", out);
        json_string(out, f->absent);
        fputs("}", out);
        return;
    }
    json_field(out, "max_error", f->max_error);
    fprintf(out, ",\"missed\":%zu,\"allow_misses\":%llu", f->missed,
            (unsigned long long)f->allow_misses);
    if (f->n_baseline)
        fprintf(out, ",\"wrong_way\":%zu", f->wrong_way);
    if (f->n_group)
        fprintf(out, ",\"wrong_order\":%zu", f->wrong_order);
    fprintf(out, ",\"pass\":%s,\"points\":[", f->pass ? "true" : "false");
    for (size_t i = 0; i < f->n; i++)
        json_point(&f->point[i], i == 0, out);
    fputs("]}", out);
}

/* A table cell must not end its row. */
static void cell(FILE *out, const char *s)
{
    for (; *s; s++)
        fputs(*s == '|' ? "\\|" : *s == '\n' ? " " : (char[2]){*s, 0}, out);
}

void figure_markdown_head(FILE *out)
{
    fputs(
        "# Validation\n\n"
        "What the simulator says beside what others published or derived. This page is written by\n"
        "`malv figure all --markdown docs/validation.md`; tests/report/check-validation fails when "
        "it is\n"
        "not current.\n"
        "A figure is data: `experiments/figures/NAME.json` and `results/published/NAME.csv`.\n",
        out);
}

void figure_markdown(const struct figure *f, FILE *out)
{
    fprintf(out, "\n## %s: %s\n\nPublished: %s\n\n", f->name, f->title, f->source);
    if (f->absent) {
        fprintf(out, "**Skipped**: %s.\n", f->absent);
        return;
    }
    fprintf(out, "**%s**: ", f->pass ? "Pass" : "Missed");
    verdict(f, out);
    fputs(".\n\n", out);
    if (f->misses)
        fprintf(out, "%s\n\n", f->misses);
    fputs("| series | ", out);
    cell(out, f->x.label);
    fputs(" | published | ours | 99 % interval | error | |\n|---|---:|---:|---:|---:|---:|---|\n",
          out);
    for (size_t i = 0; i < f->n; i++) {
        const struct figure_point *p = &f->point[i];
        fputs("| ", out);
        cell(out, p->series);
        fprintf(out, " | %g | %s | %.6g | ", p->x, published_words(p).s, p->ours);
        if (isnan(p->lo))
            fputs("- | ", out);
        else
            fprintf(out, "%.5g to %.5g | ", p->lo, p->hi);
        fprintf(out, "%s | %s |\n", point_error(f, p).s, remark(p));
    }
}
