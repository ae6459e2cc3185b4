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
            k[kinds - 1].d.weight += k[i].d.weight;
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

static struct kind kind_of(const struct policy_job *j, const char *spec)
{
    return (struct kind){.d = {.gpus = j->gpus,
                               .gpu_milli = j->gpu_milli,
                               .cpu_milli = j->cpu_milli,
                               .gpu_models = j->gpu_models,
                               .weight = 1},
                         .spec = spec};
}

/* From n kinds, some of them equal; takes k over. */
static int finish(struct demand **out, struct kind *k, size_t n, uint64_t jobs, double share,
                  struct err *e)
{
    struct demand *d = calloc(1, sizeof *d);
    int rc = d ? 0 : err_set(e, ERR_ENOMEM, "demand: out of memory");
    if (!rc) {
        qsort(k, n, sizeof *k, by_size);
        const size_t kinds = merge(k, n);
        qsort(k, kinds, sizeof *k, by_weight);
        d->jobs = jobs;
        rc = choose(d, k, kinds, share, e);
    }
    free(k);
    if (rc) {
        demand_free(d);
        d = NULL;
    }
    *out = d;
    return rc;
}

int demand_new(struct demand **out, const struct policy_job *job, const char *const *spec, size_t n,
               double share, struct err *e)
{
    struct kind *k = malloc((n ? n : 1) * sizeof *k);
    *out = NULL;
    if (!k)
        return err_set(e, ERR_ENOMEM, "demand: out of memory");
    for (size_t i = 0; i < n; i++)
        k[i] = kind_of(&job[i], spec ? spec[i] : NULL);
    return finish(out, k, n, n, share, e);
}

/* Room for one more: equal ones are merged first, so that it grows with the kinds, not the jobs. */
static int grow(struct kind **k, size_t *n, size_t *room, struct err *e)
{
    if (*n < *room)
        return 0;
    if (*room) {
        qsort(*k, *n, sizeof **k, by_size);
        *n = merge(*k, *n);
    }
    if (2 * *n < *room)
        return 0;
    const size_t want = *room ? 2 * *room : 4096;
    struct kind *more = realloc(*k, want * sizeof *more);
    if (!more)
        return err_set(e, ERR_ENOMEM, "demand: out of memory");
    *k = more;
    *room = want;
    return 0;
}

int demand_of_rows(struct demand **out, const struct nodes *nodes, struct row_source *rows,
                   enum nodes_part of, double share, struct err *e)
{
    struct kind *k = NULL;
    union trace_row row;
    size_t n = 0, room = 0;
    uint64_t jobs = 0;
    int more = 0, rc = 0;
    *out = NULL;
    while (!rc && (more = rows->next(rows, &row, e)) > 0) {
        struct policy_job j = {0};
        rc = nodes_job(nodes, &row.job, rows, of, &j, e);
        if (!rc)
            rc = grow(&k, &n, &room, e);
        if (!rc)
            k[n++] = kind_of(&j, NULL);
        jobs++;
    }
    if (!rc)
        rc = more < 0 ? more : rows->rewind(rows, e);
    if (!rc && !k)
        rc = grow(&k, &n, &room, e);
    if (!rc)
        return finish(out, k, n, jobs, share, e);
    free(k);
    return rc;
}

void demand_free(struct demand *d)
{
    if (d)
        free(d->kind);
    free(d);
}
