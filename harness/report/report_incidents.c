/* What went wrong on the way, each kind once with how often it happened. */
#include <stdlib.h>
#include <string.h>

#include "harness/base/fmt.h"
#include "harness/report/report.h"

#define MOST_GROUPS 40

struct group {
    const char *kind, *who, *text; /* of the first; borrowed */
    const struct result_trial *first, *last;
    double when; /* s; below 0: no such time */
    size_t count, trials;
};
struct groups {
    struct group group[MOST_GROUPS];
    size_t n, more; /* more: kinds that did not fit */
};

static void put(struct groups *g, const struct result_trial *t, const char *kind, const char *who,
                const char *text, double when)
{
    size_t i = 0;
    while (i < g->n && (strcmp(g->group[i].kind, kind) || strcmp(g->group[i].who, who)))
        i++;
    if (i == MOST_GROUPS) {
        g->more++;
        return;
    }
    if (i == g->n)
        g->group[g->n++] = (struct group){kind, who, text, t, NULL, when, 0, 0};
    g->group[i].count++;
    g->group[i].trials += g->group[i].last != t;
    g->group[i].last = t;
}

/* Which constants were assumed, who was told the truth, how policies came and went is told
 * elsewhere: nothing went wrong there. */
static void put_trial(struct groups *g, const struct result_trial *t)
{
    for (size_t i = 0; t->measures && i < t->measures->n_incident; i++) {
        const struct measure_incident *in = &t->measures->incident[i];
        if (strcmp(in->kind, "assumed") && strcmp(in->kind, "oracle") && !report_is_life(in->kind))
            put(g, t, in->kind, in->who, in->text, (double)in->when / 1e9);
    }
    if (t->failed)
        put(g, t, "failed", "trial", t->why ? t->why : "", -1);
}

static void group_row(const struct group *g, FILE *f)
{
    fputs("<tr><td>", f);
    html_text(f, g->kind);
    fputs("</td><td>", f);
    html_text(f, g->who);
    fprintf(f, "</td><td class=\"num\">%zu</td><td class=\"num\">%zu</td><td class=\"text\">",
            g->count, g->trials);
    html_text(f, g->text);
    fprintf(f, "<small>trial %llu, seed %llu", (unsigned long long)g->first->index,
            (unsigned long long)g->first->seed);
    if (g->when >= 0)
        fprintf(f, ", at %s s", fmt_number(g->when, 4).s);
    fputs("</small></td></tr>\n", f);
}

void report_incidents(const struct report *r, FILE *f)
{
    struct groups *g = calloc(1, sizeof *g);
    for (size_t i = 0; g && i < r->rs->n_trial; i++)
        put_trial(g, &r->rs->trial[i]);
    if (!g || !g->n) {
        free(g);
        return;
    }
    fputs("<section id=\"incidents\"><h2>Incidents</h2>\n<p class=\"dim\">Each kind once, with its "
          "first.</p>\n"
          "<div class=\"wide\" tabindex=\"0\"><table>\n<thead><tr><th scope=\"col\">kind</th>"
          "<th scope=\"col\">who</th><th scope=\"col\">times</th><th scope=\"col\">trials</th>"
          "<th scope=\"col\">what</th></tr></thead>\n<tbody>\n",
          f);
    for (size_t i = 0; i < g->n; i++)
        group_row(&g->group[i], f);
    fputs("</tbody></table></div>\n", f);
    if (g->more)
        fprintf(f, "<p class=\"dim\">%zu more, of other kinds.</p>\n", g->more);
    fputs("</section>\n", f);
    free(g);
}
