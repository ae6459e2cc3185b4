/* forest_avx2.c - the twin for AVX2: 32 rows, or 32 trees, at once. */
#if defined(__x86_64__)
#include <immintrin.h>
#include <string.h>

#include "gpu-kernels/forest_pack.h"

#define LANES 8
typedef __m256 vec;
typedef __m256i ivec;
#define INLINE static inline __attribute__((always_inline))

/* A step: from the nodes at `at` to those below; a leaf stays. */
INLINE __m256i step(const struct forest_node *nodes, const float *x, __m256i at, __m256i from)
{
    const __m256 value = _mm256_i32gather_ps(&nodes->value, at, 8);
    const __m256i meta = _mm256_i32gather_epi32((const int *)&nodes->meta, at, 8);
    const __m256i feature = _mm256_and_si256(meta, _mm256_set1_epi32(FOREST_FEATURE));
    const __m256 v = _mm256_i32gather_ps(x, _mm256_add_epi32(from, feature), 4);
    const __m256 missing = _mm256_castsi256_ps(_mm256_slli_epi32(meta, 24)); /* its sign */
    const __m256 nan = _mm256_cmp_ps(v, v, _CMP_UNORD_Q);
    const __m256 left = _mm256_blendv_ps(
        _mm256_cmp_ps(v, value, _CMP_LT_OQ),
        _mm256_castsi256_ps(_mm256_srai_epi32(_mm256_castps_si256(missing), 31)), nan);
    const __m256i child = _mm256_srli_epi32(meta, FOREST_CHILD);
    const __m256i leaf = _mm256_cmpeq_epi32(child, _mm256_setzero_si256());
    const __m256i next = _mm256_add_epi32(_mm256_add_epi32(child, _mm256_set1_epi32(1)),
                                          _mm256_castps_si256(left)); /* -1: left */
    return _mm256_blendv_epi8(next, at, leaf);
}

INLINE void walk(const struct forest_node *nodes, const float *x, const ivec root[4],
                 const ivec from[4], uint32_t most, vec leaf[4])
{
    __m256i a = root[0], b = root[1], c = root[2], d = root[3];
    for (; most; most--) {
        a = step(nodes, x, a, from[0]);
        b = step(nodes, x, b, from[1]);
        c = step(nodes, x, c, from[2]);
        d = step(nodes, x, d, from[3]);
    }
    leaf[0] = _mm256_i32gather_ps(&nodes->value, a, 8);
    leaf[1] = _mm256_i32gather_ps(&nodes->value, b, 8);
    leaf[2] = _mm256_i32gather_ps(&nodes->value, c, 8);
    leaf[3] = _mm256_i32gather_ps(&nodes->value, d, 8);
}

INLINE vec vec_zero(void)
{
    return _mm256_setzero_ps();
}

INLINE vec vec_load(const float *p)
{
    return _mm256_loadu_ps(p);
}

INLINE void vec_store(float *p, vec v)
{
    _mm256_storeu_ps(p, v);
}

INLINE vec vec_add(vec a, vec b)
{
    return _mm256_add_ps(a, b);
}

INLINE ivec ivec_load(const uint32_t *p)
{
    return _mm256_loadu_si256((const __m256i *)p);
}

INLINE ivec ivec_all(uint32_t i)
{
    return _mm256_set1_epi32((int)i);
}

/* (first + lane) * step */
INLINE ivec ivec_ramp(uint32_t first, uint32_t step)
{
    const __m256i lane = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    return _mm256_mullo_epi32(_mm256_add_epi32(lane, ivec_all(first)), ivec_all(step));
}

INLINE float chunk_sum(const vec v[4])
{
    const __m256 s = _mm256_add_ps(_mm256_add_ps(v[0], v[2]), _mm256_add_ps(v[1], v[3]));
    __m128 q = _mm_add_ps(_mm256_castps256_ps128(s), _mm256_extractf128_ps(s, 1));
    q = _mm_add_ps(q, _mm_movehl_ps(q, q));
    return _mm_cvtss_f32(_mm_add_ss(q, _mm_shuffle_ps(q, q, 1)));
}

#include "gpu-kernels/forest_simd.h"

void forest_avx2(const struct forest_pack *p, uint32_t rows, const float *x, float *y)
{
    forward(p, rows, x, y);
}
#endif
