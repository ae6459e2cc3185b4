/* How policies came and went: the steps of their lives in one trial of each setting, in order of
 * time, and which version answered whom how often. */
#include <string.h>

#include "harness/base/fmt.h"
#include "harness/report/report.h"

#define MOST_TRIALS 12
#define MOST_ROWS   60 /* of a trial */

bool report_is_life(const char *kind)
{
    static const char *const kinds[] = {"replaced", "loaded", "undone",
                                        "refused",  "guard",  "answers"};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (!strcmp(kinds[i], kind))
            return true;
    return false;
}

static size_t steps(const struct result_trial *t)
{
    size_t n = 0;
    for (size_t i = 0; t->measures && i < t->measures->n_incident; i++)
        n += report_is_life(t->measures->incident[i].kind);
    return n;
}

static void row(const struct measure_incident *in, FILE *f)
{
    fprintf(f, "<tr><td class=\"num\">%s</td><td>", fmt_number((double)in->when / 1e9, 6).s);
    html_text(f, in->who);
    fputs("</td><td>", f);
    html_text(f, in->kind);
    fputs("</td><td class=\"text\">", f);
    html_text(f, in->text);
    fputs("</td></tr>\n", f);
}

static void trial(const struct result_trial *t, size_t n, FILE *f)
{
    size_t shown = 0;
    fprintf(f, "<h3>trial %llu, seed %llu", (unsigned long long)t->index,
            (unsigned long long)t->seed);
    for (size_t i = 0; i < t->n_factor; i++) {
        fputs(", ", f);
        html_text(f, t->factor[i].value);
    }
    fputs("</h3>\n<div class=\"wide\" tabindex=\"0\"><table>\n<thead><tr><th scope=\"col\">s</th>"
          "<th scope=\"col\">hook</th><th scope=\"col\">step</th><th scope=\"col\">what</th></tr>"
          "</thead>\n<tbody>\n",
          f);
    for (size_t i = 0; i < t->measures->n_incident && shown < MOST_ROWS; i++)
        if (report_is_life(t->measures->incident[i].kind)) {
            row(&t->measures->incident[i], f);
            shown++;
        }
    fputs("</tbody></table></div>\n", f);
    if (n > shown)
        fprintf(f, "<p class=\"dim\">and %zu more</p>\n", n - shown);
}

/* The first trial of each setting: those of its first seed. */
void report_lives(const struct report *r, FILE *f)
{
    size_t shown = 0;
    for (size_t i = 0; i < r->rs->n_trial && shown < MOST_TRIALS; i++) {
        const struct result_trial *t = &r->rs->trial[i];
        const size_t n = t->seed == r->rs->trial[0].seed ? steps(t) : 0;
        if (!n)
            continue;
        if (!shown++)
            fputs(
                "<section id=\"lives\"><h2>Lives of policies</h2>\n<p class=\"dim\">Steps in order "
                "of time, and who answered each VM how often; the trials of the first seed.</p>\n",
                f);
        trial(t, n, f);
    }
    if (shown)
        fputs("</section>\n", f);
}
