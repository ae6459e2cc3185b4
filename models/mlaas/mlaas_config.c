/* mlaas_config.c - the inference service's settings. */
#include "models/mlaas/mlaas.h"

#include <stddef.h>

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
