/* forest_avx512.c - the twin for AVX-512: 64 rows, or 64 trees, at once. */
#if defined(__x86_64__)
#include <immintrin.h>
#include <string.h>

#include "gpu-kernels/forest_pack.h"

#define LANES 16
typedef __m512 vec;
typedef __m512i ivec;
#define INLINE static inline __attribute__((always_inline))

/* A step: from the nodes at `at` to those below; a leaf stays. */
INLINE __m512i step(const struct forest_node *nodes, const float *x, __m512i at, __m512i from)
{
    /* A node is eight bytes: two gathers of eight, then values and metas apart. */
    const __m512i low = _mm512_i32gather_epi64(_mm512_castsi512_si256(at), nodes, 8);
    const __m512i high = _mm512_i32gather_epi64(_mm512_extracti64x4_epi64(at, 1), nodes, 8);
    const __m512i even =
        _mm512_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
    const __m512i odd = _mm512_add_epi32(even, _mm512_set1_epi32(1));
    const __m512 value = _mm512_castsi512_ps(_mm512_permutex2var_epi32(low, even, high));
    const __m512i meta = _mm512_permutex2var_epi32(low, odd, high);
    const __m512i feature = _mm512_and_si512(meta, _mm512_set1_epi32(FOREST_FEATURE));
    const __m512 v = _mm512_i32gather_ps(_mm512_add_epi32(from, feature), x, 4);
    const __mmask16 nan = _mm512_cmp_ps_mask(v, v, _CMP_UNORD_Q);
    const __mmask16 left =
        _mm512_cmp_ps_mask(v, value, _CMP_LT_OQ) |
        _mm512_mask_test_epi32_mask(nan, meta, _mm512_set1_epi32(FOREST_MISSING));
    const __m512i child = _mm512_srli_epi32(meta, FOREST_CHILD);
    const __mmask16 split = _mm512_test_epi32_mask(child, child);
    const __m512i next = _mm512_add_epi32(child, _mm512_maskz_set1_epi32((__mmask16)~left, 1));
    return _mm512_mask_mov_epi32(at, split, next);
}

INLINE void walk(const struct forest_node *nodes, const float *x, const ivec root[4],
                 const ivec from[4], uint32_t most, vec leaf[4])
{
    __m512i a = root[0], b = root[1], c = root[2], d = root[3];
    for (; most; most--) {
        a = step(nodes, x, a, from[0]);
        b = step(nodes, x, b, from[1]);
        c = step(nodes, x, c, from[2]);
        d = step(nodes, x, d, from[3]);
    }
    leaf[0] = _mm512_i32gather_ps(a, nodes, 8);
    leaf[1] = _mm512_i32gather_ps(b, nodes, 8);
    leaf[2] = _mm512_i32gather_ps(c, nodes, 8);
    leaf[3] = _mm512_i32gather_ps(d, nodes, 8);
}

INLINE vec vec_zero(void)
{
    return _mm512_setzero_ps();
}

INLINE vec vec_load(const float *p)
{
    return _mm512_loadu_ps(p);
}

INLINE void vec_store(float *p, vec v)
{
    _mm512_storeu_ps(p, v);
}

INLINE vec vec_add(vec a, vec b)
{
    return _mm512_add_ps(a, b);
}

INLINE ivec ivec_load(const uint32_t *p)
{
    return _mm512_loadu_si512(p);
}

INLINE ivec ivec_all(uint32_t i)
{
    return _mm512_set1_epi32((int)i);
}

/* (first + lane) * step */
INLINE ivec ivec_ramp(uint32_t first, uint32_t step)
{
    const __m512i lane = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    return _mm512_mullo_epi32(_mm512_add_epi32(lane, ivec_all(first)), ivec_all(step));
}

INLINE float chunk_sum(const vec v[2])
{
    const __m512 s = _mm512_add_ps(v[0], v[1]);
    const __m256 a = _mm256_add_ps(_mm512_castps512_ps256(s), _mm512_extractf32x8_ps(s, 1));
    __m128 q = _mm_add_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps(a, 1));
    q = _mm_add_ps(q, _mm_movehl_ps(q, q));
    return _mm_cvtss_f32(_mm_add_ss(q, _mm_shuffle_ps(q, q, 1)));
}

#include "gpu-kernels/forest_simd.h"

void forest_avx512(const struct forest_pack *p, uint32_t rows, const float *x, float *y)
{
    forward(p, rows, x, y);
}
#endif
