/* cpu_scalar.c - the twin for any processor, and mlp.h said again in plain C.
 *
 * Neurons are the inner loop (axpy form), so the compiler may vectorize
 * without changing the order of any neuron's own sum.                       */
#include <math.h>
#include <string.h>

#include "gpu-kernels/cpu.h"
#include "gpu-kernels/quant.h"

static void hidden_chunk(float h[MLP_LANES], const struct pack *p, uint32_t c, const float *x)
{
    const float *w = (const float *)p->w1 + (size_t)c * p->k_pad * MLP_LANES;
    memcpy(h, p->b1 + c * MLP_LANES, MLP_LANES * sizeof *h);
    for (uint32_t k = 0; k < p->n_in; k++, w += MLP_LANES)
        for (int l = 0; l < MLP_LANES; l++)
            h[l] = fmaf(x[k], w[l], h[l]);
    for (int l = 0; l < MLP_LANES; l++)
        h[l] = h[l] > 0.0f ? h[l] : 0.0f;
}

static float butterfly(float s[MLP_LANES], float bias)
{
    for (int distance = MLP_LANES / 2; distance; distance /= 2)
        for (int l = 0; l < distance; l++)
            s[l] += s[l + distance];
    float y = s[0] + bias;
    return y == y ? y : NAN;
}

void cpu_scalar_f32(const struct pack *p, uint32_t rows, const float *x, float *y)
{
    for (uint32_t r = 0; r < rows; r++, x += p->n_in, y += p->n_out) {
        float h[MLP_LANES], s[MLP_OUT_MAX][MLP_LANES] = {{0}};
        for (uint32_t c = 0; c < p->chunks; c++) {
            const float *w2 = (const float *)p->w2 + c * MLP_LANES;
            hidden_chunk(h, p, c, x);
            for (uint32_t o = 0; o < p->n_out; o++, w2 += p->hidden_pad)
                for (int l = 0; l < MLP_LANES; l++)
                    s[o][l] = fmaf(h[l], w2[l], s[o][l]);
        }
        for (uint32_t o = 0; o < p->n_out; o++)
            y[o] = butterfly(s[o], p->b2[o]);
    }
}

static void hidden_s8(uint8_t *h8, const struct pack *p, const int8_t *x8)
{
    for (uint32_t j = 0; j < p->n_hidden; j++) {
        const int16_t *w = (const int16_t *)p->w1 + (size_t)(j / 16) * p->k_pad * 16 + j % 16 * 2;
        int32_t sum = p->c1[j];
        for (uint32_t k = 0; k < p->n_in; k += 2, w += 32)
            sum += x8[k] * w[0] + x8[k + 1] * w[1];
        h8[j] = quant_hidden(sum, p->hidden_scale);
    }
}

void cpu_scalar_s8(const struct pack *p, uint32_t rows, const float *x, float *y)
{
    for (uint32_t r = 0; r < rows; r++, x += p->n_in, y += p->n_out) {
        int8_t x8[MLP_IN_MAX];
        uint8_t h8[MLP_HIDDEN_MAX];
        quant_rows(x8, p->k_pad, x, 1, p->n_in, p->in_inverse);
        hidden_s8(h8, p, x8);
        for (uint32_t o = 0; o < p->n_out; o++) {
            const int8_t *w2 = (const int8_t *)p->w2 + (size_t)o * p->hidden_pad;
            int32_t sum = p->c2[o];
            for (uint32_t j = 0; j < p->n_hidden; j++)
                sum += h8[j] * w2[j];
            y[o] = (float)sum * p->out_scale;
        }
    }
}
