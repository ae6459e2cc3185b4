/* cpu_avx512.c - the fp32 twin for AVX-512.
 *
 * Many rows: a tile is eight rows by one chunk of 32 neurons, sixteen sums in
 * registers; a weight is loaded once for eight rows, so the FMA ports, not
 * the loads, are the limit.  One row: four chunks side by side, for the same
 * reason that a single chain of FMAs would leave both ports idle.           */
#if defined(__x86_64__)
#include <immintrin.h>

#include "gpu-kernels/cpu.h"
#include "gpu-kernels/cpu_act.h"
#include "gpu-kernels/cpu_narrow512.h"
#include "gpu-kernels/cpu_sum16.h"

enum { ROWS = 8, SIDE = 4 };
#define INLINE static inline __attribute__((always_inline))

/* rows x chunks blocks of 32 neurons: both are constants at every call.  Rows
 * of x are `stride` apart; no value of h is below `least`. */
INLINE void hidden_block(const struct pack_layer *p, uint32_t c, const float *x, uint32_t stride,
                         float *h, float least, const int rows, const int chunks)
{
    const uint32_t n_in = p->k, hp = p->width_pad, panel = p->k_pad * 32;
    const float *w = (const float *)p->w + (size_t)c * panel, *b = p->b + c * 32;
    __m512 a[ROWS][2 * SIDE];
    for (int r = 0; r < rows; r++)
        for (int i = 0; i < 2 * chunks; i++)
            a[r][i] = _mm512_load_ps(b + 16 * i);
    for (uint32_t k = 0; k < n_in; k++, w += 32) {
        __m512 v[2 * SIDE];
        for (int i = 0; i < 2 * chunks; i++)
            v[i] = _mm512_load_ps(w + (size_t)(i / 2) * panel + i % 2 * 16);
        for (int r = 0; r < rows; r++) {
            __m512 in = _mm512_set1_ps(x[(size_t)r * stride + k]);
            for (int i = 0; i < 2 * chunks; i++)
                a[r][i] = _mm512_fmadd_ps(in, v[i], a[r][i]);
        }
    }
    for (int r = 0; r < rows; r++) /* max(a, least) is least where a is NaN */
        for (int i = 0; i < 2 * chunks; i++)
            _mm512_store_ps(h + (size_t)r * hp + c * 32 + 16 * i,
                            _mm512_max_ps(a[r][i], _mm512_set1_ps(least)));
}

INLINE void hidden(const struct pack_layer *p, const float *x, uint32_t stride, float *h,
                   float least, const int rows)
{
    const uint32_t chunks = p->width_pad / 32;
    uint32_t c = 0;
    if (rows == 1)
        for (; c + SIDE <= chunks; c += SIDE)
            hidden_block(p, c, x, stride, h, least, rows, SIDE);
    for (; c < chunks; c++)
        hidden_block(p, c, x, stride, h, least, rows, 1);
}

/* Each a function of its own: amid the rest of a deep network the compiler runs out of
 * registers and keeps a weight in memory, at a third of the speed. */
#define HIDDEN_OF(rows)                                                                            \
    static __attribute__((noinline)) void hidden_of_##rows(                                        \
        const struct pack_layer *p, const float *x, uint32_t stride, float *h, float least)        \
    {                                                                                              \
        hidden(p, x, stride, h, least, rows);                                                      \
    }
HIDDEN_OF(1)
HIDDEN_OF(2)
HIDDEN_OF(8)

INLINE const float *all_hidden(float h[2][ROWS * MLP_DEEP_WIDTH_MAX], const struct pack *p,
                               const float *x, const int rows)
{
    uint32_t stride = p->n_in;
    for (uint32_t i = 0; i < p->n_layers; i++) {
        (rows == 1   ? hidden_of_1
         : rows == 2 ? hidden_of_2
                     : hidden_of_8)(&p->layer[i], x, stride, h[i % 2], cpu_act_least(p));
        stride = p->layer[i].width_pad;
        x = h[i % 2];
        if (p->sigmoid)
            cpu_act_sigmoid(h[i % 2], (uint32_t)rows * stride);
    }
    return x;
}

/* The chains over chunks and the sum at distance 16, of rows x outs outputs at
 * once (constants, so that s[] stays in registers): 16 lanes of each remain. */
INLINE void partial(const struct pack *p, uint32_t o, const float *h, __m512 *v, const int rows,
                    const int outs)
{
    const uint32_t hp = p->hidden_pad;
    const float *w2 = (const float *)p->w2 + (size_t)o * hp;
    __m512 s[SIDE][2][2];
    for (int r = 0; r < rows; r++)
        for (int i = 0; i < outs; i++)
            s[r][i][0] = s[r][i][1] = _mm512_setzero_ps();
    for (uint32_t j = 0; j < hp; j += 32)
        for (int half = 0; half < 2; half++)
            for (int i = 0; i < outs; i++) {
                __m512 w = _mm512_load_ps(w2 + (size_t)i * hp + j + 16 * half);
                for (int r = 0; r < rows; r++)
                    s[r][i][half] = _mm512_fmadd_ps(
                        _mm512_load_ps(h + (size_t)r * hp + j + 16 * half), w, s[r][i][half]);
            }
    for (int r = 0; r < rows; r++)
        for (int i = 0; i < outs; i++)
            v[r * p->n_out + o + i] = _mm512_add_ps(s[r][i][0], s[r][i][1]);
}

