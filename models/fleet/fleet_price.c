/* fleet_price.c - a pool's "cost": which kind, and its numbers.
 *
 *     {"llm": "llama-3.1-8b", "launch": "graph", "overlap": false}     the machine profile's
 *     {"prefill_ms": [a, b, c], "decode_ms": [a, b, c], "source": ".."}
 *         and {"large": {"from": n, "decode_ms": [a, b, c]}}     given here
 *     {"table": NAME, ..}                              of the experiment's "tables": fleet_table.c
 */
#include <stdlib.h>

#include "models/fleet/fleet_state.h"
#include "models/fleet/fleet_table.h"

/* ---- given in the experiment ---- */

struct linear_section {
    const struct config *prefill_ms, *decode_ms, *large;
    const char *source;
};
static const struct config_field linear_fields[] = {
    CONFIG_ANY(struct linear_section, prefill_ms, true),
    CONFIG_ANY(struct linear_section, decode_ms, true),
    CONFIG_ANY(struct linear_section, large, false),
    CONFIG_STR(struct linear_section, source, true),
    CONFIG_END,
};

struct large_section {
    uint64_t from;
    const struct config *decode_ms;
};
static const struct config_field large_fields[] = {
    CONFIG_U64(struct large_section, from, 1, 1e6, true),
    CONFIG_ANY(struct large_section, decode_ms, true),
    CONFIG_END,
};

static int read_ms(const struct config *list, int64_t ps[3], struct err *e)
{
    if (config_kind(list) != CONFIG_ARRAY || config_count(list) != 3)
        return config_complain(list, e, "three numbers of milliseconds");
    for (size_t i = 0; i < 3; i++) {
        double ms;
        int rc = config_f64(config_at(list, i), 0, 1e6, &ms, e);
        if (rc)
            return rc;
        ps[i] = (int64_t)(ms * 1e9 + 0.5);
    }
    return 0;
}

static int read_linear(const struct config *section, struct fleet_linear *f, struct err *e)
{
    struct linear_section in = {0};
    struct large_section large = {.from = UINT64_MAX};
    int rc = config_fill(section, linear_fields, &in, e);
    if (!rc)
        rc = read_ms(in.prefill_ms, f->prompt, e);
    if (!rc)
        rc = read_ms(in.decode_ms, f->decode, e);
    if (!rc && in.large)
        rc = config_fill(in.large, large_fields, &large, e);
    if (!rc && in.large)
        rc = read_ms(large.decode_ms, f->large, e);
    f->large_from = large.from;
    return rc;
}

/* ---- of the machine profile ---- */

struct llm_section {
    const char *llm;
    const struct config *launch;
    bool overlap; /* the host prepares the next iteration while the GPU works */
};
static const struct config_field llm_fields[] = {
    CONFIG_STR(struct llm_section, llm, true),
    CONFIG_ANY(struct llm_section, launch, false),
    CONFIG_BOOL(struct llm_section, overlap, false),
    CONFIG_END,
};

static int read_llm(const struct config *section, struct llm_section *in, bool *graphs,
                    struct err *e)
{
    static const char *const modes[] = {"graph", "eager", NULL};
    int mode = 0, rc = config_fill(section, llm_fields, in, e);
    if (!rc && in->launch)
        rc = config_choice(in->launch, modes, &mode, e);
    *graphs = mode == 0;
    return rc;
}

static int open_llm(struct fleet *f, struct pool *p, struct err *e)
{
    struct fleet_cost *c = &p->cost;
    struct llm_section in = {0};
    struct stack_cost launch, complete;
    uint64_t tokens = 0;
    c->kind = FLEET_LLM;
    int rc = read_llm(p->c->cost, &in, &c->graphs, e);
    const struct stack *stack = rc ? NULL : stack_find(f->env->stack ? f->env->stack : "native", e);
    if (!stack)
        return rc ? rc : ERR_ENAME;
    rc = stack_cost(stack, STACK_launch, &f->use, &launch, e);
    if (!rc)
        rc = stack_cost(stack, STACK_complete, &f->use, &complete, e);
    if (!rc)
        rc = machine_ps(&f->use, "cost.engine_step", &c->step, e);
    if (!rc)
        rc = machine_ps(&f->use, "cost.engine_seq", &c->seq, e);
    if (!rc)
        rc = llm_cost_open(&c->llm, &f->use, in.llm, e);
    if (!rc)
        rc = llm_cost_kv_tokens(&c->llm, &f->use, p->c->kv_fraction, &tokens, e);
    if (rc)
        return rc;
    c->overlap = in.overlap;
    c->launch = launch.cpu_before + launch.wire_before;
    c->complete = complete.cpu_before + complete.wire_before;
    if (!p->kv_blocks)
        p->kv_blocks = tokens / KV_BLOCK;
    if (!p->kv_bytes)
        p->kv_bytes = c->llm.kv_bytes_per_token;
    return p->c->memory.on ? engine_memory_price(f, p, in.llm, e) : 0;
}

/* ---- of any kind ---- */

bool pool_cost_machine(const struct pool_config *c)
{
    return config_kind(c->cost) == CONFIG_OBJECT && config_get(c->cost, "llm");
}

int pool_cost_check(const struct pool_config *c, struct err *e)
{
    struct fleet_linear linear;
    struct llm_section llm = {0};
    bool graphs;
    if (config_kind(c->cost) != CONFIG_OBJECT)
        return config_complain(c->cost, e,
                               "an object with \"llm\", \"table\" or \"prefill_ms\" and so on");
    if (pool_cost_machine(c))
        return read_llm(c->cost, &llm, &graphs, e);
    int rc = config_get(c->cost, "table") ? fleet_table_check(c->cost, e)
                                          : read_linear(c->cost, &linear, e);
    if (!rc && !c->kv_tokens)
        rc = config_complain(c->section, e,
                             "\"kv_tokens\": this kind of cost does not say what the cache holds");
    return rc;
}

int pool_cost_open(struct fleet *f, struct pool *p, struct err *e)
{
    p->kv_blocks = p->c->kv_tokens / KV_BLOCK;
    p->kv_bytes = p->c->kv_bytes;
    int rc;
    if (pool_cost_machine(p->c)) {
        rc = open_llm(f, p, e);
    } else if (config_get(p->c->cost, "table")) {
        rc = fleet_table_open(f->env, p->c->cost, &p->cost, e);
    } else {
        p->cost.kind = FLEET_LINEAR;
        rc = read_linear(p->c->cost, &p->cost.linear, e);
    }
    if (!rc && p->c->role == POLICY_PREFILL && f->c.link_gb_per_s > 0 && !p->kv_bytes)
        rc = config_complain(p->c->section, e, "\"kv_bytes\": what a token weighs on the link");
    return rc;
}

void pool_cost_close(struct pool *p)
{
    llm_cost_close(&p->cost.llm);
    free(p->cost.prompt);
    free(p->cost.token);
}
