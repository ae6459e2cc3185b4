/* serve_prefix.c - the prefix cache of model "serve": who evicts, and what is reported. */
#include "models/serve/serve_state.h"

int serve_prefix_begin(struct serve *s)
{
    struct policy_slot *evict = model_policy(s->env, POLICY_HOOK_MEM_EVICT);
    if (!s->c.prefix_block)
        return 0;
    if (evict)
        evict->out = s->out;
    s->evict_asks =
        evict && s->env->infer && s->env->infer->tap->n_held && s->c.infer.mode != MLAAS_FREE;
    return reuse_begin(&s->reuse, s->c.prefix_block, s->kv.total, s->llm.kv_bytes_per_token, evict)
               ? 0
               : err_set(s->e, ERR_ENOMEM, "serve: out of memory");
}

void serve_prefix_end(struct serve *s)
{
    for (uint32_t i = 0; i < s->slots; i++)
        reuse_seq_end(&s->seq[i].reuse);
    reuse_end(&s->reuse);
}

void serve_prefix_report(const struct serve *s)
{
    struct prefix_stats p;
    if (!s->reuse.blocks)
        return;
    prefix_stats(s->reuse.blocks, &p);
    const double asked = (double)s->n.asked_tokens, found = (double)s->n.found_tokens;
    measures_number(s->out, "prefix_hit_ratio", "1", BETTER_MORE, asked > 0 ? found / asked : 0);
    measures_number(s->out, "prefix_tokens_found", "1", BETTER_MORE, found);
    measures_number(s->out, "prefix_evictions", "1", BETTER_LESS, (double)p.evicted);
    struct policy_slot *evict = model_policy(s->env, POLICY_HOOK_MEM_EVICT);
    if (evict != s->env->policy)
        policy_slot_report(evict, s->out);
}

/* ---- what policies ask for meanwhile ---- */

static void evicted(void *ctx, uint64_t waits)
{
    struct serve *s = ctx;
    if (!waits)
        return;
    if (--s->evicting == 0)
        engine_evicted(s);
}

static void hook_over(struct serve *s)
{
    const bool waits = s->c.infer.mode == MLAAS_WAIT;
    if (s->evict_asks && mlaas_hook_end(s->mlaas, evicted, s, waits))
        s->evicting += waits;
}

void serve_prefix_trim(struct serve *s)
{
    if (s->evict_asks)
        mlaas_hook_begin(s->mlaas);
    reuse_trim(&s->reuse, &s->kv, sim_now(s->sim));
    hook_over(s);
}

uint64_t serve_prefix_leave(struct serve *s, struct seq *q)
{
    if (s->evict_asks)
        mlaas_hook_begin(s->mlaas);
    const uint64_t shared = reuse_leave(&s->reuse, &q->reuse, &s->kv, sim_now(s->sim));
    hook_over(s);
    return shared;
}
