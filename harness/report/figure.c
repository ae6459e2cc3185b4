#include "harness/report/figure.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "harness/base/places.h"

struct raw { /* as the file has it */
    const char *schema, *name, *title, *source, *published, *kind;
    double tolerance;
    const struct config *x, *y, *experiment, *points, *tolerance_kind, *direction, *order, *needs;
    uint64_t allow_misses;
    const char *misses;
};
static const struct config_field raw_fields[] = {
    CONFIG_STR(struct raw, schema, true),
    CONFIG_STR(struct raw, name, true),
    CONFIG_STR(struct raw, title, true),
    CONFIG_STR(struct raw, source, true),
    CONFIG_STR(struct raw, published, true),
    CONFIG_F64(struct raw, tolerance, 0, 1e12, true),
    CONFIG_ANY(struct raw, tolerance_kind, false),
    CONFIG_ANY(struct raw, direction, false),
    CONFIG_ANY(struct raw, order, false),
    CONFIG_ANY(struct raw, needs, false),
    CONFIG_U64(struct raw, allow_misses, 0, 1e6, false),
    CONFIG_STR(struct raw, misses, false),
    CONFIG_ANY(struct raw, x, true),
    CONFIG_ANY(struct raw, y, true),
    CONFIG_ANY(struct raw, experiment, true),
    CONFIG_ANY(struct raw, points, true),
    CONFIG_END,
};
static const struct config_field axis_fields[] = {
    CONFIG_STR(struct figure_axis, label, true),
    CONFIG_STR(struct figure_axis, unit, false),
    CONFIG_END,
};
struct raw_points {
    const char *series, *y, *over;
    const struct config *select, *x;
    double scale, tolerance;
};
static const struct config_field points_fields[] = {
    CONFIG_STR(struct raw_points, series, true),
    CONFIG_STR(struct raw_points, y, true),
    CONFIG_STR(struct raw_points, over, false),
    CONFIG_ANY(struct raw_points, select, false),
    CONFIG_ANY(struct raw_points, x, true),
    CONFIG_F64(struct raw_points, scale, -DBL_MAX, DBL_MAX, false),
    CONFIG_F64(struct raw_points, tolerance, 0, 1e12, false),
    CONFIG_END,
};

