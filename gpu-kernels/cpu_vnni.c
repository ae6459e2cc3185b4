/* cpu_vnni.c - the int8 twin for AVX-512 VNNI.
 *
 * A tile is four rows by 64 neurons: sixteen sums in registers, vpdpbusd on
 * quads of inputs.  The four vectors of sums of a row narrow to one of bytes,
 * whose odd order pack.c has given to the weights of the second layer.      */
#if defined(__x86_64__)
#include <immintrin.h>
#include <string.h>

#include "gpu-kernels/cpu.h"
#include "gpu-kernels/cpu_sum16.h"

enum { ROWS = 4, VECTORS = 4 };
#define INLINE static inline __attribute__((always_inline))

/* x + 128 as bytes; what is beyond n_in meets zero weights. */
static void quantise(uint8_t *to, const struct pack *p, const float *x)
{
    const __m512 inverse = _mm512_set1_ps(p->in_inverse), low = _mm512_set1_ps(-127.0f);
    for (uint32_t k = 0; k < p->n_in; k += 16) {
        uint32_t left = p->n_in - k;
        __mmask16 valid = left < 16 ? (__mmask16)((1u << left) - 1) : 0xffff;
        __m512 v = _mm512_mul_ps(_mm512_maskz_loadu_ps(valid, x + k), inverse);
        v = _mm512_min_ps(_mm512_max_ps(v, low), _mm512_set1_ps(127.0f));
        __m512i q = _mm512_add_epi32(_mm512_cvtps_epi32(v), _mm512_set1_epi32(128));
        _mm_store_si128((__m128i *)(to + k), _mm512_cvtepi32_epi8(q));
    }
}

INLINE __m512i requantise(__m512i sum, __m512 scale)
{
    __m512 v = _mm512_mul_ps(_mm512_cvtepi32_ps(sum), scale);
    return _mm512_cvtps_epi32(_mm512_min_ps(v, _mm512_set1_ps(127.0f)));
}

/* Packing saturates from below, and the byte maximum is relu. */
INLINE __m512i narrow(const __m512i a[VECTORS], __m512 scale)
{
    __m512i lo = _mm512_packs_epi32(requantise(a[0], scale), requantise(a[1], scale));
    __m512i hi = _mm512_packs_epi32(requantise(a[2], scale), requantise(a[3], scale));
    return _mm512_max_epi8(_mm512_packs_epi16(lo, hi), _mm512_setzero_si512());
}

/* A layer on `quads` quads of bytes, rows `stride` apart. */
INLINE void hidden(const struct pack_layer *p, const uint8_t *x8, uint32_t stride, uint32_t quads,
                   uint8_t *h8, const int rows)
{
    const uint32_t hp = p->width_pad, block = p->k_pad / 4 * 64;
    const __m512 scale = _mm512_set1_ps(p->scale);
    for (uint32_t j = 0; j < hp; j += 64) {
        const int8_t *w = (const int8_t *)p->w + (size_t)j / 16 * block;
        __m512i a[ROWS][VECTORS], v[VECTORS];
        for (int r = 0; r < rows; r++)
            for (int i = 0; i < VECTORS; i++)
                a[r][i] = _mm512_load_si512(p->c + j + 16 * i);
        for (uint32_t k = 0; k < quads; k++, w += 64) {
            for (int i = 0; i < VECTORS; i++)
                v[i] = _mm512_load_si512(w + (size_t)i * block);
            for (int r = 0; r < rows; r++) {
                int32_t quad;
                memcpy(&quad, x8 + (size_t)r * stride + 4 * k, sizeof quad);
                __m512i in = _mm512_set1_epi32(quad);
                for (int i = 0; i < VECTORS; i++)
                    a[r][i] = _mm512_dpbusd_epi32(a[r][i], in, v[i]);
            }
        }
        for (int r = 0; r < rows; r++)
            _mm512_store_si512(h8 + (size_t)r * hp + j, narrow(a[r], scale));
    }
}

INLINE const uint8_t *all_hidden(uint8_t h8[2][ROWS * MLP_DEEP_WIDTH_MAX], const struct pack *p,
                                 const uint8_t *x8, const int rows)
{
    uint32_t stride = MLP_IN_MAX, quads = (p->n_in + 3) / 4;
    for (uint32_t i = 0; i < p->n_layers; i++) {
        hidden(&p->layer[i], x8, stride, quads, h8[i % 2], rows);
        stride = p->layer[i].width_pad;
        quads = stride / 4; /* all of them: narrow() has mixed 64 together */
        x8 = h8[i % 2];
    }
    return x8;
}

