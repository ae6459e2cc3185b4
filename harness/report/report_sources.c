/* What a result rests on. */
#include <string.h>

#include "harness/base/fmt.h"
#include "harness/report/report.h"

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

/* Tables of costs are long; single values line up on the right. */
static void constant_row(const struct basis_constant *c, FILE *f)
{
    fputs("<tr><th scope=\"row\"><code>", f);
    html_text(f, c->path);
    fprintf(f, "</code></th><td class=\"%s\">", strlen(c->value) > 16 ? "text" : "num");
    html_text(f, c->value);
    fputs("</td><td>", f);
    html_text(f, c->unit);
    fputs("</td><td class=\"text\">", f);
    html_text(f, c->source);
    fputs("</td></tr>\n", f);
}

/* which: 1 those that runs charged, 0 those they did not, -1 all. */
static void constants_of(const struct basis *b, const char *evidence, int which, const char *title,
                         FILE *f)
{
    size_t count = 0;
    for (size_t pass = 0; pass < 2; pass++) {
        for (size_t i = 0; i < b->n; i++) {
            const struct basis_constant *c = &b->constant[i];
            if (strcmp(c->evidence, evidence) || (which >= 0 && c->used != which))
                continue;
            if (pass)
                constant_row(c, f);
            else
                count++;
        }
        if (!count)
            return;
        if (pass)
            break;
        fprintf(f, "<details%s><summary>%zu %s</summary>\n", which == 1 ? " open" : "", count,
                title);
        fputs(
            "<div class=\"wide\" tabindex=\"0\"><table>\n<thead><tr><th scope=\"col\">constant</th>"
            "<th scope=\"col\">value</th><th scope=\"col\">unit</th><th scope=\"col\">source</th>"
            "</tr></thead>\n<tbody>\n",
            f);
    }
    fputs("</tbody></table></div></details>\n", f);
}

void report_basis(const struct report *r, FILE *f)
{
    const struct basis *b = &r->basis;
    fputs("<section id=\"basis\"><h2>What this rests on</h2>\n", f);
    if (b->n)
        fputs("<p class=\"dim\">Constants of the machine by their evidence. Results move with the "
              "assumed ones: "
              "change one with <code>--set</code> and compare.</p>\n",
              f);
    if (b->used) {
        constants_of(b, "assumed", 1, "assumed, and these results depend on them", f);
        constants_of(b, "assumed", 0, "assumed, not used by these runs", f);
    } else {
        constants_of(b, "assumed", -1, "assumed", f);
    }
    constants_of(b, "published", -1, "published", f);
    constants_of(b, "measured", -1, "measured", f);
    json_block("Trace", r->rs->trace_json, f);
    json_block("Experiment", r->rs->experiment_json, f);
    json_block("Machine profile", r->rs->machine_json, f);
    fputs("</section>\n", f);
}
