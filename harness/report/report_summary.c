/* The first thing a reader meets: who won, by how much, is it more than
 * chance, what did it cost, and what should be known before believing it.   */
#include <math.h>
#include <string.h>

#include "harness/base/fmt.h"
#include "harness/report/report_say.h"

static void with_unit(const struct report *r, double v, FILE *f)
{
    const bool pure = !strcmp(r->rank->unit, "1");
    fprintf(f, "%s%s", fmt_number(v, 4).s, pure ? "" : "&nbsp;");
    html_text(f, pure ? "" : r->rank->unit);
}

/* Base, best, and whether that is more than chance: one sentence per setting. */
static void setting_sentence(const struct report *r, const struct report_setting *s, FILE *f)
{
    const struct report_entry *best = &s->entry[s->best], *base = &s->entry[s->base];
    say_name(f, best);
    fputs(" has the best ", f);
    say_rank(r, f);
    fputs(": ", f);
    with_unit(r, best->rank.mean, f);
    if (s->best == s->base) {
        fputs("; nothing beats the baseline", f);
    } else {
        fputs(", ", f);
        say_change(&best->to_base, f);
        fputs(" than ", f);
        say_name(f, base);
    }
    switch (say_outcome(s)) {
    case OUT_WIN:
        fputs(". That is significant.", f);
        break;
    case OUT_UNSURE:
        fputs(s->entry[s->best].to_base.verdict == VERDICT_WORSE
                  ? ". Pair by pair, though, the baseline is better."
                  : ". That may be chance: it is not significant.",
              f);
        break;
    case OUT_ONE_SEED:
        fputs(s->entry[s->best].to_base.alike
                  ? ". Every seed gives these numbers: nothing is known about chance."
                  : ". One seed cannot tell this from chance.",
              f);
        break;
    default:
        fputs(".", f);
    }
}

/* Does the best also beat the second best? */
static void runner_up(const struct report *r, const struct report_setting *s, FILE *f)
{
    struct contrast c;
    if (s->next == NO_ENTRY || s->next == s->base || s->best == s->base ||
        contrast_cells(s->entry[s->next].cell, s->entry[s->best].cell, r->rank, 1, &c, NULL))
        return;
    fputs(" Against the next best, ", f);
    say_name(f, &s->entry[s->next]);
    fputs(", it is ", f);
    say_change(&c, f);
    fputs(c.verdict == VERDICT_BETTER || c.verdict == VERDICT_DIFFERENT ? "."
                                                                        : ": no difference shown.",
          f);
}

/* What could be won at most, by something that knows the future. */
static void oracle_bound(const struct report *r, const struct report_setting *s, FILE *f)
{
    if (s->oracle == NO_ENTRY)
        return;
    const struct report_entry *o = &s->entry[s->oracle], *base = &s->entry[s->base];
    const double possible = o->rank.mean - base->rank.mean;
    const double got = s->entry[s->best].rank.mean - base->rank.mean;
    fputs(" The oracle ", f);
    say_name(f, o);
    fputs(" reaches ", f);
    with_unit(r, o->rank.mean, f);
    if (s->best != s->base && possible != 0 && got / possible > 0)
        fprintf(f, ": %.0f&nbsp;%% of its gain over the baseline is reached", 100 * got / possible);
    fputs(".", f);
}

/* A policy that is better on the mean may pay for it elsewhere: what got significantly worse. */
static void trade_offs(const struct report *r, const struct report_setting *s, FILE *f)
{
    const struct metric *column[9];
    const size_t n = report_columns(r, column, 9);
    size_t said = 0;
    for (size_t i = 1; s->best != s->base && i < n; i++) {
        struct contrast c;
        char title[120];
        if (contrast_cells(s->entry[s->base].cell, s->entry[s->best].cell, column[i], n - 1, &c,
                           NULL) ||
            c.verdict != VERDICT_WORSE)
            continue;
        report_metric_title(column[i]->name, title, sizeof title);
        fputs(said++ ? "; " : " <span class=\"bad\">It pays for that:</span> ", f);
        html_text(f, title);
        fputs(" is ", f);
        say_change(&c, f);
    }
    fputs(said ? "." : "", f);
}

