/* lstm_scalar.c - the recurrent twin for any processor, and lstm.h said again
 * in plain C: columns are the inner loop, so the compiler may vectorize without
 * changing the order of any column's own sum.                                */
#include <math.h>

#include "gpu-kernels/lstm_states.h"

static void segment(float *z, const float *w, const float *v, uint32_t n)
{
    float s[LSTM_LANES] = {0};
    for (uint32_t k = 0; k < n; k++, w += LSTM_LANES)
        for (int l = 0; l < LSTM_LANES; l++)
            s[l] = fmaf(v[k], w[l], s[l]);
    for (int l = 0; l < LSTM_LANES; l++)
        z[l] += s[l];
}

static void sums(float *z, uint32_t panels, const float *w, size_t panel, const float *v,
                 uint32_t stride, uint32_t n, uint32_t rows)
{
    for (uint32_t r = 0; r < rows; r++, v += stride)
        for (uint32_t p = 0; p < panels; p++, z += LSTM_LANES)
            for (uint32_t at = 0; at < n; at += LSTM_SEGMENT)
                segment(z, w + p * panel + (size_t)at * LSTM_LANES, v + at,
                        n - at < LSTM_SEGMENT ? n - at : LSTM_SEGMENT);
}

const struct lstm_twin_ops lstm_scalar = {sums, lstm_states, lstm_softmax};
