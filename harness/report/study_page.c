/* study_page.c - a study as Markdown and as charts. */
#include <math.h>
#include <string.h>

#include "harness/report/plot.h"
#include "harness/report/study.h"

/* ---- Markdown --------------------------------------------------------------------------- */

static void cell(FILE *out, double v)
{
    if (isnan(v))
        fputs(" - |", out);
    else
        fprintf(out, " %.4g |", v);
}

static void change_cell(FILE *out, const struct paired *p)
{
    if (!p->n || isnan(p->change))
        fputs(" - |", out);
    else
        fprintf(out, " %+.2f %% |", 100 * (p->change - 1));
}

static void mix_table(const struct study_mix *m, FILE *out)
{
    fprintf(out, "\n### %s: %s\n\n| stack |", m->name, m->title);
    for (int k = 0; k < STUDY_N; k++)
        fprintf(out, " %s%s%s |", study_words((enum study_measure)k), m->unit[k] ? ", " : "",
                m->unit[k] ? m->unit[k] : "");
    fputs("\n|---|---:|---:|---:|---:|---:|---:|\n", out);
    for (size_t i = 0; i < m->stacks; i++) {
        const struct study_column *c = &m->column[i];
        fprintf(out, "| %s |", c->name);
        for (int k = 0; k < STUDY_N; k++)
            cell(out, c->mean[k]);
        fputs("\n", out);
    }
    for (size_t i = 0; i < m->stacks; i++)
        if (m->column[i].absent)
            fprintf(out, "\n%s did not run: %s\n", m->column[i].name, m->column[i].absent);
}

static void changes_table(const struct study *s, FILE *out)
{
    fprintf(out, "\n| %s over %s |", s->mix[0].column[s->of].name, s->mix[0].column[s->base].name);
    for (int k = 0; k < STUDY_N; k++)
        fprintf(out, " %s |", study_words((enum study_measure)k));
    fputs("\n|---|---:|---:|---:|---:|---:|---:|\n", out);
    for (size_t i = 0; i < s->n; i++) {
        fprintf(out, "| %s |", s->mix[i].name);
        for (int k = 0; k < STUDY_N; k++)
            change_cell(out, &s->mix[i].change[k]);
        fputs("\n", out);
    }
}

/* A mechanism of all mixes is a column; what one mix alone takes out has a line of its own. */
static void ablation_table(const struct study *s, FILE *out)
{
    const struct study_mix *first = &s->mix[0];
    const size_t to = first->stacks + config_count(s->mechanisms);
    fprintf(out, "\n| headline of %s without |", first->column[s->of].name);
    for (size_t c = first->stacks; c < to; c++)
        fprintf(out, " %s |", first->column[c].name);
    fputs(" others |\n|---|", out);
    for (size_t c = first->stacks; c <= to; c++)
        fputs("---:|", out);
    for (size_t i = 0; i < s->n; i++) {
        const struct study_mix *m = &s->mix[i];
        fprintf(out, "\n| %s, %s |", m->name, study_words(m->headline));
        for (size_t c = m->stacks; c < to; c++)
            change_cell(out, &m->column[c].over_of);
        for (size_t c = to; c < m->columns; c++)
            fprintf(out, "%s %s %+.2f %%", c > to ? "," : "", m->column[c].name,
                    100 * (m->column[c].over_of.change - 1));
        fputs(" |", out);
    }
    fputs("\n", out);
}

static void tornado_table(const struct study *s, FILE *out)
{
    fprintf(out,
            "\n| headline ratio | as it is | constant that moves it most | divided by %g | "
            "multiplied | assumed constants |\n|---|---:|---|---:|---:|---:|\n",
            s->factor);
    for (size_t i = 0; i < s->n; i++) {
        const struct tornado *t = &s->mix[i].tornado;
        if (!t->n)
            continue;
        fprintf(out, "| %s, %s | %.4f | %s |", s->mix[i].name, study_words(s->mix[i].headline),
                t->base, t->row[0].constant);
        cell(out, t->row[0].less);
        cell(out, t->row[0].more);
        fprintf(out, " %zu |\n", t->n);
    }
}

