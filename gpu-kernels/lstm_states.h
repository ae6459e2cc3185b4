/* lstm_states.h - what a twin does to its sums: plain loops over what lies in
 * memory, that the compiler of each instruction set vectorizes.              */
#ifndef GPU_KERNELS_LSTM_STATES_H
#define GPU_KERNELS_LSTM_STATES_H

#include "gpu-kernels/cu_math.h"
#include "gpu-kernels/lstm_twin.h"

/* Eight neurons, whose gates are z. */
static inline void lstm_states_panel(const float *restrict z, bool first, float *restrict h,
                                     float *restrict c)
{
    for (int n = 0; n < LSTM_NEURONS; n++) {
        const float i = cu_sigmoid(z[n]), f = cu_sigmoid(z[LSTM_NEURONS + n]);
        const float g = cu_tanh(z[2 * LSTM_NEURONS + n]), o = cu_sigmoid(z[3 * LSTM_NEURONS + n]);
        c[n] = cu_fma(f, first ? 0.0f : c[n], i * g);
        h[n] = o * cu_tanh(c[n]);
    }
}

static void lstm_states(const float *z, uint32_t panels, uint32_t rows, bool first, float *h,
                        float *c, uint32_t stride)
{
    for (uint32_t r = 0; r < rows; r++, h += stride, c += stride)
        for (uint32_t p = 0; p < panels; p++, z += LSTM_LANES)
            lstm_states_panel(z, first, h + (size_t)p * LSTM_NEURONS, c + (size_t)p * LSTM_NEURONS);
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
