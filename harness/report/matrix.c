#include "harness/report/matrix.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "harness/base/places.h"
#include "harness/run/experiment.h"
#include "harness/run/runner.h"
#include "results/metric.h"

struct raw {
    const char *schema, *name, *title;
    const struct config *rows;
};
static const struct config_field raw_fields[] = {
    CONFIG_STR(struct raw, schema, true), CONFIG_STR(struct raw, name, true),
    CONFIG_STR(struct raw, title, true), CONFIG_ANY(struct raw, rows, true), CONFIG_END};

struct raw_row {
    struct matrix_row r;
    const struct config *better;
};
static const struct config_field row_fields[] = {
    {"name", CONFIG_T_STR, offsetof(struct raw_row, r.name), 0, 0, true},
    {"hook", CONFIG_T_STR, offsetof(struct raw_row, r.hook), 0, 0, true},
    {"at", CONFIG_T_STR, offsetof(struct raw_row, r.at), 0, 0, true},
    {"measure", CONFIG_T_STR, offsetof(struct raw_row, r.measure), 0, 0, true},
    {"learned", CONFIG_T_STR, offsetof(struct raw_row, r.learned), 0, 0, true},
    {"trivial", CONFIG_T_STR, offsetof(struct raw_row, r.trivial), 0, 0, true},
    {"oracle", CONFIG_T_STR, offsetof(struct raw_row, r.oracle), 0, 0, false},
    {"experiment", CONFIG_T_ANY, offsetof(struct raw_row, r.experiment), 0, 0, true},
    {"practice", CONFIG_T_ANY, offsetof(struct raw_row, r.practice), 0, 0, true},
    {"free", CONFIG_T_ANY, offsetof(struct raw_row, r.free), 0, 0, true},
    CONFIG_ANY(struct raw_row, better, true),
    CONFIG_END};

/* ---- reading ------------------------------------------------------------------------ */

static int read_cells(struct matrix_row *r, struct err *e)
{
    const struct config *list = r->practice;
    const size_t n = config_kind(list) == CONFIG_ARRAY ? config_count(list) : 0;
    if (n < 1 || n > MATRIX_PRACTICE)
        return config_complain(list, e, "a list of 1 to %d policies", MATRIX_PRACTICE);
    r->cell[ROLE_TRIVIAL].policy = r->trivial;
    r->cell[ROLE_FREE].policy = r->cell[ROLE_CHARGED].policy = r->learned;
    r->cell[ROLE_ORACLE].policy = r->oracle;
    r->n_cells = ROLE_PRACTICE + n;
    int rc = 0;
    for (size_t i = 0; i < n && !rc; i++)
        rc = config_str(config_at(list, i), &r->cell[ROLE_PRACTICE + i].policy, e);
    return rc;
}

static int read_row(struct matrix_row *r, const struct config *c, struct err *e)
{
    static const char *const directions[] = {"less", "more", NULL};
    struct raw_row in = {0};
    int which = 0, rc = config_fill(c, row_fields, &in, e);
    if (!rc)
        rc = config_choice(in.better, directions, &which, e);
    if (!rc && config_kind(in.r.free) != CONFIG_OBJECT)
        rc = config_complain(in.r.free, e, "an object of paths and values");
    *r = in.r;
    r->less = which == 0;
    return rc ? rc : read_cells(r, e);
}

static int read_doc(struct matrix *m, struct err *e)
{
    struct raw in = {0};
    int rc = config_fill(m->doc, raw_fields, &in, e);
    if (!rc && strcmp(in.schema, "malv-matrix/1") != 0)
        rc = config_complain(config_get(m->doc, "schema"), e, "\"malv-matrix/1\"");
    if (rc)
        return rc;
    m->name = in.name;
    m->title = in.title;
    const size_t n = config_kind(in.rows) == CONFIG_ARRAY ? config_count(in.rows) : 0;
    if (!n)
        return config_complain(in.rows, e, "a list of rows");
    if (!(m->row = calloc(n, sizeof *m->row)))
        return err_set(e, ERR_ENOMEM, "out of memory");
    for (m->n = 0; m->n < n && !rc; m->n++)
        rc = read_row(&m->row[m->n], config_at(in.rows, m->n), e);
    return rc;
}

int matrix_load(struct matrix **out, const char *path, struct err *e)
{
    struct matrix *m = *out = calloc(1, sizeof *m);
    if (!m || !(m->file = strdup(path))) {
        matrix_free(m);
        *out = NULL;
        return err_set(e, ERR_ENOMEM, "out of memory");
    }
    int rc = config_load(&m->doc, path, e);
    rc = rc ? rc : read_doc(m, e);
    if (rc) {
        matrix_free(m);
        *out = NULL;
    }
    return rc;
}

bool matrix_is(const char *path)
{
    struct config *c;
    struct err ignored = {0};
    const char *schema = NULL;
    if (config_load(&c, path, &ignored))
        return false;
    const struct config *at = config_kind(c) == CONFIG_OBJECT ? config_get(c, "schema") : NULL;
    const bool is =
        at && !config_str(at, &schema, &ignored) && !strncmp(schema, "malv-matrix/", 12);
    config_free(c);
    return is;
}

void matrix_free(struct matrix *m)
{
    if (!m)
        return;
    free(m->row);
    config_free(m->doc);
    free(m->file);
    free(m);
}

/* ---- running ------------------------------------------------------------------------ */

