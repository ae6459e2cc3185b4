/* serve_kv.h - the paged KV cache's budget, in blocks.
 *
 * Every decoding sequence grows by one token per step and takes a block when
 * its last one is full.  Which sequences do so in which step is known from
 * their lengths modulo the block, so the blocks needed for the next k steps
 * come from a histogram of 16 counters, not from a walk over the sequences.  */
#ifndef MODELS_SERVE_KV_H
#define MODELS_SERVE_KV_H

#include <stdint.h>

#define KV_BLOCK 16 /* tokens; vLLM's default */

struct serve_kv {
    uint64_t total, free;     /* blocks */
    uint64_t step;            /* decode steps taken so far */
    uint64_t decoding;        /* sequences in the decode set */
    uint64_t phase[KV_BLOCK]; /* how many of them have (length - step) mod KV_BLOCK == i */
};

static inline uint64_t kv_blocks(uint64_t tokens)
{
    return (tokens + KV_BLOCK - 1) / KV_BLOCK;
}

void kv_join(struct serve_kv *kv, uint64_t length);  /* into the decode set, at this length now */
void kv_leave(struct serve_kv *kv, uint64_t length); /* at this length now */
/* Full blocks are those of length 0 mod KV_BLOCK when the step begins. */
static inline uint64_t kv_need_at(const struct serve_kv *kv, uint64_t step)
{
    return kv->phase[(0 - step) % KV_BLOCK];
}
static inline uint64_t kv_need(const struct serve_kv *kv) /* blocks that the next step takes */
{
    return kv_need_at(kv, kv->step);
}
uint64_t kv_need_steps(const struct serve_kv *kv, uint64_t k); /* blocks of the next k steps */
uint64_t kv_steps_that_fit(const struct serve_kv *kv,
                           uint64_t most); /* largest k <= most that free allows */
/* Takes k steps; the blocks that they need, for the caller to take. */
uint64_t kv_advance(struct serve_kv *kv, uint64_t k);

#endif
