/* cpu_avx2.c - the twin for AVX2 and FMA: four rows by sixteen neurons a tile,
 * eight sums in flight, which is what two FMA ports of latency four need. */
#if defined(__x86_64__)
#include <immintrin.h>
#include <string.h>

#include "gpu-kernels/cpu.h"
#include "gpu-kernels/cpu_act.h"
#include "gpu-kernels/quant.h"

enum { ROWS = 4 };
#define INLINE static inline __attribute__((always_inline))

/* A layer: rows of x are `stride` apart. */
INLINE void hidden_f32(const struct pack_layer *p, const float *x, uint32_t stride, float *h,
                       float least, const int rows)
{
    const uint32_t n_in = p->k, hp = p->width_pad;
    for (uint32_t j = 0; j < hp; j += 16) {
        const float *w = (const float *)p->w + (size_t)(j / 32) * p->k_pad * 32 + j % 32;
        __m256 a[ROWS][2];
        for (int r = 0; r < rows; r++) {
            a[r][0] = _mm256_load_ps(p->b + j);
            a[r][1] = _mm256_load_ps(p->b + j + 8);
        }
        for (uint32_t k = 0; k < n_in; k++, w += 32) {
            __m256 w0 = _mm256_load_ps(w), w1 = _mm256_load_ps(w + 8);
            for (int r = 0; r < rows; r++) {
                __m256 v = _mm256_broadcast_ss(x + (size_t)r * stride + k);
                a[r][0] = _mm256_fmadd_ps(v, w0, a[r][0]);
                a[r][1] = _mm256_fmadd_ps(v, w1, a[r][1]);
            }
        }
        for (int r = 0; r < rows; r++) /* max(a, least) is least where a is NaN */
            for (int i = 0; i < 2; i++)
                _mm256_store_ps(h + r * hp + j + 8 * i,
                                _mm256_max_ps(a[r][i], _mm256_set1_ps(least)));
    }
}

INLINE const float *all_hidden_f32(float h[2][ROWS * MLP_DEEP_WIDTH_MAX], const struct pack *p,
                                   const float *x, const int rows)
{
    uint32_t stride = p->n_in;
    for (uint32_t i = 0; i < p->n_layers; i++) {
        hidden_f32(&p->layer[i], x, stride, h[i % 2], cpu_act_least(p), rows);
        stride = p->layer[i].width_pad;
        x = h[i % 2];
        if (p->sigmoid)
            cpu_act_sigmoid(h[i % 2], (uint32_t)rows * stride);
    }
    return x;
}

INLINE float butterfly(const __m256 s[4], float bias)
{
    __m256 v = _mm256_add_ps(_mm256_add_ps(s[0], s[2]), _mm256_add_ps(s[1], s[3]));
    __m128 q = _mm_add_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
    q = _mm_add_ps(q, _mm_movehl_ps(q, q));
    q = _mm_add_ss(q, _mm_shuffle_ps(q, q, 1));
    float y = _mm_cvtss_f32(q) + bias;
    return y == y ? y : __builtin_nanf("");
}

static float output_f32(const float *h, const float *w2, uint32_t hp, float bias)
{
    __m256 s[4] = {_mm256_setzero_ps(), _mm256_setzero_ps(), _mm256_setzero_ps(),
                   _mm256_setzero_ps()};
    for (uint32_t j = 0; j < hp; j += 32)
        for (int i = 0; i < 4; i++)
            s[i] = _mm256_fmadd_ps(_mm256_load_ps(h + j + 8 * i), _mm256_load_ps(w2 + j + 8 * i),
                                   s[i]);
    return butterfly(s, bias);
}

/* A constant `deep` keeps what several layers need out of the way of one. */
INLINE void tile_f32(const struct pack *p, const float *x, float *y, const int rows,
                     const bool deep)
{
    _Alignas(32) float room[2][ROWS * MLP_DEEP_WIDTH_MAX]; /* for one layer, all of it is h */
    const float *h = room[0];
    if (deep)
        h = all_hidden_f32(room, p, x, rows);
    else
        hidden_f32(&p->layer[0], x, p->n_in, room[0], 0.0f, rows);
    for (int r = 0; r < rows; r++)
        for (uint32_t o = 0; o < p->n_out; o++)
            y[r * p->n_out + o] =
                output_f32(h + r * p->hidden_pad, (const float *)p->w2 + o * p->hidden_pad,
                           p->hidden_pad, p->b2[o]);
}

INLINE void forward_f32(const struct pack *p, uint32_t rows, const float *x, float *y,
                        const bool deep)
{
    for (; rows >= ROWS; rows -= ROWS, x += ROWS * p->n_in, y += ROWS * p->n_out)
        tile_f32(p, x, y, ROWS, deep);
    for (; rows; rows--, x += p->n_in, y += p->n_out)
        tile_f32(p, x, y, 1, deep);
}

static __attribute__((noinline)) void deep_f32(const struct pack *p, uint32_t rows, const float *x,
                                               float *y)
{
    forward_f32(p, rows, x, y, true);
    cpu_act_outputs(p, y, rows);
}

void cpu_avx2_f32(const struct pack *p, uint32_t rows, const float *x, float *y)
{
    if (p->deep)
        deep_f32(p, rows, x, y);
    else
        forward_f32(p, rows, x, y, false);
}

/* ---- int8: vpmaddwd on inputs and weights widened to 16 bits -------------- */

static void quantise(int16_t *to, const struct pack *p, const float *x)
{
    int8_t x8[MLP_IN_MAX];
    quant_rows(x8, p->k_pad, x, 1, p->n_in, p->in_inverse);
    for (uint32_t k = 0; k < p->k_pad; k++)
        to[k] = x8[k];
}

