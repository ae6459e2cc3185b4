#include "models/gpu/channels.h"
#include "models/gpu/gpu_program.h"

#include <stdlib.h>
#include <string.h>

struct loading {
    struct gpu_program *p;
    uint64_t cap, edge_cap;
};

static bool room(struct loading *l, uint32_t edges)
{
    struct gpu_program *p = l->p;
    if (p->n == l->cap) {
        uint64_t cap = l->cap ? 2 * l->cap : 256;
        struct plan_op *op = realloc(p->op, cap * sizeof *op);
        if (!op)
            return false;
        p->op = op;
        l->cap = cap;
    }
    while (p->edges + edges > l->edge_cap) {
        uint64_t cap = l->edge_cap ? 2 * l->edge_cap : 256;
        struct plan_edge *edge = realloc(p->edge, cap * sizeof *edge);
        if (!edge)
            return false;
        p->edge = edge;
        l->edge_cap = cap;
    }
    return true;
}

static int load(struct gpu_program *p, struct plan *plan, struct channels *rows, struct err *e)
{
    struct loading l = {.p = p};
    struct plan_op op;
    int rc;
    while ((rc = channels_next(rows, &op, e)) > 0) {
        if (!room(&l, op.n_edges))
            return err_set(e, ERR_ENOMEM, "gpu: out of memory");
        if (op.n_edges)
            memcpy(&p->edge[p->edges], op.edge, op.n_edges * sizeof *op.edge);
        p->edges += op.n_edges;
        p->op[p->n++] = op;
    }
    const struct plan_edge *edge = p->edge; /* it stays where it is from now on */
    for (uint64_t i = 0; i < p->n; i++) {
        p->op[i].edge = edge;
        edge = p->op[i].n_edges ? edge + p->op[i].n_edges : edge;
    }
    struct plan_seen seen;
    plan_seen(plan, &seen);
    p->span = seen.span;
    return rc;
}

/* Devices are numbered anew, in order of appearance. */
static bool number_devices(struct gpu_program *p, const struct plan *plan)
{
    const struct plan_queue *q = plan_queues(plan, &p->queues);
    p->queue = malloc((p->queues + 1) * sizeof *p->queue);
    p->device = malloc((p->queues + 1) * sizeof *p->device);
    if (!p->queue || !p->device)
        return false;
    for (uint32_t i = 0; i < p->queues; i++) {
        p->queue[i] = q[i];
        p->device[i] = q[i].device;
        if (q[i].device == TRACE_NAME_NONE)
            continue;
        uint32_t k = 0;
        while (q[k].device != q[i].device)
            k++;
        p->device[i] = k < i ? p->device[k] : p->devices++;
    }
    return true;
}

int gpu_program_load(struct gpu_program *p, const char *name, struct row_source *rows,
                     const struct plan_want *w, struct err *e)
{
    struct plan *plan;
    *p = (struct gpu_program){0};
    int rc = rows->rewind(rows, e);
    if (!rc)
        rc = plan_new(&plan, rows, w, e);
    if (rc)
        return rc;
    struct channels *channels = NULL;
    rc = channels_new(&channels, plan, w->depth, e);
    if (!rc)
        rc = load(p, plan, channels, e);
    channels_free(channels);
    if (!rc && !number_devices(p, plan))
        rc = err_set(e, ERR_ENOMEM, "gpu: out of memory");
    plan_free(plan);
    if (!rc && !p->devices)
        rc = err_set(e, ERR_ERANGE, "no operation on a device");
    if (rc) {
        gpu_program_free(p);
        return err_wrap(e, rc, "programs.%s", name);
    }
    return 0;
}

void gpu_program_free(struct gpu_program *p)
{
    free(p->op);
    free(p->edge);
    free(p->queue);
    free(p->device);
    *p = (struct gpu_program){0};
}
