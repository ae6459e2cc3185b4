#include "sim/rng.h"

#include <assert.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

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

/* One block is a chain of ten multiplications, so four chains go side by side. */
#ifdef __SSE2__

/* Two chains in the even words of a vector.  The odd words fill with garbage, which the
 * multiplication does not read and the last step drops. */
struct pair {
    __m128i c0, c1, c2, c3;
};

static inline struct pair pair_round(struct pair p, __m128i k0, __m128i k1)
{
    __m128i a = _mm_mul_epu32(p.c0, _mm_set1_epi64x(MUL_0));
    __m128i b = _mm_mul_epu32(p.c2, _mm_set1_epi64x(MUL_1));
    return (struct pair){_mm_xor_si128(_mm_srli_epi64(b, 32), _mm_xor_si128(p.c1, k0)), b,
                         _mm_xor_si128(_mm_srli_epi64(a, 32), _mm_xor_si128(p.c3, k1)), a};
}

static inline struct pair pair_of(uint64_t block, uint64_t stream)
{
    __m128i n = _mm_set_epi64x((long long)(block + 1), (long long)block);
    __m128i s = _mm_set1_epi64x((long long)stream);
    return (struct pair){n, _mm_srli_epi64(n, 32), s, _mm_srli_epi64(s, 32)};
}

static inline __m128i pair_join(__m128i lo, __m128i hi) /* even words into 64-bit numbers */
{
    return _mm_or_si128(_mm_and_si128(lo, _mm_set1_epi64x(0xffffffff)), _mm_slli_epi64(hi, 32));
}

static inline void pair_store(struct pair p, uint64_t out[4])
{
    __m128i a = pair_join(p.c0, p.c1), b = pair_join(p.c2, p.c3);
    _mm_storeu_si128((__m128i *)(void *)out, _mm_unpacklo_epi64(a, b));
    _mm_storeu_si128((__m128i *)(void *)(out + 2), _mm_unpackhi_epi64(a, b));
}

static void four_blocks(const struct rng *r, uint64_t out[RNG_BATCH])
{
    struct pair p = pair_of(r->block, r->stream), q = pair_of(r->block + 2, r->stream);
    uint32_t k0 = (uint32_t)r->key, k1 = (uint32_t)(r->key >> 32);
    for (int round = 0; round < ROUNDS; round++, k0 += STEP_0, k1 += STEP_1) {
        __m128i key0 = _mm_set1_epi64x(k0), key1 = _mm_set1_epi64x(k1);
        p = pair_round(p, key0, key1);
        q = pair_round(q, key0, key1);
    }
    pair_store(p, out);
    pair_store(q, out + 4);
}

#else

static void four_blocks(const struct rng *r, uint64_t out[RNG_BATCH])
{
    uint32_t key[2] = {(uint32_t)r->key, (uint32_t)(r->key >> 32)};
    for (uint32_t i = 0; i < RNG_BATCH / 2; i++) {
        uint64_t n = r->block + i;
        uint32_t w[4], c[4] = {(uint32_t)n, (uint32_t)(n >> 32), (uint32_t)r->stream,
                               (uint32_t)(r->stream >> 32)};
        rng_philox(c, key, w);
        out[2 * i] = w[0] | (uint64_t)w[1] << 32;
        out[2 * i + 1] = w[2] | (uint64_t)w[3] << 32;
    }
}

#endif

void rng_refill(struct rng *r)
{
    four_blocks(r, r->out);
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
