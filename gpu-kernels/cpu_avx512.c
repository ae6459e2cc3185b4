/* cpu_avx512.c - the fp32 twin for AVX-512.
 *
 * Many rows: a tile is eight rows by one chunk of 32 neurons, sixteen sums in
 * registers; a weight is loaded once for eight rows, so the FMA ports, not
 * the loads, are the limit.  One row: four chunks side by side, for the same
 * reason that a single chain of FMAs would leave both ports idle.           */
#if defined(__x86_64__)
#include <immintrin.h>

#include "gpu-kernels/cpu.h"
#include "gpu-kernels/cpu_sum16.h"

enum { ROWS = 8, SIDE = 4 };
#define INLINE static inline __attribute__((always_inline))

INLINE __m512 relu(__m512 v)
{
    return _mm512_max_ps(v, _mm512_setzero_ps()); /* 0 where v is NaN */
}

/* rows x chunks blocks of 32 neurons: both are constants at every call. */
INLINE void hidden_block(const struct pack *p, uint32_t c, const float *x, float *h, const int rows,
                         const int chunks)
{
    const uint32_t n_in = p->n_in, hp = p->hidden_pad, panel = p->k_pad * 32;
    const float *w = (const float *)p->w1 + (size_t)c * panel, *b = p->b1 + c * 32;
    __m512 a[ROWS][2 * SIDE];
    for (int r = 0; r < rows; r++)
        for (int i = 0; i < 2 * chunks; i++)
            a[r][i] = _mm512_load_ps(b + 16 * i);
    for (uint32_t k = 0; k < n_in; k++, w += 32) {
        __m512 v[2 * SIDE];
        for (int i = 0; i < 2 * chunks; i++)
            v[i] = _mm512_load_ps(w + (size_t)(i / 2) * panel + i % 2 * 16);
        for (int r = 0; r < rows; r++) {
            __m512 in = _mm512_set1_ps(x[(size_t)r * n_in + k]);
            for (int i = 0; i < 2 * chunks; i++)
                a[r][i] = _mm512_fmadd_ps(in, v[i], a[r][i]);
        }
    }
    for (int r = 0; r < rows; r++)
        for (int i = 0; i < 2 * chunks; i++)
            _mm512_store_ps(h + (size_t)r * hp + c * 32 + 16 * i, relu(a[r][i]));
}

INLINE void hidden(const struct pack *p, const float *x, float *h, const int rows)
{
    uint32_t c = 0;
    if (rows == 1)
        for (; c + SIDE <= p->chunks; c += SIDE)
            hidden_block(p, c, x, h, rows, SIDE);
    for (; c < p->chunks; c++)
        hidden_block(p, c, x, h, rows, 1);
}

/* The chain over chunks and the sum at distance 16: 16 lanes remain. */
INLINE __m512 partial(const float *h, const float *w2, uint32_t hp)
{
    __m512 lo = _mm512_setzero_ps(), hi = lo;
    for (uint32_t j = 0; j < hp; j += 32) {
        lo = _mm512_fmadd_ps(_mm512_load_ps(h + j), _mm512_load_ps(w2 + j), lo);
        hi = _mm512_fmadd_ps(_mm512_load_ps(h + j + 16), _mm512_load_ps(w2 + j + 16), hi);
    }
    return _mm512_add_ps(lo, hi);
}

INLINE float butterfly(__m512 v)
{
    __m256 a = _mm256_add_ps(_mm512_castps512_ps256(v), _mm512_extractf32x8_ps(v, 1));
    __m128 q = _mm_add_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps(a, 1));
    q = _mm_add_ps(q, _mm_movehl_ps(q, q));
    return _mm_cvtss_f32(_mm_add_ss(q, _mm_shuffle_ps(q, q, 1)));
}

static void outputs_of_row(const struct pack *p, const float *h, float *y)
{
    for (uint32_t o = 0; o < p->n_out; o++) {
        float v = butterfly(partial(h, (const float *)p->w2 + o * p->hidden_pad, p->hidden_pad));
        v += p->b2[o];
        y[o] = v == v ? v : __builtin_nanf("");
    }
}

/* Outputs i .. i+15 of a tile, counted row by row; fewer at its end. */
static void outputs16(const struct pack *p, const float *h, float *y, uint32_t i, uint32_t count)
{
    __m512 v[16];
    _Alignas(64) float bias[16] = {0};
    for (uint32_t n = 0; n < 16; n++) {
        uint32_t r = (i + n) / p->n_out, o = (i + n) % p->n_out;
        v[n] = _mm512_setzero_ps();
        if (n >= count)
            continue;
        v[n] = partial(h + r * p->hidden_pad, (const float *)p->w2 + o * p->hidden_pad,
                       p->hidden_pad);
        bias[n] = p->b2[o];
    }
    __m512 sum = _mm512_add_ps(sum16_ps(v), _mm512_load_ps(bias));
    __mmask16 nan = _mm512_cmp_ps_mask(sum, sum, _CMP_UNORD_Q);
    sum = _mm512_mask_mov_ps(sum, nan, _mm512_set1_ps(__builtin_nanf("")));
    _mm512_mask_storeu_ps(y + i, (__mmask16)((1u << count) - 1), sum);
}

INLINE void tile(const struct pack *p, const float *x, float *y, const int rows)
{
    _Alignas(64) float h[ROWS * MLP_HIDDEN_MAX];
    hidden(p, x, h, rows);
    if (rows == 1) {
        outputs_of_row(p, h, y);
        return;
    }
    uint32_t all = (uint32_t)rows * p->n_out;
    for (uint32_t i = 0; i < all; i += 16)
        outputs16(p, h, y, i, all - i < 16 ? all - i : 16);
}

void cpu_avx512_f32(const struct pack *p, uint32_t rows, const float *x, float *y)
{
    for (; rows >= ROWS; rows -= ROWS, x += ROWS * p->n_in, y += ROWS * p->n_out)
        tile(p, x, y, ROWS);
    for (; rows >= 2; rows -= 2, x += 2 * p->n_in, y += 2 * p->n_out)
        tile(p, x, y, 2);
    if (rows)
        tile(p, x, y, 1);
}
#endif
