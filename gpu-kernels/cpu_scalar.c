/* cpu_scalar.c - the twin for any processor, and mlp.h said again in plain C.
 *
 * Neurons are the inner loop (axpy form), so the compiler may vectorize
 * without changing the order of any neuron's own sum.                       */
#include <math.h>
#include <string.h>

#include "gpu-kernels/cpu.h"
#include "gpu-kernels/cpu_act.h"
#include "gpu-kernels/quant.h"

static void hidden_chunk(float h[MLP_LANES], const struct pack_layer *p, uint32_t c, const float *x,
                         float least)
{
    const float *w = (const float *)p->w + (size_t)c * p->k_pad * MLP_LANES;
    memcpy(h, p->b + c * MLP_LANES, MLP_LANES * sizeof *h);
    for (uint32_t k = 0; k < p->k; k++, w += MLP_LANES)
        for (int l = 0; l < MLP_LANES; l++)
            h[l] = fmaf(x[k], w[l], h[l]);
    for (int l = 0; l < MLP_LANES; l++)
        h[l] = h[l] > least ? h[l] : least;
}

/* All hidden layers of a row; the last one's values. */
static const float *hidden(float h[2][MLP_HIDDEN_MAX], const struct pack *p, const float *x)
{
    for (uint32_t i = 0; i < p->n_layers; i++, x = h[i % 2]) {
        float *to = h[(i + 1) % 2];
        for (uint32_t c = 0; c < p->layer[i].width_pad; c += MLP_LANES)
            hidden_chunk(to + c, &p->layer[i], c / MLP_LANES, x, cpu_act_least(p));
        if (p->sigmoid)
            cpu_act_sigmoid(to, p->layer[i].width_pad);
    }
    return x;
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
    float *begin = y;
    for (uint32_t r = 0; r < rows; r++, x += p->n_in, y += p->n_out) {
        float room[2][MLP_HIDDEN_MAX];
        const float *h = hidden(room, p, x), *w2 = p->w2;
        for (uint32_t o = 0; o < p->n_out; o++, w2 += p->hidden_pad) {
            float s[MLP_LANES] = {0};
            for (uint32_t j = 0; j < p->hidden_pad; j += MLP_LANES)
                for (int l = 0; l < MLP_LANES; l++)
                    s[l] = fmaf(h[j + l], w2[j + l], s[l]);
            y[o] = butterfly(s, p->b2[o]);
        }
    }
    cpu_act_outputs(p, begin, rows);
}

static void hidden_s8(int8_t *h8, const struct pack_layer *p, const int8_t *x8)
{
    for (uint32_t j = 0; j < p->width_pad; j++) {
        const int16_t *w = (const int16_t *)p->w + (size_t)(j / 16) * p->k_pad * 16 + j % 16 * 2;
        int32_t sum = p->c[j];
        for (uint32_t k = 0; k < p->k; k += 2, w += 32)
            sum += x8[k] * w[0] + x8[k + 1] * w[1];
        h8[j] = (int8_t)quant_hidden(sum, p->scale);
    }
}

void cpu_scalar_s8(const struct pack *p, uint32_t rows, const float *x, float *y)
{
    for (uint32_t r = 0; r < rows; r++, x += p->n_in, y += p->n_out) {
        int8_t room[2][MLP_HIDDEN_MAX], *h8 = room[0];
        quant_rows(h8, p->k_pad, x, 1, p->n_in, p->in_inverse);
        for (uint32_t i = 0; i < p->n_layers; i++, h8 = room[i % 2])
            hidden_s8(room[(i + 1) % 2], &p->layer[i], h8);
        for (uint32_t o = 0; o < p->n_out; o++) {
            const int8_t *w2 = (const int8_t *)p->w2 + (size_t)o * p->hidden_pad;
            int32_t sum = p->c2[o];
            for (uint32_t j = 0; j < p->hidden_pad; j++)
                sum += h8[j] * w2[j];
            y[o] = (float)sum * p->out_scale;
        }
    }
}