/* ---- does learning pay? ----------------------------------------------------------- */

const struct report_entry *report_unlearned(const struct report *r, const struct report_setting *s)
{
    const struct report_entry *best = NULL;
    for (size_t i = 0; i < s->n; i++) {
        const struct report_entry *en = &s->entry[i];
        if (en->kind != KIND_PLAIN || !en->rank.n)
            continue;
        if (!best || (r->rank->better == BETTER_MORE) == (en->rank.mean > best->rank.mean))
            best = en;
    }
    return best;
}

static void learning_pays(const struct report *r, const struct report_setting *s,
                          const struct report_entry *en, FILE *f)
{
    const struct report_entry *plain = report_unlearned(r, s);
    const double calls = report_mean(en, "infer_calls"), cpu = report_mean(en, "infer_cpu_time");
    const double gpu = report_mean(en, "infer_gpu_time");
    struct contrast c;
    say_name(f, en);
    fprintf(f, " made %s inferences per run", fmt_number(calls, 4).s);
    if (en->kind == KIND_FREE)
        fputs(", not charged.", f);
    else
        fprintf(f, ": %s&nbsp;s of CPU and %s&nbsp;s of GPU, simulated.",
                fmt_number(isnan(cpu) ? 0 : cpu, 3).s, fmt_number(isnan(gpu) ? 0 : gpu, 3).s);
    if (plain && !contrast_cells(plain->cell, en->cell, r->rank, 1, &c, NULL) && c.pair.n) {
        const enum verdict v = c.verdict;
        fputs(en->kind == KIND_FREE ? " Were that free, it would be " : " With that paid, it is ",
              f);
        say_change(&c, f);
        fputs(" than ", f);
        say_name(f, plain);
        fputs(", the best that learned nothing: ", f);
        if (en->kind == KIND_FREE)
            fputs("an ideal, not a candidate.", f);
        else
            fputs(v == VERDICT_BETTER  ? "learning pays."
                  : v == VERDICT_WORSE ? "learning does not pay."
                                       : "no difference shown.",
                  f);
    }
    fputs("</li>\n", f);
}

/* ---- what to know before believing it ---------------------------------------------- */

static void caution_numbers(const struct report *r, FILE *f)
{
    static const struct {
        const char *metric;
        double above;
        const char *text;
    } near[] = {
        {"load", 0.9,
         "Offered load reaches %.0f&nbsp;%% of capacity: near saturation, queues grow with the "
         "length of the run"},
        {"wait_error", 0.2,
         "At this load a run of this length knows its mean wait to within %.0f&nbsp;%% only"},
        {"unfinished", 0, "Up to %.3g jobs never ended, and are missing from all means"},
        {"infeasible", 0, "Up to %.3g jobs ask for more than there is, and were left out"},
        {"rejected", 0,
         "Up to %.3g requests per run were turned away: latencies are of those that were served"},
        {"lost", 0,
         "Up to %.3g requests per run were lost with the engines that failed under them: latencies "
         "are of those that ended"},
        {"preemptions", 0,
         "Up to %.3g times per run, a request lost its KV cache and started again"},
    };
    for (size_t i = 0; i < sizeof near / sizeof *near; i++) {
        double worst = -INFINITY;
        for (size_t s = 0; s < r->n_setting; s++)
            for (size_t k = 0; k < r->setting[s].n; k++)
                worst = fmax(worst, report_mean(&r->setting[s].entry[k], near[i].metric));
        if (!(worst > near[i].above))
            continue;
        fputs("<li class=\"warn\">", f);
        char text[200];
        snprintf(text, sizeof text, near[i].text, i > 1 ? worst : 100 * worst);
        fprintf(f, "%s.</li>\n", text);
    }
}

