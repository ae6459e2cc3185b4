/* study_print.c - what a study found, as text, JSON and Markdown.  Every sentence that names a
 * winner is made of numbers of the runs. */
#include <math.h>
#include <string.h>

#include "harness/base/fmt.h"
#include "harness/report/study.h"

#define TORNADO_ROWS 5 /* of each mix, in text; JSON has all */

struct words {
    char s[96];
};

static struct words number(double v)
{
    struct words w = {.s = "-"};
    if (!isnan(v))
        snprintf(w.s, sizeof w.s, "%.4g", v);
    return w;
}

/* "+3.1 %", with its interval where there is one. */
static struct words change(const struct paired *p, bool interval)
{
    struct words w = {.s = "-"};
    if (!p->n || isnan(p->change))
        return w;
    const int n = snprintf(w.s, sizeof w.s, "%+.2f %%", 100 * (p->change - 1));
    if (interval && !isnan(p->change_lo))
        snprintf(w.s + n, sizeof w.s - (size_t)n, " (%+.2f to %+.2f)", 100 * (p->change_lo - 1),
                 100 * (p->change_hi - 1));
    return w;
}

static const char *stack_of(const struct study *s, size_t column)
{
    return s->mix[0].column[column].name;
}

/* ---- who wins ------------------------------------------------------------------------------- */

static void list_verdicts(const struct study *s, int verdict, FILE *out)
{
    bool any = false;
    for (size_t i = 0; i < s->n; i++) {
        const struct study_mix *m = &s->mix[i];
        const char *comma = "";
        for (int k = 0; k < STUDY_N; k++) {
            const enum study_measure q = (enum study_measure)k;
            if (!study_better(q) || !m->change[k].n || study_verdict(s, m, q) != verdict)
                continue;
            if (!*comma)
                fprintf(out, "%s%s: ", any ? "; " : "", m->name);
            if (verdict)
                fprintf(out, "%s%s %s", comma, study_words(q), change(&m->change[k], false).s);
            else
                fprintf(out, "%s%s", comma, study_words(q));
            comma = ", ";
            any = true;
        }
    }
    fputs(any ? "." : "nowhere.", out);
}

void study_says(const struct study *s, FILE *out)
{
    const char *of = stack_of(s, s->of), *base = stack_of(s, s->base);
    size_t flips = 0;
    fprintf(out, "Where %s loses to %s: ", of, base);
    list_verdicts(s, -1, out);
    fprintf(out, "\n\nWhere %s beats %s: ", of, base);
    list_verdicts(s, 1, out);
    fputs("\n\nNot told apart by these seeds: ", out);
    list_verdicts(s, 0, out);
    fputs("\n\nConstants nobody has measured, ", out);
    fprintf(out, "a factor of %g either way: ", s->factor);
    for (size_t i = 0; i < s->n; i++)
        for (size_t k = 0; k < s->mix[i].tornado.n; k++)
            if (study_flips(s, &s->mix[i], &s->mix[i].tornado.row[k]))
                fprintf(out, "%s%s of %s", flips++ ? ", " : "", s->mix[i].tornado.row[k].constant,
                        s->mix[i].name);
    fprintf(out, flips ? "; with these, who is ahead in the headline turns.\n"
                       : "none turns who is ahead in a headline that is decided.\n");
}

/* ---- text -------------------------------------------------------------------------------------
 */

static void text_columns(const struct study *s, const struct study_mix *m, FILE *out)
{
    char head[64];
    fprintf(out, "  %-12s", "");
    for (int k = 0; k < STUDY_N; k++) {
        const char *unit = m->unit[k] && strcmp(m->unit[k], "1") ? m->unit[k] : "";
        snprintf(head, sizeof head, "%s%s%s", study_words((enum study_measure)k), *unit ? " " : "",
                 unit);
        fprintf(out, " %22s", head);
    }
    fputs("\n", out);
    for (size_t i = 0; i < m->stacks; i++) {
        const struct study_column *c = &m->column[i];
        fprintf(out, "  %-12s", c->name);
        for (int k = 0; k < STUDY_N && !c->absent; k++)
            fprintf(out, " %22s", number(c->mean[k]).s);
        fprintf(out, "%s%s\n", c->absent ? " not run: " : "", c->absent ? c->absent : "");
    }
    fprintf(out, "  %s over %s:", stack_of(s, s->of), stack_of(s, s->base));
    for (int k = 0; k < STUDY_N; k++)
        if (m->change[k].n && !isnan(m->change[k].change))
            fprintf(out, "  %s %s", study_words((enum study_measure)k),
                    change(&m->change[k], true).s);
    fputs("\n", out);
}

static void text_ablation(const struct study *s, const struct study_mix *m, FILE *out)
{
    fprintf(out, "  %s without each mechanism, %s:\n", stack_of(s, s->of),
            study_words(m->headline));
    for (size_t i = m->stacks; i < m->columns; i++) {
        const struct study_column *c = &m->column[i];
        fprintf(out, "    %-20s %s%s\n", c->name, c->absent ? "not run: " : "",
                c->absent ? c->absent : change(&c->over_of, true).s);
    }
}

