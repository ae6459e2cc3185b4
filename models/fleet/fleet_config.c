/* fleet_config.c - the section "fleet" of an experiment. */
#include <string.h>

#include "models/fleet/fleet_state.h"

static const char *const roles[] = {"mixed", "prefill", "decode", NULL};
static const char *const rules[] = {"mixed", "prompts-first", NULL};

/* ---- a pool ---- */

struct pool_section {
    struct pool_config c;
    const struct config *role, *rule, *scale, *failures;
    const struct config *preempt, *recover, *swap_gib, *paging; /* engine_memory.h reads them */
};

#define FIELD(type, key, lo, hi, need)                                                             \
    {                                                                                              \
#key, CONFIG_T_##type, offsetof(struct pool_section, c.key), lo, hi, need                  \
    }
static const struct config_field pool_fields[] = {
    FIELD(U32, engines, 1, FLEET_MOST, true),
    FIELD(U32, max_running, 1, 65536, false),
    FIELD(U32, max_batch_tokens, 1, 1 << 24, false),
    FIELD(U32, chunk, 0, 1 << 20, false),
    FIELD(U32, max_context, 1, 1 << 24, false),
    FIELD(U64, kv_tokens, 0, 1e12, false),
    FIELD(F64, kv_fraction, 0.01, 1, false),
    FIELD(U64, kv_bytes, 0, 1e9, false),
    FIELD(ANY, cost, 0, 0, true),
    CONFIG_ANY(struct pool_section, role, false),
    CONFIG_ANY(struct pool_section, rule, false),
    CONFIG_ANY(struct pool_section, scale, false),
    CONFIG_ANY(struct pool_section, failures, false),
    CONFIG_ANY(struct pool_section, preempt, false),
    CONFIG_ANY(struct pool_section, recover, false),
    CONFIG_ANY(struct pool_section, swap_gib, false),
    CONFIG_ANY(struct pool_section, paging, false),
    CONFIG_END,
};

static const struct pool_config pool_defaults = {
    .max_running = 256,
    .max_batch_tokens = 2048,
    .max_context = 131072,
    .kv_fraction = 0.9,
};

static const struct config_field scale_fields[] = {
    CONFIG_U32(struct scale_config, least, 1, FLEET_MOST, true),
    CONFIG_U32(struct scale_config, most, 1, FLEET_MOST, true),
    CONFIG_F64(struct scale_config, period_s, 1e-3, 1e6, true),
    CONFIG_F64(struct scale_config, cold_start_s, 0, 1e6, true),
    CONFIG_STR(struct scale_config, source, true),
    CONFIG_END,
};

static int read_scale(struct pool_config *c, const struct config *section, struct err *e)
{
    int rc = config_fill(section, scale_fields, &c->scale, e);
    if (rc)
        return rc;
    c->scale.on = true;
    if (c->scale.most < c->scale.least)
        return config_complain(config_get(section, "most"), e, "at least \"least\" (%u)",
                               c->scale.least);
    if (!*c->scale.source)
        return config_complain(config_get(section, "source"), e,
                               "where the cold start's seconds come from");
    if (c->engines < c->scale.least || c->engines > c->scale.most)
        return config_complain(config_get(c->section, "engines"), e,
                               "between \"least\" and \"most\" (%u to %u)", c->scale.least,
                               c->scale.most);
    return 0;
}

/* Every running sequence takes a token of each iteration. */
static int check_pool(const struct pool_config *c, struct err *e)
{
    if (c->rule == RULE_MIXED && c->max_batch_tokens < c->max_running) {
        const struct config *tokens = config_get(c->section, "max_batch_tokens");
        return tokens ? config_complain(tokens, e, "at least max_running (%u)", c->max_running)
                      : config_complain(config_get(c->section, "max_running"), e,
                                        "at most max_batch_tokens (%u)", c->max_batch_tokens);
    }
    if (c->rule == RULE_PROMPTS_FIRST && c->chunk)
        return config_complain(config_get(c->section, "chunk"), e,
                               "0: \"prompts-first\" runs whole prompts");
    return 0;
}

static int read_pool(struct pool_config *c, const struct config *section, struct err *e)
{
    struct pool_section in = {.c = pool_defaults};
    int role = 0, rule = 0, rc = config_fill(section, pool_fields, &in, e);
    if (!rc && in.role)
        rc = config_choice(in.role, roles, &role, e);
    if (!rc && in.rule)
        rc = config_choice(in.rule, rules, &rule, e);
    if (rc)
        return rc;
    *c = in.c;
    c->name = config_key(section);
    c->section = section;
    c->role = (enum policy_role)role;
    c->rule = (enum pool_rule)rule;
    rc = check_pool(c, e);
    if (!rc && in.scale)
        rc = read_scale(c, in.scale, e);
    if (!rc && in.failures)
        rc = fleet_failures_config(&c->failures, c, in.failures, e);
    if (!rc)
        rc = pool_cost_check(c, e);
    return rc;
}

