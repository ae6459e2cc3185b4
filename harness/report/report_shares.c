/* Where the time goes: the measures share.* and their like, one stacked bar for every combination.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "harness/base/fmt.h"
#include "harness/report/report_figures.h"

#define MOST_ROWS  24
#define MOST_PARTS 9 /* with colours of their own; the small ones together are the tenth */
#define LEAST      0.0005
#define OFF        0.01 /* a sum further from one than this is told */

static const struct group {
    const char *prefix, *file, *title;
} groups[] = {
    {"share.", "shares", "Where the time goes"},
    {"share_p99.", "shares-p99", "Where the time of the slowest 1 % goes"},
    {"ttft_share.", "shares-ttft", "Where the time to first token goes"},
    {"ttft_share_p99.", "shares-ttft-p99", "Where the slowest 1 % of times to first token go"},
};
#define GROUPS (sizeof groups / sizeof *groups)

struct parts {
    const struct metric **of; /* the largest on average first */
    double *weight;           /* over all cells */
    unsigned *colour;         /* a part has the one that it has among share.* everywhere */
    size_t n;
};

static double share_of(const struct report_entry *en, const struct metric *m)
{
    const double v = report_mean(en, m->name);
    return isnan(v) ? 0 : v;
}

static double weight_of(const struct report *r, const struct metric *m)
{
    double sum = 0;
    for (size_t s = 0; s < r->n_setting; s++)
        for (size_t k = 0; k < r->setting[s].n; k++)
            sum += share_of(&r->setting[s].entry[k], m);
    return sum;
}

/* Kept in order by insertion: there are few. */
static void insert(struct parts *p, const struct metric *m, double weight)
{
    size_t i = p->n++;
    for (; i > 0 && p->weight[i - 1] < weight; i--) {
        p->weight[i] = p->weight[i - 1];
        p->of[i] = p->of[i - 1];
    }
    p->weight[i] = weight;
    p->of[i] = m;
}

static const struct metric *like(const struct report *r, const struct group *g,
                                 const struct metric *m)
{
    char name[96];
    snprintf(name, sizeof name, "%s%s", g->prefix, strchr(m->name, '.') + 1);
    return metric_named(&r->metrics, name);
}

/* Of all parts those that the group has something of. */
static void keep(const struct report *r, const struct group *g, struct parts *p)
{
    const size_t n = p->n;
    p->n = 0;
    for (size_t i = 0; i < n; i++) {
        const struct metric *m = like(r, g, p->of[i]);
        if (!m || weight_of(r, m) <= 0)
            continue;
        p->of[p->n] = m;
        p->colour[p->n++] = (unsigned)i;
    }
}

static bool find_parts(const struct report *r, const struct group *g, struct parts *p)
{
    const char *prefix = groups[0].prefix;
    *p = (struct parts){.of = calloc(r->metrics.n + 1, sizeof *p->of),
                        .weight = calloc(r->metrics.n + 1, sizeof *p->weight),
                        .colour = calloc(r->metrics.n + 1, sizeof *p->colour)};
    if (!p->of || !p->weight || !p->colour)
        return false;
    for (size_t i = 0; i < r->metrics.n; i++) {
        const struct metric *m = &r->metrics.metric[i];
        if (!strncmp(m->name, prefix, strlen(prefix)))
            insert(p, m, weight_of(r, m));
    }
    keep(r, g, p);
    return true;
}

static void free_parts(struct parts *p)
{
    free(p->of);
    free(p->weight);
    free(p->colour);
}

static void part_name(const struct metric *m, char *out, size_t size)
{
    snprintf(out, size, "%s", strchr(m->name, '.') + 1);
    for (char *c = out; *c; c++)
        *c = *c == '_' ? ' ' : *c;
}

/* ---- the bars --------------------------------------------------------------------- */

static size_t coloured(const struct parts *p)
{
    return p->n > MOST_PARTS + 1 ? MOST_PARTS : p->n;
}

/* One bar: the parts one after the other, the small ones at its end. */
static void stack(const struct parts *p, const struct report_entry *en, struct plot *to)
{
    const double y = (double)to->n_row;
    double at = 0, rest = 0;
    for (size_t i = 0; i < p->n; i++) {
        const double share = share_of(en, p->of[i]);
        if (i >= coloured(p)) {
            rest += share;
            continue;
        }
        if (share > 0)
            plot_point(&to->series[i], at + share, y, at, NAN);
        at += share;
    }
    if (rest > 0)
        plot_point(&to->series[coloured(p)], at + rest, y, at, NAN);
}

