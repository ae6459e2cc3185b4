#include "results/cells.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "results/metric.h"
#include "sim/buf.h"
#include "sim/config.h"

/* A policy may be written {"name": "sjf-mlp", "label": "learned"}: its label is what people read.
 */
static char *label_of(const char *text)
{
    if (text[0] != '{')
        return strdup(text);
    struct config *c;
    const char *label = text;
    if (config_parse(&c, "factor", text, strlen(text), NULL))
        return strdup(text);
    const struct config *found = config_get(c, "label");
    if (!found)
        found = config_get(c, "name");
    if (!found || config_str(found, &label, NULL))
        label = text;
    char *copy = strdup(label);
    config_free(c);
    return copy;
}

/* Index of the value on the axis, added when new; SIZE_MAX: out of memory. */
static size_t axis_put(struct axis *a, const char *text)
{
    for (size_t i = 0; i < a->n; i++)
        if (!strcmp(a->value[i].text, text))
            return i;
    struct axis_value *grown = realloc(a->value, (a->n + 1) * sizeof *grown);
    if (!grown)
        return SIZE_MAX;
    a->value = grown;
    a->value[a->n] = (struct axis_value){text, label_of(text)};
    return a->value[a->n++].label ? a->n - 1 : SIZE_MAX;
}

static struct cell *cell_put(struct cells *c, const size_t *at)
{
    for (size_t i = 0; i < c->n; i++)
        if (!c->n_axis || !memcmp(c->cell[i].at, at, c->n_axis * sizeof *at))
            return &c->cell[i];
    struct cell *grown = realloc(c->cell, (c->n + 1) * sizeof *grown);
    if (!grown)
        return NULL;
    c->cell = grown;
    struct cell *new = &c->cell[c->n];
    *new = (struct cell){.at = malloc((c->n_axis + 1) * sizeof *at)};
    if (!new->at)
        return NULL;
    if (c->n_axis)
        memcpy(new->at, at, c->n_axis * sizeof *at);
    c->n++;
    return new;
}

static bool cell_add(struct cell *cell, const struct result_trial *t)
{
    if (t->failed) {
        cell->failed++;
        return true;
    }
    const struct result_trial **grown = realloc(cell->trial, (cell->n + 1) * sizeof *grown);
    if (!grown)
        return false;
    cell->trial = grown;
    size_t k = cell->n++;
    for (; k > 0 && cell->trial[k - 1]->seed > t->seed; k--)
        cell->trial[k] = cell->trial[k - 1];
    cell->trial[k] = t;
    return true;
}

static int same_axes(const struct cells *c, const struct result_trial *t, struct err *e)
{
    bool same = t->n_factor == c->n_axis;
    for (size_t i = 0; same && i < c->n_axis; i++)
        same = !strcmp(t->factor[i].path, c->axis[i].path);
    if (same)
        return 0;
    return err_set(e, ERR_EPARSE, "trial %llu is not on the same axes as the first one",
                   (unsigned long long)t->index);
}

static int place_trial(struct cells *c, size_t *at, const struct result_trial *t, struct err *e)
{
    int rc = same_axes(c, t, e);
    if (rc)
        return rc;
    for (size_t i = 0; i < c->n_axis; i++) {
        at[i] = axis_put(&c->axis[i], t->factor[i].value);
        if (at[i] == SIZE_MAX)
            return err_set(e, ERR_ENOMEM, "out of memory");
    }
    struct cell *cell = cell_put(c, at);
    if (!cell || !cell_add(cell, t))
        return err_set(e, ERR_ENOMEM, "out of memory");
    return 0;
}

int cells_new(struct cells **out, const struct result_set *rs, struct err *e)
{
    struct cells *c = calloc(1, sizeof *c);
    const size_t n_axis = rs->n_trial ? rs->trial[0].n_factor : 0;
    size_t *at = calloc(n_axis + 1, sizeof *at);
    int rc = 0;
    if (c) {
        c->axis = calloc(n_axis + 1, sizeof *c->axis);
        c->n_axis = c->axis ? n_axis : 0;
    }
    if (!c || !c->axis || !at)
        rc = err_set(e, ERR_ENOMEM, "out of memory");
    for (size_t i = 0; !rc && i < n_axis; i++)
        c->axis[i].path = rs->trial[0].factor[i].path;
    for (size_t i = 0; !rc && i < rs->n_trial; i++)
        rc = place_trial(c, at, &rs->trial[i], e);
    free(at);
    if (rc) {
        cells_free(c);
        c = NULL;
    }
    *out = c;
    return rc;
}