/* Measures are called after pools. */
static int check_name(const struct config *section, struct err *e)
{
    const char *name = config_key(section);
    const size_t n = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_");
    return n && !name[n] && n <= 24
               ? 0
               : config_complain(section, e,
                                 "a name of at most 24 lower-case letters, digits and \"_\"");
}

static int read_pools(struct fleet_config *c, const struct config *pools, struct err *e)
{
    const size_t n = config_kind(pools) == CONFIG_OBJECT ? config_count(pools) : 0;
    if (!n || n > POOLS_MAX)
        return config_complain(pools, e, "an object of 1 to %d pools by name", POOLS_MAX);
    for (size_t i = 0; i < n; i++) {
        const struct config *section = config_at(pools, i);
        struct pool_config *p = &c->pool[c->pools++];
        int rc = check_name(section, e);
        if (!rc)
            rc = read_pool(p, section, e);
        if (!rc)
            rc = engine_memory_config(&p->memory, section, c->prefix_block, e);
        if (rc)
            return rc;
        c->fails |= p->failures.on;
    }
    return 0;
}

/* ---- the whole ---- */

struct fleet_section {
    struct fleet_config c;
    const struct config *pools, *link, *infer;
    const char *label; /* a sweep over whole sections names them; nothing here reads it */
};

static const struct config_field fields[] = {
    CONFIG_ANY(struct fleet_section, pools, true),
    CONFIG_ANY(struct fleet_section, link, false),
    CONFIG_ANY(struct fleet_section, infer, false),
    CONFIG_STR(struct fleet_section, label, false),
    {"slo_ttft_ms", CONFIG_T_F64, offsetof(struct fleet_section, c.slo_ttft_ms), 0, 1e9, false},
    {"slo_tpot_ms", CONFIG_T_F64, offsetof(struct fleet_section, c.slo_tpot_ms), 0, 1e9, false},
    {"retries", CONFIG_T_U32, offsetof(struct fleet_section, c.retries), 0, 1000000, false},
    {"prefix_block", CONFIG_T_U32, offsetof(struct fleet_section, c.prefix_block), 0, 1 << 20,
     false},
    {"leap", CONFIG_T_BOOL, offsetof(struct fleet_section, c.leap), 0, 0, false},
    CONFIG_END,
};

static const struct config_field link_fields[] = {
    {"gb_per_s", CONFIG_T_F64, offsetof(struct fleet_config, link_gb_per_s), 1e-3, 1e6, true},
    {"latency_us", CONFIG_T_F64, offsetof(struct fleet_config, link_latency_us), 0, 1e9, false},
    {"source", CONFIG_T_STR, offsetof(struct fleet_config, link_source), 0, 0, true},
    CONFIG_END,
};

/* Whoever computes prompts only needs somebody who decodes, and the other way round. */
static int check_roles(const struct fleet_config *c, const struct config *pools, struct err *e)
{
    uint32_t of[3] = {0};
    for (uint32_t i = 0; i < c->pools; i++)
        of[c->pool[i].role]++;
    if (of[POLICY_PREFILL] && !of[POLICY_DECODE])
        return config_complain(pools, e, "a pool of role \"decode\" beside the one of \"prefill\"");
    if (of[POLICY_DECODE] && !of[POLICY_PREFILL])
        return config_complain(pools, e, "a pool of role \"prefill\" beside the one of \"decode\"");
    return 0;
}

int fleet_config(struct fleet_config *c, const struct config *section, struct err *e)
{
    struct fleet_section in = {
        .c = {.slo_ttft_ms = 1000, .slo_tpot_ms = 50, .retries = 3, .leap = true}};
    if (!section)
        return err_set(e, ERR_EUSAGE, "model \"fleet\" needs its section: {\"pools\": {..}}");
    int rc = config_fill(section, fields, &in, e);
    if (!rc && in.link)
        rc = config_fill(in.link, link_fields, &in.c, e);
    in.c.infer = in.infer;
    if (!rc)
        rc = mlaas_bill_config(&in.c.service, in.infer, e);
    if (!rc)
        rc = read_pools(&in.c, in.pools, e);
    if (!rc)
        rc = check_roles(&in.c, in.pools, e);
    if (!rc && in.c.prefix_block % KV_BLOCK)
        rc = config_complain(config_get(section, "prefix_block"), e, "a multiple of %d", KV_BLOCK);
    *c = in.c;
    return rc;
}