#define SETTINGS 16

static int edits_of(const struct matrix_row *r, const struct matrix_cell *c,
                    struct experiment_set *set, size_t *n, char **text, struct err *e)
{
    *n = 0;
    if (asprintf(text, "\"%s\"", c->policy) < 0)
        return err_set(e, ERR_ENOMEM, "out of memory");
    set[(*n)++] = (struct experiment_set){r->at, *text};
    if (c != &r->cell[ROLE_FREE])
        return 0;
    const size_t settings = config_count(r->free);
    if (settings + 1 > SETTINGS)
        return config_complain(r->free, e, "at most %d settings", SETTINGS - 1);
    for (size_t i = 0; i < settings; i++) {
        const struct config *value = config_at(r->free, i);
        const char *json;
        int rc = config_str(value, &json, e); /* as --set takes it: bare words are strings */
        if (rc)
            return rc;
        set[(*n)++] = (struct experiment_set){config_key(value), json};
    }
    return 0;
}

static int open_experiment(const struct matrix *m, const struct matrix_row *r,
                           const struct experiment_edits *edits, struct experiment **x,
                           struct err *e)
{
    const char *name;
    if (config_kind(r->experiment) == CONFIG_OBJECT)
        return experiment_from(x, r->experiment, m->file, edits, e);
    int rc = config_str(r->experiment, &name, e);
    if (rc)
        return rc;
    char *path = places_root(name);
    rc = path ? experiment_load(x, path, edits, e) : err_set(e, ERR_ENOMEM, "out of memory");
    free(path);
    return rc;
}

static int take_values(struct matrix_row *r, struct matrix_cell *c, const struct experiment *x,
                       const struct result_set *rs, struct err *e)
{
    for (uint64_t i = 0; i < x->trials; i++) {
        const struct result_trial *t = results_trial(rs, i);
        if (!t || t->failed)
            return err_set(e, ERR_EFAIL, "%s: trial %llu: %s", c->policy, (unsigned long long)i,
                           t ? t->why : "was not run");
        if (!metric_value(t->measures, r->measure, &c->value[i]))
            return err_set(e, ERR_ENAME, "measure: got \"%s\", which the trials of %s have not",
                           r->measure, c->policy);
    }
    return 0;
}

static int run_cell(const struct matrix *m, struct matrix_row *r, struct matrix_cell *c,
                    const struct runner_options *o, struct err *e)
{
    struct experiment *x = NULL;
    struct result_set *rs = NULL;
    struct experiment_set set[SETTINGS];
    struct experiment_edits edits = {.set = set};
    char *text = NULL;
    int rc = edits_of(r, c, set, &edits.n_set, &text, e);
    rc = rc ? rc : open_experiment(m, r, &edits, &x, e);
    if (!rc && (x->combinations != 1 || x->trials > MATRIX_TRIALS))
        rc =
            err_set(e, ERR_ERANGE,
                    "experiment: got %llu combinations of %llu trials, want one (no sweep but over "
                    "\"%s\") of at most %d",
                    (unsigned long long)x->combinations, (unsigned long long)x->trials, r->at,
                    MATRIX_TRIALS);
    rc = rc ? rc : experiment_check(x, e);
    rc = rc ? rc : experiment_run(x, o, &rs, NULL, e);
    rc = rc ? rc : take_values(r, c, x, rs, e);
    if (!rc)
        r->trials = x->trials;
    results_free(rs);
    experiment_free(x);
    free(text);
    return rc;
}

/* ---- judging ------------------------------------------------------------------------ */

/* The best that any policy reached on a seed; what inference costs is not its fault. */
static void hindsight(struct matrix_row *r)
{
    struct matrix_cell *o = &r->cell[ROLE_ORACLE];
    for (size_t t = 0; t < r->trials; t++) {
        o->value[t] = r->cell[ROLE_TRIVIAL].value[t];
        for (size_t i = 0; i < r->n_cells; i++) {
            const double v = r->cell[i].value[t];
            if (i != ROLE_ORACLE && (r->less ? v < o->value[t] : v > o->value[t]))
                o->value[t] = v;
        }
    }
}

void matrix_judge(struct matrix_row *r)
{
    if (!r->oracle)
        hindsight(r);
    for (size_t i = 0; i < r->n_cells; i++) {
        struct matrix_cell *c = &r->cell[i];
        double captured[MATRIX_TRIALS], sum = 0;
        for (size_t t = 0; t < r->trials; t++) {
            const double from = r->cell[ROLE_TRIVIAL].value[t];
            captured[t] = (c->value[t] - from) / (r->cell[ROLE_ORACLE].value[t] - from);
            sum += c->value[t];
        }
        c->mean = sum / (double)r->trials;
        stats_summary(captured, r->trials, MATRIX_CONFIDENCE, &c->captured);
    }
}

int matrix_run(struct matrix *m, unsigned jobs, bool quiet, struct err *e)
{
    const struct runner_options o = {.jobs = jobs, .quiet = quiet};
    for (size_t i = 0; i < m->n; i++) {
        struct matrix_row *r = &m->row[i];
        int rc;
        for (size_t k = 0; k < r->n_cells; k++)
            if (r->cell[k].policy)
                if ((rc = run_cell(m, r, &r->cell[k], &o, e)))
                    return err_wrap(e, rc, "%s: row %s", m->file, r->name);
        matrix_judge(r);
    }
    return 0;
}
