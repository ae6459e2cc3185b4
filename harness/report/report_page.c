/* The page itself: head, parts in order, figures, where the files are. */
#include <limits.h>
#include <string.h>

#include "harness/base/fmt.h"
#include "harness/base/outfile.h"
#include "harness/report/report_figures.h"

static const struct {
    const char *id, *title, *lead;
} sections[] = {
    {"compare", "Side by side",
     "Bars start at zero; whiskers are 95 % confidence intervals over seeds."},
    {"shares", "Where the time goes",
     "What the time of a tenant or a request is made of, in each combination; the parts of a bar "
     "sum "
     "to one."},
    {"latency", "Distributions",
     "The share of all that was measured that was no larger than that."},
    {"time", "Over time", "One run, as it went."},
};

static size_t figures_in(const struct report *r, const char *section)
{
    size_t n = 0;
    for (size_t i = 0; i < r->n_figure; i++)
        n += !strcmp(r->figure[i].section, section);
    return n;
}

static int one_figure(const struct report *r, const struct report_figure *fig, const char *dir,
                      FILE *f, struct err *e)
{
    fputs("<figure>\n", f);
    int rc = r->drawn ? plot_inline(dir, fig->name, fig->title, f, e) : 0;
    if (!r->drawn)
        fputs("<b>", f), html_text(f, fig->title), fputs("</b>\n", f);
    fputs("<figcaption>", f);
    html_text(f, fig->caption);
    if (r->drawn)
        fprintf(f,
                " <a href=\"figures/%s.png\">PNG</a> \xc2\xb7 <a href=\"figures/%s.svg\">SVG</a> "
                "\xc2\xb7",
                fig->name, fig->name);
    fprintf(f, " <a href=\"figures/%s.csv\">CSV</a> \xc2\xb7 <a href=\"figures/%s.gp\">gnuplot</a>",
            fig->name, fig->name);
    fputs("</figcaption>\n</figure>\n", f);
    return rc;
}

static int all_figures(const struct report *r, const char *dir, FILE *f, struct err *e)
{
    char path[PATH_MAX];
    int rc = 0;
    if (snprintf(path, sizeof path, "%s/figures", dir) >= (int)sizeof path)
        return err_set(e, ERR_EIO, "%.80s...: the path is too long", dir);
    if (r->n_figure && !r->drawn)
        fputs("<p class=\"banner\">gnuplot is not installed here, so figures were not drawn. Their "
              "data and "
              "scripts are linked below; tables are complete.</p>\n",
              f);
    for (size_t s = 0; !rc && s < sizeof sections / sizeof *sections; s++) {
        if (!figures_in(r, sections[s].id))
            continue;
        fprintf(f, "<section id=\"%s\"><h2>%s</h2>\n<p class=\"dim\">%s", sections[s].id,
                sections[s].title, sections[s].lead);
        if (s > 1 && r->n_setting > MOST_SETTINGS)
            fprintf(f, " The first %d of %zu settings.", MOST_SETTINGS, r->n_setting);
        fputs("</p>\n<div class=\"figures\">\n", f);
        for (size_t i = 0; !rc && i < r->n_figure; i++)
            if (!strcmp(r->figure[i].section, sections[s].id))
                rc = one_figure(r, &r->figure[i], path, f, e);
        fputs("</div>\n", f);
        if (!strcmp(sections[s].id, "shares"))
            report_shares_tables(r, f);
        fputs("</section>\n", f);
    }
    return rc;
}

static void page_head(const struct report *r, FILE *f)
{
    const char *title = r->rs->title && *r->rs->title ? r->rs->title : r->rs->name;
    /* The icon is data: a browser asks the server for nothing. */
    fputs("<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
          "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n"
          "<link rel=\"icon\" href=\"data:,\">\n<title>",
          f);
    html_text(f, title);
    fputs(" \xc2\xb7 malv report</title>\n<style>\n", f);
    fputs(report_css, f);
    fputs("</style></head>\n<body><main>\n<header><h1>", f);
    html_text(f, title);
    fputs("</h1>\n<p class=\"lead\">", f);
    html_text(f, r->rs->name);
    fprintf(f, " \xc2\xb7 %zu of %llu trials", r->rs->n_trial, (unsigned long long)r->rs->planned);
    for (size_t i = 0; i < r->cells->n_axis; i++) {
        fprintf(f, " \xc2\xb7 %zu \xc3\x97 ", r->cells->axis[i].n);
        html_text(f, axis_name(&r->cells->axis[i]));
    }
    fprintf(f, " \xc2\xb7 %zu seed%s</p></header>\n", r->seeds, r->seeds == 1 ? "" : "s");
    if (r->rs->n_trial < r->rs->planned)
        fprintf(
            f,
            "<p class=\"banner\">%zu of %llu trials have finished. This report shows those.</p>\n",
            r->rs->n_trial, (unsigned long long)r->rs->planned);
}

static void page_links(const struct report *r, FILE *f)
{
    fputs("<nav aria-label=\"Sections\"><a href=\"#glance\">At a glance</a>", f);
    for (size_t s = 0; s < sizeof sections / sizeof *sections; s++)
        if (figures_in(r, sections[s].id))
            fprintf(f, "<a href=\"#%s\">%s</a>", sections[s].id, sections[s].title);
    fputs("<a href=\"#measures\">Every measure</a><a href=\"#basis\">What this rests on</a>"
          "<a href=\"#files\">Files</a></nav>\n",
          f);
}

static void page_foot(const struct report *r, FILE *f)
{
    fputs("<section id=\"files\"><h2>Files</h2>\n<ul>\n"
          "<li><a href=\"summary.csv\">summary.csv</a>: every mean with its interval</li>\n"
          "<li><a href=\"trials.csv\">trials.csv</a>: one row per trial</li>\n"
          "<li><code>figures/</code>: for every figure its data (CSV), the gnuplot script, SVG and "
          "PNG</li>\n"
          "</ul></section>\n<footer>Simulated by malv ",
          f);
    html_text(f, r->rs->version && *r->rs->version ? r->rs->version : "(version not recorded)");
    fputs(". Times in this report are simulated. The same experiment, trace and seeds give the "
          "same numbers on any "
          "machine.</footer>\n</main></body></html>\n",
          f);
}

int report_page(const struct report *r, const char *dir, struct err *e)
{
    struct outtext t;
    int rc = outtext_open(&t, e);
    if (rc)
        return rc;
    page_head(r, t.f);
    report_summary(r, t.f);
    page_links(r, t.f);
    report_glance(r, t.f);
    rc = all_figures(r, dir, t.f, e);
    report_effects(r, t.f);
    report_measures(r, t.f);
    report_lives(r, t.f);
    report_incidents(r, t.f);
    report_basis(r, t.f);
    page_foot(r, t.f);
    if (!rc)
        return outtext_save(&t, dir, "index.html", e);
    outtext_free(&t);
    return rc;
}
