#include "harness/report_say.h"

#include <math.h>
#include <string.h>

#include "harness/fmt.h"

enum outcome say_outcome(const struct report_setting *s)
{
    if (s->best == NO_ENTRY || s->n < 2)
        return OUT_NONE;
    if (s->best == s->base)
        return OUT_BASE;
    const struct report_entry *en = &s->entry[s->best];
    switch (contrast_verdict(&en->to_base, en->p)) {
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

void say_change(const struct contrast *c, double p, FILE *f)
{
    const struct paired *k = &c->pair;
    const char *way = k->diff < 0 ? "lower" : "higher";
    const double scale = 100 / fabs(k->mean_a), sign = k->diff < 0 ? -1 : 1;
    if (!isfinite(scale)) {
        fprintf(f, "%s %s", fmt_number(fabs(k->diff), 3).s, way);
        return;
    }
    fprintf(f, "<b>%.1f&nbsp;%% %s</b>", fabs(k->diff) * scale, way);
    if (!isnan(k->lo)) {
        const double lo = sign * (sign < 0 ? k->hi : k->lo) * scale;
        const double hi = sign * (sign < 0 ? k->lo : k->hi) * scale;
        fprintf(f, " (95&nbsp;%% interval %.1f to %.1f&nbsp;%%, %s)", lo, hi, fmt_p(p).s);
    }
}

void say_range(const struct report *r, FILE *f)
{
    double lo = INFINITY, hi = 0;
    for (size_t i = 0; i < r->n_setting; i++) {
        const struct report_setting *s = &r->setting[i];
        if (s->best == NO_ENTRY)
            continue;
        const double by = 100 * fabs(s->entry[s->best].to_base.pair.ratio - 1);
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
