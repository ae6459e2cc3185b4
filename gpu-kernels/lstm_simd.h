/* lstm_simd.h - the sums of the recurrent twins for vectors of LSTM_W floats,
 * written once; lstm_avx2.c and lstm_avx512.c say what the words mean:
 *
 *     LSTM_W, V, V_ZERO, V_LOAD(p), V_STORE(p, v), V_ALL(x), V_FMA(a, b, c), V_ADD(a, b)
 *     LSTM_TILE  rows of a tile, as many as leave the sums in registers
 *
 * A weight is loaded once for the rows of a tile.                            */
#include "gpu-kernels/lstm_states.h"

#define INLINE static inline __attribute__((always_inline))

enum { PER_PANEL = LSTM_LANES / LSTM_W, MOST = LSTM_TWIN_PANELS * PER_PANEL };

/* A segment of n values of rows x panels, which are constants at every call. */
INLINE void segment(float *z, const float *w, size_t panel, const float *v, uint32_t stride,
                    uint32_t n, const int rows, const int panels)
{
    V s[LSTM_TILE][MOST];
    for (int r = 0; r < rows; r++)
        for (int i = 0; i < panels * PER_PANEL; i++)
            s[r][i] = V_ZERO;
    for (uint32_t k = 0; k < n; k++, w += LSTM_LANES) {
        V x[MOST];
        for (int i = 0; i < panels * PER_PANEL; i++)
            x[i] = V_LOAD(w + (size_t)(i / PER_PANEL) * panel + i % PER_PANEL * LSTM_W);
        for (int r = 0; r < rows; r++) {
            V in = V_ALL(v[(size_t)r * stride + k]);
            for (int i = 0; i < panels * PER_PANEL; i++)
                s[r][i] = V_FMA(in, x[i], s[r][i]);
        }
    }
    for (int r = 0; r < rows; r++)
        for (int i = 0; i < panels * PER_PANEL; i++) {
            float *to = z + (size_t)r * (size_t)panels * LSTM_LANES + i * LSTM_W;
            V_STORE(to, V_ADD(V_LOAD(to), s[r][i]));
        }
}

INLINE void segments(float *z, const float *w, size_t panel, const float *v, uint32_t stride,
                     uint32_t n, const int rows, const int panels)
{
    for (uint32_t at = 0; at < n; at += LSTM_SEGMENT)
        segment(z, w + (size_t)at * LSTM_LANES, panel, v + at, stride,
                n - at < LSTM_SEGMENT ? n - at : LSTM_SEGMENT, rows, panels);
}

INLINE void tile(const struct lstm_matrix *m, uint32_t from, uint32_t row, float *z, const int rows,
                 const int panels)
{
    const size_t panel = (size_t)m->k * LSTM_LANES;
    const float *w = m->w + from * panel;
    if (m->n_a) /* else it is NULL */
        segments(z, w, panel, m->a + (size_t)row * m->a_stride, m->a_stride, m->n_a, rows, panels);
    segments(z, w + (size_t)m->n_a * LSTM_LANES, panel, m->b + (size_t)row * m->b_stride,
             m->b_stride, m->n_b, rows, panels);
}

INLINE void tiles(const struct lstm_matrix *m, uint32_t panel, uint32_t rows, float *z,
                  const int panels)
{
    uint32_t r = 0;
    for (; r + LSTM_TILE <= rows; r += LSTM_TILE)
        tile(m, panel, r, z + (size_t)r * (size_t)panels * LSTM_LANES, LSTM_TILE, panels);
    for (; r < rows; r++)
        tile(m, panel, r, z + (size_t)r * (size_t)panels * LSTM_LANES, 1, panels);
}

static void sums(const struct lstm_matrix *m, uint32_t panel, uint32_t panels, uint32_t rows,
                 float *z)
{
    if (panels == LSTM_TWIN_PANELS)
        tiles(m, panel, rows, z, LSTM_TWIN_PANELS);
    else
        for (uint32_t p = 0; p < panels; p++)
            tiles(m, panel + p, rows, z, 1); /* only ever one panel of one */
}
