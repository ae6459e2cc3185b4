#include "tests/harness/trials.h"

#include <criterion/criterion.h>
#include <string.h>

#include "sim/buf.h"
#include "sim/config.h"

struct experiment *trials_made(const char *json, const struct experiment_edits *edits)
{
    struct err e = {0};
    struct config *doc;
    struct experiment *x;
    cr_assert_eq(config_parse(&doc, "x.json", json, strlen(json), &e), 0, "%s", e.msg);
    cr_assert_eq(experiment_from(&x, doc, "x.json", edits, &e), 0, "%s", e.msg);
    config_free(doc);
    cr_assert_eq(experiment_check(x, &e), 0, "%s", e.msg);
    return x;
}

struct result_set *trials_ran(const struct experiment *x, unsigned jobs)
{
    struct err e = {0};
    struct result_set *rs;
    struct runner_options o = {
        .jobs = jobs, .backend = INFER_CPU, .policy_limit_s = 0.5, .quiet = true};
    cr_assert_eq(experiment_run(x, &o, &rs, NULL, &e), 0, "%s", e.msg);
    return rs;
}

struct result_set *trials_of(const char *json, unsigned jobs)
{
    struct experiment *x = trials_made(json, NULL);
    struct result_set *rs = trials_ran(x, jobs);
    experiment_free(x);
    return rs;
}

bool trials_same(const struct result_set *a, const struct result_set *b)
{
    struct buf x = {0}, y = {0};
    for (size_t i = 0; i < a->n_trial; i++)
        result_trial_pack(&a->trial[i], &x);
    for (size_t i = 0; i < b->n_trial; i++)
        result_trial_pack(&b->trial[i], &y);
    bool equal = x.len == y.len && !memcmp(x.data, y.data, x.len);
    buf_free(&x);
    buf_free(&y);
    return equal;
}

double trials_number(const struct result_trial *t, const char *name)
{
    cr_assert(!t->failed, "%s", t->why);
    const double *v = measures_find(t->measures, name);
    cr_assert_not_null(v, "%s", name);
    return *v;
}

const struct measure_incident *trials_incident(const struct result_trial *t, const char *kind)
{
    for (size_t i = 0; i < t->measures->n_incident; i++)
        if (!strcmp(t->measures->incident[i].kind, kind))
            return &t->measures->incident[i];
    return NULL;
}

const char *trials_said(const struct result_trial *t, const char *kind)
{
    const struct measure_incident *i = trials_incident(t, kind);
    return i ? i->text : "";
}
