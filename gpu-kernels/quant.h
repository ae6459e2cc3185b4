/* quant.h - the roundings of mlp.h in plain C, for every backend but the
 * vector twins (which do the same with one instruction each). */
#ifndef GPU_KERNELS_QUANT_H
#define GPU_KERNELS_QUANT_H

#include <stdint.h>
#include <string.h>

#include "gpu-kernels/mlp.h"

/* Half to even of |v| < 2^22, without a libm call: plain adds vectorize. */
static inline int32_t quant_round(float v)
{
    float t = v + MLP_ROUND_MAGIC;
    int32_t bits, magic_bits = 0x4b400000;
    memcpy(&bits, &t, sizeof bits);
    return bits - magic_bits;
}

static inline int8_t quant_input(float x, float in_inverse)
{
    float v = x * in_inverse;
    v = v > -127.0f ? v : -127.0f; /* NaN too */
    v = v < 127.0f ? v : 127.0f;
    return (int8_t)quant_round(v);
}

static inline uint8_t quant_hidden(int32_t sum, float hidden_scale)
{
    float v = (float)sum * hidden_scale;
    v = v > 0.0f ? v : 0.0f;
    v = v < 127.0f ? v : 127.0f;
    return (uint8_t)quant_round(v);
}

/* [rows][n_in] floats to [rows][k_pad] bytes, the rest zero. */
static inline void quant_rows(int8_t *to, uint32_t k_pad, const float *x, uint32_t rows,
                              uint32_t n_in, float in_inverse)
{
    for (uint32_t r = 0; r < rows; r++, to += k_pad, x += n_in) {
        for (uint32_t k = 0; k < n_in; k++)
            to[k] = quant_input(x[k], in_inverse);
        memset(to + n_in, 0, k_pad - n_in);
    }
}

#endif
