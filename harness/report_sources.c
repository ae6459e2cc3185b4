/* What a result rests on, and what went wrong on the way. */
#include <string.h>

#include "harness/fmt.h"
#include "harness/report.h"

#define MOST_INCIDENTS 50

/* Canonical JSON has no spaces; people want lines.  Short objects stay on one. */
static void pretty_json(const char *s, FILE *f)
{
    int depth = 0;
    bool text = false;
    for (; *s; s++) {
        char one[2] = {*s, 0};
        if (*s == '"' || text) {
            if (*s == '"')
                text = !text;
            html_text(f, one);
            if (text && *s == '\\' && s[1]) /* an escaped quote does not end the text */
                one[0] = *++s, html_text(f, one);
            continue;
        }
        if (*s == '}' || *s == ']')
            depth--;
        if ((*s == '}' || *s == ']') && s[-1] != '{' && s[-1] != '[')
            fprintf(f, "\n%*s", 2 * depth, "");
        html_text(f, one);
        if (*s == ':')
            fputc(' ', f);
        if (*s == '{' || *s == '[')
            depth++;
        if ((*s == ',' || ((*s == '{' || *s == '[') && s[1] != '}' && s[1] != ']')))
            fprintf(f, "\n%*s", 2 * depth, "");
    }
}

static void json_block(const char *title, const char *json, FILE *f)
{
    if (!json || !*json)
        return;
    fprintf(f, "<details><summary>%s</summary>\n<pre tabindex=\"0\">", title);
    pretty_json(json, f);
    fputs("</pre></details>\n", f);
}

static void constants_of(const struct basis *b, const char *evidence, size_t count, FILE *f)
{
    if (!count)
        return;
    fprintf(f, "<details%s><summary>%zu %s</summary>\n<div class=\"wide\" tabindex=\"0\"><table>\n",
            !strcmp(evidence, "assumed") ? " open" : "", count, evidence);
    fputs("<thead><tr><th scope=\"col\">constant</th><th scope=\"col\">value</th><th "
          "scope=\"col\">unit</th>"
          "<th scope=\"col\">source</th></tr></thead>\n<tbody>\n",
          f);
    for (size_t i = 0; i < b->n; i++) {
        const struct basis_constant *c = &b->constant[i];
        if (strcmp(c->evidence, evidence))
            continue;
        fputs("<tr><th scope=\"row\"><code>", f);
        html_text(f, c->path);
        fputs("</code></th><td class=\"num\">", f);
        html_text(f, c->value);
        fputs("</td><td>", f);
        html_text(f, c->unit);
        fputs("</td><td class=\"text\">", f);
        html_text(f, c->source);
        fputs("</td></tr>\n", f);
    }
    fputs("</tbody></table></div></details>\n", f);
}

static size_t incidents_of(const struct result_trial *t, size_t shown, FILE *f)
{
    const size_t n = t->measures ? t->measures->n_incident : 0;
    for (size_t i = 0; i < n && shown < MOST_INCIDENTS; i++, shown++) {
        const struct measure_incident *in = &t->measures->incident[i];
        fprintf(f, "<tr><td class=\"num\">%llu</td><td class=\"num\">%llu</td><td>",
                (unsigned long long)t->index, (unsigned long long)t->seed);
        html_text(f, in->kind);
        fputs("</td><td>", f);
        html_text(f, in->who);
        fprintf(f, "</td><td class=\"num\">%s</td><td class=\"text\">",
                fmt_number((double)in->when / 1e9, 6).s);
        html_text(f, in->text);
        fputs("</td></tr>\n", f);
    }
    if (t->failed && shown < MOST_INCIDENTS) {
        fprintf(f,
                "<tr><td class=\"num\">%llu</td><td "
                "class=\"num\">%llu</td><td>failed</td><td></td><td></td><td class=\"text\">",
                (unsigned long long)t->index, (unsigned long long)t->seed);
        html_text(f, t->why ? t->why : "");
        fputs("</td></tr>\n", f);
        shown++;
    }
    return shown;
}

static void incidents(const struct report *r, FILE *f)
{
    size_t all = 0, shown = 0;
    for (size_t i = 0; i < r->rs->n_trial; i++)
        all += (r->rs->trial[i].measures ? r->rs->trial[i].measures->n_incident : 0) +
               r->rs->trial[i].failed;
    if (!all)
        return;
    fprintf(f, "<section id=\"incidents\"><h2>Incidents</h2>\n<p class=\"dim\">%zu in all%s.</p>\n",
            all, all > MOST_INCIDENTS ? "; the first 50 are shown" : "");
    fputs("<div class=\"wide\" tabindex=\"0\"><table>\n<thead><tr><th scope=\"col\">trial</th><th "
          "scope=\"col\">seed</th>"
          "<th scope=\"col\">kind</th><th scope=\"col\">who</th><th "
          "scope=\"col\">at<small>s</small></th>"
          "<th scope=\"col\">what</th></tr></thead>\n<tbody>\n",
          f);
    for (size_t i = 0; i < r->rs->n_trial; i++)
        shown = incidents_of(&r->rs->trial[i], shown, f);
    fputs("</tbody></table></div></section>\n", f);
}

void report_basis(const struct report *r, FILE *f)
{
    const struct basis *b = &r->basis;
    incidents(r, f);
    fputs("<section id=\"basis\"><h2>What this rests on</h2>\n", f);
    if (b->n)
        fputs("<p class=\"dim\">Constants of the machine by their evidence. Results move with the "
              "assumed ones: "
              "change one with <code>--set</code> and compare.</p>\n",
              f);
    constants_of(b, "assumed", b->assumed, f);
    constants_of(b, "published", b->published, f);
    constants_of(b, "measured", b->measured, f);
    json_block("Trace", r->rs->trace_json, f);
    json_block("Experiment", r->rs->experiment_json, f);
    json_block("Machine profile", r->rs->machine_json, f);
    fputs("</section>\n", f);
}
