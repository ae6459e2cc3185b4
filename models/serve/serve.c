/* serve.c - a GPU server that serves LLM requests: wiring and life cycle. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "models/serve/serve_state.h"

/* ---- slots --------------------------------------------------------------------------- */

void serve_fail(struct serve *s, int rc)
{
    if (!s->rc)
        s->rc = rc;
    sim_stop(s->sim);
}

static bool grow_slots(struct serve *s)
{
    uint32_t slots = s->slots ? 2 * s->slots : 1024;
    struct seq *seq = realloc(s->seq, slots * sizeof *seq);
    if (seq)
        s->seq = seq;
    uint32_t *spare = realloc(s->spare, slots * sizeof *spare);
    if (spare)
        s->spare = spare;
    if (!seq || !spare || !serve_queue_reserve(&s->waiting, slots) ||
        !slot_heap_reserve(&s->finish, slots))
        return false;
    for (uint32_t i = slots; i-- > s->slots;) { /* low numbers first */
        s->spare[s->n_spare++] = i;
        s->seq[i].reuse = (struct reuse_seq){0};
    }
    s->slots = slots;
    return true;
}

bool serve_slot(struct serve *s, uint32_t *slot)
{
    if (!s->n_spare && !grow_slots(s)) {
        serve_fail(s, err_set(s->e, ERR_ENOMEM, "serve: out of memory"));
        return false;
    }
    *slot = s->spare[--s->n_spare];
    return true;
}

void serve_release(struct serve *s, uint32_t slot)
{
    if (s->seq[slot].pinned) {
        s->seq[slot].gone = true;
        return;
    }
    assert(s->n_spare < s->slots);
    reuse_seq_end(&s->seq[slot].reuse);
    s->spare[s->n_spare++] = slot;
}

/* ---- life cycle ------------------------------------------------------------------------------ */

static int check(const struct config *section, struct err *e)
{
    struct serve_config c;
    return serve_config(&c, section, e);
}

/* Every table is named in "costs", and is there. */
static int tables(const struct config *section, const struct config *given, struct err *e)
{
    struct serve_config c;
    int rc = serve_config(&c, section, e);
    for (size_t i = 0; i < c.n_costs && !rc; i++)
        if (!given || !config_get(given, c.costs[i]))
            rc = config_complain(config_get(section, "costs"), e,
                                 "names of \"tables\" (there is no \"%s\")", c.costs[i]);
    for (size_t k = 0; given && k < config_count(given) && !rc; k++) {
        const char *name = config_key(config_at(given, k));
        size_t i = 0;
        while (i < c.n_costs && strcmp(c.costs[i], name) != 0)
            i++;
        if (i == c.n_costs)
            rc = config_complain(config_at(given, k), e, "a table that \"serve.costs\" names");
    }
    return rc;
}

static struct row_source *table_named(const struct model_env *env, const char *name)
{
    for (size_t i = 0; i < env->n_tables; i++)
        if (!strcmp(env->table[i].name, name))
            return env->table[i].rows;
    return NULL;
}

/* Without tables at hand (a check): what of the machine profile they will need. */
static int open_llm(struct serve *s)
{
    struct row_source *rows[SERVE_TABLES];
    const size_t n = s->env->n_tables ? s->c.n_costs : 0;
    if (!s->c.n_costs)
        return llm_cost_open(&s->llm, &s->use, s->c.model, s->e);
    for (size_t i = 0; i < n; i++) {
        rows[i] = table_named(s->env, s->c.costs[i]);
        if (!rows[i])
            return err_set(s->e, ERR_ENAME, "serve.costs: no table \"%s\" in \"tables\"",
                           s->c.costs[i]);
    }
    return llm_cost_open_ops(&s->llm, &s->use, s->c.model, rows, n, s->c.parallel, s->e);
}

