/* Series that come in a published order: whether ours come in the same one. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "harness/report/figure.h"

static int read_group(const struct config *list, struct figure_group *g, struct err *e)
{
    if (config_kind(list) != CONFIG_ARRAY || config_count(list) < 2)
        return config_complain(list, e, "a list of series, at least two");
    g->name = calloc(config_count(list), sizeof *g->name);
    if (!g->name)
        return err_set(e, ERR_ENOMEM, "out of memory");
    int rc = 0;
    for (; !rc && g->n < config_count(list); g->n++)
        rc = config_str(config_at(list, g->n), &g->name[g->n], e);
    return rc;
}

static int known(const struct figure *f, const struct config *list, const char *name, struct err *e)
{
    for (size_t i = 0; i < f->n_series; i++)
        if (!strcmp(f->series[i].name, name))
            return 0;
    return config_complain(list, e, "names of series; \"%.80s\" is none", name);
}

int figure_order_read(struct figure *f, const struct config *list, struct err *e)
{
    if (config_kind(list) != CONFIG_ARRAY || !config_count(list))
        return config_complain(list, e, "a list of lists of series");
    f->group = calloc(config_count(list), sizeof *f->group);
    if (!f->group)
        return err_set(e, ERR_ENOMEM, "out of memory");
    int rc = 0;
    for (; !rc && f->n_group < config_count(list); f->n_group++) {
        struct figure_group *g = &f->group[f->n_group];
        const struct config *names = config_at(list, f->n_group);
        rc = read_group(names, g, e);
        for (size_t i = 0; !rc && i < g->n; i++)
            rc = known(f, names, g->name[i], e);
    }
    return rc;
}

static bool in_group(const struct figure_group *g, const struct figure_point *p)
{
    for (size_t i = 0; i < g->n; i++)
        if (!strcmp(g->name[i], p->series))
            return !isnan(p->published);
    return false;
}

static int sign(double v)
{
    return (v > 0) - (v < 0);
}

/* Every pair at the same x, once. */
static void judge(struct figure *f, const struct figure_group *g)
{
    for (size_t i = 0; i < f->n; i++)
        for (size_t k = 0; in_group(g, &f->point[i]) && k < i; k++) {
            struct figure_point *a = &f->point[i], *b = &f->point[k];
            if (a->x != b->x || !in_group(g, b) || a->published == b->published)
                continue;
            f->pairs++;
            if (sign(a->ours - b->ours) == sign(a->published - b->published))
                continue;
            f->wrong_order++;
            a->out_of_order = b->out_of_order = true;
        }
}

void figure_order_judge(struct figure *f)
{
    f->pairs = f->wrong_order = 0;
    for (size_t i = 0; i < f->n_group; i++)
        judge(f, &f->group[i]);
}
