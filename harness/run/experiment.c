/* experiment.c - reading an experiment, editing it, and numbering its trials. */
#include "harness/run/experiment.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "harness/base/places.h"
#include "harness/run/setup.h"

#define PLANNED_MAX 10000000 /* trials of one experiment: beyond this it is a typing error */

static int no_memory(struct err *e)
{
    return err_set(e, ERR_ENOMEM, "out of memory for the experiment");
}

/* ---- --set, --seed, --trials ------------------------------------------------- */

/* The sweep without the axis `path`: a parameter that is set is not swept. */
static int unsweep(struct config *doc, const char *path, struct err *e)
{
    const struct config *sweep = config_get(doc, "sweep");
    char *text = NULL;
    size_t len = 0;
    FILE *f = open_memstream(&text, &len);
    if (!f)
        return no_memory(e);
    const char *comma = "";
    fputc('{', f);
    for (size_t i = 0; i < config_count(sweep); i++) {
        const struct config *axis = config_at(sweep, i);
        char *values = config_text(axis);
        if (values && strcmp(config_key(axis), path)) {
            fprintf(f, "%s\"%s\":%s", comma, config_key(axis), values);
            comma = ",";
        }
        free(values);
    }
    fputc('}', f);
    int rc = fclose(f) ? no_memory(e) : config_set(doc, "sweep", text, e);
    free(text);
    return rc;
}

static int apply_set(struct config *doc, const struct experiment_set *set, struct err *e)
{
    const struct config *sweep = config_get(doc, "sweep");
    if (!strcmp(set->path, "sweep") || !strncmp(set->path, "sweep.", 6))
        return err_set(e, ERR_EUSAGE,
                       "--set %s: sweeps are not set; --set of a swept path fixes its value",
                       set->path);
    for (size_t i = 0; sweep && i < config_count(sweep); i++) {
        const char *axis = config_key(config_at(sweep, i));
        size_t n = axis ? strlen(axis) : 0;
        if (n && !strncmp(set->path, axis, n) && set->path[n] == '.')
            return err_set(e, ERR_EUSAGE,
                           "--set %s: the experiment sweeps %s, whose values would replace it; "
                           "--set %s first",
                           set->path, axis, axis);
    }
    int rc = 0;
    if (sweep && config_kind(sweep) == CONFIG_OBJECT && config_get(sweep, set->path))
        rc = unsweep(doc, set->path, e);
    if (!rc && (rc = config_set(doc, set->path, set->json, e)))
        err_wrap(e, rc, "--set %s", set->path);
    return rc;
}

static int apply_number(struct config *doc, const char *key, const char *text, struct err *e)
{
    if (!text)
        return 0;
    if (!*text || text[strspn(text, "0123456789")])
        return err_set(e, ERR_EUSAGE, "--%s: got \"%s\", want a whole number", key, text);
    return config_set(doc, key, text, e);
}

static int apply_edits(struct config *doc, const struct experiment_edits *edits, struct err *e)
{
    int rc = 0;
    for (size_t i = 0; i < edits->n_set && !rc; i++)
        rc = apply_set(doc, &edits->set[i], e);
    if (!rc)
        rc = apply_number(doc, "seed", edits->seed, e);
    if (!rc)
        rc = apply_number(doc, "trials", edits->trials, e);
    return rc;
}

/* ---- the sweep ---------------------------------------------------------------- */

/* How results name a value of an axis: its label, its name, or its text. */
static char *value_label(const struct config *value)
{
    const char *text = NULL;
    const struct config *named = NULL;
    if (config_kind(value) == CONFIG_OBJECT && !(named = config_get(value, "label")))
        named = config_get(value, "name");
    if (config_kind(value) == CONFIG_STRING)
        named = value;
    if (named && config_kind(named) == CONFIG_STRING && !config_str(named, &text, NULL))
        return strdup(text);
    return config_text(value);
}

