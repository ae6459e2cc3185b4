/* cpu_sum16.h - sixteen horizontal sums at once (AVX-512).
 *
 * Reducing a register of 16 lanes at distances 8, 4, 2, 1 wastes most of each
 * add.  Sixteen registers together form a matrix: while halving, pairs are
 * merged, and the sums come out as one register, sum of v[i] in lane i.  The
 * additions of each sum and their order stay those of mlp.h.  The integer
 * form uses the float shuffles: they only move bits.                        */
#ifndef GPU_KERNELS_CPU_SUM16_H
#define GPU_KERNELS_CPU_SUM16_H

#include <immintrin.h>

#define SUM16_INLINE static inline __attribute__((always_inline))

/* The two operands to add at each distance, made of two inputs a and b. */
#define SUM16_STEPS(X)                                                                             \
    X(8, _mm512_shuffle_f32x4(a, b, 0x44), _mm512_shuffle_f32x4(a, b, 0xee))                       \
    X(4, _mm512_shuffle_f32x4(a, b, 0x88), _mm512_shuffle_f32x4(a, b, 0xdd))                       \
    X(2, SUM16_PD(_mm512_unpacklo_pd), SUM16_PD(_mm512_unpackhi_pd))                               \
    X(1, _mm512_shuffle_ps(a, b, 0x88), _mm512_shuffle_ps(a, b, 0xdd))
#define SUM16_PD(f) _mm512_castpd_ps(f(_mm512_castps_pd(a), _mm512_castps_pd(b)))

#define X(distance, left, right)                                                                   \
    SUM16_INLINE __m512 sum16_ps_##distance(__m512 a, __m512 b)                                    \
    {                                                                                              \
        return _mm512_add_ps(left, right);                                                         \
    }                                                                                              \
    SUM16_INLINE __m512i sum16_epi32_##distance(__m512i ia, __m512i ib)                            \
    {                                                                                              \
        __m512 a = _mm512_castsi512_ps(ia), b = _mm512_castsi512_ps(ib);                           \
        return _mm512_add_epi32(_mm512_castps_si512(left), _mm512_castps_si512(right));            \
    }
SUM16_STEPS(X)
#undef X

/* One block of four lanes ends as v[i], v[i+1], v[i+2], v[i+3]. */
#define SUM16_DEFINE(kind, type)                                                                   \
    SUM16_INLINE type sum16_##kind##_quarter(const type *v)                                        \
    {                                                                                              \
        return sum16_##kind##_4(sum16_##kind##_8(v[0], v[4]), sum16_##kind##_8(v[8], v[12]));      \
    }                                                                                              \
    SUM16_INLINE type sum16_##kind(const type v[16])                                               \
    {                                                                                              \
        return sum16_##kind##_1(                                                                   \
            sum16_##kind##_2(sum16_##kind##_quarter(v), sum16_##kind##_quarter(v + 1)),            \
            sum16_##kind##_2(sum16_##kind##_quarter(v + 2), sum16_##kind##_quarter(v + 3)));       \
    }
SUM16_DEFINE(ps, __m512)
SUM16_DEFINE(epi32, __m512i)

#endif