/* Sixteen partial sums of rows x outs outputs at once, constants both. */
INLINE void partial(const struct pack *p, uint32_t o, const uint8_t *h8, __m512i *v, const int rows,
                    const int outs)
{
    const uint32_t hp = p->hidden_pad;
    const int8_t *w2 = (const int8_t *)p->w2 + (size_t)o * hp;
    __m512i s[ROWS][2];
    for (int r = 0; r < rows; r++)
        for (int i = 0; i < outs; i++)
            s[r][i] = _mm512_setzero_si512();
    for (uint32_t j = 0; j < hp; j += 64)
        for (int i = 0; i < outs; i++) {
            __m512i w = _mm512_load_si512(w2 + (size_t)i * hp + j);
            for (int r = 0; r < rows; r++)
                s[r][i] =
                    _mm512_dpbusd_epi32(s[r][i], _mm512_load_si512(h8 + (size_t)r * hp + j), w);
        }
    for (int r = 0; r < rows; r++)
        for (int i = 0; i < outs; i++)
            v[r * p->n_out + o + i] = s[r][i];
}

static void outputs_of_row(const struct pack *p, const __m512i *v, float *y)
{
    for (uint32_t o = 0; o < p->n_out; o++)
        y[o] = (float)(_mm512_reduce_add_epi32(v[o]) + p->c2[o]) * p->out_scale;
}

/* All outputs of a tile, sixteen at a time; bias[] repeats c2 row by row. */
static void outputs(const struct pack *p, __m512i *v, const int32_t *bias, float *y, uint32_t count)
{
    for (uint32_t i = 0; i < count; i += 16) {
        uint32_t left = count - i;
        for (uint32_t n = left; n < 16; n++)
            v[i + n] = _mm512_setzero_si512();
        __m512i sum = _mm512_add_epi32(sum16_epi32(v + i), _mm512_load_si512(bias + i));
        _mm512_mask_storeu_ps(y + i, left < 16 ? (__mmask16)((1u << left) - 1) : 0xffff,
                              _mm512_mul_ps(_mm512_cvtepi32_ps(sum), _mm512_set1_ps(p->out_scale)));
    }
}

/* From the last hidden layer to the outputs. */
INLINE void finish(const struct pack *p, const int32_t *bias, const uint8_t *h8, float *y,
                   const int rows)
{
    __m512i v[ROWS * MLP_OUT_MAX];
    uint32_t o = 0;
    for (; o + 2 <= p->n_out; o += 2)
        partial(p, o, h8, v, rows, 2);
    if (o < p->n_out)
        partial(p, o, h8, v, rows, 1);
    if (rows == 1)
        outputs_of_row(p, v, y);
    else
        outputs(p, v, bias, y, (uint32_t)rows * p->n_out);
}

/* A constant `deep` keeps what several layers need out of the way of one. */
INLINE void tile(const struct pack *p, const int32_t *bias, const float *x, float *y,
                 const int rows, const bool deep)
{
    _Alignas(64) uint8_t x8[ROWS * MLP_IN_MAX];
    for (int r = 0; r < rows; r++)
        quantise(x8 + r * MLP_IN_MAX, p, x + (size_t)r * p->n_in);
    if (deep) {
        _Alignas(64) uint8_t room[2][ROWS * MLP_DEEP_WIDTH_MAX];
        finish(p, bias, all_hidden(room, p, x8, rows), y, rows);
    } else {
        _Alignas(64) uint8_t h8[ROWS * MLP_HIDDEN_MAX];
        hidden(&p->layer[0], x8, MLP_IN_MAX, (p->n_in + 3) / 4, h8, rows);
        finish(p, bias, h8, y, rows);
    }
}

INLINE void forward(const struct pack *p, uint32_t rows, const float *x, float *y, const bool deep)
{
    _Alignas(64) int32_t bias[ROWS * MLP_OUT_MAX];
    for (uint32_t i = 0; rows > 1 && i < ROWS * p->n_out; i++)
        bias[i] = i < p->n_out ? p->c2[i] : bias[i - p->n_out];
    for (; rows >= ROWS; rows -= ROWS, x += ROWS * p->n_in, y += ROWS * p->n_out)
        tile(p, bias, x, y, ROWS, deep);
    for (; rows; rows--, x += p->n_in, y += p->n_out)
        tile(p, bias, x, y, 1, deep);
}

static __attribute__((noinline)) void deep_s8(const struct pack *p, uint32_t rows, const float *x,
                                              float *y)
{
    forward(p, rows, x, y, true);
}

void cpu_vnni_s8(const struct pack *p, uint32_t rows, const float *x, float *y)
{
    if (p->deep)
        deep_s8(p, rows, x, y);
    else
        forward(p, rows, x, y, false);
}
#endif