static bool stack_rows(const struct report *r, const struct parts *p, struct plot *to,
                       size_t *shown)
{
    for (*shown = 0; *shown < r->n_setting && to->n_row < MOST_ROWS; ++*shown) {
        const struct report_setting *s = &r->setting[*shown];
        if (*s->text && !plot_row(to, s->text)) /* a heading for the rows below */
            return false;
        for (size_t k = 0; k < s->n; k++) {
            stack(p, &s->entry[k], to);
            if (!plot_row(to, s->entry[k].label))
                return false;
        }
    }
    return true;
}

static bool add_series(const struct parts *p, struct plot *to)
{
    char name[96];
    for (size_t i = 0; i < coloured(p); i++) {
        part_name(p->of[i], name, sizeof name);
        if (!plot_add(to, name, p->colour[i], PLOT_STACK))
            return false;
    }
    return coloured(p) == p->n || plot_add(to, "the rest", MOST_PARTS, PLOT_STACK);
}

static int one_figure(struct report *r, const struct group *g, const char *dir, struct err *e)
{
    struct parts p;
    struct plot to = {.name = g->file, .title = g->title, .xlabel = "share", .ylabel = ""};
    char caption[160];
    size_t shown = 0;
    if (!find_parts(r, g, &p) ||
        (p.n && (!add_series(&p, &to) || !stack_rows(r, &p, &to, &shown)))) {
        free_parts(&p);
        plot_free(&to);
        return err_set(e, ERR_ENOMEM, "out of memory");
    }
    free_parts(&p);
    int n = snprintf(caption, sizeof caption, "Means over seeds.");
    if (shown < r->n_setting)
        snprintf(caption + n, sizeof caption - (size_t)n,
                 " The first %zu of %zu settings; the table has all.", shown, r->n_setting);
    return report_keep(r, &to, "shares", caption, dir, e);
}

int report_shares_figures(struct report *r, const char *dir, struct err *e)
{
    int rc = 0;
    for (size_t i = 0; !rc && i < GROUPS; i++)
        rc = one_figure(r, &groups[i], dir, e);
    return rc;
}

/* ---- the table -------------------------------------------------------------------- */

static void share_cell(double share, FILE *f)
{
    if (share < LEAST)
        fputs(share > 0 ? "<td class=\"num dim\">&lt;0.1</td>"
                        : "<td class=\"num dim\">\xe2\x80\x93</td>",
              f);
    else
        fprintf(f, "<td class=\"num\">%.1f</td>", 100 * share);
}

static void shares_row(const struct parts *p, const struct report_setting *s, size_t k, FILE *f)
{
    double sum = 0;
    fputs("<tr><th scope=\"row\">", f);
    html_text(f, s->entry[k].label);
    fputs("</th><td>", f);
    html_text(f, s->text);
    fputs("</td>", f);
    for (size_t i = 0; i < p->n; i++) {
        share_cell(share_of(&s->entry[k], p->of[i]), f);
        sum += share_of(&s->entry[k], p->of[i]);
    }
    if (s->entry[k].cell->n && fabs(sum - 1) > OFF)
        fprintf(f, "<td class=\"num bad\">sum %.1f</td>", 100 * sum);
    fputs("</tr>\n", f);
}

static void shares_head(const struct report *r, const struct parts *p, FILE *f)
{
    char name[96];
    fputs("<div class=\"wide\" tabindex=\"0\"><table>\n<thead><tr><th scope=\"col\">", f);
    html_text(f, r->by < r->cells->n_axis ? axis_name(&r->cells->axis[r->by]) : "run");
    fputs("</th><th scope=\"col\">with</th>", f);
    for (size_t i = 0; i < p->n; i++) {
        part_name(p->of[i], name, sizeof name);
        fprintf(f, "<th scope=\"col\"><span class=\"dot\" style=\"--c:var(--s%zu)\"></span>",
                i < coloured(p) ? (size_t)p->colour[i] : MOST_PARTS);
        html_text(f, name);
        fputs("<small>%</small></th>", f);
    }
    fputs("</tr></thead>\n<tbody>\n", f);
}

static void one_table(const struct report *r, const struct group *g, FILE *f)
{
    struct parts p;
    if (find_parts(r, g, &p) && p.n) {
        if (g != groups)
            fprintf(f, "<p class=\"dim\">%s</p>\n", g->title);
        shares_head(r, &p, f);
        for (size_t i = 0; i < r->n_setting; i++)
            for (size_t k = 0; k < r->setting[i].n; k++)
                shares_row(&p, &r->setting[i], k, f);
        fputs("</tbody></table></div>\n", f);
    }
    free_parts(&p);
}

void report_shares_tables(const struct report *r, FILE *f)
{
    for (size_t i = 0; i < GROUPS; i++)
        one_table(r, &groups[i], f);
}