INLINE __m256i requantise(__m256i sum, __m256 scale)
{
    __m256 v = _mm256_mul_ps(_mm256_cvtepi32_ps(sum), scale);
    v = _mm256_min_ps(_mm256_max_ps(v, _mm256_setzero_ps()), _mm256_set1_ps(127.0f));
    return _mm256_cvtps_epi32(v);
}

/* Two vectors of eight sums to sixteen bytes, in order. */
INLINE __m128i narrow(__m256i lo, __m256i hi)
{
    __m256i words = _mm256_permute4x64_epi64(_mm256_packs_epi32(lo, hi), 0xd8);
    return _mm_packus_epi16(_mm256_castsi256_si128(words), _mm256_extracti128_si256(words, 1));
}

INLINE void hidden_s8(const struct pack_layer *p, const int16_t *x, uint32_t stride, uint8_t *h8,
                      const int rows)
{
    const uint32_t hp = p->width_pad, pairs = (p->k + 1) / 2;
    const __m256 scale = _mm256_set1_ps(p->scale);
    for (uint32_t j = 0; j < hp; j += 16) {
        const int16_t *w = (const int16_t *)p->w + (size_t)j * p->k_pad;
        __m256i a[ROWS][2];
        for (int r = 0; r < rows; r++)
            for (int i = 0; i < 2; i++)
                a[r][i] = _mm256_load_si256((const __m256i *)(p->c + j + 8 * i));
        for (uint32_t k = 0; k < pairs; k++, w += 32) {
            __m256i w0 = _mm256_load_si256((const __m256i *)w);
            __m256i w1 = _mm256_load_si256((const __m256i *)(w + 16));
            for (int r = 0; r < rows; r++) {
                int32_t pair;
                memcpy(&pair, x + (size_t)r * stride + 2 * k, sizeof pair);
                __m256i v = _mm256_set1_epi32(pair);
                a[r][0] = _mm256_add_epi32(a[r][0], _mm256_madd_epi16(v, w0));
                a[r][1] = _mm256_add_epi32(a[r][1], _mm256_madd_epi16(v, w1));
            }
        }
        for (int r = 0; r < rows; r++)
            _mm_store_si128((__m128i *)(h8 + r * hp + j),
                            narrow(requantise(a[r][0], scale), requantise(a[r][1], scale)));
    }
}

static void widen(int16_t *to, const uint8_t *h8, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        to[i] = h8[i];
}

/* h8 <= 127, so a pair of products fits 16 bits: vpmaddubsw cannot saturate. */
static int32_t output_s8(const uint8_t *h8, const int8_t *w2, uint32_t hp)
{
    __m256i s = _mm256_setzero_si256();
    for (uint32_t j = 0; j < hp; j += 32) {
        __m256i pairs = _mm256_maddubs_epi16(_mm256_load_si256((const __m256i *)(h8 + j)),
                                             _mm256_load_si256((const __m256i *)(w2 + j)));
        s = _mm256_add_epi32(s, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)));
    }
    __m128i q = _mm_add_epi32(_mm256_castsi256_si128(s), _mm256_extracti128_si256(s, 1));
    q = _mm_add_epi32(q, _mm_shuffle_epi32(q, 0x4e));
    q = _mm_add_epi32(q, _mm_shuffle_epi32(q, 0xb1));
    return _mm_cvtsi128_si32(q);
}

INLINE void all_hidden_s8(const struct pack *p, int16_t *x16, uint8_t *h8, const int rows)
{
    uint32_t stride = MLP_IN_MAX;
    for (uint32_t i = 0; i < p->n_layers; i++) {
        if (i)
            widen(x16, h8, (uint32_t)rows * stride);
        hidden_s8(&p->layer[i], x16, stride, h8, rows);
        stride = p->layer[i].width_pad;
    }
}

INLINE void tile_s8(const struct pack *p, const float *x, float *y, const int rows, const bool deep)
{
    _Alignas(32) uint8_t h8[ROWS * MLP_HIDDEN_MAX];
    int16_t x16[ROWS * MLP_DEEP_WIDTH_MAX];
    for (int r = 0; r < rows; r++)
        quantise(x16 + r * MLP_IN_MAX, p, x + (size_t)r * p->n_in);
    if (deep)
        all_hidden_s8(p, x16, h8, rows);
    else
        hidden_s8(&p->layer[0], x16, MLP_IN_MAX, h8, rows);
    for (int r = 0; r < rows; r++)
        for (uint32_t o = 0; o < p->n_out; o++) {
            int32_t sum = output_s8(h8 + r * p->hidden_pad,
                                    (const int8_t *)p->w2 + o * p->hidden_pad, p->hidden_pad);
            y[r * p->n_out + o] = (float)(sum + p->c2[o]) * p->out_scale;
        }
}

INLINE void forward_s8(const struct pack *p, uint32_t rows, const float *x, float *y,
                       const bool deep)
{
    for (; rows >= ROWS; rows -= ROWS, x += ROWS * p->n_in, y += ROWS * p->n_out)
        tile_s8(p, x, y, ROWS, deep);
    for (; rows; rows--, x += p->n_in, y += p->n_out)
        tile_s8(p, x, y, 1, deep);
}

static __attribute__((noinline)) void deep_s8(const struct pack *p, uint32_t rows, const float *x,
                                              float *y)
{
    forward_s8(p, rows, x, y, true);
}

void cpu_avx2_s8(const struct pack *p, uint32_t rows, const float *x, float *y)
{
    if (p->deep)
        deep_s8(p, rows, x, y);
    else
        forward_s8(p, rows, x, y, false);
}
#endif
