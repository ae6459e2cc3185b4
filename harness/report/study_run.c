/* study_run.c - every column of every mix, paired over seeds. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "harness/report/study.h"
#include "harness/run/experiment.h"
#include "harness/run/runner.h"
#include "results/metric.h"

struct go {
    struct study *s;
    unsigned jobs;
    bool quiet;
};

static int no_memory(struct err *e)
{
    return err_set(e, ERR_ENOMEM, "out of memory");
}

/* ---- the settings of a column ------------------------------------------------------------- */

static int apply(struct config *doc, const struct config *set, struct err *e)
{
    int rc = 0;
    for (size_t i = 0; set && i < config_count(set) && !rc; i++) {
        const struct config *c = config_at(set, i);
        char *json = config_text(c);
        rc = json ? config_set(doc, config_key(c), json, e) : no_memory(e);
        free(json);
    }
    return rc;
}

struct raw_under {
    const struct config *set;
    const char *absent;
};
static const struct config_field under_fields[] = {
    CONFIG_ANY(struct raw_under, set, false),
    CONFIG_STR(struct raw_under, absent, false),
    CONFIG_END,
};

/* What is different under that stack; *absent when the mix does not run there. */
static int apply_under(struct config *doc, const struct study_mix *m, const char *stack,
                       const char **absent, struct err *e)
{
    struct raw_under in = {0};
    const struct config *u = m->under ? config_get(m->under, stack) : NULL;
    int rc = u ? config_fill(u, under_fields, &in, e) : 0;
    if (!rc && in.absent)
        *absent = in.absent;
    return rc ? rc : apply(doc, in.set, e);
}

static int settings(const struct study *s, const struct study_mix *m, const struct study_column *c,
                    struct config **doc, const char **absent, struct err *e)
{
    const char *of = m->column[s->of].stack;
    char stack[128], json[132];
    *absent = NULL;
    *doc = NULL;
    if (c->stack)
        snprintf(stack, sizeof stack, "%s", c->stack);
    else
        snprintf(stack, sizeof stack, c->set ? "%s" : "%s-without-%s", of, c->name);
    snprintf(json, sizeof json, "\"%s\"", stack);
    char *text = config_text(m->experiment); /* not a copy: complaints begin with the file */
    int rc = text ? config_parse(doc, s->file, text, strlen(text), e) : no_memory(e);
    free(text);
    if (!rc)
        rc = config_set(*doc, "stack", json, e);
    if (!rc && !c->stack)
        rc = apply_under(*doc, m, of, absent, e);
    if (!rc && strcmp(stack, of))
        rc = apply_under(*doc, m, stack, absent, e);
    else if (!rc && c->stack)
        rc = apply_under(*doc, m, of, absent, e);
    return rc ? rc : apply(*doc, c->set, e);
}

/* ---- one column ----------------------------------------------------------------------------- */

static int keep_units(struct study_mix *m, const struct result_set *rs, struct err *e)
{
    struct metric_list all;
    int rc = metric_list(rs, &all) ? 0 : no_memory(e);
    for (int k = 0; k < STUDY_N && !rc; k++) {
        const struct metric *found = m->metric[k] ? metric_named(&all, m->metric[k]) : NULL;
        if (found && !m->unit[k] && !(m->unit[k] = strdup(found->unit)))
            rc = no_memory(e);
    }
    metric_list_free(&all);
    return rc;
}

static int take(const struct study *s, struct study_mix *m, struct study_column *c,
                const struct result_set *rs, struct err *e)
{
    m->trials = rs->n_trial;
    for (int k = 0; k < STUDY_N; k++) {
        c->mean[k] = NAN;
        if (!m->metric[k])
            continue;
        double *v = c->value[k] = calloc(rs->n_trial + 1, sizeof *v);
        if (!v)
            return no_memory(e);
        c->mean[k] = 0;
        for (size_t i = 0; i < rs->n_trial; i++) {
            const struct result_trial *t = &rs->trial[i];
            if (t->failed)
                return err_set(e, ERR_EFAIL, "%s: mix \"%s\", %s: %s", s->file, m->name, c->name,
                               t->why);
            if (!metric_value(t->measures, m->metric[k], &v[i]))
                return err_set(e, ERR_ENAME, "%s: mix \"%s\": trials have no measure \"%s\"",
                               s->file, m->name, m->metric[k]);
            c->mean[k] += v[i] / (double)rs->n_trial;
        }
    }
    return keep_units(m, rs, e);
}

