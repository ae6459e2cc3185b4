/* cpu_narrow512.c - narrow fp32 networks for AVX-512: a lane is a row.
 *
 * KML's layers of 15 and 5 neurons, or MLLB's of 10, would leave most lanes of
 * a vector of neurons idle.  With sixteen rows side by side none is, and the
 * sums over neurons are plain additions.  The order stays that of mlp.h: an
 * absent neuron's +0 is added where it would be, since it makes +0 of -0.   */
#if defined(__x86_64__)
#include <immintrin.h>

#include "gpu-kernels/cpu_act.h"
#include "gpu-kernels/cpu_narrow512.h"

enum { ROWS = CPU_NARROW_ROWS, CHAINS = 16 };
#define INLINE static inline __attribute__((always_inline))

bool cpu_narrow512(const struct pack *p)
{
    for (uint32_t i = 0; i < p->n_layers; i++)
        if (p->layer[i].width > MLP_LANES)
            return false;
    return true;
}

/* `n` neurons from j on (a constant: as many chains) of 16 rows; k values in `from`. */
INLINE void neurons(const struct pack_layer *l, uint32_t j, const __m512 *from, __m512 *to,
                    __m512 least, const int n)
{
    const float *w = (const float *)l->w + j;
    __m512 sum[CHAINS];
    for (int i = 0; i < n; i++)
        sum[i] = _mm512_set1_ps(l->b[j + (uint32_t)i]);
    for (uint32_t k = 0; k < l->k; k++, w += MLP_LANES)
        for (int i = 0; i < n; i++)
            sum[i] = _mm512_fmadd_ps(from[k], _mm512_set1_ps(w[i]), sum[i]);
    for (int i = 0; i < n; i++) /* least where a sum is NaN */
        to[j + (uint32_t)i] = _mm512_max_ps(sum[i], least);
}

/* All neurons in one go, or in two halves: fewer chains would wait for one another. */
static void layer(const struct pack_layer *l, const __m512 *from, __m512 *to, float least)
{
    const __m512 floor = _mm512_set1_ps(least);
    const uint32_t some = l->width > CHAINS ? (l->width + 1) / 2 : l->width;
    for (uint32_t j = 0; j < l->width; j += some) {
        switch (l->width - j < some ? l->width - j : some) {
#define X(n)                                                                                       \
    case n:                                                                                        \
        neurons(l, j, from, to, floor, n);                                                         \
        break;
            X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11) X(12) X(13) X(14) X(15) X(16)
#undef X
        }
    }
}

/* The butterfly over `all` neurons (a constant) of which `width` are there. */
INLINE __m512 output(const float *w, const __m512 *h, uint32_t width, const uint32_t all)
{
    const __m512 zero = _mm512_setzero_ps();
    __m512 s[MLP_LANES];
    s[0] = zero; /* cppcheck thinks of no neurons at all */
    for (uint32_t j = 0; j < all; j++)
        s[j] = j < width ? _mm512_fmadd_ps(h[j], _mm512_set1_ps(w[j]), zero) : zero;
    for (uint32_t j = 0; all < MLP_LANES && j < all; j++)
        s[j] = _mm512_add_ps(s[j], zero);
    for (uint32_t distance = all / 2; distance; distance /= 2)
        for (uint32_t j = 0; j < distance; j++)
            s[j] = _mm512_add_ps(s[j], s[j + distance]);
    return s[0];
}

/* Every n_out-th float from y on. */
static void outputs(const struct pack *p, const __m512 *h, float *y)
{
    const __m512i each =
        _mm512_mullo_epi32(_mm512_set_epi32(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0),
                           _mm512_set1_epi32((int)p->n_out));
    const uint32_t width = p->layer[p->n_layers - 1].width;
    for (uint32_t o = 0; o < p->n_out; o++) {
        const float *w = (const float *)p->w2 + (size_t)o * p->hidden_pad;
        __m512 sum = width > 16  ? output(w, h, width, 32)
                     : width > 8 ? output(w, h, width, 16)
                                 : output(w, h, width, 8);
        sum = _mm512_add_ps(sum, _mm512_set1_ps(p->b2[o]));
        const __mmask16 nan = _mm512_cmp_ps_mask(sum, sum, _CMP_UNORD_Q);
        sum = _mm512_mask_mov_ps(sum, nan, _mm512_set1_ps(__builtin_nanf("")));
        _mm512_i32scatter_ps(y + o, each, sum, sizeof *y);
    }
}

/* Quarters of four rows: column i of each quarter of the four into to[4 * i]. */
INLINE void transpose_4(__m512 *to, const __m512 row[4])
{
    const __m512 low01 = _mm512_unpacklo_ps(row[0], row[1]);
    const __m512 high01 = _mm512_unpackhi_ps(row[0], row[1]);
    const __m512 low23 = _mm512_unpacklo_ps(row[2], row[3]);
    const __m512 high23 = _mm512_unpackhi_ps(row[2], row[3]);
    to[0] = _mm512_shuffle_ps(low01, low23, 0x44);
    to[4] = _mm512_shuffle_ps(low01, low23, 0xee);
    to[8] = _mm512_shuffle_ps(high01, high23, 0x44);
    to[12] = _mm512_shuffle_ps(high01, high23, 0xee);
}

/* Sixteen values of 16 rows, a row after the other, to a value after the other. */
INLINE void transpose(__m512 to[16], const __m512 row[16])
{
    __m512 part[16]; /* [column in its quarter][four rows]: of all quarters */
    for (int r = 0; r < 4; r++)
        transpose_4(part + r, row + 4 * r);
    for (int i = 0; i < 4; i++) {
        const __m512 *of = part + 4 * i;
        const __m512 a = _mm512_shuffle_f32x4(of[0], of[1], 0x44);
        const __m512 b = _mm512_shuffle_f32x4(of[0], of[1], 0xee);
        const __m512 c = _mm512_shuffle_f32x4(of[2], of[3], 0x44);
        const __m512 d = _mm512_shuffle_f32x4(of[2], of[3], 0xee);
        to[i] = _mm512_shuffle_f32x4(a, c, 0x88);
        to[4 + i] = _mm512_shuffle_f32x4(a, c, 0xdd);
        to[8 + i] = _mm512_shuffle_f32x4(b, d, 0x88);
        to[12 + i] = _mm512_shuffle_f32x4(b, d, 0xdd);
    }
}

static void inputs(__m512 *to, const float *x, uint32_t n_in)
{
    for (uint32_t k = 0; k < n_in; k += 16, to += 16) {
        const uint32_t left = n_in - k;
        const __mmask16 there = left < 16 ? (__mmask16)((1u << left) - 1) : 0xffff;
        __m512 row[ROWS];
        for (uint32_t r = 0; r < ROWS; r++)
            row[r] = _mm512_maskz_loadu_ps(there, x + (size_t)r * n_in + k);
        transpose(to, row);
    }
}

void cpu_narrow512_f32(const struct pack *p, uint32_t rows, const float *x, float *y)
{
    __m512 in[MLP_IN_MAX], h[2][MLP_LANES];
    for (; rows; rows -= ROWS, x += ROWS * p->n_in, y += ROWS * p->n_out) {
        const __m512 *from = in;
        inputs(in, x, p->n_in);
        for (uint32_t i = 0; i < p->n_layers; i++) {
            layer(&p->layer[i], from, h[i % 2], cpu_act_least(p));
            if (p->sigmoid)
                cpu_act_sigmoid((float *)h[i % 2], p->layer[i].width * ROWS);
            from = h[i % 2];
        }
        outputs(p, from, y);
    }
}
#endif
