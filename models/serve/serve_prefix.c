/* serve_prefix.c - prompts that begin alike share blocks of the KV cache.
 *
 * A block of the trace's hashes is so many blocks of the KV cache, computed,
 * shared, kept and evicted together.  Blocks in use count as taken, idle ones
 * as free: they are forgotten when what is free is less than they hold.  Only
 * full blocks of a prompt are kept, from the moment they are computed, as far
 * as the trace has hashes for them; what a request generates is not, and a
 * preempted one finds the blocks of its prompt that are left.               */
#include <stdlib.h>
#include <string.h>

#include "models/serve/serve_state.h"

static uint64_t per_block(const struct serve *s)
{
    return s->c.prefix_block / KV_BLOCK;
}

static int refuse_oracle(const struct serve *s)
{
    const struct policy_slot *p = model_policy(s->env, POLICY_HOOK_MEM_EVICT);
    if (!policy_slot_oracle(p) || !policy_has_hook(p->ops, POLICY_HOOK_MEM_EVICT))
        return 0;
    return err_set(s->e, ERR_EUSAGE,
                   "policies.mem.evict: got an oracle, want a policy that does not ask what comes "
                   "next: an engine can't know (model \"prefix\" does)");
}

int reuse_begin(struct serve *s)
{
    const uint64_t blocks = s->c.prefix_block ? s->kv.total / per_block(s) : 0;
    if (!blocks)
        return 0;
    if (refuse_oracle(s))
        return ERR_EUSAGE;
    struct policy_slot *evict = model_policy(s->env, POLICY_HOOK_MEM_EVICT);
    if (evict)
        evict->out = s->out;
    s->prefix = prefix_new((uint32_t)blocks, s->c.prefix_block * s->llm.kv_bytes_per_token, evict);
    return s->prefix ? 0 : err_set(s->e, ERR_ENOMEM, "serve: out of memory");
}

void reuse_end(struct serve *s)
{
    for (uint32_t i = 0; i < s->slots; i++)
        free(s->seq[i].hash);
    prefix_free(s->prefix);
}

bool reuse_arrive(const struct serve *s, struct seq *q, const struct trace_request *r)
{
    const uint32_t full = s->prefix ? q->prompt / s->c.prefix_block : 0;
    q->n_hash = full < r->n_prefix ? full : r->n_prefix;
    if (!q->n_hash)
        return true;
    q->hash = malloc(q->n_hash * sizeof *q->hash);
    if (q->hash)
        memcpy(q->hash, r->prefix, q->n_hash * sizeof *q->hash);
    return q->hash;
}

/* Tokens that need not be computed; the last one always is. */
static uint32_t spared(const struct serve *s, const struct seq *q, uint32_t found)
{
    const uint64_t most = (q->goal - 1) / KV_BLOCK, blocks = found * per_block(s);
    return (uint32_t)((blocks < most ? blocks : most) * KV_BLOCK);
}

uint32_t reuse_tokens(const struct serve *s, const struct seq *q)
{
    return q->n_hash ? spared(s, q, prefix_find(s->prefix, q->hash, q->n_hash, NULL)) : 0;
}

uint64_t reuse_used(const struct serve *s, const struct seq *q)
{
    uint32_t idle = 0;
    const uint32_t found = q->n_hash ? prefix_find(s->prefix, q->hash, q->n_hash, &idle) : 0;
    return (found - idle) * per_block(s);
}

uint64_t reuse_join(struct serve *s, struct seq *q)
{
    uint32_t idle = 0;
    if (q->n_hash) {
        q->held = prefix_find(s->prefix, q->hash, q->n_hash, &idle);
        prefix_use(s->prefix, q->hash, q->held);
        s->kv.free -= idle * per_block(s);
    }
    q->filled = spared(s, q, q->held);
    if (!q->was_scheduled) {
        s->n.asked_tokens += q->prompt;
        s->n.found_tokens += q->filled;
    }
    return q->held * per_block(s);
}

void reuse_computed(struct serve *s, struct seq *q)
{
    while (q->held < q->n_hash && (q->held + 1) * (uint64_t)s->c.prefix_block <= q->filled)
        if (prefix_add(s->prefix, q->hash[q->held++]) == PREFIX_TWICE)
            s->kv.free += per_block(s); /* its own copy */
}

uint64_t reuse_leave(struct serve *s, struct seq *q)
{
    if (!q->held)
        return 0;
    const uint64_t shared = q->held * per_block(s);
    s->kv.free += prefix_give(s->prefix, q->hash, q->held, sim_now(s->sim)) * per_block(s);
    q->held = 0;
    return shared;
}

void reuse_trim(struct serve *s)
{
    struct prefix_stats p;
    if (!s->prefix)
        return;
    prefix_stats(s->prefix, &p);
    for (; p.idle * per_block(s) > s->kv.free; p.idle--)
        prefix_evict(s->prefix, sim_now(s->sim));
}

void reuse_report(const struct serve *s)
{
    struct prefix_stats p;
    if (!s->prefix)
        return;
    prefix_stats(s->prefix, &p);
    const double asked = (double)s->n.asked_tokens, found = (double)s->n.found_tokens;
    measures_number(s->out, "prefix_hit_ratio", "1", BETTER_MORE, asked > 0 ? found / asked : 0);
    measures_number(s->out, "prefix_tokens_found", "1", BETTER_MORE, found);
    measures_number(s->out, "prefix_evictions", "1", BETTER_LESS, (double)p.evicted);
    struct policy_slot *evict = model_policy(s->env, POLICY_HOOK_MEM_EVICT);
    if (evict != s->env->policy)
        policy_slot_report(evict, s->out);
}

bool reuse_sound(const struct serve *s)
{
    struct prefix_stats p;
    if (!s->prefix)
        return true;
    prefix_stats(s->prefix, &p);
    return p.held == p.idle && p.held * per_block(s) <= s->kv.total && prefix_sound(s->prefix);
}