static void text_tornado(const struct study *s, const struct study_mix *m, FILE *out)
{
    const struct tornado *t = &m->tornado;
    fprintf(out,
            "  %s, %s over %s, by assumed constant, divided and multiplied by %g (%zu): %.4f\n",
            study_words(m->headline), stack_of(s, s->of), stack_of(s, s->base), t->factor, t->n,
            t->base);
    if (!study_verdict(s, m, m->headline))
        fputs("    (the seeds do not tell these two apart: this is how far one draw moves)\n", out);
    for (size_t i = 0; i < t->n && i < TORNADO_ROWS; i++)
        if (tornado_swing(t, &t->row[i]) > 0)
            fprintf(out, "    %-28s %10s %10s%s\n", t->row[i].constant, number(t->row[i].less).s,
                    number(t->row[i].more).s, study_flips(s, m, &t->row[i]) ? "  TURNS" : "");
}

static void text_summary(const struct study *s, FILE *out)
{
    fprintf(out, "\n%s over %s (+ better, - worse, = not told apart)\n  %-14s", stack_of(s, s->of),
            stack_of(s, s->base), "");
    for (int k = 0; k < STUDY_N; k++)
        fprintf(out, " %14s", study_words((enum study_measure)k));
    for (size_t i = 0; i < s->n; i++) {
        const struct study_mix *m = &s->mix[i];
        fprintf(out, "\n  %-14s", m->name);
        for (int k = 0; k < STUDY_N; k++) {
            const int v = study_verdict(s, m, (enum study_measure)k);
            const bool judged = study_better((enum study_measure)k) && m->change[k].n;
            fprintf(out, " %12s %c", change(&m->change[k], false).s,
                    !judged ? ' '
                    : v > 0 ? '+'
                    : v < 0 ? '-'
                            : '=');
        }
    }
    fputs("\n", out);
}

void study_text(const struct study *s, FILE *out)
{
    fprintf(out, "%s: %s\nsource: %s\n", s->name, s->title, s->source);
    for (size_t i = 0; i < s->n; i++) {
        const struct study_mix *m = &s->mix[i];
        fprintf(out, "\n%s: %s (%zu seeds)\n", m->name, m->title, m->trials);
        text_columns(s, m, out);
        text_ablation(s, m, out);
        text_tornado(s, m, out);
    }
    text_summary(s, out);
    fputs("\n", out);
    study_says(s, out);
}

/* ---- JSON ---------------------------------------------------------------------------------------
 */

static void field(FILE *out, const char *name, double v)
{
    fprintf(out, ",\"%s\":", name);
    json_number(out, v);
}

static void string(FILE *out, const char *before, const char *s)
{
    fputs(before, out);
    json_string(out, s);
}

static void json_points(const struct study *s, FILE *out)
{
    const char *comma = "";
    char series[200];
    for (size_t i = 0; i < s->n; i++)
        for (size_t c = 0; c < s->mix[i].columns; c++)
            for (int k = 0; k < STUDY_N; k++) {
                const struct study_mix *m = &s->mix[i];
                const struct study_column *q = &m->column[c];
                if (!q->value[k])
                    continue;
                snprintf(series, sizeof series, "%s %s%s", m->name, c < m->stacks ? "" : "without ",
                         q->name);
                fputs(comma, out);
                string(out, "\n{\"series\":", series);
                comma = ",";
                field(out, "x", (double)i);
                string(out, ",\"measure\":", study_words((enum study_measure)k));
                string(out, ",\"unit\":", m->unit[k] ? m->unit[k] : "");
                fputs(",\"published\":null", out);
                field(out, "ours", q->mean[k]);
                fprintf(out, ",\"error\":0,\"trials\":%zu}", m->trials);
            }
}

static void json_mix(const struct study *s, const struct study_mix *m, FILE *out)
{
    string(out, "{\"name\":", m->name);
    string(out, ",\"title\":", m->title);
    string(out, ",\"headline\":", study_words(m->headline));
    fputs(",\"changes\":{", out);
    const char *comma = "";
    for (int k = 0; k < STUDY_N; k++) {
        const struct paired *p = &m->change[k];
        if (!p->n)
            continue;
        fprintf(out, "%s\"%s\":{\"verdict\":%d", comma, study_words((enum study_measure)k),
                study_verdict(s, m, (enum study_measure)k));
        field(out, "change", p->change);
        field(out, "lo", p->change_lo);
        field(out, "hi", p->change_hi);
        fputs("}", out);
        comma = ",";
    }
    fputs("},\"without\":{", out);
    for (size_t i = m->stacks; i < m->columns; i++) {
        string(out, i > m->stacks ? "," : "", m->column[i].name);
        fputs(":", out);
        json_number(out, m->column[i].over_of.n ? m->column[i].over_of.change : NAN);
    }
    fputs("},\"tornado\":", out);
    tornado_json(&m->tornado, m->metric[m->headline], stack_of(s, s->of), out);
    fputs("}", out);
}

void study_json(const struct study *s, FILE *out)
{
    string(out, "{\"figure\":", s->name);
    string(out, ",\"title\":", s->title);
    string(out, ",\"source\":", s->source);
    fputs(",\"tolerance\":0,\"tolerance_kind\":\"none\",\"max_error\":0,\"missed\":0,\"pass\":true,"
          "\"points\":[",
          out);
    json_points(s, out);
    fputs("],\"mixes\":[", out);
    for (size_t i = 0; i < s->n; i++) {
        fputs(i ? ",\n" : "\n", out);
        json_mix(s, &s->mix[i], out);
    }
    fputs("]}", out);
}
