#include "harness/report/tornado.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "harness/base/outfile.h"
#include "harness/run/experiment.h"
#include "harness/run/runner.h"
#include "results/metric.h"

/* One of the two experiments, and what it needs. */
struct side {
    const struct config *doc; /* NULL: there is no such side, its measure is 1 */
    const char **used;        /* [n], among the rows' names */
    size_t n;
    double base;
    double *less, *more; /* [rows]; NAN: does not run */
};

static int no_memory(struct err *e)
{
    return err_set(e, ERR_ENOMEM, "out of memory");
}

/* ---- the rows ---------------------------------------------------------------------- */

static struct tornado_row *find_row(const struct tornado *t, const char *constant)
{
    for (size_t i = 0; i < t->n; i++)
        if (!strcmp(t->row[i].constant, constant))
            return &t->row[i];
    return NULL;
}

static int add_row(struct tornado *t, const char *constant, struct err *e)
{
    if (find_row(t, constant))
        return 0;
    struct tornado_row *grown = realloc(t->row, (t->n + 1) * sizeof *grown);
    if (!grown)
        return no_memory(e);
    t->row = grown;
    t->row[t->n] = (struct tornado_row){.constant = strdup(constant)};
    return t->row[t->n++].constant ? 0 : no_memory(e);
}

/* What a side's trials say they rest on. */
static int note_used(struct tornado *t, struct side *s, const struct result_set *rs, struct err *e)
{
    int rc = 0;
    for (size_t i = 0; i < rs->n_trial && !rc; i++) {
        const struct measures *m = rs->trial[i].measures;
        for (size_t k = 0; k < m->n_incident && !rc; k++) {
            const char *who = m->incident[k].who;
            bool seen = strcmp(m->incident[k].kind, "assumed") != 0;
            for (size_t j = 0; j < s->n && !seen; j++)
                seen = !strcmp(s->used[j], who);
            if (seen)
                continue;
            const char **grown = realloc(s->used, (s->n + 1) * sizeof *grown);
            if (!grown)
                return no_memory(e);
            s->used = grown;
            if (!(rc = add_row(t, who, e)))
                s->used[s->n++] = find_row(t, who)->constant;
        }
    }
    return rc;
}

static int add_named(struct tornado *t, struct side *s, const struct tornado_want *w, struct err *e)
{
    int rc = 0;
    const char **grown = realloc(s->used, (s->n + w->constants + 1) * sizeof *grown);
    if (!grown)
        return no_memory(e);
    s->used = grown;
    for (size_t i = 0; i < w->constants && !rc; i++) {
        bool seen = false;
        for (size_t j = 0; j < s->n && !seen; j++)
            seen = !strcmp(s->used[j], w->constant[i]);
        if (!seen && !(rc = add_row(t, w->constant[i], e)))
            s->used[s->n++] = find_row(t, w->constant[i])->constant;
    }
    return rc;
}

/* ---- running ------------------------------------------------------------------------ */

/* Mean over the trials of one combination; NAN, and why, when one has failed or has no such
 * measure. */
static double mean_of(const struct result_set *rs, uint64_t trials, uint64_t combination,
                      const char *metric, const char **why)
{
    double sum = 0;
    for (uint64_t i = 0; i < trials; i++) {
        const struct result_trial *t = results_trial(rs, combination * trials + i);
        double v = 0;
        if (!t || t->failed) {
            *why = t ? t->why : "was not run";
            return NAN;
        }
        if (!metric_value(t->measures, metric, &v)) {
            *why = "has no such measure";
            return NAN;
        }
        sum += v / (double)trials;
    }
    return sum;
}

static int run_base(struct tornado *t, struct side *s, const struct tornado_want *w, struct err *e)
{
    const struct runner_options o = {.jobs = w->jobs, .quiet = w->quiet};
    struct experiment *x = NULL;
    struct result_set *rs = NULL;
    const char *why = NULL;
    int rc = experiment_from(&x, s->doc, w->file, NULL, e);
    if (!rc && x->n_axis)
        rc = err_set(e, ERR_EUSAGE, "%s: sweeps %s, want one setting", w->file, x->axis[0].path);
    if (!rc && config_get(x->doc, "scale"))
        rc = config_complain(config_get(x->doc, "scale"), e, "no scale: its factors are set here");
    if (!rc)
        rc = experiment_check(x, e);
    if (!rc)
        rc = experiment_run(x, &o, &rs, NULL, e);
    if (!rc) {
        s->base = mean_of(rs, x->trials, 0, w->metric, &why);
        if (isnan(s->base))
            rc = err_set(e, ERR_ENAME, "%s: \"%s\": %s", w->file, w->metric, why);
    }
    if (!rc)
        rc = note_used(t, s, rs, e);
    if (!rc)
        rc = add_named(t, s, w, e);
    results_free(rs);
    experiment_free(x);
    return rc;
}

