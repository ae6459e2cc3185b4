/* serve_kv.c - see serve_kv.h. */
#include "models/serve/serve_kv.h"

#include <assert.h>

static uint64_t phase_of(const struct serve_kv *kv, uint64_t length)
{
    return (length - kv->step) % KV_BLOCK; /* wraps: 2^64 is a multiple of the block */
}

void kv_join(struct serve_kv *kv, uint64_t length)
{
    kv->phase[phase_of(kv, length)]++;
    kv->decoding++;
}

void kv_leave(struct serve_kv *kv, uint64_t length)
{
    assert(kv->decoding && kv->phase[phase_of(kv, length)]);
    kv->phase[phase_of(kv, length)]--;
    kv->decoding--;
}

uint64_t kv_need_steps(const struct serve_kv *kv, uint64_t k)
{
    uint64_t need = k / KV_BLOCK * kv->decoding; /* a full turn: everybody once */
    for (uint64_t i = 0; i < k % KV_BLOCK; i++)
        need += kv_need_at(kv, kv->step + i);
    return need;
}

uint64_t kv_steps_that_fit(const struct serve_kv *kv, uint64_t most)
{
    if (!kv->decoding)
        return most;
    uint64_t turns = kv->free / kv->decoding;
    if (turns > most / KV_BLOCK)
        return most;
    uint64_t k = turns * KV_BLOCK, need = turns * kv->decoding;
    while (k < most && need + kv_need_at(kv, kv->step + k) <= kv->free)
        need += kv_need_at(kv, kv->step + k++);
    return k < most ? k : most;
}

uint64_t kv_advance(struct serve_kv *kv, uint64_t k)
{
    const uint64_t need = kv_need_steps(kv, k);
    assert(need <= kv->free);
    kv->step += k;
    return need;
}
