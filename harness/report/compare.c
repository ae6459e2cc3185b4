#include "harness/report/compare.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/near.h"

static int no_memory(struct err *e)
{
    return err_set(e, ERR_ENOMEM, "out of memory");
}

static int warn(struct comparison *c, struct err *e, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
static int warn(struct comparison *c, struct err *e, const char *fmt, ...)
{
    va_list ap;
    char **grown = realloc(c->warning, (c->n_warning + 1) * sizeof *grown);
    if (!grown)
        return no_memory(e);
    c->warning = grown;
    va_start(ap, fmt);
    const int n = vasprintf(&c->warning[c->n_warning], fmt, ap);
    va_end(ap);
    if (n < 0)
        return no_memory(e);
    c->n_warning++;
    return 0;
}

static int warn_unfinished(struct comparison *c, const struct result_set *rs, const char *file,
                           struct err *e)
{
    size_t failed = 0;
    for (size_t i = 0; i < rs->n_trial; i++)
        failed += rs->trial[i].failed;
    int rc = 0;
    if (rs->n_trial < rs->planned)
        rc = warn(c, e, "%s holds %zu of %llu trials: the rest have not run", file, rs->n_trial,
                  (unsigned long long)rs->planned);
    if (!rc && failed)
        rc = warn(c, e, "%s: %zu of %zu trials failed and are left out", file, failed, rs->n_trial);
    return rc;
}

static int add_row(struct comparison *c, struct compare_row row, struct err *e)
{
    struct compare_row *grown = row.setting ? realloc(c->row, (c->n + 1) * sizeof *grown) : NULL;
    if (!grown) {
        free(row.setting);
        return no_memory(e);
    }
    c->row = grown;
    c->row[c->n++] = row;
    return 0;
}

/* Once per pair of cells: what was left out, and whose policy was ejected. */
static int warn_about_pair(struct comparison *c, const struct compare_row *r, struct err *e)
{
    const struct contrast *k = &r->contrast;
    const char *sep = *r->setting ? ", " : "";
    int rc = 0;
    if (k->unpaired_a || k->unpaired_b)
        rc = warn(c, e,
                  "%s%s%s against %s: %zu trials have no partner of the same seed and are left out",
                  r->setting, sep, r->b, r->a, k->unpaired_a + k->unpaired_b);
    if (!rc && k->ejected_b)
        rc = warn(c, e, "%s%s%s: the policy was ejected in %zu trials", r->setting, sep, r->b,
                  k->ejected_b);
    if (!rc && k->ejected_a)
        rc = warn(c, e, "%s%s%s: the policy was ejected in %zu trials", r->setting, sep, r->a,
                  k->ejected_a);
    return rc;
}

static bool wanted(const struct compare_options *o, const char *name)
{
    for (size_t i = 0; i < o->n_measure; i++)
        if (!strcmp(o->measure[i], name))
            return true;
    return o->n_measure == 0;
}

static int add_pair(struct comparison *c, const struct cell *a, const struct cell *b,
                    const char *name_a, const char *name_b, size_t skip,
                    const struct compare_options *o, struct err *e)
{
    int rc = 0;
    bool first = true;
    for (size_t m = 0; !rc && m < c->metrics.n; m++) {
        if (!wanted(o, c->metrics.metric[m].name))
            continue;
        struct compare_row row = {.a = name_a, .b = name_b};
        rc = contrast_cells(a, b, &c->metrics.metric[m], 1, &row.contrast, e);
        if (rc)
            break;
        row.setting = cells_setting(c->cells[0], a, skip);
        rc = add_row(c, row, e);
        if (!rc && first)
            rc = warn_about_pair(c, &c->row[c->n - 1], e);
        first = false;
    }
    return rc;
}

/* A percentile has the unit of its sketch's mean. */
static const char *unit_of(const struct metric_list *l, const char *name)
{
    char mean[128];
    const char *dot = strchr(name, '.');
    snprintf(mean, sizeof mean, "%.*s.mean", dot ? (int)(dot - name) : 0, name);
    const struct metric *m = metric_named(l, mean);
    return m ? m->unit : "";
}

/* A measure asked for by name may be a statistic that is not listed by default. */
static int add_asked(struct comparison *c, const struct result_set *rs, const char *file,
                     const char *name, struct err *e)
{
    double v;
    if (metric_named(&c->metrics, name))
        return 0;
    for (size_t i = 0; i < rs->n_trial; i++) {
        if (!metric_value(rs->trial[i].measures, name, &v))
            continue;
        struct metric *grown = realloc(c->metrics.metric, (c->metrics.n + 1) * sizeof *grown);
        if (!grown)
            return no_memory(e);
        c->metrics.metric = grown;
        c->metrics.metric[c->metrics.n++] =
            (struct metric){strdup(name), strdup(unit_of(&c->metrics, name)), BETTER_LESS};
        return 0;
    }
    if (!rs->n_trial)
        return err_set(e, ERR_EUSAGE, "%s: no trial has finished yet", file);
    struct near n;
    near_begin(&n, name);
    for (size_t i = 0; i < c->metrics.n; i++)
        near_offer(&n, c->metrics.metric[i].name);
    return err_set(e, ERR_ENAME, "%s: no measure \"%s\"%s", file, name, near_words(&n));
}

static int begin(struct comparison *c, const struct result_set *rs, const char *file,
                 const struct compare_options *o, struct err *e)
{
    *c = (struct comparison){.brief = !o->n_measure};
    if (!metric_list(rs, &c->metrics))
        return no_memory(e);
    int rc = 0;
    for (size_t i = 0; !rc && i < o->n_measure; i++)
        rc = add_asked(c, rs, file, o->measure[i], e);
    if (!rc)
        rc = cells_new(&c->cells[0], rs, e);
    if (!rc)
        rc = warn_unfinished(c, rs, file, e);
    if (!rc && contrast_seeds_alike(c->cells[0], &c->metrics))
        rc = warn(c, e, "%s: the seed changes nothing: all trials of a setting are one observation",
                  file);
    return rc;
}

static int no_axis(const struct cells *k, const char *file, const char *said, struct err *e)
{
    struct near n;
    near_begin(&n, said);
    for (size_t i = 0; i < k->n_axis; i++)
        near_offer(&n, k->axis[i].path);
    return err_set(e, ERR_ENAME, "%s: nothing called \"%s\" was swept%s", file, said,
                   near_words(&n));
}

/* Which axis, and which of its values is the base. */
static int choose(const struct comparison *c, const char *file, const struct compare_options *o,
                  size_t *axis, size_t *base, struct err *e)
{
    const struct cells *k = c->cells[0];
    *axis = o->by ? cells_axis(k, o->by) : cells_policy_axis(k);
    *base = 0;
    if (*axis == k->n_axis && o->by)
        return no_axis(k, file, o->by, e);
    for (size_t i = 0; *axis == k->n_axis && i < k->n_axis; i++)
        if (k->axis[i].n > 1)
            *axis = i;
    if (*axis == k->n_axis || k->axis[*axis].n < 2)
        return err_set(e, ERR_EUSAGE,
                       "%s: %s has one value only; give a second file to compare with", file,
                       *axis < k->n_axis ? k->axis[*axis].path : "everything");
    const struct axis *a = &k->axis[*axis];
    for (size_t i = 0; o->base && i < a->n; i++)
        if (!strcmp(a->value[i].label, o->base) || !strcmp(a->value[i].text, o->base)) {
            *base = i;
            return 0;
        }
    if (o->base)
        return err_set(e, ERR_ENAME, "%s: %s has no value \"%s\"", file, a->path, o->base);
    return 0;
}

int compare_along(struct comparison *c, const struct result_set *rs, const char *file,
                  const struct compare_options *o, struct err *e)
{
    size_t axis, base;
    int rc = begin(c, rs, file, o, e);
    if (!rc)
        rc = choose(c, file, o, &axis, &base, e);
    if (rc)
        return rc;
    const struct cells *k = c->cells[0];
    const struct axis *by = &k->axis[axis];
    c->by = by->path;
    for (size_t i = 0; !rc && i < k->n; i++) {
        if (!cells_first_of_setting(k, &k->cell[i], axis))
            continue;
        const struct cell *a = cells_beside(k, &k->cell[i], axis, base);
        for (size_t v = 0; !rc && v < by->n; v++) {
            const struct cell *b = cells_beside(k, &k->cell[i], axis, v);
            if (a && b && v != base)
                rc = add_pair(c, a, b, by->value[base].label, by->value[v].label, axis, o, e);
        }
    }
    return rc;
}

/* The cell of `other` that has the same factor values, whatever their order of appearance. */
static const struct cell *same_cell(const struct cells *c, const struct cell *cell,
                                    const struct cells *other)
{
    for (size_t i = 0; i < other->n; i++) {
        bool same = c->n_axis == other->n_axis;
        for (size_t k = 0; same && k < c->n_axis; k++)
            same = !strcmp(c->axis[k].path, other->axis[k].path) &&
                   !strcmp(c->axis[k].value[cell->at[k]].text,
                           other->axis[k].value[other->cell[i].at[k]].text);
        if (same)
            return &other->cell[i];
    }
    return NULL;
}

int compare_two(struct comparison *c, const struct result_set *a, const char *file_a,
                const struct result_set *b, const char *file_b, const struct compare_options *o,
                struct err *e)
{
    int rc = begin(c, a, file_a, o, e);
    if (!rc)
        rc = cells_new(&c->cells[1], b, e);
    if (!rc)
        rc = warn_unfinished(c, b, file_b, e);
    size_t met = 0;
    for (size_t i = 0; !rc && i < c->cells[0]->n; i++) {
        const struct cell *from = &c->cells[0]->cell[i];
        const struct cell *to = same_cell(c->cells[0], from, c->cells[1]);
        if (!to)
            continue;
        met++;
        rc = add_pair(c, from, to, file_a, file_b, SIZE_MAX, o, e);
    }
    if (!rc && !met)
        rc = err_set(e, ERR_EUSAGE, "%s and %s have no setting in common", file_a, file_b);
    const size_t alone = rc ? 0 : c->cells[0]->n + c->cells[1]->n - 2 * met;
    if (alone)
        rc = warn(c, e, "%zu settings are in one of the files only and are left out", alone);
    return rc;
}

void comparison_free(struct comparison *c)
{
    for (size_t i = 0; i < c->n; i++)
        free(c->row[i].setting);
    for (size_t i = 0; i < c->n_warning; i++)
        free(c->warning[i]);
    free(c->row);
    free(c->warning);
    metric_list_free(&c->metrics);
    cells_free(c->cells[0]);
    cells_free(c->cells[1]);
    *c = (struct comparison){0};
}
