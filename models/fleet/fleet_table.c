#include "models/fleet/fleet_table.h"

int fleet_table_check(const struct config *cost, struct err *e)
{
    return config_complain(config_get(cost, "table"), e, "no table");
}

int fleet_table_open(const struct model_env *env, const struct config *cost, struct fleet_cost *c,
                     uint64_t *kv_blocks, struct err *e)
{
    (void)env, (void)c, (void)kv_blocks;
    return fleet_table_check(cost, e);
}
