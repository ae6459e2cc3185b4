/* The tables of a report. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "harness/base/fmt.h"
#include "harness/report/report.h"

#define MOST_COLUMNS 7

static void value_cell(const struct summary *s, FILE *f)
{
    if (!s->n) {
        fputs("<td class=\"num\">\xe2\x80\x93</td>", f);
        return;
    }
    fprintf(f, "<td class=\"num\">%s", fmt_number(s->mean, 4).s);
    if (!isnan(s->hi) && s->hi > s->mean)
        fprintf(f, "<small>\xc2\xb1%s</small>", fmt_number(s->hi - s->mean, 2).s);
    fputs("</td>", f);
}

static void change_cell(const struct report *r, const struct report_setting *s, size_t i, FILE *f)
{
    static const char *const word[] = {"",       "one seed", "same",   "not shown",
                                       "better", "worse",    "differs"};
    const struct contrast *c = &s->entry[i].to_base;
    if (i == s->base || !r->rank) {
        fputs("<td class=\"num dim\">baseline</td>", f);
        return;
    }
    const enum verdict v = c->verdict;
    const double percent = 100 * (contrast_ratio(c) - 1);
    fprintf(f, "<td class=\"num %s\">",
            v == VERDICT_BETTER  ? "good"
            : v == VERDICT_WORSE ? "bad"
                                 : "dim");
    if (isfinite(percent))
        fprintf(f, "%s%.1f&nbsp;%%", percent < 0 ? "\xe2\x88\x92" : "+", fabs(percent));
    fprintf(f, "<small>%s%s", c->alike ? "any seed" : word[v], isnan(c->pair.p) ? "" : ", ");
    html_text(f, fmt_p(c->pair.p).s);
    fputs("</small></td>", f);
}

static void head_cell(const struct metric *m, FILE *f)
{
    const char *dot = strrchr(m->name, '.');
    char base[96], title[120];
    snprintf(base, sizeof base, "%.*s", dot ? (int)(dot - m->name) : 90, m->name);
    report_metric_title(base, title, sizeof title); /* the statistic goes below, with the unit */
    fputs("<th scope=\"col\">", f);
    html_text(f, title);
    fputs("<small>", f);
    html_text(f, dot ? !strcmp(dot, ".p50") ? "median" : dot + 1 : "");
    fputs(dot && strcmp(m->unit, "1") ? ", " : "", f);
    html_text(f, strcmp(m->unit, "1") ? m->unit : "");
    fputs(m->better == BETTER_LESS   ? " \xe2\x86\x93"
          : m->better == BETTER_MORE ? " \xe2\x86\x91"
                                     : "",
          f);
    fputs("</small></th>", f);
}

static void row_head(const struct report *r, const struct report_setting *s, size_t i, FILE *f)
{
    static const char *const kind[] = {"", "learned", "learned, not charged", "oracle"};
    const struct report_entry *en = &s->entry[i];
    fprintf(f, "<th scope=\"row\"><span class=\"dot\" style=\"--c:var(--s%zu)\"></span>",
            en->value % 10);
    html_text(f, en->label);
    fputs("<div>", f);
    if (en->kind != KIND_PLAIN)
        fprintf(f, "<span class=\"tag\">%s</span>", kind[en->kind]);
    if (en->leads && s->n > 1)
        fprintf(f, " <span class=\"tag win\">%s</span>",
                s->best == i ? "best" : "ties with the best");
    if (en->ejected)
        fprintf(f, " <span class=\"tag warn\">ejected %zu\xc3\x97</span>", en->ejected);
    if (en->cell->n < r->seeds)
        fprintf(f, " <span class=\"tag warn\">%zu of %zu seeds</span>", en->cell->n, r->seeds);
    fputs("</div></th>", f);
}

static void glance_setting(const struct report *r, const struct report_setting *s, FILE *f)
{
    const struct metric *column[MOST_COLUMNS];
    const size_t n = report_columns(r, column, MOST_COLUMNS);
    if (*s->text)
        fputs("<h3>", f), html_text(f, s->text), fputs("</h3>\n", f);
    fputs("<div class=\"wide\" tabindex=\"0\"><table>\n<thead><tr><th scope=\"col\">", f);
    html_text(f, r->by < r->cells->n_axis ? axis_name(&r->cells->axis[r->by]) : "run");
    fputs("</th>", f);
    for (size_t i = 0; i < n; i++) {
        head_cell(column[i], f);
        if (i == 0 && s->n > 1)
            fputs("<th scope=\"col\">change<small>to the baseline</small></th>", f);
    }
    fputs("</tr></thead>\n<tbody>\n", f);
    for (size_t k = 0; k < s->n; k++) {
        fprintf(f, "<tr%s>", s->best == k && s->n > 1 ? " class=\"best\"" : "");
        row_head(r, s, k, f);
        for (size_t i = 0; i < n; i++) {
            struct summary sum;
            cell_summary(s->entry[k].cell, column[i]->name, CONFIDENCE, &sum);
            value_cell(&sum, f);
            if (i == 0 && s->n > 1)
                change_cell(r, s, k, f);
        }
        fputs("</tr>\n", f);
    }
    fputs("</tbody></table></div>\n", f);
}

