#include "sim/rng.h"

#include <assert.h>

/* Philox4x32 (Salmon, Moraes, Dror, Shaw, SC'11): multipliers and key steps. */
#define MUL_0  UINT32_C(0xD2511F53)
#define MUL_1  UINT32_C(0xCD9E8D57)
#define STEP_0 UINT32_C(0x9E3779B9)
#define STEP_1 UINT32_C(0xBB67AE85)
#define ROUNDS 10

struct lane {
    uint32_t c[4];
};

static inline void philox_round(struct lane *l, uint32_t k0, uint32_t k1)
{
    uint64_t a = (uint64_t)MUL_0 * l->c[0], b = (uint64_t)MUL_1 * l->c[2];
    *l = (struct lane){{(uint32_t)(b >> 32) ^ l->c[1] ^ k0, (uint32_t)b,
                        (uint32_t)(a >> 32) ^ l->c[3] ^ k1, (uint32_t)a}};
}

void rng_philox(const uint32_t counter[4], const uint32_t key[2], uint32_t out[4])
{
    struct lane l = {{counter[0], counter[1], counter[2], counter[3]}};
    for (uint32_t i = 0; i < ROUNDS; i++)
        philox_round(&l, key[0] + i * STEP_0, key[1] + i * STEP_1);
    for (int i = 0; i < 4; i++)
        out[i] = l.c[i];
}

/* One block is a chain of ten multiplications; four independent chains cost little more. */
void rng_refill(struct rng *r)
{
    struct lane l[RNG_BATCH / 2];
    for (uint32_t i = 0; i < RNG_BATCH / 2; i++) {
        uint64_t n = r->block + i;
        l[i] = (struct lane){
            {(uint32_t)n, (uint32_t)(n >> 32), (uint32_t)r->stream, (uint32_t)(r->stream >> 32)}};
    }
    uint32_t k0 = (uint32_t)r->key, k1 = (uint32_t)(r->key >> 32);
    for (int round = 0; round < ROUNDS; round++, k0 += STEP_0, k1 += STEP_1)
        for (int i = 0; i < RNG_BATCH / 2; i++)
            philox_round(&l[i], k0, k1);
    for (int i = 0; i < RNG_BATCH / 2; i++) {
        r->out[2 * i] = l[i].c[0] | (uint64_t)l[i].c[1] << 32;
        r->out[2 * i + 1] = l[i].c[2] | (uint64_t)l[i].c[3] << 32;
    }
    r->block += RNG_BATCH / 2;
    r->left = RNG_BATCH;
}

/* splitmix64's finalizer: every input bit moves half of the output bits. */
static uint64_t mix(uint64_t x)
{
    x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
    return x ^ x >> 31;
}

static uint64_t hash_text(uint64_t h, const char *s) /* FNV-1a, the end included */
{
    for (;; s++) {
        h = (h ^ (unsigned char)*s) * UINT64_C(0x100000001b3);
        if (!*s)
            return h;
    }
}

void rng_init(struct rng *r, uint64_t seed, const char *component, const char *purpose)
{
    assert(component && purpose);
    uint64_t h = hash_text(hash_text(UINT64_C(0xcbf29ce484222325), component), purpose);
    *r = (struct rng){.key = mix(seed + UINT64_C(0x9e3779b97f4a7c15)), .stream = mix(h)};
}

void rng_init_indexed(struct rng *r, uint64_t seed, const char *component, const char *purpose,
                      uint64_t index)
{
    rng_init(r, seed, component, purpose);
    r->stream = mix(r->stream + mix(index + 1));
}

/* Lemire's multiply-and-reject: one multiplication, no division but in the rare tail. */
uint64_t rng_below(struct rng *r, uint64_t n)
{
    assert(n > 0);
    unsigned __int128 m = (unsigned __int128)rng_u64(r) * n;
    if ((uint64_t)m < n) {
        uint64_t floor = (0 - n) % n;
        while ((uint64_t)m < floor)
            m = (unsigned __int128)rng_u64(r) * n;
    }
    return (uint64_t)(m >> 64);
}