static int open_costs(struct serve *s)
{
    static const struct {
        enum stack_path_id path;
        size_t at;
    } paths[] = {
        {STACK_request_in, offsetof(struct serve, in)},
        {STACK_launch, offsetof(struct serve, launch)},
        {STACK_complete, offsetof(struct serve, complete)},
        {STACK_token_out, offsetof(struct serve, token_out)},
    };
    s->stack = stack_find(s->env->stack ? s->env->stack : "native", s->e);
    if (!s->stack)
        return ERR_ENAME;
    int rc = 0;
    for (size_t i = 0; !rc && i < sizeof paths / sizeof *paths; i++)
        rc = stack_cost(s->stack, paths[i].path, &s->use,
                        (struct stack_cost *)((char *)s + paths[i].at), s->e);
    if (!rc)
        rc = machine_ps(&s->use, "cost.engine_step", &s->engine_step, s->e);
    if (!rc)
        rc = machine_ps(&s->use, "cost.engine_seq", &s->engine_seq, s->e);
    if (!rc)
        rc = open_llm(s);
    if (!rc)
        rc = swap_begin(s);
    if (!rc)
        rc = serve_paging_begin(s);
    if (!rc && mlaas_wants_gpu(&s->c.infer)) /* what policies' models may take, the cache may not */
        s->llm.reserve_bytes += (uint64_t)(s->c.infer.gpu_mib * 0x1p20);
    const uint32_t sms = mlaas_mailbox_sms(&s->c.infer);
    if (!rc && sms)
        rc = llm_cost_without(&s->llm, sms, &s->use, s->e);
    return rc;
}

static int open_memory(struct serve *s)
{
    uint64_t tokens = 0;
    int rc =
        s->c.kv_blocks ? 0 : llm_cost_kv_tokens(&s->llm, &s->use, s->c.kv_fraction, &tokens, s->e);
    s->kv.total = s->kv.free = s->c.kv_blocks ? s->c.kv_blocks : tokens / KV_BLOCK;
    s->running = calloc(s->c.max_running, sizeof *s->running);
    s->filling = calloc(s->c.max_running, sizeof *s->filling);
    if (!rc && (!s->running || !s->filling || !grow_slots(s) || !left_begin(&s->left, s->kv.total)))
        rc = err_set(s->e, ERR_ENOMEM, "serve: out of memory");
    if (!rc)
        rc = serve_prefix_begin(s);
    if (!rc)
        rc = serve_paging_store(s);
    return rc;
}

static int need_machine(const struct machine *m, struct err *e)
{
    return m ? 0
             : err_set(e, ERR_ENAME, "model \"serve\" needs a machine profile (\"machine\": ...)");
}

/* Everything that a run would look up, looked up. */
static int fits(const struct config *section, const struct machine *machine, const char *stack,
                struct err *e)
{
    struct model_env env = {.machine = machine, .stack = stack};
    struct serve s = {.env = &env, .e = e};
    uint64_t tokens;
    int rc = need_machine(machine, e);
    if (!rc)
        rc = serve_config(&s.c, section, e);
    if (!rc)
        rc = machine_use_begin(&s.use, machine, e);
    if (!rc)
        rc = open_costs(&s);
    if (!rc && !s.c.kv_blocks)
        rc = llm_cost_kv_tokens(&s.llm, &s.use, s.c.kv_fraction, &tokens, e);
    if (!rc && s.c.infer.mode != MLAAS_FREE)
        rc = mlaas_fits(&s.c.infer, s.stack, &s.use, e);
    llm_cost_close(&s.llm);
    machine_use_end(&s.use);
    return rc;
}

/* As the service sees it: requests run, or wait to. */
static bool engine_wants_gpu(void *ctx)
{
    const struct serve *s = ctx;
    return s->n_running || serve_queue_top(&s->waiting);
}

static void step_begins(void *ctx)
{
    engine_interrupt(ctx);
}

static int open_policy(struct serve *s, enum policy_hook hook, struct policy_life **l)
{
    struct policy_slot *p = model_policy(s->env, hook);
    const struct life_env env = {.sim = s->sim,
                                 .cpu = s->cpu,
                                 .stack = s->stack,
                                 .use = &s->use,
                                 .out = s->out,
                                 .begins = step_begins,
                                 .changed = hook == POLICY_HOOK_SERVE_BATCH ? decide_changed : NULL,
                                 .ctx = s,
                                 .e = s->e};
    if (p)
        p->out = s->out;
    return policy_life_open(l, s->env->plan[hook], p, &env, s->e);
}

