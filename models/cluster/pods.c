#include "models/cluster/pods.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "models/cluster/go_random.h"

const char *const pods_draw_names[] = {"philox", "go", NULL};

static int no_memory(struct err *e)
{
    return err_set(e, ERR_ENOMEM, "pods: out of memory");
}

/* ---- the list ---------------------------------------------------------------------- */

/* Texts of specs outlive the source that has them. */
static int keep_name(struct pods *p, const struct row_source *rows, uint32_t id, const char **out,
                     struct err *e)
{
    const char *text = rows->name && id != TRACE_NAME_NONE ? rows->name(rows, id) : NULL;
    *out = NULL;
    if (!text)
        return 0;
    if (id >= p->names) {
        char **more = realloc(p->name, (id + 1) * sizeof *more);
        if (!more)
            return no_memory(e);
        memset(more + p->names, 0, (id + 1 - p->names) * sizeof *more);
        p->name = more;
        p->names = id + 1;
    }
    if (!p->name[id] && !(p->name[id] = strdup(text)))
        return no_memory(e);
    *out = p->name[id];
    return 0;
}

static int grow(struct pods *p, struct err *e)
{
    if (p->n < p->room)
        return 0;
    p->room = p->room ? 2 * p->room : 1024;
    struct policy_job *job = realloc(p->job, p->room * sizeof *job);
    if (job)
        p->job = job;
    const char **spec = job ? realloc(p->spec, p->room * sizeof *spec) : NULL;
    if (!spec)
        return no_memory(e);
    p->spec = spec;
    return 0;
}

static int add(struct pods *p, const struct nodes *n, const struct trace_job *row,
               const struct row_source *rows, enum nodes_part of, struct err *e)
{
    int rc = grow(p, e);
    if (rc)
        return rc;
    struct policy_job *j = &p->job[p->n];
    *j = (struct policy_job){
        .id = row->row, .tenant = row->tenant, .user = row->user, .group = row->group};
    rc = nodes_job(n, row, rows, of, j, e);
    if (!rc)
        rc = keep_name(p, rows, row->gpu_spec, &p->spec[p->n], e);
    p->parts |= j->gpus && j->gpu_milli < POLICY_MILLI;
    p->n += !rc;
    return rc;
}

/* From the order of time to that of the rows. */
struct numbered {
    struct policy_job job;
    const char *spec;
};
static int by_row(const void *a, const void *b)
{
    const uint64_t x = ((const struct numbered *)a)->job.id,
                   y = ((const struct numbered *)b)->job.id;
    return (x > y) - (x < y);
}

static int sort_by_row(struct pods *p, struct err *e)
{
    struct numbered *all = malloc((p->n ? p->n : 1) * sizeof *all);
    if (!all)
        return no_memory(e);
    for (size_t i = 0; i < p->n; i++)
        all[i] = (struct numbered){p->job[i], p->spec[i]};
    qsort(all, p->n, sizeof *all, by_row);
    for (size_t i = 0; i < p->n; i++) {
        p->job[i] = all[i].job;
        p->spec[i] = all[i].spec;
    }
    free(all);
    return 0;
}

int pods_open(struct pods *p, const struct nodes *n, struct row_source *rows, enum nodes_part of,
              struct err *e)
{
    union trace_row row;
    int more, rc = 0;
    assert(rows->table == TRACE_JOBS);
    *p = (struct pods){0};
    while (!rc && (more = rows->next(rows, &row, e)) != 0)
        rc = more < 0 ? more : add(p, n, &row.job, rows, of, e);
    return rc ? rc : sort_by_row(p, e);
}

void pods_free(struct pods *p)
{
    for (size_t i = 0; i < p->names; i++)
        free(p->name[i]);
    free(p->name);
    free(p->job);
    free(p->spec);
    free(p->arrival);
    *p = (struct pods){0};
}

/* ---- arrivals ------------------------------------------------------------------------ */

/* The authors' simulator is a Kubernetes client in the same process; between the pods and the nodes
 * its informers draw how long each will watch.  Their number follows from the results: with ten,
 * and no other number up to 45, the authors' allocation comes out seed by seed. */
#define INFORMERS 10