void report_glance(const struct report *r, FILE *f)
{
    fputs("<section id=\"glance\"><h2>At a glance</h2>\n<p class=\"dim\">Means over seeds \xc2\xb1 "
          "half the "
          "95&nbsp;% confidence interval. \xe2\x86\x93 lower is better, \xe2\x86\x91 higher is "
          "better.</p>\n",
          f);
    for (size_t i = 0; i < r->n_setting; i++)
        glance_setting(r, &r->setting[i], f);
    fputs("</section>\n", f);
}

/* ---- what the other axes change ------------------------------------------------- */

static void effect_row(const struct report *r, size_t axis, const struct cell *from,
                       const struct cell *to, FILE *f)
{
    struct contrast c;
    char *what = cells_setting(r->cells, to, axis), words[160];
    const struct axis *a = &r->cells->axis[axis];
    if (!what || contrast_cells(from, to, r->rank, 1, &c, NULL) || !c.pair.n) {
        free(what);
        return;
    }
    contrast_words(&c, words, sizeof words);
    fputs("<tr><th scope=\"row\">", f);
    html_text(f, a->value[from->at[axis]].label);
    fputs(" \xe2\x86\x92 ", f);
    html_text(f, a->value[to->at[axis]].label);
    fputs("</th><td>", f);
    html_text(f, what);
    fprintf(f, "</td><td class=\"num\">%s</td><td class=\"num\">%s</td>",
            fmt_number(c.pair.mean_a, 4).s, fmt_number(c.pair.mean_b, 4).s);
    fprintf(f, "<td class=\"%s\">",
            c.verdict == VERDICT_BETTER  ? "good"
            : c.verdict == VERDICT_WORSE ? "bad"
                                         : "dim");
    html_text(f, words);
    fputs("</td></tr>\n", f);
    free(what);
}

static void effect_axis(const struct report *r, size_t axis, FILE *f)
{
    const struct axis *a = &r->cells->axis[axis];
    fputs("<h3>", f);
    html_text(f, axis_name(a));
    fputs("</h3>\n<div class=\"wide\" tabindex=\"0\"><table>\n<thead><tr><th "
          "scope=\"col\">change</th>"
          "<th scope=\"col\">with</th><th scope=\"col\">before<small>",
          f);
    html_text(f, r->rank->unit);
    fputs("</small></th><th scope=\"col\">after<small>", f);
    html_text(f, r->rank->unit);
    fputs("</small></th><th scope=\"col\">so it is</th></tr></thead>\n<tbody>\n", f);
    for (size_t i = 0; i < r->cells->n; i++) {
        const struct cell *to = &r->cells->cell[i];
        const struct cell *from = to->at[axis] ? cells_beside(r->cells, to, axis, 0) : NULL;
        if (from)
            effect_row(r, axis, from, to, f);
    }
    fputs("</tbody></table></div>\n", f);
}

void report_effects(const struct report *r, FILE *f)
{
    bool begun = false;
    char title[120];
    for (size_t i = 0; r->rank && i < r->cells->n_axis; i++) {
        if (i == r->by || r->cells->axis[i].n < 2 || r->cells->n > 200)
            continue;
        if (!begun) {
            report_metric_title(r->rank->name, title, sizeof title);
            fputs("<section id=\"effects\"><h2>What else was varied</h2>\n<p class=\"dim\">Effect "
                  "on ",
                  f);
            html_text(f, title);
            fputs(", pair by pair, against the first value.</p>\n", f);
        }
        begun = true;
        effect_axis(r, i, f);
    }
    fputs(begun ? "</section>\n" : "", f);
}

/* ---- everything ------------------------------------------------------------------ */

static void measure_row(const struct report_setting *s, const struct metric *m, FILE *f)
{
    char title[120];
    report_metric_title(m->name, title, sizeof title);
    fputs("<tr><th scope=\"row\">", f);
    html_text(f, title);
    fputs(" <code>", f);
    html_text(f, m->name);
    fputs("</code></th><td>", f);
    html_text(f, m->unit);
    fputs("</td>", f);
    for (size_t k = 0; k < s->n; k++) {
        struct summary sum;
        cell_summary(s->entry[k].cell, m->name, CONFIDENCE, &sum);
        value_cell(&sum, f);
    }
    fputs("</tr>\n", f);
}

void report_measures(const struct report *r, FILE *f)
{
    fputs("<section id=\"measures\"><h2>Every measure</h2>\n", f);
    for (size_t i = 0; i < r->n_setting; i++) {
        const struct report_setting *s = &r->setting[i];
        fprintf(f, "<details><summary>%zu measures", r->metrics.n);
        fputs(*s->text ? ", " : "", f);
        html_text(f, s->text);
        fputs("</summary>\n<div class=\"wide\" tabindex=\"0\"><table>\n<thead><tr><th "
              "scope=\"col\">measure</th>"
              "<th scope=\"col\">unit</th>",
              f);
        for (size_t k = 0; k < s->n; k++) {
            fputs("<th scope=\"col\">", f);
            html_text(f, s->entry[k].label);
            fputs("</th>", f);
        }
        fputs("</tr></thead>\n<tbody>\n", f);
        for (size_t m = 0; m < r->metrics.n; m++)
            measure_row(s, &r->metrics.metric[m], f);
        fputs("</tbody></table></div></details>\n", f);
    }
    fputs("</section>\n", f);
}
