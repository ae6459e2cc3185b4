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

static void segments(float *z, const float *w, const float *v, uint32_t n)
{
    for (uint32_t at = 0; at < n; at += LSTM_SEGMENT)
        segment(z, w + (size_t)at * LSTM_LANES, v + at,
                n - at < LSTM_SEGMENT ? n - at : LSTM_SEGMENT);
}

static void sums(const struct lstm_matrix *m, uint32_t panel, uint32_t panels, uint32_t rows,
                 float *z)
{
    for (uint32_t r = 0; r < rows; r++)
        for (uint32_t p = 0; p < panels; p++, z += LSTM_LANES) {
            const float *w = m->w + (size_t)(panel + p) * m->k * LSTM_LANES;
            if (m->n_a) /* else it is NULL, as b is without n_b */
                segments(z, w, m->a + (size_t)r * m->a_stride, m->n_a);
            if (m->n_b)
                segments(z, w + (size_t)m->n_a * LSTM_LANES, m->b + (size_t)r * m->b_stride,
                         m->n_b);
        }
}

const struct lstm_twin_ops lstm_scalar = {sums, lstm_states, lstm_softmax};
