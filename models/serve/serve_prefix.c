/* serve_prefix.c - the prefix cache of model "serve": who evicts, and what is reported. */
#include "models/serve/serve_state.h"

static int refuse_oracle(const struct serve *s, const struct policy_slot *p)
{
    if (!policy_slot_oracle(p) || !policy_has_hook(p->ops, POLICY_HOOK_MEM_EVICT))
        return 0;
    return err_set(s->e, ERR_EUSAGE,
                   "policies.mem.evict: got an oracle, want a policy that does not ask what comes "
                   "next: an engine can't know (model \"prefix\" does)");
}

int serve_prefix_begin(struct serve *s)
{
    struct policy_slot *evict = model_policy(s->env, POLICY_HOOK_MEM_EVICT);
    if (!s->c.prefix_block)
        return 0;
    int rc = refuse_oracle(s, evict);
    if (rc)
        return rc;
    if (evict)
        evict->out = s->out;
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