struct drawer {
    enum pods_draw draw;
    struct rng rng;
    struct go_random *go;
};

static uint32_t below(struct drawer *d, uint32_t n)
{
    return d->draw == DRAW_GO ? go_random_intn(d->go, n) : (uint32_t)rng_below(&d->rng, n);
}

static uint64_t gpu_milli(const struct policy_job *j)
{
    return (uint64_t)j->gpus * j->gpu_milli;
}

static int arrive(struct pods *p, uint32_t i, struct err *e)
{
    if (p->arrivals == p->arrival_room) {
        p->arrival_room = p->arrival_room ? 2 * p->arrival_room : 1024;
        uint32_t *more = realloc(p->arrival, p->arrival_room * sizeof *more);
        if (!more)
            return no_memory(e);
        p->arrival = more;
    }
    p->arrival[p->arrivals++] = i;
    return 0;
}

static uint32_t swap_with(struct drawer *d, uint32_t i)
{
    return d->draw == DRAW_GO ? go_random_swap(d->go, i) : (uint32_t)rng_below(&d->rng, i + 1);
}

static void shuffle(struct pods *p, struct drawer *d)
{
    for (size_t i = p->arrivals; i-- > 1;) {
        const uint32_t k = swap_with(d, (uint32_t)i), at = p->arrival[i];
        p->arrival[i] = p->arrival[k];
        p->arrival[k] = at;
    }
}

static void thin(struct pods *p, struct drawer *d, uint64_t asked, double wanted)
{
    while ((double)asked > wanted) {
        const uint32_t k = below(d, (uint32_t)p->arrivals);
        asked -= gpu_milli(&p->job[p->arrival[k]]);
        memmove(p->arrival + k, p->arrival + k + 1, (--p->arrivals - k) * sizeof *p->arrival);
    }
}

static int add_more(struct pods *p, struct drawer *d, uint64_t asked, double wanted, struct err *e)
{
    for (int rc = 0;;) {
        const uint32_t i = below(d, (uint32_t)p->n);
        if ((double)(asked + p->job[i].gpu_milli) > wanted)
            return 0;
        asked += gpu_milli(&p->job[i]);
        if ((rc = arrive(p, i, e)))
            return rc;
    }
}

/* rand.Perm, as the place of each node. */
static int order_nodes(struct nodes *n, struct drawer *d, struct err *e)
{
    if (d->draw == DRAW_PHILOX) {
        nodes_shuffle(n, &d->rng);
        return 0;
    }
    uint32_t *place = malloc(n->n * sizeof *place);
    if (!place)
        return no_memory(e);
    for (uint32_t i = 0; i < n->n; i++) {
        const uint32_t k = below(d, i + 1);
        place[i] = place[k];
        place[k] = i;
    }
    int rc = nodes_order(n, place, e);
    free(place);
    return rc;
}

int pods_inflate(struct pods *p, struct nodes *n, double load, enum pods_draw draw, uint64_t seed,
                 struct err *e)
{
    struct go_random go;
    struct drawer d = {.draw = draw, .go = &go};
    const double wanted = load * (double)n->gpu_milli;
    uint64_t asked = 0;
    int rc = 0;
    p->arrivals = 0;
    for (size_t i = 0; i < p->n && !rc; i++) {
        rc = arrive(p, (uint32_t)i, e);
        asked += gpu_milli(&p->job[i]);
    }
    if (!rc && !asked)
        rc = err_set(e, ERR_ERANGE, "pods: none of %zu wants a GPU, want some that do", p->n);
    if (rc)
        return rc;
    rng_init(&d.rng, seed, "pods", "arrivals");
    if (draw == DRAW_GO) {
        go_random_seed(&go, (int64_t)seed);
        go_random_u64(&go); /* the authors' simulator logs one */
    }
    shuffle(p, &d);
    if ((double)asked > wanted)
        thin(p, &d, asked, wanted);
    else if ((double)asked < wanted)
        rc = add_more(p, &d, asked, wanted, e);
    for (int i = 0; draw == DRAW_GO && i < INFORMERS; i++)
        go_random_u64(&go);
    return rc ? rc : order_nodes(n, &d, e);
}