static int open_parts(struct serve *s)
{
    struct sim_options opt = s->env->sim;
    opt.seed = s->env->seed;
    s->sim = sim_new(&opt);
    s->cpu = s->sim ? cores_new(s->sim, s->c.cores) : NULL;
    if (!s->cpu)
        return err_set(s->e, ERR_ENOMEM, "serve: out of memory");
    accel_begin(&s->gpu, s->sim);
    s->waiting.groups = s->env->plan[POLICY_HOOK_SERVE_BATCH] ? QUEUE_GROUPS : 1;
    int rc = machine_use_begin(&s->use, s->env->machine, s->e);
    if (!rc)
        rc = open_costs(s);
    if (!rc)
        rc = open_memory(s);
    const struct mlaas_env env = {.sim = s->sim,
                                  .cpu = s->cpu,
                                  .gpu = &s->gpu,
                                  .stack = s->stack,
                                  .use = &s->use,
                                  .infer = s->env->infer,
                                  .out = s->out,
                                  .wants_gpu = engine_wants_gpu,
                                  .ctx = s};
    if (!rc)
        rc = mlaas_open(&s->mlaas, &s->c.infer, &env, s->e);
    if (!rc && !serve_report_begin(s))
        rc = err_set(s->e, ERR_ENOMEM, "serve: out of memory");
    if (!rc)
        rc = open_policy(s, POLICY_HOOK_SERVE_ADMIT, &s->admits);
    if (!rc)
        rc = open_policy(s, POLICY_HOOK_SERVE_BATCH, &s->ranks);
    return rc;
}

static void close_parts(struct serve *s)
{
    policy_life_free(s->admits);
    policy_life_free(s->ranks);
    mlaas_close(s->mlaas);
    llm_cost_close(&s->llm);
    machine_use_end(&s->use);
    cores_free(s->cpu);
    sim_free(s->sim);
    serve_queue_free(&s->waiting);
    slot_heap_free(&s->finish);
    left_free(&s->left);
    request_parts_free(&s->parts);
    serve_prefix_end(s);
    paging_end(&s->paging);
    free(s->running);
    free(s->filling);
    free(s->seq);
    free(s->spare);
}

static int simulate(struct serve *s)
{
    int rc = intake_begin(s);
    if (rc < 0)
        return rc;
    sim_run(s->sim, SIM_NEVER);
    if (s->rc)
        return s->rc;
    rc = mlaas_failed(s->mlaas, s->e);
    if (!rc)
        rc = policy_life_failed(s->admits);
    if (!rc)
        rc = policy_life_failed(s->ranks);
    if (rc)
        return rc;
    assert(s->n.completed + s->n.rejected == s->n.requests && "a request was lost");
    assert(s->kv.free == s->kv.total && !s->swap_used && "a block was lost");
    assert(reuse_sound(&s->reuse, &s->kv));
    serve_report_end(s);
    return s->out->failed ? err_set(s->e, ERR_ENOMEM, "serve: out of memory") : 0;
}

static int run(const struct config *section, const struct model_env *env, struct measures *out,
               struct err *e)
{
    struct serve s = {.env = env, .out = out, .e = e};
    int rc = need_machine(env->machine, e);
    if (!rc && !env->requests)
        rc = err_set(e, ERR_EUSAGE, "model \"serve\" needs a trace of requests (\"trace\": ...)");
    if (!rc)
        rc = serve_config(&s.c, section, e);
    if (!rc)
        rc = open_parts(&s);
    if (!rc)
        rc = simulate(&s);
    close_parts(&s);
    return rc;
}

static const char *mute(const struct config *section, enum policy_hook hook, bool oracle)
{
    struct serve_config c;
    struct err ignored = {0};
    if (hook != POLICY_HOOK_MEM_EVICT || serve_config(&c, section, &ignored))
        return NULL;
    if (!c.prefix_block)
        return "none: without \"prefix_block\" there is no prefix cache to evict from";
    return oracle ? "one that does not ask what comes next: an engine can't know (model \"prefix\" "
                    "does)"
                  : NULL;
}

const struct model_ops model_serve = {
    .name = "serve",
    .summary = "a GPU server that serves LLM requests by continuous batching",
    .headline = "e2e.mean,e2e.p99,ttft.p50,ttft.p99,tpot.p50,tpot.p99,goodput,token_throughput,"
                "gpu_util",
    .check = check,
    .fits = fits,
    .stacks = true,
    .needs_requests = true,
    .tables = tables,
    .hooks =
        1u << POLICY_HOOK_SERVE_ADMIT | 1u << POLICY_HOOK_SERVE_BATCH | 1u << POLICY_HOOK_MEM_EVICT,
    .lives = 1u << POLICY_HOOK_SERVE_ADMIT | 1u << POLICY_HOOK_SERVE_BATCH,
    .mute = mute,
    .run = run,
};