/* The side's experiment, swept over its constants: each divided, then multiplied. */
static int scaled(const struct side *s, double factor, struct config **doc, struct err *e)
{
    struct outtext text = {0};
    int rc = (*doc = config_copy(s->doc)) ? outtext_open(&text, e) : no_memory(e);
    for (size_t i = 0; i < 2 * s->n && !rc; i++)
        fprintf(text.f, "%s{\"label\":\"%s %s\",\"%s\":%.17g}", i ? "," : "{\"scale\":[",
                s->used[i / 2], i % 2 ? "more" : "less", s->used[i / 2],
                i % 2 ? factor : 1 / factor);
    if (!rc)
        fputs("]}", text.f);
    if (!rc)
        rc = outtext_close(&text, e);
    if (!rc)
        rc = config_set(*doc, "sweep", text.data, e);
    outtext_free(&text);
    return rc;
}

static int take_scaled(struct tornado *t, struct side *s, const struct result_set *rs,
                       uint64_t trials, const char *metric, struct err *e)
{
    for (size_t i = 0; i < s->n; i++) {
        struct tornado_row *r = find_row(t, s->used[i]);
        const char *why = NULL;
        s->less[r - t->row] = mean_of(rs, trials, 2 * i, metric, &why);
        s->more[r - t->row] = mean_of(rs, trials, 2 * i + 1, metric, &why);
        if (why && !r->why && !(r->why = strdup(why)))
            return no_memory(e);
    }
    return 0;
}

/* No check of its own: the base ran, and a constant that can not be so is a failed trial. */
static int run_scaled(struct tornado *t, struct side *s, const struct tornado_want *w,
                      struct err *e)
{
    const struct runner_options o = {.jobs = w->jobs, .quiet = w->quiet};
    struct config *doc = NULL;
    struct experiment *x = NULL;
    struct result_set *rs = NULL;
    int rc = scaled(s, w->factor, &doc, e);
    if (!rc)
        rc = experiment_from(&x, doc, w->file, NULL, e);
    if (!rc)
        rc = experiment_run(x, &o, &rs, NULL, e);
    if (!rc)
        rc = take_scaled(t, s, rs, x->trials, w->metric, e);
    results_free(rs);
    experiment_free(x);
    config_free(doc);
    return rc;
}

/* Everything of a side beside its base: where a constant is not used, nothing changes. */
static int vary(struct tornado *t, struct side *s, const struct tornado_want *w, struct err *e)
{
    s->less = calloc(t->n + 1, sizeof *s->less);
    s->more = calloc(t->n + 1, sizeof *s->more);
    if (!s->less || !s->more)
        return no_memory(e);
    for (size_t i = 0; i < t->n; i++)
        s->less[i] = s->more[i] = s->base;
    return s->doc && s->n ? run_scaled(t, s, w, e) : 0;
}

/* ---- the whole ----------------------------------------------------------------------- */

double tornado_swing(const struct tornado *t, const struct tornado_row *r)
{
    const double a = isnan(r->less) ? 0 : fabs(r->less - t->base);
    const double b = isnan(r->more) ? 0 : fabs(r->more - t->base);
    return a > b ? a : b;
}

bool tornado_flips(const struct tornado *t, const struct tornado_row *r)
{
    const double ahead = t->base - 1;
    return (!isnan(r->less) && ahead * (r->less - 1) < 0) ||
           (!isnan(r->more) && ahead * (r->more - 1) < 0);
}

/* Ties by name, so that the order is one. */
static bool goes_before(const struct tornado *t, const struct tornado_row *a,
                        const struct tornado_row *b)
{
    const double x = tornado_swing(t, a), y = tornado_swing(t, b);
    return x > y || (x == y && strcmp(a->constant, b->constant) < 0);
}

static void sort(struct tornado *t)
{
    for (size_t i = 1; i < t->n; i++) {
        const struct tornado_row r = t->row[i];
        size_t k = i;
        for (; k && goes_before(t, &r, &t->row[k - 1]); k--)
            t->row[k] = t->row[k - 1];
        t->row[k] = r;
    }
}

static int run_sides(struct tornado *t, struct side side[2], const struct tornado_want *w,
                     struct err *e)
{
    int rc = 0;
    for (int i = 0; i < 2 && !rc; i++)
        if (side[i].doc)
            rc = run_base(t, &side[i], w, e);
    for (int i = 0; i < 2 && !rc; i++)
        rc = vary(t, &side[i], w, e);
    if (!rc && side[1].base == 0)
        rc = err_set(e, ERR_ERANGE, "%s: \"%s\" is 0, nothing can be compared with it", w->file,
                     w->metric);
    return rc;
}

int tornado_run(struct tornado *t, const struct tornado_want *w, struct err *e)
{
    struct side side[2] = {{.doc = w->of}, {.doc = w->over, .base = 1}};
    assert(w->factor > 1);
    *t = (struct tornado){.factor = w->factor};
    int rc = run_sides(t, side, w, e);
    if (!rc) {
        t->base = side[0].base / side[1].base;
        for (size_t i = 0; i < t->n; i++) {
            t->row[i].less = side[0].less[i] / side[1].less[i];
            t->row[i].more = side[0].more[i] / side[1].more[i];
        }
        sort(t);
    }
    for (int i = 0; i < 2; i++) {
        free(side[i].used);
        free(side[i].less);
        free(side[i].more);
    }
    if (rc)
        tornado_free(t);
    return rc;
}

void tornado_free(struct tornado *t)
{
    for (size_t i = 0; i < t->n; i++) {
        free(t->row[i].constant);
        free(t->row[i].why);
    }
    free(t->row);
    *t = (struct tornado){0};
}
