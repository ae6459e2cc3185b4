/* mlaas_cost.c - what a batch costs on a stack and a machine. */
#include <assert.h>

#include "models/mlaas/mlaas_state.h"

static int absent(const char *place, const struct stack *s, struct err *e)
{
    return err_set(e, ERR_ENAME, "infer.place is \"%s\", but stack \"%s\" has no such path", place,
                   s->name);
}

static int find_paths(struct mlaas_costs *k, const struct mlaas_config *c, const struct stack *s,
                      struct machine_use *use, struct err *e)
{
    bool daemon = s->path[STACK_infer_gpu_daemon].exists;
    bool kernel = s->path[STACK_infer_gpu_kernel].exists;
    if (c->place == MLAAS_LAKE && !daemon)
        return absent("lake", s, e);
    if (c->place == MLAAS_MALV && !kernel)
        return absent("malv", s, e);
    int rc = stack_cost(s, STACK_infer_cpu, use, &k->core, e);
    k->has_gpu = c->place != MLAAS_CORE && (daemon || kernel);
    enum stack_path_id path = kernel ? STACK_infer_gpu_kernel : STACK_infer_gpu_daemon;
    if (!rc && k->has_gpu)
        rc = stack_cost(s, path, use, &k->gpu, e);
    return rc;
}

int mlaas_costs(struct mlaas_costs *k, const struct mlaas_config *c, const struct stack *stack,
                struct machine_use *use, struct err *e)
{
    *k = (struct mlaas_costs){0};
    int rc = find_paths(k, c, stack, use, e);
    if (!rc)
        rc = machine_table(use, "infer.cpu", &k->cpu_table, e);
    if (!rc && k->has_gpu)
        rc = machine_table(use, "infer.gpu", &k->gpu_table, e);
    if (!rc)
        rc = machine_value(use, "infer.flops", QUANTITY_COUNT, &k->reference_flops, e);
    if (!rc && c->rule == MLAAS_LAKE_RULE)
        rc = machine_ps(use, "cost.batch_close", &k->close, e);
    if (!rc && k->reference_flops < 1)
        rc = err_set(e, ERR_ERANGE,
                     "machine \"%s\": \"infer.flops\" is 0, want the reference network's",
                     use->machine->name);
    return rc;
}

static double size_ratio(const struct mlaas *m, int model)
{
    const struct model_infer *in = m->env.infer;
    return (double)in->flops(in->ctx, model) / m->k.reference_flops;
}

/* On a core everything grows with the network. */
sim_cost mlaas_cost_cpu(const struct mlaas *m, int model, uint64_t rows)
{
    return (sim_cost)((double)machine_table_at(m->k.cpu_table, rows) * size_ratio(m, model));
}

/* On the GPU the first row is latency; only what comes on top of it grows with the network. */
sim_cost mlaas_cost_gpu(const struct mlaas *m, int model, uint64_t rows)
{
    sim_cost one = machine_table_at(m->k.gpu_table, 1),
             all = machine_table_at(m->k.gpu_table, rows);
    assert(all >= one);
    double ratio = size_ratio(m, model);
    return one + (sim_cost)((double)(all - one) * (ratio > 1 ? ratio : 1));
}
