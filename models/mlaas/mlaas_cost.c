#include "models/mlaas/mlaas_cost.h"

#include <stdio.h>
#include <string.h>

#define NETS "infer.net."

/* ---- a curve ------------------------------------------------------------------------ */

static sim_cost scaled(const struct mlaas_curve *c, uint64_t rows)
{
    const sim_cost all = machine_table_at(c->lo, rows);
    if (!c->gpu)
        return (sim_cost)((double)all * c->scale);
    const sim_cost one = machine_table_at(c->lo, 1), more = all > one ? all - one : 0;
    return one + (sim_cost)((double)more * (c->scale > 1 ? c->scale : 1));
}

sim_cost mlaas_curve_at(const struct mlaas_curve *c, uint64_t rows)
{
    if (!c->hi)
        return scaled(c, rows);
    const double lo = (double)machine_table_at(c->lo, rows),
                 hi = (double)machine_table_at(c->hi, rows);
    return (sim_cost)(lo + (hi - lo) * c->part);
}

/* ---- the rows of a profile ------------------------------------------------------------ */

/* The part of a row for this kind: "infer.net.KIND.NAME.flops", by the name of its `flops`. */
static const struct machine_cost *beside(const struct machine *m, const struct machine_cost *flops,
                                         const char *side)
{
    char name[160];
    const size_t stem = strlen(flops->name) - strlen("flops");
    snprintf(name, sizeof name, "%.*s%s", (int)stem, flops->name, side);
    return machine_find(m, name);
}

static bool is_row(const struct machine_cost *c, const char *prefix)
{
    const size_t n = strlen(c->name), p = strlen(prefix), end = strlen(".flops");
    return n > p + end && !strncmp(c->name, prefix, p) && !strcmp(c->name + n - end, ".flops") &&
           !c->n && c->value >= 1;
}

/* The nearest rows below (or at) and above a number of operations that have this side. */
static void neighbours(struct mlaas_curve *c, const struct machine *m, const char *kind,
                       const char *side, double flops)
{
    char prefix[96];
    snprintf(prefix, sizeof prefix, NETS "%.64s.", kind);
    for (size_t i = 0; i < m->n_cost; i++) {
        const struct machine_cost *f = &m->cost[i];
        const struct machine_cost *t = is_row(f, prefix) ? beside(m, f, side) : NULL;
        if (!t || !t->n)
            continue;
        if (f->value <= flops && (!c->lo || f->value > c->lo_flops->value)) {
            c->lo = t;
            c->lo_flops = f;
        } else if (f->value > flops && (!c->hi || f->value < c->hi_flops->value)) {
            c->hi = t;
            c->hi_flops = f;
        }
    }
}

static int reference(struct mlaas_curve *c, const struct machine *m, const char *side,
                     struct err *e)
{
    char name[32];
    snprintf(name, sizeof name, "infer.%s", side);
    c->lo = machine_find(m, name);
    c->lo_flops = machine_find(m, "infer.flops");
    if (!c->lo || !c->lo->n || !c->lo_flops)
        return err_set(e, ERR_ENAME, "machine \"%s\" has no \"%s\", which this run needs", m->name,
                       c->lo_flops ? name : "infer.flops");
    if (c->lo_flops->value < 1)
        return err_set(e, ERR_ERANGE,
                       "machine \"%s\": \"infer.flops\" is 0, want the reference network's",
                       m->name);
    return 0;
}

static int curve(struct mlaas_curve *c, const char *kind, double flops, const struct machine *m,
                 struct err *e)
{
    const char *side = c->gpu ? "gpu" : "cpu";
    if (kind)
        neighbours(c, m, kind, side, flops);
    if (!c->lo && c->hi) { /* smaller than the smallest */
        c->lo = c->hi;
        c->lo_flops = c->hi_flops;
        c->hi = NULL;
    }
    int rc = c->lo ? 0 : reference(c, m, side, e);
    if (rc)
        return rc;
    const double from = c->lo_flops->value;
    if (c->hi && from >= flops)
        c->hi = NULL; /* exactly this row */
    c->part = c->hi ? (flops - from) / (c->hi_flops->value - from) : 0;
    c->scale = flops / from;
    return 0;
}

int mlaas_net_cost(struct mlaas_net_cost *n, const char *kind, uint64_t flops, bool with_gpu,
                   const struct machine *machine, struct err *e)
{
    *n = (struct mlaas_net_cost){0};
    n->gpu.gpu = true;
    int rc = curve(&n->cpu, kind, (double)flops, machine, e);
    return rc || !with_gpu ? rc : curve(&n->gpu, kind, (double)flops, machine, e);
}