INLINE void partials(const struct pack *p, const float *h, __m512 *v, const int rows)
{
    uint32_t o = 0;
    for (; o + 2 <= p->n_out; o += 2)
        partial(p, o, h, v, rows, 2);
    if (o < p->n_out)
        partial(p, o, h, v, rows, 1);
}

INLINE float butterfly(__m512 v)
{
    __m256 a = _mm256_add_ps(_mm512_castps512_ps256(v), _mm512_extractf32x8_ps(v, 1));
    __m128 q = _mm_add_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps(a, 1));
    q = _mm_add_ps(q, _mm_movehl_ps(q, q));
    return _mm_cvtss_f32(_mm_add_ss(q, _mm_shuffle_ps(q, q, 1)));
}

static void outputs_of_row(const struct pack *p, const __m512 *v, float *y)
{
    for (uint32_t o = 0; o < p->n_out; o++) {
        float sum = butterfly(v[o]) + p->b2[o];
        y[o] = sum == sum ? sum : __builtin_nanf("");
    }
}

/* All outputs of a tile, sixteen at a time; bias[] repeats b2 row by row. */
static void outputs(__m512 *v, const float *bias, float *y, uint32_t count)
{
    for (uint32_t i = 0; i < count; i += 16) {
        uint32_t left = count - i;
        for (uint32_t n = left; n < 16; n++)
            v[i + n] = _mm512_setzero_ps();
        __m512 sum = _mm512_add_ps(sum16_ps(v + i), _mm512_load_ps(bias + i));
        __mmask16 nan = _mm512_cmp_ps_mask(sum, sum, _CMP_UNORD_Q);
        sum = _mm512_mask_mov_ps(sum, nan, _mm512_set1_ps(__builtin_nanf("")));
        _mm512_mask_storeu_ps(y + i, left < 16 ? (__mmask16)((1u << left) - 1) : 0xffff, sum);
    }
}

/* From the last hidden layer to the outputs. */
INLINE void finish(const struct pack *p, const float *bias, const float *h, float *y,
                   const int rows)
{
    __m512 v[ROWS * MLP_OUT_MAX];
    for (int r = 0; r < rows; r += SIDE)
        partials(p, h + (size_t)r * p->hidden_pad, v + (size_t)r * p->n_out,
                 rows < SIDE ? rows : SIDE);
    if (rows == 1)
        outputs_of_row(p, v, y);
    else
        outputs(v, bias, y, (uint32_t)rows * p->n_out);
}

/* A constant `deep` keeps what several layers need out of the way of one. */
INLINE void tile(const struct pack *p, const float *bias, const float *x, float *y, const int rows,
                 const bool deep)
{
    if (deep) {
        _Alignas(64) float room[2][ROWS * MLP_DEEP_WIDTH_MAX];
        finish(p, bias, all_hidden(room, p, x, rows), y, rows);
    } else {
        _Alignas(64) float h[ROWS * MLP_HIDDEN_MAX];
        hidden(&p->layer[0], x, p->n_in, h, 0.0f, rows);
        finish(p, bias, h, y, rows);
    }
}

INLINE void forward(const struct pack *p, uint32_t rows, const float *x, float *y, const bool deep)
{
    _Alignas(64) float bias[ROWS * MLP_OUT_MAX];
    for (uint32_t i = 0; rows > 1 && i < ROWS * p->n_out; i++)
        bias[i] = i < p->n_out ? p->b2[i] : bias[i - p->n_out];
    for (; rows >= ROWS; rows -= ROWS, x += ROWS * p->n_in, y += ROWS * p->n_out)
        tile(p, bias, x, y, ROWS, deep);
    for (; rows >= 2; rows -= 2, x += 2 * p->n_in, y += 2 * p->n_out)
        tile(p, bias, x, y, 2, deep);
    if (rows)
        tile(p, bias, x, y, 1, deep);
}

static __attribute__((noinline)) void deep_f32(const struct pack *p, uint32_t rows, const float *x,
                                               float *y)
{
    forward(p, rows, x, y, true);
}

static void many_f32(const struct pack *p, uint32_t rows, const float *x, float *y)
{
    const uint32_t narrow = cpu_narrow512(p) ? rows / CPU_NARROW_ROWS * CPU_NARROW_ROWS : 0;
    if (narrow)
        cpu_narrow512_f32(p, narrow, x, y);
    x += (size_t)narrow * p->n_in;
    y += (size_t)narrow * p->n_out;
    if (p->deep)
        deep_f32(p, rows - narrow, x, y);
    else
        forward(p, rows - narrow, x, y, false);
}

void cpu_avx512_f32(const struct pack *p, uint32_t rows, const float *x, float *y)
{
    many_f32(p, rows, x, y);
    cpu_act_outputs(p, y, rows);
}
#endif
