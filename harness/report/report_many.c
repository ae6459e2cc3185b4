/* What holds over many settings, when telling each would bury the reader. */
#include <math.h>
#include <string.h>

#include "harness/base/fmt.h"
#include "harness/report/report_say.h"

/* One measure in which the best is significantly worse than the baseline somewhere. */
static void worse_in(const struct report *r, const struct metric *m, size_t family, FILE *f)
{
    size_t worse = 0, all = 0;
    double lo = INFINITY, hi = 0;
    for (size_t i = 0; i < r->n_setting; i++) {
        const struct report_setting *s = &r->setting[i];
        struct contrast c;
        if (s->best == NO_ENTRY || s->best == s->base ||
            contrast_cells(s->entry[s->base].cell, s->entry[s->best].cell, m, family, &c, NULL))
            continue;
        all++;
        if (c.verdict != VERDICT_WORSE)
            continue;
        worse++;
        lo = fmin(lo, 100 * fabs(contrast_ratio(&c) - 1));
        hi = fmax(hi, 100 * fabs(contrast_ratio(&c) - 1));
    }
    if (!worse)
        return;
    char title[120];
    report_metric_title(m->name, title, sizeof title);
    fprintf(f,
            "<li><span class=\"bad\">It pays for that</span> in %zu of %zu settings with a worse ",
            worse, all);
    html_text(f, title);
    if (isfinite(lo + hi))
        fprintf(f, ": by %.1f to %.1f&nbsp;%%", lo, hi);
    fputs(".</li>\n", f);
}

/* In how many settings a learned policy, its inference paid, beats all that learned nothing. */
static void learning(const struct report *r, FILE *f)
{
    size_t better = 0, worse = 0, all = 0;
    for (size_t i = 0; i < r->n_setting; i++) {
        const struct report_setting *s = &r->setting[i];
        const struct report_entry *plain = report_unlearned(r, s);
        for (size_t k = 0; plain && k < s->n; k++) {
            struct contrast c;
            if (s->entry[k].kind != KIND_LEARNED ||
                contrast_cells(plain->cell, s->entry[k].cell, r->rank, 1, &c, NULL))
                continue;
            all++;
            better += c.verdict == VERDICT_BETTER;
            worse += c.verdict == VERDICT_WORSE;
        }
    }
    if (all)
        fprintf(f,
                "<li>Learning, with its inference paid, beats the best that learned nothing in %zu "
                "of %zu "
                "settings, loses in %zu, and shows no difference in %zu.</li>\n",
                better, all, worse, all - better - worse);
}

void report_many(const struct report *r, FILE *f)
{
    const struct metric *column[9];
    const size_t n = report_columns(r, column, 9);
    fputs("<ul>\n", f);
    for (size_t i = 1; i < n; i++)
        worse_in(r, column[i], n - 1, f);
    learning(r, f);
    fputs("</ul>\n", f);
}
