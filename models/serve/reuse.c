/* reuse.c - see reuse.h. */
#include "models/serve/reuse.h"

#include <stdlib.h>
#include <string.h>

static uint64_t per_block(const struct reuse *r)
{
    return r->tokens / KV_BLOCK;
}

bool reuse_begin(struct reuse *r, uint32_t tokens, uint64_t kv_blocks, uint64_t token_bytes,
                 struct policy_slot *evict)
{
    *r = (struct reuse){.tokens = tokens};
    const uint64_t blocks = tokens ? kv_blocks / per_block(r) : 0;
    if (!blocks)
        return true;
    r->blocks = prefix_new((uint32_t)blocks, tokens * token_bytes, evict);
    return r->blocks;
}

void reuse_end(struct reuse *r)
{
    prefix_free(r->blocks);
    r->blocks = NULL;
}

bool reuse_seq_begin(struct reuse_seq *q, uint32_t tokens, const struct trace_request *r,
                     uint32_t prompt)
{
    const uint32_t full = tokens ? prompt / tokens : 0;
    *q = (struct reuse_seq){.n = full < r->n_prefix ? full : r->n_prefix};
    if (!q->n)
        return true;
    q->hash = malloc(q->n * sizeof *q->hash);
    if (q->hash)
        memcpy(q->hash, r->prefix, q->n * sizeof *q->hash);
    return q->hash;
}

void reuse_seq_end(struct reuse_seq *q)
{
    free(q->hash);
    *q = (struct reuse_seq){0};
}

static uint32_t find(const struct reuse *r, const struct reuse_seq *q, uint32_t *idle)
{
    *idle = 0;
    return r->blocks && q->n ? prefix_find(r->blocks, q->hash, q->n, idle) : 0;
}

uint32_t reuse_spared(const struct reuse *r, uint32_t blocks, uint32_t goal)
{
    const uint64_t most = (goal - 1) / KV_BLOCK, all = blocks * per_block(r);
    return (uint32_t)((all < most ? all : most) * KV_BLOCK);
}

uint32_t reuse_tokens(const struct reuse *r, const struct reuse_seq *q, uint32_t goal)
{
    uint32_t idle;
    return reuse_spared(r, find(r, q, &idle), goal);
}

uint64_t reuse_found(const struct reuse *r, const struct reuse_seq *q)
{
    uint32_t idle;
    const uint32_t found = find(r, q, &idle);
    return (found - idle) * per_block(r);
}

uint32_t reuse_join(const struct reuse *r, struct reuse_seq *q, struct serve_kv *kv, uint32_t goal,
                    uint64_t *kv_blocks)
{
    uint32_t idle;
    q->held = find(r, q, &idle);
    if (q->held)
        prefix_use(r->blocks, q->hash, q->held);
    kv->free -= idle * per_block(r);
    *kv_blocks = q->held * per_block(r);
    return reuse_spared(r, q->held, goal);
}

void reuse_computed(const struct reuse *r, struct reuse_seq *q, struct serve_kv *kv,
                    uint64_t filled)
{
    if (!r->blocks)
        return;
    while (q->held < q->n && (q->held + 1) * (uint64_t)r->tokens <= filled)
        if (prefix_add(r->blocks, q->hash[q->held++]) == PREFIX_TWICE)
            kv->free += per_block(r); /* its own copy */
}

uint64_t reuse_give(const struct reuse *r, struct reuse_seq *q, struct serve_kv *kv, sim_time now)
{
    const uint64_t shared = q->held * per_block(r);
    kv->free += prefix_give(r->blocks, q->hash, q->held, now) * per_block(r);
    q->held = 0;
    return shared;
}

void reuse_evict(const struct reuse *r, const struct serve_kv *kv, sim_time now)
{
    struct prefix_stats p;
    prefix_stats(r->blocks, &p);
    for (; p.idle * per_block(r) > kv->free; p.idle--) {
        const uint64_t hash = prefix_evict(r->blocks, now);
        if (r->gone)
            r->gone(r->ctx, hash);
    }
}

void reuse_clear(const struct reuse *r, sim_time now)
{
    struct prefix_stats p;
    if (!r->blocks)
        return;
    prefix_stats(r->blocks, &p);
    for (; p.idle; p.idle--)
        prefix_evict(r->blocks, now);
}

bool reuse_sound(const struct reuse *r, const struct serve_kv *kv)
{
    struct prefix_stats p;
    if (!r->blocks)
        return true;
    prefix_stats(r->blocks, &p);
    return p.held == p.idle && p.held * per_block(r) <= kv->total && prefix_sound(r->blocks);
}
