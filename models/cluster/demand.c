#include "models/cluster/demand.h"

#include <stdlib.h>
#include <string.h>

struct kind {
    struct policy_demand d;
    const char *spec;
};

static int by_text(const struct kind *a, const struct kind *b)
{
    return strcmp(b->spec ? b->spec : "", a->spec ? a->spec : "");
}

/* Larger first in everything, so that equally frequent kinds have an order, too. */
static int by_size(const void *pa, const void *pb)
{
    const struct kind *a = pa, *b = pb;
    if (a->d.cpu_milli != b->d.cpu_milli)
        return a->d.cpu_milli < b->d.cpu_milli ? 1 : -1;
    if (a->d.gpu_milli != b->d.gpu_milli)
        return a->d.gpu_milli < b->d.gpu_milli ? 1 : -1;
    if (a->d.gpus != b->d.gpus)
        return a->d.gpus < b->d.gpus ? 1 : -1;
    return by_text(a, b);
}

static int by_weight(const void *pa, const void *pb)
{
    const struct kind *a = pa, *b = pb;
    if (a->d.weight != b->d.weight)
        return a->d.weight < b->d.weight ? 1 : -1;
    return by_size(a, b);
}

/* Equal ones, side by side after the sort, become one. */
static size_t merge(struct kind *k, size_t n)
{
    size_t kinds = 0;
    for (size_t i = 0; i < n; i++)
        if (kinds && !by_size(&k[kinds - 1], &k[i]))
            k[kinds - 1].d.weight++;
        else
            k[kinds++] = k[i];
    return kinds;
}

static int choose(struct demand *d, const struct kind *k, size_t kinds, double share, struct err *e)
{
    while (d->n < kinds && (double)d->weight < share * (double)d->jobs)
        d->weight += k[d->n++].d.weight;
    d->all = (uint32_t)kinds;
    d->kind = calloc(d->n ? d->n : 1, sizeof *d->kind);
    if (!d->kind)
        return err_set(e, ERR_ENOMEM, "demand: out of memory");
    for (uint32_t i = 0; i < d->n; i++)
        d->kind[i] = k[i].d;
    return 0;
}

int demand_new(struct demand **out, const struct policy_job *job, const char *const *spec, size_t n,
               double share, struct err *e)
{
    struct demand *d = calloc(1, sizeof *d);
    struct kind *k = malloc((n ? n : 1) * sizeof *k);
    *out = NULL;
    if (!d || !k) {
        free(d);
        free(k);
        return err_set(e, ERR_ENOMEM, "demand: out of memory");
    }
    for (size_t i = 0; i < n; i++)
        k[i] = (struct kind){.d = {.gpus = job[i].gpus,
                                   .gpu_milli = job[i].gpu_milli,
                                   .cpu_milli = job[i].cpu_milli,
                                   .gpu_models = job[i].gpu_models,
                                   .weight = 1},
                             .spec = spec ? spec[i] : NULL};
    qsort(k, n, sizeof *k, by_size);
    const size_t kinds = merge(k, n);
    qsort(k, kinds, sizeof *k, by_weight);
    d->jobs = n;
    int rc = choose(d, k, kinds, share, e);
    free(k);
    if (rc)
        demand_free(d);
    else
        *out = d;
    return rc;
}

void demand_free(struct demand *d)
{
    if (d)
        free(d->kind);
    free(d);
}
