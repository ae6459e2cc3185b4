/* Bars beside a baseline: on which side of it each lies, published and ours. */
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "harness/report/figure.h"

struct raw_baseline {
    double x, published, scale;
    const char *y;
    const struct config *select;
};
static const struct config_field fields[] = {
    CONFIG_F64(struct raw_baseline, x, -DBL_MAX, DBL_MAX, true),
    CONFIG_F64(struct raw_baseline, published, -DBL_MAX, DBL_MAX, true),
    CONFIG_F64(struct raw_baseline, scale, -DBL_MAX, DBL_MAX, false),
    CONFIG_STR(struct raw_baseline, y, true),
    CONFIG_ANY(struct raw_baseline, select, false),
    CONFIG_END,
};

int figure_direction_read(struct figure *f, const struct config *list, struct err *e)
{
    if (config_kind(list) != CONFIG_ARRAY || !config_count(list))
        return config_complain(list, e, "a list of baselines, at least one");
    f->baseline = calloc(config_count(list), sizeof *f->baseline);
    if (!f->baseline)
        return err_set(e, ERR_ENOMEM, "out of memory");
    for (size_t i = 0; i < config_count(list); i++) {
        struct raw_baseline r = {.scale = 1};
        int rc = config_fill(config_at(list, i), fields, &r, e);
        if (!rc && r.select && config_kind(r.select) != CONFIG_OBJECT)
            rc = config_complain(r.select, e, "an object of paths and values");
        if (rc)
            return rc;
        f->baseline[f->n_baseline++] = (struct figure_baseline){.trials = {.name = "baseline",
                                                                           .y = r.y,
                                                                           .select = r.select,
                                                                           .x_fixed = r.x,
                                                                           .scale = r.scale},
                                                                .published = r.published};
    }
    return 0;
}

static int sign(double v)
{
    return (v > 0) - (v < 0);
}

static int judge(struct figure *f, const struct figure_baseline *b, const double *y, size_t n,
                 struct err *e)
{
    double ours = 0;
    if (!n)
        return err_set(e, ERR_ENAME, "%s: no trial for the baseline at %g", f->file,
                       b->trials.x_fixed);
    for (size_t i = 0; i < n; i++)
        ours += y[i] / (double)n;
    for (size_t i = 0; i < f->n; i++) {
        struct figure_point *p = &f->point[i];
        if (p->x != b->trials.x_fixed || isnan(p->published))
            continue;
        p->direction = sign(p->ours - ours) == sign(p->published - b->published) ? 1 : -1;
        f->wrong_way += p->direction < 0;
    }
    return 0;
}

int figure_direction_judge(struct figure *f, const struct result_set *rs,
                           const struct config *experiment, struct err *e)
{
    double *y = calloc(rs->n_trial + 1, sizeof *y);
    int rc = y ? 0 : err_set(e, ERR_ENOMEM, "out of memory");
    for (size_t i = 0; !rc && i < f->n_baseline; i++) {
        const struct figure_baseline *b = &f->baseline[i];
        size_t n = 0;
        rc = figure_gather(f, rs, experiment, &b->trials, b->trials.x_fixed, y, &n, e);
        if (!rc)
            rc = judge(f, b, y, n, e);
    }
    free(y);
    return rc;
}