static void use_curve(const struct mlaas_curve *c, struct machine_use *use)
{
    const struct machine_cost *t;
    double v;
    if (c->lo) {
        (void)!machine_table(use, c->lo->name, &t, NULL);
        (void)!machine_value(use, c->lo_flops->name, QUANTITY_COUNT, &v, NULL);
    }
    if (c->hi) {
        (void)!machine_table(use, c->hi->name, &t, NULL);
        (void)!machine_value(use, c->hi_flops->name, QUANTITY_COUNT, &v, NULL);
    }
}

void mlaas_net_cost_use(const struct mlaas_net_cost *n, struct machine_use *use)
{
    use_curve(&n->cpu, use);
    use_curve(&n->gpu, use);
}

/* ---- the ways ------------------------------------------------------------------------- */

static int own_tables(struct mlaas_ways *w, struct machine_use *use, struct err *e)
{
    sim_cost launch, doorbell;
    int rc =
        machine_table(use, w->submit == MLAAS_GRAPH ? "infer.graph" : "infer.mailbox", &w->own, e);
    if (!rc)
        rc = machine_table(use, "infer.gpu", &w->launched, e);
    if (rc || w->submit != MLAAS_MAILBOX)
        return rc;
    rc = machine_ps(use, "cost.launch", &launch, e);
    if (!rc)
        rc = machine_ps(use, "cost.doorbell", &doorbell, e);
    w->wake = rc ? 0 : launch + doorbell;
    return rc;
}

/* Through LAKE's daemon two calls of the driver's library (processes, utilisation), each there and
 * back; the kernel that owns the channel reads its own counters. */
static int poll_cost(struct mlaas_ways *w, bool own, struct machine_use *use, struct err *e)
{
    sim_cost stub, channel;
    if (own)
        return machine_ps(use, "cost.poll", &w->poll, e);
    int rc = machine_ps(use, "cost.lake_stub", &stub, e);
    if (!rc)
        rc = machine_ps(use, "cost.lake_channel", &channel, e);
    w->poll = rc ? 0 : 2 * (stub + 2 * channel);
    return rc;
}

int mlaas_ways(struct mlaas_ways *w, const struct stack *s, bool want_gpu, enum mlaas_submit submit,
               struct machine_use *use, struct err *e)
{
    static const enum stack_path_id kernel[] = {STACK_infer_gpu_kernel, STACK_infer_gpu_graph,
                                                STACK_infer_gpu_mailbox};
    static const char *const names[] = {"launch", "graph", "mailbox"};
    const bool own = s->path[kernel[submit]].exists;
    *w = (struct mlaas_ways){.submit = submit};
    w->has_gpu = want_gpu && (own || s->path[STACK_infer_gpu_daemon].exists);
    if (w->has_gpu && submit != MLAAS_LAUNCH && !own)
        return err_set(e, ERR_ENAME, "infer.submit is \"%s\", but stack \"%s\" has no such path",
                       names[submit], s->name);
    int rc = stack_cost(s, STACK_infer_cpu, use, &w->core, e);
    if (!rc && w->has_gpu)
        rc = stack_cost(s, own ? kernel[submit] : STACK_infer_gpu_daemon, use, &w->gpu, e);
    if (!rc && w->has_gpu)
        rc = poll_cost(w, own, use, e);
    return rc || !w->has_gpu || submit == MLAAS_LAUNCH ? rc : own_tables(w, use, e);
}

sim_cost mlaas_gpu_at(const struct mlaas_ways *w, const struct mlaas_net_cost *n, uint64_t rows)
{
    const sim_cost ps = mlaas_curve_at(&n->gpu, rows);
    if (!w->own)
        return ps;
    const sim_cost reference = machine_table_at(w->launched, rows);
    return machine_table_at(w->own, rows) + (ps > reference ? ps - reference : 0);
}

sim_cost mlaas_alone_core(const struct mlaas_ways *w, const struct mlaas_net_cost *n, uint64_t rows)
{
    const struct stack_cost *p = &w->core;
    return p->cpu_before + p->wire_before + mlaas_curve_at(&n->cpu, rows);
}

sim_cost mlaas_alone_gpu(const struct mlaas_ways *w, const struct mlaas_net_cost *n, uint64_t rows)
{
    const struct stack_cost *p = &w->gpu;
    return p->cpu_before + p->wire_before + p->wire_after + p->cpu_after + mlaas_gpu_at(w, n, rows);
}

uint32_t mlaas_crossover(const struct mlaas_ways *w, const struct mlaas_net_cost *n)
{
    for (uint32_t rows = 1; w->has_gpu && rows <= MLAAS_BATCH_MOST; rows++)
        if (mlaas_alone_gpu(w, n, rows) <= mlaas_alone_core(w, n, rows))
            return rows;
    return 0;
}
