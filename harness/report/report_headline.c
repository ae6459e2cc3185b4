/* The one sentence on top: who leads, and by how much. */
#include <string.h>

#include "harness/base/fmt.h"
#include "harness/report/report_say.h"

static bool leads_in(const struct report_setting *s, const char *label)
{
    for (size_t i = 0; i < s->n; i++)
        if (s->entry[i].leads && !strcmp(s->entry[i].label, label))
            return true;
    return false;
}

static bool same_leaders(const struct report_setting *a, const struct report_setting *b)
{
    for (size_t i = 0; i < a->n; i++)
        if (a->entry[i].leads && !leads_in(b, a->entry[i].label))
            return false;
    for (size_t i = 0; i < b->n; i++)
        if (b->entry[i].leads && !leads_in(a, b->entry[i].label))
            return false;
    return true;
}

static bool all_agree(const struct report *r)
{
    for (size_t i = 1; i < r->n_setting; i++)
        if (say_outcome(&r->setting[i]) != say_outcome(&r->setting[0]) ||
            !same_leaders(&r->setting[i], &r->setting[0]))
            return false;
    return r->n_setting > 0;
}

/* "a", "a and b", "a, b and c": the best first.  Returns how many. */
static size_t leaders(const struct report_setting *s, FILE *f)
{
    size_t n = 0, said = 1;
    for (size_t i = 0; i < s->n; i++)
        n += s->entry[i].leads;
    say_name(f, &s->entry[s->best]);
    for (size_t i = 0; i < s->n; i++) {
        if (!s->entry[i].leads || i == s->best)
            continue;
        fputs(++said == n ? " and " : ", ", f);
        say_name(f, &s->entry[i]);
    }
    return n;
}

static void win(const struct report *r, const struct report_setting *s, FILE *f)
{
    const bool alone = leaders(s, f) == 1;
    const double ratio = contrast_ratio(&s->entry[s->best].to_base);
    fputs(alone ? " wins: " : " lead: ", f);
    say_range(r, f);
    fprintf(f, " %s ", ratio < 1 ? "lower" : "higher");
    say_rank(r, f);
    fputs(" than ", f);
    say_name(f, &s->entry[s->base]);
    if (!alone)
        fputs(", with no difference shown between them", f);
}

/* ---- along what nobody chooses: workloads, sizes ------------------------------------ */

static const struct report_entry *extreme(const struct report_setting *s, bool highest)
{
    const struct report_entry *most = NULL;
    for (size_t i = 0; i < s->n; i++)
        if (s->entry[i].rank.n && (!most || (s->entry[i].rank.mean > most->rank.mean) == highest))
            most = &s->entry[i];
    return most;
}

/* The same value in every setting; NULL: not the same, or there is none. */
static const struct report_entry *extreme_of_all(const struct report *r, bool highest)
{
    const struct report_entry *first = r->n_setting ? extreme(&r->setting[0], highest) : NULL;
    for (size_t i = 1; first && i < r->n_setting; i++) {
        const struct report_entry *en = extreme(&r->setting[i], highest);
        if (!en || strcmp(en->label, first->label))
            return NULL;
    }
    return first;
}

static void along_axis(const struct report *r, FILE *f)
{
    const struct report_entry *low = extreme_of_all(r, false), *high = extreme_of_all(r, true);
    char title[120];
    report_metric_title(r->rank->name, title, sizeof title);
    if (title[0] >= 'a' && title[0] <= 'z')
        title[0] = (char)(title[0] - 'a' + 'A');
    html_text(f, title);
    fputs(" by ", f);
    html_text(f, axis_name(&r->cells->axis[r->by]));
    if (low && high && low->rank.mean < high->rank.mean) {
        fputs(": lowest at ", f);
        say_name(f, low);
        fputs(", highest at ", f);
        say_name(f, high);
    }
}

void report_headline(const struct report *r, FILE *f)
{
    if (r->rank && !r->contest && r->by < r->cells->n_axis && r->cells->axis[r->by].n > 1 &&
        r->rs->n_trial > r->failed) {
        along_axis(r, f);
        return;
    }
    const struct report_setting *s = &r->setting[0];
    const enum outcome what = r->rank && r->n_setting ? say_outcome(s) : OUT_NONE;
    if (what == OUT_NONE) {
        const bool any = r->rs->n_trial > r->failed;
        fputs(any ? "Nothing to compare: one configuration was run" : "No trial has finished", f);
    } else if (!all_agree(r)) {
        fputs("No single winner: it depends on the setting", f);
    } else if (what == OUT_WIN) {
        win(r, s, f);
    } else if (what == OUT_BASE) {
        fputs("Nothing beats ", f);
        say_name(f, &s->entry[s->base]);
    } else {
        say_name(f, &s->entry[s->best]);
        fprintf(f, " has the %s ", r->rank->better == BETTER_MORE ? "highest" : "lowest");
        say_rank(r, f);
        fputs(what == OUT_UNSURE                ? ", but that may be chance"
              : s->entry[s->best].to_base.alike ? ", whatever the seed"
                                                : ", in one seed",
              f);
    }
}

/* The headline without its markup: what html_text and say_name put in is taken out again. */
static void plain(const char *s, FILE *f)
{
    static const struct {
        const char *from;
        const char *to;
    } entity[] = {{"&nbsp;", " "}, {"&lt;", "<"},    {"&gt;", ">"},
                  {"&amp;", "&"},  {"&quot;", "\""}, {"&#39;", "'"}};
    while (*s) {
        size_t n = *s == '<' ? strcspn(s, ">") + 1 : 0;
        for (size_t i = 0; !n && i < sizeof entity / sizeof *entity; i++)
            if (!strncmp(s, entity[i].from, strlen(entity[i].from))) {
                n = strlen(entity[i].from);
                fputs(entity[i].to, f);
            }
        if (!n)
            fputc(*s, f);
        s += n ? n : 1;
    }
}

int report_headline_text(const struct report *r, struct outtext *out, struct err *e)
{
    struct outtext html;
    int rc = outtext_open(&html, e);
    if (rc)
        return rc;
    report_headline(r, html.f);
    rc = outtext_close(&html, e);
    if (!rc)
        rc = outtext_open(out, e);
    if (!rc) {
        plain(html.data, out->f);
        rc = outtext_close(out, e);
    }
    outtext_free(&html);
    return rc;
}
