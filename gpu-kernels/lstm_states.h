/* lstm_states.h - what a twin does to its sums: plain loops over what lies in
 * memory, that the compiler of each instruction set vectorizes.              */
#ifndef GPU_KERNELS_LSTM_STATES_H
#define GPU_KERNELS_LSTM_STATES_H

#include <string.h>

#include "gpu-kernels/cu_math.h"
#include "gpu-kernels/lstm_twin.h"

/* Gates of n neurons to their c, and to h in place of gate i. */
static inline void lstm_states_of(float *restrict i_h, const float *restrict f,
                                  const float *restrict g, const float *restrict o,
                                  float *restrict c, size_t n)
{
    for (size_t k = 0; k < n; k++) {
        const float in = cu_sigmoid(i_h[k]);
        c[k] = cu_fma(cu_sigmoid(f[k]), c[k], in * cu_tanh(g[k]));
        i_h[k] = cu_sigmoid(o[k]) * cu_tanh(c[k]);
    }
}

/* A panel has eight neurons' gates beside each other: laid out by gates they fill any vector. */
static void lstm_states(const float *z, uint32_t rows, float *h, uint32_t stride, float *c)
{
    _Alignas(64) float gate[4][LSTM_TWIN_ROWS * LSTM_TWIN_NEURONS];
    for (uint32_t at = 0; at < rows * LSTM_TWIN_NEURONS; at += LSTM_NEURONS)
        for (int i = 0; i < 4; i++, z += LSTM_NEURONS)
            memcpy(gate[i] + at, z, LSTM_NEURONS * sizeof *z);
    lstm_states_of(gate[0], gate[1], gate[2], gate[3], c, (size_t)rows * LSTM_TWIN_NEURONS);
    for (uint32_t r = 0; r < rows; r++)
        memcpy(h + (size_t)r * stride, gate[0] + (size_t)r * LSTM_TWIN_NEURONS,
               LSTM_TWIN_NEURONS * sizeof *h);
}

static void lstm_softmax(float *y, uint32_t n)
{
    float most = LSTM_LOWEST, s[LSTM_LANES] = {0};
    for (uint32_t o = 0; o < n; o++)
        most = y[o] > most ? y[o] : most;
    for (uint32_t o = 0; o < n; o++) {
        const float v = y[o] - most;
        y[o] = cu_exp(v > LSTM_EXP_MIN ? v : LSTM_EXP_MIN);
    }
    for (uint32_t o = 0; o < n; o++)
        s[o % LSTM_LANES] += y[o];
    for (int d = LSTM_LANES / 2; d; d /= 2)
        for (int l = 0; l < d; l++)
            s[l] += s[l + d];
    for (uint32_t o = 0; o < n; o++)
        y[o] /= s[0];
}

#endif