/* Names become file names. */
static int check_name(const struct config *c, const char *name, struct err *e)
{
    if (*name && !name[strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-_")])
        return 0;
    return config_complain(config_get(c, "name"), e, "a name of a-z, 0-9, - and _");
}

static int read_points(struct figure *f, const struct config *list, struct err *e)
{
    if (config_kind(list) != CONFIG_ARRAY || !config_count(list))
        return config_complain(list, e, "a list of series, at least one");
    f->series = calloc(config_count(list), sizeof *f->series);
    if (!f->series)
        return err_set(e, ERR_ENOMEM, "out of memory");
    int rc = 0;
    for (size_t i = 0; !rc && i < config_count(list); i++) {
        struct raw_points p = {.scale = 1, .tolerance = NAN};
        struct figure_series *s = &f->series[f->n_series++];
        rc = config_fill(config_at(list, i), points_fields, &p, e);
        if (!rc && p.select && config_kind(p.select) != CONFIG_OBJECT)
            rc = config_complain(p.select, e, "an object of paths and values");
        *s = (struct figure_series){.name = p.series,
                                    .y = p.y,
                                    .over = p.over,
                                    .select = p.select,
                                    .scale = p.scale,
                                    .tolerance = p.tolerance};
        f->own_tolerances |= !isnan(p.tolerance);
        if (!rc && config_kind(p.x) == CONFIG_NUMBER)
            rc = config_f64(p.x, -DBL_MAX, DBL_MAX, &s->x_fixed, e);
        else if (!rc)
            rc = config_str(p.x, &s->x_path, e);
    }
    return rc;
}

static int read_doc(struct figure *f, struct raw *raw, struct err *e)
{
    static const char *const kinds[] = {"relative", "absolute", "interval", NULL};
    int kind = TOLERANCE_RELATIVE, rc = config_fill(f->doc, raw_fields, raw, e);
    if (!rc && strcmp(raw->schema, "malv-figure/1"))
        rc = config_complain(config_get(f->doc, "schema"), e, "\"malv-figure/1\"");
    if (!rc)
        rc = check_name(f->doc, raw->name, e);
    if (!rc && raw->tolerance_kind)
        rc = config_choice(raw->tolerance_kind, kinds, &kind, e);
    f->x.unit = f->y.unit = "";
    if (!rc)
        rc = config_fill(raw->x, axis_fields, &f->x, e);
    if (!rc)
        rc = config_fill(raw->y, axis_fields, &f->y, e);
    if (!rc)
        rc = read_points(f, raw->points, e);
    if (!rc && raw->direction)
        rc = figure_direction_read(f, raw->direction, e);
    if (!rc && raw->order)
        rc = figure_order_read(f, raw->order, e);
    if (!rc && raw->needs)
        rc = figure_needs(f, raw->needs, e);
    const enum config_kind of = rc ? CONFIG_OBJECT : config_kind(raw->experiment);
    if (of != CONFIG_OBJECT && of != CONFIG_STRING)
        rc = config_complain(raw->experiment, e, "an experiment, or the path of one");
    f->name = raw->name;
    f->title = raw->title;
    f->source = raw->source;
    f->tolerance = raw->tolerance;
    f->kind = (enum tolerance_kind)kind;
    f->allow_misses = raw->allow_misses;
    f->misses = raw->misses;
    f->experiment = raw->experiment;
    return rc;
}

char *figure_find(const struct figure *f, const char *relative)
{
    const char *slash = strrchr(f->file, '/');
    char *path;
    if (*relative == '/')
        return access(relative, R_OK) ? NULL : strdup(relative);
    if (asprintf(&path, "%.*s%s", slash ? (int)(slash - f->file) + 1 : 0, f->file, relative) < 0)
        return NULL;
    if (!access(path, R_OK))
        return path;
    free(path);
    path = places_root(relative);
    if (path && !access(path, R_OK))
        return path;
    free(path);
    return NULL;
}

/* Published values that no series answers would be left out in silence. */
static int check_series(const struct figure *f, const char *csv, struct err *e)
{
    for (size_t i = 0; i < f->published.n; i++) {
        bool met = false;
        for (size_t k = 0; !met && k < f->n_series; k++)
            met = !strcmp(f->series[k].name, f->published.row[i].series);
        if (!met)
            return err_set(e, ERR_ENAME, "%s: no points for the series \"%.120s\" of %s", f->file,
                           f->published.row[i].series, csv);
    }
    return 0;
}

int figure_load(struct figure **out, const char *path, struct err *e)
{
    struct figure *f = calloc(1, sizeof *f);
    struct raw raw = {0};
    *out = NULL;
    if (!f || !(f->file = strdup(path))) {
        free(f);
        return err_set(e, ERR_ENOMEM, "out of memory");
    }
    int rc = config_load(&f->doc, path, e);
    if (!rc)
        rc = read_doc(f, &raw, e);
    char *csv = rc ? NULL : figure_find(f, raw.published);
    if (!rc && !csv)
        rc = config_complain(config_get(f->doc, "published"), e,
                             "a file beside the figure or in the source tree");
    if (!rc)
        rc = published_load(&f->published, csv, e);
    if (!rc)
        rc = check_series(f, csv, e);
    free(csv);
    if (rc)
        figure_free(f);
    else
        *out = f;
    return rc;
}

void figure_free(struct figure *f)
{
    if (!f)
        return;
    config_free(f->doc);
    published_free(&f->published);
    free(f->file);
    free(f->absent);
    free(f->series);
    free(f->baseline);
    for (size_t i = 0; i < f->n_group; i++)
        free(f->group[i].name);
    free(f->group);
    free(f->point);
    free(f);
}
