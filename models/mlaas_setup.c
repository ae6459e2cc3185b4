/* mlaas_setup.c - the inference service's settings, and what they cost on a stack and a machine. */
#include "models/mlaas.h"

#include <stddef.h>

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

int mlaas_config(struct mlaas_config *c, const struct config *section, struct err *e)
{
    static const char *const places[] = {"core", "lake", "malv", "auto", NULL};
    static const char *const modes[] = {"wait", "async", "free", NULL};
    static const char *const rules[] = {"window", "lake", NULL};
    struct {
        struct mlaas_config c;
        const struct config *place, *mode, *rule;
    } in = {.c = {.place = MLAAS_CORE,
                  .mode = MLAAS_WAIT,
                  .max_batch = 64,
                  .gpu_rows = 16,
                  .gpu_limit = 0.7}};
    const struct config_field fields[] = {
        {"place", CONFIG_T_ANY, offsetof(__typeof__(in), place), 0, 0, false},
        {"mode", CONFIG_T_ANY, offsetof(__typeof__(in), mode), 0, 0, false},
        {"rule", CONFIG_T_ANY, offsetof(__typeof__(in), rule), 0, 0, false},
        {"window_us", CONFIG_T_F64, offsetof(__typeof__(in), c.window_us), 0, 1e6, false},
        {"max_batch", CONFIG_T_U32, offsetof(__typeof__(in), c.max_batch), 1, 4096, false},
        {"gpu_rows", CONFIG_T_U32, offsetof(__typeof__(in), c.gpu_rows), 1, 4096, false},
        {"gpu_limit", CONFIG_T_F64, offsetof(__typeof__(in), c.gpu_limit), 0, 1, false},
        CONFIG_END,
    };
    int v = 0, rc = section ? config_fill(section, fields, &in, e) : 0;
    if (!rc && in.place && !(rc = config_choice(in.place, places, &v, e)))
        in.c.place = (enum mlaas_place)v;
    if (!rc && in.mode && !(rc = config_choice(in.mode, modes, &v, e)))
        in.c.mode = (enum mlaas_mode)v;
    if (!rc && in.rule && !(rc = config_choice(in.rule, rules, &v, e)))
        in.c.rule = (enum mlaas_rule)v;
    if (!rc)
        *c = in.c;
    return rc;
}