static int check_axis_path(const struct config *axis, struct err *e)
{
    static const char *const fixed[] = {"schema", "name", "title", "seed", "trials", "sweep"};
    const char *path = config_key(axis);
    if (!path[0] || path[strspn(path, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                      "0123456789._-")])
        return config_complain(axis, e, "a dotted path of [A-Za-z0-9._-] as its key");
    for (size_t i = 0; i < sizeof fixed / sizeof *fixed; i++)
        if (!strcmp(path, fixed[i]))
            return err_set(e, ERR_ENAME, "%s: \"%s\" can not be swept", config_path(axis), path);
    if (config_kind(axis) != CONFIG_ARRAY || config_count(axis) == 0)
        return config_complain(axis, e, "an array of the values to try");
    return 0;
}

static int read_axis(struct experiment_axis *a, const struct config *axis, struct err *e)
{
    int rc = check_axis_path(axis, e);
    if (rc)
        return rc;
    size_t n = config_count(axis);
    a->path = strdup(config_key(axis));
    a->value = calloc(n, sizeof *a->value);
    a->label = calloc(n, sizeof *a->label);
    if (!a->path || !a->value || !a->label)
        return no_memory(e);
    for (a->n = 0; a->n < n; a->n++) {
        a->value[a->n] = config_at(axis, a->n);
        if (!(a->label[a->n] = value_label(a->value[a->n])))
            return no_memory(e);
        for (size_t k = 0; k < a->n; k++)
            if (!strcmp(a->label[k], a->label[a->n])) {
                rc =
                    err_set(e, ERR_ENAME, "%s: \"%s\" is there twice; give one of them a \"label\"",
                            config_path(axis), a->label[k]);
                a->n++;
                return rc;
            }
    }
    return 0;
}

static int read_sweep(struct experiment *x, const struct config *sweep, struct err *e)
{
    x->combinations = 1;
    if (!sweep)
        return 0;
    if (config_kind(sweep) != CONFIG_OBJECT)
        return config_complain(sweep, e, "an object of arrays");
    x->axis = calloc(config_count(sweep) + 1, sizeof *x->axis);
    if (!x->axis)
        return no_memory(e);
    for (size_t i = 0; i < config_count(sweep); i++) {
        int rc = read_axis(&x->axis[x->n_axis++], config_at(sweep, i), e);
        if (rc)
            return rc;
        x->combinations *= x->axis[i].n;
        if (x->combinations * x->trials > PLANNED_MAX)
            return err_set(e, ERR_ERANGE, "%s: more than %d trials", config_path(sweep),
                           PLANNED_MAX);
    }
    return 0;
}

/* ---- the whole ---------------------------------------------------------------- */

static int stand_at(struct experiment *x, const char *file, struct err *e)
{
    const char *slash = strrchr(file, '/');
    x->file = strdup(file);
    x->folder = slash ? strndup(file, (size_t)(slash - file)) : strdup(".");
    x->root = places_root("");
    if (x->root) /* without its last slash */
        x->root[strlen(x->root) - 1] = '\0';
    x->where = (struct trace_places){.base = x->folder, .root = x->root};
    return x->file && x->folder && x->root ? machines_open(&x->machines, e) : no_memory(e);
}

int experiment_from(struct experiment **out, const struct config *doc, const char *file,
                    const struct experiment_edits *edits, struct err *e)
{
    struct setup s;
    *out = NULL;
    struct experiment *x = calloc(1, sizeof *x);
    if (!x)
        return no_memory(e);
    x->doc = config_copy(doc);
    int rc = x->doc ? stand_at(x, file, e) : no_memory(e);
    if (!rc && config_kind(x->doc) != CONFIG_OBJECT)
        rc = config_complain(x->doc, e, "an object");
    if (!rc)
        rc = setup_nest_policies(x->doc, e);
    if (!rc && edits)
        rc = apply_edits(x->doc, edits, e);
    if (!rc && edits)
        rc = setup_nest_policies(x->doc, e);
    if (!rc)
        rc = setup_read(&s, x->doc, e);
    if (!rc) {
        x->name = s.name;
        x->title = s.title;
        x->seed = s.seed;
        x->trials = s.trials;
        rc = read_sweep(x, s.sweep, e);
    }
    if (!rc && !(x->text = config_text(x->doc)))
        rc = no_memory(e);
    if (rc) {
        experiment_free(x);
        return rc;
    }
    x->planned = x->combinations * x->trials;
    *out = x;
    return 0;
}