void study_markdown(const struct study *s, FILE *out)
{
    fprintf(out, "\n## %s: %s\n\nSource: %s\n\n", s->name, s->title, s->source);
    study_says(s, out);
    changes_table(s, out);
    ablation_table(s, out);
    tornado_table(s, out);
    for (size_t i = 0; i < s->n; i++)
        mix_table(&s->mix[i], out);
}

/* ---- charts -------------------------------------------------------------------------------- */

static int write(struct plot *p, const char *dir, bool *drawn, struct err *e)
{
    const int rc = plot_write(p, dir, drawn, e);
    plot_free(p);
    return rc;
}

/* Every mix a row, every stack a colour: its headline over that of the base. */
static int draw_stacks(const struct study *s, const char *dir, bool *drawn, struct err *e)
{
    const struct study_mix *first = &s->mix[0];
    char label[160];
    struct plot p = {.name = s->name, .title = s->title, .ylabel = ""};
    snprintf(label, sizeof label, "headline of each mix over that under %s",
             first->column[s->base].name);
    p.xlabel = label;
    p.log_x = true;
    for (size_t i = 0; i < s->n && !p.failed; i++) {
        char row[120];
        snprintf(row, sizeof row, "%s, %s", s->mix[i].name, study_words(s->mix[i].headline));
        plot_row(&p, row);
    }
    for (size_t c = 0; c < first->stacks && !p.failed; c++) {
        struct plot_series *q = plot_add(&p, first->column[c].name, (unsigned)c, PLOT_DOTS);
        for (size_t i = 0; i < s->n; i++) {
            const struct paired *r = &s->mix[i].column[c].over_base;
            const double y = (double)i + 0.12 * ((double)c - 2);
            if (r->n && !isnan(r->change))
                plot_point(q, r->change, y, isnan(r->change_lo) ? r->change : r->change_lo,
                           isnan(r->change_hi) ? r->change : r->change_hi);
        }
    }
    return write(&p, dir, drawn, e);
}

static int draw_ablation(const struct study *s, const char *dir, bool *drawn, struct err *e)
{
    const struct study_mix *first = &s->mix[0];
    char name[120], label[160];
    struct plot p = {.name = name, .title = "what each mechanism is worth", .ylabel = ""};
    snprintf(name, sizeof name, "%s-ablation", s->name);
    snprintf(label, sizeof label, "headline of %s without the mechanism, over that with it",
             first->column[s->of].name);
    p.xlabel = label;
    for (size_t i = 0; i < s->n && !p.failed; i++)
        plot_row(&p, s->mix[i].name);
    const size_t to = first->stacks + config_count(s->mechanisms);
    for (size_t c = first->stacks; c < to && !p.failed; c++) {
        struct plot_series *q =
            plot_add(&p, first->column[c].name, (unsigned)(c - first->stacks), PLOT_DOTS);
        for (size_t i = 0; i < s->n; i++) {
            const struct paired *r = &s->mix[i].column[c].over_of;
            const double y = (double)i + 0.12 * ((double)(c - first->stacks) - 1.5);
            if (r->n && !isnan(r->change))
                plot_point(q, r->change, y, r->change, r->change);
        }
    }
    return write(&p, dir, drawn, e);
}

int study_draw(const struct study *s, const char *dir, bool *drawn, struct err *e)
{
    int rc = draw_stacks(s, dir, drawn, e);
    if (!rc)
        rc = draw_ablation(s, dir, drawn, e);
    for (size_t i = 0; i < s->n && !rc; i++) {
        const struct study_mix *m = &s->mix[i];
        char name[200], title[200];
        if (!m->tornado.n)
            continue;
        snprintf(name, sizeof name, "%s-tornado-%s", s->name, m->name);
        snprintf(title, sizeof title, "%s: %s, %s over %s", m->name, m->metric[m->headline],
                 m->column[s->of].name, m->column[s->base].name);
        rc = tornado_draw(&m->tornado, name, title, dir, drawn, e);
    }
    return rc;
}
