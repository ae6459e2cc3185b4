/* serve_config.c - the settings of the serving model. */
#include "models/serve/serve_state.h"

struct serve_section {
    struct serve_config c;
    const struct config *launches, *infer, *preempt, *costs, *paging;
};

static const struct serve_config defaults = {
    .model = "llama-3.1-8b",
    .max_running = 256,
    .max_batch_tokens = 2048,
    .max_context = 131072,
    .kv_fraction = 0.9,
    .parallel = 1,
    .slo_ttft_ms = 1000,
    .slo_tpot_ms = 50,
    .cores = 8,
    .leap = true,
};

#define FIELD(type, key, lo, hi)                                                                   \
    {                                                                                              \
#key, CONFIG_T_##type, offsetof(struct serve_section, c.key), lo, hi, false                \
    }
static const struct config_field fields[] = {
    FIELD(STR, model, 0, 0),
    FIELD(U32, max_running, 1, 65536),
    FIELD(U32, max_batch_tokens, 1, 1 << 20),
    FIELD(U32, chunk, 0, 1 << 20),
    FIELD(U32, max_context, 1, 1 << 24),
    FIELD(F64, kv_fraction, 0.01, 1),
    FIELD(U64, kv_blocks, 0, 1 << 30),
    FIELD(BOOL, recover, 0, 0),
    FIELD(U32, prefix_block, 0, 1 << 20),
    FIELD(F64, swap_gib, 0, 1 << 20),
    FIELD(BOOL, overlap, 0, 0),
    FIELD(U32, parallel, 1, 1024),
    FIELD(F64, slo_ttft_ms, 0, 1e9),
    FIELD(F64, slo_tpot_ms, 0, 1e9),
    FIELD(U32, cores, 1, 1024),
    FIELD(BOOL, leap, 0, 0),
    CONFIG_ANY(struct serve_section, preempt, false),
    CONFIG_ANY(struct serve_section, costs, false),
    CONFIG_ANY(struct serve_section, launches, false),
    CONFIG_ANY(struct serve_section, infer, false),
    CONFIG_ANY(struct serve_section, paging, false),
    CONFIG_END,
};

/* Every running sequence takes a token of each iteration. */
static int check_budget(const struct serve_config *c, const struct config *section, struct err *e)
{
    if (c->max_batch_tokens >= c->max_running)
        return 0;
    const struct config *tokens = config_get(section, "max_batch_tokens");
    return tokens ? config_complain(tokens, e, "at least max_running (%u)", c->max_running)
                  : config_complain(config_get(section, "max_running"), e,
                                    "at most max_batch_tokens (%u)", c->max_batch_tokens);
}

/* Who keeps what a preempted request had: the free queue, the prefix cache, or host memory. */
static int check_kept(const struct serve_config *c, const struct config *section, struct err *e)
{
    if (c->prefix_block % KV_BLOCK)
        return config_complain(config_get(section, "prefix_block"), e, "a multiple of %d",
                               KV_BLOCK);
    if (c->recover && c->prefix_block)
        return config_complain(config_get(section, "recover"), e,
                               "false beside \"prefix_block\": the prefix cache keeps the blocks");
    if (c->recover && c->swap_gib > 0)
        return config_complain(config_get(section, "recover"), e, "false beside \"swap_gib\"");
    if (c->paging.host_gib > 0 && !c->prefix_block)
        return config_complain(config_get(config_get(section, "paging"), "host_gib"), e,
                               "\"prefix_block\" in \"serve\": whose blocks the store keeps");
    return 0;
}

/* One name of the experiment's "tables", or several. */
static int names_of(const struct config *at, struct serve_config *c, struct err *e)
{
    if (config_kind(at) != CONFIG_ARRAY) {
        c->n_costs = 1;
        return config_str(at, &c->costs[0], e);
    }
    const size_t n = config_count(at);
    int rc = n >= 1 && n <= SERVE_TABLES
                 ? 0
                 : config_complain(at, e, "1 to %d names of tables", SERVE_TABLES);
    for (size_t i = 0; i < n && !rc; i++)
        rc = config_str(config_at(at, i), &c->costs[i], e);
    c->n_costs = rc ? 0 : n;
    return rc;
}

int serve_config(struct serve_config *c, const struct config *section, struct err *e)
{
    static const char *const launch_modes[] = {"graph", "eager", NULL};
    static const char *const preempt[] = {"worst", "last", NULL};
    struct serve_section in = {.c = defaults};
    int mode = 0, whom = 0, rc = section ? config_fill(section, fields, &in, e) : 0;
    if (!rc && in.launches)
        rc = config_choice(in.launches, launch_modes, &mode, e);
    if (!rc && in.preempt)
        rc = config_choice(in.preempt, preempt, &whom, e);
    if (!rc && in.costs)
        rc = names_of(in.costs, &in.c, e);
    if (!rc)
        rc = check_budget(&in.c, section, e);
    if (!rc)
        rc = paging_config(&in.c.paging, in.paging, e);
    if (!rc)
        rc = check_kept(&in.c, section, e);
    if (!rc)
        rc = mlaas_config(&in.c.infer, in.infer, e);
    if (!rc && in.c.infer.when_full == MLAAS_FULL_DEFAULT)
        rc = config_complain(config_get(in.infer, "when_full"), e,
                             "\"core\": keys of a policy and of the default do not compare");
    in.c.graphs = mode == 0;
    in.c.preempt = (enum serve_preempt)whom;
    if (!rc)
        *c = in.c;
    return rc;
}
