/* engine_memory_config.c - what a pool says of blocks that its engines are short of, and what that
 * needs of the machine profile. */
#include "models/fleet/fleet_state.h"

static int check(const struct memory_config *c, const struct config *pool, uint32_t prefix_block,
                 struct err *e)
{
    const struct config *recover = config_get(pool, "recover");
    if (c->recover && prefix_block)
        return config_complain(recover, e,
                               "false beside \"prefix_block\": the prefix cache keeps the blocks");
    if (c->recover && c->swap_gib > 0)
        return config_complain(recover, e, "false beside \"swap_gib\"");
    if (c->paging.host_gib > 0 && !prefix_block)
        return config_complain(config_get(config_get(pool, "paging"), "host_gib"), e,
                               "\"prefix_block\" in \"fleet\": whose blocks the store keeps");
    return 0;
}

/* Iterations and copies are timed as model "serve" times them. */
static int check_pool(const struct config *pool, struct err *e)
{
    const struct config *cost = config_get(pool, "cost"), *rule = config_get(pool, "rule");
    const char *name = "mixed";
    if (config_kind(cost) != CONFIG_OBJECT || !config_get(cost, "llm"))
        return config_complain(cost, e,
                               "{\"llm\": ..} beside \"recover\", \"swap_gib\" and \"paging\"");
    int rc = rule ? config_str(rule, &name, e) : 0;
    if (!rc && name[0] != 'm')
        rc = config_complain(rule, e, "\"mixed\" beside \"recover\", \"swap_gib\" and \"paging\"");
    return rc;
}

int engine_memory_config(struct memory_config *c, const struct config *pool, uint32_t prefix_block,
                         struct err *e)
{
    static const char *const whom[] = {"worst", "last", NULL};
    const struct config *preempt = config_get(pool, "preempt"),
                        *recover = config_get(pool, "recover"),
                        *swap = config_get(pool, "swap_gib"), *paging = config_get(pool, "paging");
    int last = 0, rc = preempt ? config_choice(preempt, whom, &last, e) : 0;
    *c = (struct memory_config){0};
    if (!rc && recover)
        rc = config_bool(recover, &c->recover, e);
    if (!rc && swap)
        rc = config_f64(swap, 0, 1 << 20, &c->swap_gib, e);
    if (!rc)
        rc = paging_config(&c->paging, paging, e);
    if (!rc)
        rc = check(c, pool, prefix_block, e);
    c->last = last;
    c->on = c->last || c->recover || c->swap_gib > 0 || c->paging.on;
    if (!rc && (c->recover || c->swap_gib > 0 || c->paging.on))
        rc = check_pool(pool, e);
    return rc;
}

int engine_memory_price(struct fleet *f, struct pool *p, const char *model, struct err *e)
{
    const struct memory_config *c = &p->c->memory;
    const uint64_t token = p->cost.llm.kv_bytes_per_token;
    const double bytes = (double)KV_BLOCK * (double)token;
    const struct stack *stack = stack_find(f->env->stack ? f->env->stack : "native", e);
    const struct paging_of of = {
        .stack = stack, .model = model, .token_bytes = token, .block_tokens = f->c.prefix_block};
    double rate;
    int rc = stack ? paging_begin(&p->memory.paging, &c->paging, &of, &f->use, e) : ERR_ENAME;
    if (rc || c->swap_gib <= 0)
        return rc;
    rc = machine_value(&f->use, "link.pcie", QUANTITY_RATE, &rate, e);
    if (rc)
        return rc;
    p->memory.swap_block_ps = (sim_cost)(bytes * 1e12 / rate + 0.5);
    p->memory.swap_room = (uint64_t)(c->swap_gib * 0x1p30 / bytes);
    return 0;
}