void cells_free(struct cells *c)
{
    if (!c)
        return;
    for (size_t i = 0; i < c->n_axis; i++) {
        for (size_t k = 0; k < c->axis[i].n; k++)
            free(c->axis[i].value[k].label);
        free(c->axis[i].value);
    }
    for (size_t i = 0; i < c->n; i++) {
        free(c->cell[i].at);
        free(c->cell[i].trial);
    }
    free(c->axis);
    free(c->cell);
    free(c);
}

const char *axis_name(const struct axis *a)
{
    const char *dot = strrchr(a->path, '.');
    return dot ? dot + 1 : a->path;
}

size_t cells_axis(const struct cells *c, const char *path)
{
    for (size_t i = 0; i < c->n_axis; i++)
        if (!strcmp(c->axis[i].path, path))
            return i;
    for (size_t i = 0; i < c->n_axis; i++)
        if (!strcmp(axis_name(&c->axis[i]), path))
            return i;
    return c->n_axis;
}

size_t cells_policy_axis(const struct cells *c)
{
    size_t axis = cells_axis(c, "policy");
    for (size_t i = 0; axis == c->n_axis && i < c->n_axis; i++)
        if (!strncmp(c->axis[i].path, "policies", 8) && c->axis[i].n > 1)
            axis = i;
    return axis;
}

static bool same_setting(const struct cells *c, const struct cell *a, const struct cell *b,
                         size_t skip)
{
    for (size_t i = 0; i < c->n_axis; i++)
        if (i != skip && a->at[i] != b->at[i])
            return false;
    return true;
}

const struct cell *cells_beside(const struct cells *c, const struct cell *from, size_t axis,
                                size_t value)
{
    for (size_t i = 0; i < c->n; i++)
        if (same_setting(c, from, &c->cell[i], axis) &&
            (axis >= c->n_axis || c->cell[i].at[axis] == value))
            return &c->cell[i];
    return NULL;
}

bool cells_first_of_setting(const struct cells *c, const struct cell *cell, size_t axis)
{
    assert(cell >= c->cell && cell < c->cell + c->n);
    for (const struct cell *k = c->cell; k < cell; k++)
        if (same_setting(c, k, cell, axis))
            return false;
    return true;
}

char *cells_setting(const struct cells *c, const struct cell *cell, size_t skip)
{
    struct buf b = {0};
    for (size_t i = 0; i < c->n_axis; i++) {
        const char *name = axis_name(&c->axis[i]), *label = c->axis[i].value[cell->at[i]].label;
        if (i == skip)
            continue;
        if (b.len)
            buf_bytes(&b, ", ", 2);
        buf_bytes(&b, name, strlen(name));
        buf_bytes(&b, " ", 1);
        buf_bytes(&b, label, strlen(label));
    }
    buf_bytes(&b, "", 1);
    if (b.failed) {
        buf_free(&b);
        return NULL;
    }
    return (char *)b.data;
}

void cell_summary(const struct cell *c, const char *metric, double confidence, struct summary *out)
{
    double *x = malloc((c->n ? c->n : 1) * sizeof *x);
    size_t n = 0;
    for (size_t i = 0; x && i < c->n; i++)
        if (metric_value(c->trial[i]->measures, metric, &x[n]))
            n++;
    stats_summary(x, n, confidence, out);
    free(x);
}

struct sketch *cell_sketch(const struct cell *c, const char *name)
{
    struct sketch *all = NULL;
    for (size_t i = 0; i < c->n; i++) {
        const struct measures *m = c->trial[i]->measures;
        for (size_t k = 0; m && k < m->n_sketch; k++) {
            if (strcmp(m->sketch[k].name, name))
                continue;
            if (!all)
                all = sketch_new(false);
            if (!all || sketch_merge(all, m->sketch[k].sketch)) {
                sketch_free(all);
                return NULL;
            }
        }
    }
    return all;
}
