#include "harness/report/report_say.h"

#include <math.h>
#include <string.h>

#include "harness/base/fmt.h"

enum outcome say_outcome(const struct report_setting *s)
{
    if (s->best == NO_ENTRY || s->n < 2)
        return OUT_NONE;
    if (s->best == s->base)
        return OUT_BASE;
    const struct report_entry *en = &s->entry[s->best];
    switch (en->to_base.verdict) {
    case VERDICT_BETTER:
    case VERDICT_DIFFERENT:
        return OUT_WIN;
    case VERDICT_ONE:
        return OUT_ONE_SEED;
    default:
        return OUT_UNSURE;
    }
}

void say_name(FILE *f, const struct report_entry *en)
{
    fprintf(f, "<b class=\"who\" style=\"--c:var(--s%zu)\">", en->value % 10);
    html_text(f, en->label);
    fputs("</b>", f);
}

void say_rank(const struct report *r, FILE *f)
{
    char title[120];
    report_metric_title(r->rank->name, title, sizeof title);
    html_text(f, title);
}

static void interval(double lo, double hi, int places, const char *unit, double p, FILE *f)
{
    if (isnan(lo))
        return;
    lo = fabs(lo) < 0.005 ? 0 : lo; /* no "-0.00" */
    hi = fabs(hi) < 0.005 ? 0 : hi;
    fprintf(f, " (95&nbsp;%% interval %.*f to %.*f%s, ", places, lo, places, hi, unit);
    html_text(f, fmt_p(p).s);
    fputs(")", f);
}

void say_change(const struct contrast *c, FILE *f)
{
    const struct paired *k = &c->pair;
    const double ratio = contrast_ratio(c);
    if (!isfinite(ratio) || ratio <= 0 || isnan(k->change)) {
        fprintf(f, "<b>%s %s</b>", fmt_number(fabs(k->diff), 3).s,
                k->diff < 0 ? "lower" : "higher");
        interval(k->diff < 0 ? -k->hi : k->lo, k->diff < 0 ? -k->lo : k->hi, 2, "", k->p, f);
    } else if (ratio >= 3) {
        fprintf(f, "<b>%s times as high</b>", fmt_number(ratio, 3).s);
        interval(k->change_lo, k->change_hi, 2, "", k->p, f);
    } else {
        const double percent = 100 * fabs(ratio - 1), sign = ratio < 1 ? -100 : 100;
        const double lo = sign * ((ratio < 1 ? k->change_hi : k->change_lo) - 1);
        const double hi = sign * ((ratio < 1 ? k->change_lo : k->change_hi) - 1);
        const int places = percent < 0.95 ? 2 : 1;
        fprintf(f, "<b>%.*f&nbsp;%% %s</b>", places, percent, ratio < 1 ? "lower" : "higher");
        interval(lo, hi, places, "&nbsp;%", k->p, f);
    }
}

void say_range(const struct report *r, FILE *f)
{
    double lo = INFINITY, hi = 0;
    for (size_t i = 0; i < r->n_setting; i++) {
        const struct report_setting *s = &r->setting[i];
        if (s->best == NO_ENTRY)
            continue;
        const double by = 100 * fabs(contrast_ratio(&s->entry[s->best].to_base) - 1);
        lo = fmin(lo, by);
        hi = fmax(hi, by);
    }
    char from[16], to[16];
    snprintf(from, sizeof from, "%.1f", lo);
    snprintf(to, sizeof to, "%.1f", hi);
    if (!strcmp(from, to))
        fprintf(f, "%s&nbsp;%%", to);
    else
        fprintf(f, "%s to %s&nbsp;%%", from, to);
}
