/* reuse.h - requests whose prompts begin alike share blocks of an engine's paged KV cache.
 *
 * A block of the trace's hashes is so many blocks of the KV cache, computed,
 * shared, kept and evicted together.  Blocks in use count as taken, idle ones
 * as free: they are forgotten when what is free is less than they hold.  Only
 * full blocks of a prompt are kept, from the moment they are computed, as far
 * as the trace has hashes for them; what a request generates is not, and a
 * preempted one finds the blocks of its prompt that are left.  Without blocks
 * (NULL) all of this does nothing and answers 0.                            */
#ifndef MODELS_SERVE_REUSE_H
#define MODELS_SERVE_REUSE_H

#include "models/serve/prefix.h"
#include "models/serve/serve_kv.h"
#include "traces/record.h"

struct reuse {                              /* of an engine */
    struct prefix *blocks;                  /* NULL: off */
    uint32_t tokens;                        /* in a block of the trace; a multiple of KV_BLOCK */
    void (*gone)(void *ctx, uint64_t hash); /* told of blocks whose memory is wanted; or NULL */
    void *ctx;
};

struct reuse_seq {    /* of a request */
    uint64_t *hash;   /* [n] of the full blocks of its prompt; NULL: none */
    uint32_t n, held; /* held: of these, from the first on, it uses */
};

/* tokens 0, or no room for a block: off.  false: out of memory. */
bool reuse_begin(struct reuse *r, uint32_t tokens, uint64_t kv_blocks, uint64_t token_bytes,
                 struct policy_slot *evict);
void reuse_end(struct reuse *r);

bool reuse_seq_begin(struct reuse_seq *q, uint32_t tokens, const struct trace_request *r,
                     uint32_t prompt); /* false: out of memory */
void reuse_seq_end(struct reuse_seq *q);

/* Tokens that it would find now; of `goal`, the last is always computed. */
uint32_t reuse_tokens(const struct reuse *r, const struct reuse_seq *q, uint32_t goal);
/* Of `goal` tokens, those that so many blocks spare it. */
uint32_t reuse_spared(const struct reuse *r, uint32_t blocks, uint32_t goal);
/* KV blocks that it would find now and that others use. */
uint64_t reuse_found(const struct reuse *r, const struct reuse_seq *q); /* there are hashes */
static inline uint64_t reuse_used(const struct reuse *r, const struct reuse_seq *q)
{
    return r->blocks && q->n ? reuse_found(r, q) : 0;
}
/* Takes what it finds, idle blocks out of kv->free: so many tokens are computed, and *kv_blocks
 * need not be taken. */
uint32_t reuse_join(const struct reuse *r, struct reuse_seq *q, struct serve_kv *kv, uint32_t goal,
                    uint64_t *kv_blocks);
/* So many tokens are computed by now; copies of what is there already are free again. */
void reuse_computed(const struct reuse *r, struct reuse_seq *q, struct serve_kv *kv,
                    uint64_t filled);
/* It goes: so many of its KV blocks are not its own to free. */
uint64_t reuse_give(const struct reuse *r, struct reuse_seq *q, struct serve_kv *kv, sim_time now);
static inline uint64_t reuse_leave(const struct reuse *r, struct reuse_seq *q, struct serve_kv *kv,
                                   sim_time now)
{
    return q->held ? reuse_give(r, q, kv, now) : 0;
}
void reuse_evict(const struct reuse *r, const struct serve_kv *kv, sim_time now);
static inline void reuse_trim(const struct reuse *r, const struct serve_kv *kv, sim_time now)
{
    if (r->blocks) /* free shrank */
        reuse_evict(r, kv, now);
}
void reuse_clear(const struct reuse *r, sim_time now); /* forgets all that is idle */
/* Nobody uses a block, and all counts agree. */
bool reuse_sound(const struct reuse *r, const struct serve_kv *kv);

#endif