int experiment_load(struct experiment **x, const char *file, const struct experiment_edits *edits,
                    struct err *e)
{
    struct config *doc;
    *x = NULL;
    int rc = config_load(&doc, file, e);
    if (rc)
        return rc;
    rc = experiment_from(x, doc, file, edits, e);
    config_free(doc);
    return rc;
}

void experiment_free(struct experiment *x)
{
    if (!x)
        return;
    for (size_t i = 0; i < x->n_axis; i++) {
        for (size_t k = 0; k < x->axis[i].n; k++)
            free(x->axis[i].label[k]);
        free(x->axis[i].label);
        free(x->axis[i].value);
        free(x->axis[i].path);
    }
    free(x->axis);
    machines_free(x->machines);
    free(x->text);
    free(x->root);
    free(x->folder);
    free(x->file);
    config_free(x->doc);
    free(x);
}

/* Which value of axis i a combination takes: the last axis turns fastest. */
static size_t chosen(const struct experiment *x, uint64_t combination, size_t i)
{
    for (size_t k = x->n_axis; k-- > i + 1;)
        combination /= x->axis[k].n;
    return combination % x->axis[i].n;
}

int experiment_combination(const struct experiment *x, uint64_t combination, struct config **doc,
                           struct err *e)
{
    const char *model;
    *doc = config_copy(x->doc);
    int rc = *doc ? 0 : no_memory(e);
    for (size_t i = 0; i < x->n_axis && !rc; i++) {
        char *json = config_text(x->axis[i].value[chosen(x, combination, i)]);
        rc = json ? config_set(*doc, x->axis[i].path, json, e) : no_memory(e);
        free(json);
    }
    if (!rc)
        rc = setup_nest_policies(*doc, e);
    /* A model's section may be left out when all its settings have defaults. */
    if (!rc && !(rc = config_str(config_get(*doc, "model"), &model, e)) && !config_get(*doc, model))
        rc = config_set(*doc, model, "{}", e);
    if (rc) {
        config_free(*doc);
        *doc = NULL;
    }
    return rc;
}

int experiment_trial(const struct experiment *x, uint64_t index, struct result_trial *t,
                     struct err *e)
{
    *t = (struct result_trial){.index = index, .seed = x->seed + index % x->trials};
    t->factor = calloc(x->n_axis + 1, sizeof *t->factor);
    bool whole = t->factor;
    for (size_t i = 0; i < x->n_axis && whole; i++) {
        const struct experiment_axis *a = &x->axis[i];
        struct result_factor *f = &t->factor[t->n_factor++];
        f->path = strdup(a->path);
        f->value = strdup(a->label[chosen(x, index / x->trials, i)]);
        whole = f->path && f->value;
    }
    if (whole)
        return 0;
    result_trial_clear(t);
    return no_memory(e);
}

void experiment_describe(const struct experiment *x, uint64_t combination, char *text, size_t n)
{
    text[0] = '\0';
    for (size_t i = 0, at = 0; i < x->n_axis && at < n; i++)
        at += (size_t)snprintf(text + at, n - at, "%s%s=%s", i ? " " : "", x->axis[i].path,
                               x->axis[i].label[chosen(x, combination, i)]);
}

char *experiment_find(const struct experiment *x, const char *relative, struct err *e)
{
    bool as_is = relative[0] == '/' || !strcmp(x->folder, ".");
    char *path = NULL;
    if (asprintf(&path, "%s%s%s", as_is ? "" : x->folder, as_is ? "" : "/", relative) < 0)
        path = NULL;
    if (path && relative[0] != '/' && access(path, R_OK)) {
        free(path);
        if (asprintf(&path, "%s/%s", x->root, relative) < 0)
            path = NULL;
    }
    if (path && !access(path, R_OK))
        return path;
    if (path)
        err_set(e, ERR_EIO, "%s: no such file, neither beside %s nor in the source tree", relative,
                x->file);
    else
        no_memory(e);
    free(path);
    return NULL;
}