static void cautions(const struct report *r, FILE *f)
{
    if (r->rs->n_trial < r->rs->planned)
        fprintf(f,
                "<li class=\"warn\">%zu of %llu trials have finished; the rest are not in this "
                "report.</li>\n",
                r->rs->n_trial, (unsigned long long)r->rs->planned);
    if (r->failed)
        fprintf(f, "<li class=\"warn\">%zu of %zu trials failed and are left out.</li>\n",
                r->failed, r->rs->n_trial);
    if (contrast_seeds_alike(r->cells, &r->metrics))
        fputs("<li class=\"warn\">The seed changes nothing here: all trials of a setting are one "
              "observation, so nothing is known about chance. A random window of the trace, or a "
              "synthesized one, differs by seed.</li>\n",
              f);
    for (size_t s = 0; s < r->n_setting; s++)
        for (size_t k = 0; k < r->setting[s].n; k++) {
            const struct report_entry *en = &r->setting[s].entry[k];
            if (!en->ejected)
                continue;
            fputs("<li class=\"warn\">", f);
            say_name(f, en);
            fputs(*r->setting[s].text ? ", " : "", f);
            html_text(f, r->setting[s].text);
            fprintf(f, ": ejected in %zu of %zu trials; the default policy took over.</li>\n",
                    en->ejected, en->cell->n);
        }
    caution_numbers(r, f);
    const struct basis *b = &r->basis;
    if (b->assumed) {
        fputs("<li>", f);
        if (b->used)
            fprintf(f, "These results depend on <a href=\"#basis\">%zu assumed constants</a>; ",
                    b->used);
        fprintf(f, "of the %zu constants of the machine, %zu are measured, %zu published, ", b->n,
                b->measured, b->published);
        fprintf(f, b->used ? "%zu assumed.</li>\n" : "<a href=\"#basis\">%zu assumed</a>.</li>\n",
                b->assumed);
    }
}

static void tag(const char *text, FILE *f)
{
    if (!*text)
        return;
    fputs("<span class=\"tag\">", f);
    html_text(f, text);
    fputs("</span> ", f);
}

static void each_setting(const struct report *r, FILE *f)
{
    fputs("<ul class=\"found\">\n", f);
    for (size_t i = 0; i < r->n_setting; i++) {
        const struct report_setting *s = &r->setting[i];
        if (say_outcome(s) == OUT_NONE)
            continue;
        fputs("<li>", f);
        tag(s->text, f);
        setting_sentence(r, s, f);
        runner_up(r, s, f);
        trade_offs(r, s, f);
        oracle_bound(r, s, f);
        fputs("</li>\n", f);
    }
    fputs("</ul>\n", f);
    size_t learned = 0;
    for (size_t i = 0; i < r->n_setting; i++)
        for (size_t k = 0; k < r->setting[i].n; k++) {
            const struct report_entry *en = &r->setting[i].entry[k];
            if (en->kind != KIND_LEARNED && en->kind != KIND_FREE)
                continue;
            fputs(learned++ ? "" : "<h3>What learning cost</h3>\n<ul>\n", f);
            fputs("<li>", f);
            tag(r->setting[i].text, f);
            learning_pays(r, &r->setting[i], en, f);
        }
    fputs(learned ? "</ul>\n" : "", f);
}

void report_summary(const struct report *r, FILE *f)
{
    const bool many = r->contest && r->n_setting > 3;
    fputs("<section class=\"card\" id=\"summary\">\n<h2>", f);
    report_headline(r, f);
    fputs("</h2>\n", f);
    report_tiles(r, f);
    if (r->rank && many) {
        report_many(r, f);
        fprintf(f, "<details><summary>Each of the %zu settings</summary>\n", r->n_setting);
    }
    if (r->rank && (r->contest || r->by == r->cells->n_axis))
        each_setting(r, f);
    fputs(r->rank && many ? "</details>\n" : "", f);
    fputs("<h3>Before you believe it</h3>\n<ul>\n", f);
    cautions(r, f);
    fprintf(
        f,
        "<li>%zu seed%s; every comparison is between runs of the same seed. Intervals are "
        "Student's t; "
        "those against one baseline hold for all policies at once (Bonferroni). A change is the "
        "geometric mean of the ratios of the pairs.</li>\n</ul>\n</section>\n",
        r->seeds, r->seeds == 1 ? "" : "s");
}
