/* The few figures that a reader should remember, large. */
#include <math.h>
#include <string.h>

#include "harness/base/fmt.h"
#include "harness/report/report_say.h"

static void tile(FILE *f, const char *big, const char *small)
{
    fprintf(f, "<div class=\"tile\"><b>%s</b><span>", big);
    html_text(f, small);
    fputs("</span></div>\n", f);
}

static void tile_significance(const struct report *r, FILE *f)
{
    size_t sure = 0, all = 0;
    double p = 0;
    for (size_t i = 0; i < r->n_setting; i++) {
        const enum outcome o = say_outcome(&r->setting[i]);
        all += o != OUT_NONE;
        sure += o == OUT_WIN;
        if (o == OUT_WIN)
            p = fmax(p, r->setting[i].entry[r->setting[i].best].to_base.pair.p);
    }
    char big[64], small[128];
    snprintf(big, sizeof big, all == 1 ? sure ? "significant" : "not significant" : "%zu of %zu",
             sure, all);
    if (sure)
        snprintf(small, sizeof small, "%s%s",
                 all == 1 ? ""
                          : "settings where the best significantly beats the baseline; at worst ",
                 fmt_p(p).s);
    else
        snprintf(small, sizeof small,
                 all == 1 ? "the best is not shown to differ"
                          : "settings where the best significantly beats the baseline");
    tile(f, big, small);
}

/* How far the best gets on the way from the baseline to the oracle, at worst and at best. */
static void tile_oracle(const struct report *r, FILE *f)
{
    double lo = INFINITY, hi = -INFINITY;
    for (size_t i = 0; i < r->n_setting; i++) {
        const struct report_setting *s = &r->setting[i];
        if (s->oracle == NO_ENTRY || s->best == NO_ENTRY)
            continue;
        const double base = s->entry[s->base].rank.mean;
        const double part =
            (s->entry[s->best].rank.mean - base) / (s->entry[s->oracle].rank.mean - base);
        lo = fmin(lo, 100 * part);
        hi = fmax(hi, 100 * part);
    }
    char big[64];
    if (!isfinite(lo) || !isfinite(hi) || lo < 0)
        return;
    if (hi - lo < 1)
        snprintf(big, sizeof big, "%.0f&nbsp;%%", hi);
    else
        snprintf(big, sizeof big, "%.0f\xe2\x80\x93%.0f&nbsp;%%", lo, hi);
    tile(f, big, "of the gain that the oracle has over the baseline");
}

static void tile_cost(const struct report *r, FILE *f)
{
    double calls = 0, time = 0;
    for (size_t i = 0; i < r->n_setting; i++)
        for (size_t k = 0; k < r->setting[i].n; k++) {
            const struct report_entry *en = &r->setting[i].entry[k];
            if (en->kind != KIND_LEARNED)
                continue;
            const double cpu = report_mean(en, "infer_cpu_time"),
                         gpu = report_mean(en, "infer_gpu_time");
            const double took = (isnan(cpu) ? 0 : cpu) + (isnan(gpu) ? 0 : gpu);
            if (took > time) {
                time = took;
                calls = report_mean(en, "infer_calls");
            }
        }
    if (time <= 0)
        return;
    char big[64], small[120];
    snprintf(big, sizeof big, "%s&nbsp;\xc2\xb5s", fmt_number(1e6 * time / calls, 3).s);
    snprintf(small, sizeof small,
             "per inference, %s s in all per run, charged to the simulated machine",
             fmt_number(time, 3).s);
    tile(f, big, small);
}

void report_tiles(const struct report *r, FILE *f)
{
    if (!r->rank || !r->n_setting || say_outcome(&r->setting[0]) == OUT_NONE)
        return;
    const struct report_setting *s = &r->setting[0];
    char title[120];
    report_metric_title(r->rank->name, title, sizeof title);
    fputs("<div class=\"tiles\">\n<div class=\"tile\"><b>", f);
    say_range(r, f);
    fputs("</b><span>", f);
    fputs("between ", f);
    html_text(f, s->entry[s->base].label);
    fputs(" and the best, in ", f);
    html_text(f, title);
    fputs("</span></div>\n", f);
    tile_significance(r, f);
    tile_oracle(r, f);
    tile_cost(r, f);
    fputs("</div>\n", f);
}