static int run_column(const struct go *g, struct study_mix *m, struct study_column *c,
                      struct err *e)
{
    const struct runner_options o = {.jobs = g->jobs, .quiet = g->quiet};
    struct config *doc = NULL;
    struct experiment *x = NULL;
    struct result_set *rs = NULL;
    int rc = settings(g->s, m, c, &doc, &c->absent, e);
    for (int k = 0; k < STUDY_N; k++)
        c->mean[k] = NAN;
    if (rc || c->absent) {
        config_free(doc);
        return rc;
    }
    rc = experiment_from(&x, doc, g->s->file, NULL, e);
    if (!rc && x->n_axis)
        rc = config_complain(m->experiment, e, "one setting, without a \"sweep\"");
    if (!rc)
        rc = experiment_check(x, e);
    if (!rc)
        rc = experiment_run(x, &o, &rs, NULL, e);
    if (rc)
        err_wrap(e, rc, "mix \"%s\", %s", m->name, c->name);
    else
        rc = take(g->s, m, c, rs, e);
    results_free(rs);
    experiment_free(x);
    config_free(doc);
    return rc;
}

/* ---- comparing --------------------------------------------------------------------------------
 */

static void compare(const struct study_mix *m, const struct study_column *a,
                    const struct study_column *b, enum study_measure k, struct paired *out)
{
    *out = (struct paired){0};
    if (a->value[k] && b->value[k])
        stats_paired(a->value[k], b->value[k], m->trials, STUDY_CONFIDENCE, out);
}

static void compare_all(const struct study *s, struct study_mix *m)
{
    const struct study_column *base = &m->column[s->base], *of = &m->column[s->of];
    for (int k = 0; k < STUDY_N; k++)
        compare(m, base, of, (enum study_measure)k, &m->change[k]);
    for (size_t i = 0; i < m->columns; i++) {
        struct study_column *c = &m->column[i];
        compare(m, base, c, m->headline, &c->over_base);
        compare(m, of, c, m->headline, &c->over_of);
    }
}

int study_verdict(const struct study *s, const struct study_mix *m, enum study_measure k)
{
    const struct paired *p = &m->change[k];
    if (!p->n || isnan(p->change_lo) || fabs(p->change - 1) < s->least)
        return 0;
    if (p->change_lo > 1)
        return study_better(k);
    return p->change_hi < 1 ? -study_better(k) : 0;
}

bool study_flips(const struct study *s, const struct study_mix *m, const struct tornado_row *r)
{
    const int ahead = study_verdict(s, m, m->headline) * study_better(m->headline);
    return ahead * (m->tornado.base - 1) > 0 && tornado_flips(&m->tornado, r);
}

static int run_tornado(const struct go *g, struct study_mix *m, struct err *e)
{
    const struct study *s = g->s;
    const struct study_column *of = &m->column[s->of], *base = &m->column[s->base];
    struct config *over = NULL, *doc = NULL;
    const char *absent;
    if (of->absent || base->absent)
        return 0;
    int rc = settings(s, m, of, &doc, &absent, e);
    if (!rc)
        rc = settings(s, m, base, &over, &absent, e);
    if (!rc)
        rc = apply(doc, m->tornado_set, e);
    if (!rc)
        rc = apply(over, m->tornado_set, e);
    if (!rc) {
        const struct tornado_want w = {.file = s->file,
                                       .of = doc,
                                       .over = over,
                                       .metric = m->metric[m->headline],
                                       .factor = s->factor,
                                       .jobs = g->jobs,
                                       .quiet = g->quiet};
        rc = tornado_run(&m->tornado, &w, e);
    }
    config_free(doc);
    config_free(over);
    return rc;
}

int study_run(struct study *s, unsigned jobs, bool quiet, struct err *e)
{
    const struct go g = {s, jobs, quiet};
    int rc = 0;
    for (size_t i = 0; i < s->n && !rc; i++) {
        struct study_mix *m = &s->mix[i];
        for (size_t c = 0; c < m->columns && !rc; c++)
            rc = run_column(&g, m, &m->column[c], e);
        if (!rc)
            compare_all(s, m);
        if (!rc)
            rc = run_tornado(&g, m, e);
    }
    return rc;
}
