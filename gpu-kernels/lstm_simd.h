/* lstm_simd.h - the sums of the recurrent twins for vectors of LSTM_W floats,
 * written once; lstm_avx2.c and lstm_avx512.c say what the words mean:
 *
 *     LSTM_W, V, V_ZERO, V_LOAD(p), V_STORE(p, v), V_ALL(x), V_FMA(a, b, c), V_ADD(a, b)
 *     LSTM_TILES(X)         X(rows, panels) of every tile there is
 *     LSTM_TILE_ROWS        the most of them
 *     LSTM_TILE_PANELS      panels of a tile, whose sums stay in registers
 *
 * A weight is loaded once for the rows of a tile, and a segment of the weights
 * of a group stays in the first cache for all rows.                          */
#include "gpu-kernels/lstm_states.h"

#define INLINE static inline __attribute__((always_inline))
#define WHOLE  _Pragma("GCC unroll 8") /* the loop, or the compiler keeps the sums in memory */

enum { PER_PANEL = LSTM_LANES / LSTM_W, MOST = LSTM_TWIN_PANELS * PER_PANEL };

/* A segment of n values of rows x panels, which are constants at every call; z rows are `wide`
 * apart. */
INLINE void tile(float *z, size_t wide, const float *w, size_t panel, const float *v,
                 uint32_t stride, uint32_t n, const int rows, const int panels)
{
    V s[LSTM_TILE_ROWS][MOST];
    WHOLE for (int r = 0; r < rows; r++) WHOLE for (int i = 0; i < panels * PER_PANEL; i++)
        s[r][i] = V_ZERO;
    for (uint32_t k = 0; k < n; k++, w += LSTM_LANES) {
        V in[LSTM_TILE_ROWS];
        WHOLE for (int r = 0; r < rows; r++) in[r] = V_ALL(v[(size_t)r * stride + k]);
        WHOLE for (int i = 0; i < panels * PER_PANEL; i++)
        {
            V x = V_LOAD(w + (size_t)(i / PER_PANEL) * panel + i % PER_PANEL * LSTM_W);
            WHOLE for (int r = 0; r < rows; r++) s[r][i] = V_FMA(in[r], x, s[r][i]);
        }
    }
    WHOLE for (int r = 0; r < rows; r++) WHOLE for (int i = 0; i < panels * PER_PANEL; i++)
    {
        float *to = z + (size_t)r * wide + i * LSTM_W;
        V_STORE(to, V_ADD(V_LOAD(to), s[r][i]));
    }
}

/* Each a function of its own, for the compiler to find registers for. */
typedef void tile_of(float *z, size_t wide, const float *w, size_t panel, const float *v,
                     uint32_t stride, uint32_t n);
#define ONE(rows, panels)                                                                          \
    static __attribute__((noinline)) void tile_##rows##x##panels(                                  \
        float *z, size_t wide, const float *w, size_t panel, const float *v, uint32_t stride,      \
        uint32_t n)                                                                                \
    {                                                                                              \
        tile(z, wide, w, panel, v, stride, n, rows, panels);                                       \
    }
LSTM_TILES(ONE)
#undef ONE

static tile_of *const tiles[LSTM_TILE_PANELS + 1][LSTM_TILE_ROWS + 1] = {
#define ONE(rows, panels) [panels][rows] = tile_##rows##x##panels,
    LSTM_TILES(ONE)
#undef ONE
};

static void segment(float *z, uint32_t panels, const float *w, size_t panel, const float *v,
                    uint32_t stride, uint32_t n, uint32_t rows)
{
    const size_t wide = panels * LSTM_LANES;
    for (uint32_t r = 0, more; r < rows; r += more) {
        more = rows - r < LSTM_TILE_ROWS ? rows - r : LSTM_TILE_ROWS;
        for (uint32_t p = 0, side; p < panels; p += side) {
            side = panels - p < LSTM_TILE_PANELS ? 1 : LSTM_TILE_PANELS;
            tiles[side][more](z + r * wide + (size_t)p * LSTM_LANES, wide, w + p * panel, panel,
                              v + (size_t)r * stride, stride, n);
        }
    }
}

static void sums(float *z, uint32_t panels, const float *w, size_t panel, const float *v,
                 uint32_t stride, uint32_t n, uint32_t rows)
{
    for (uint32_t at = 0; at < n; at += LSTM_SEGMENT)
        segment(z, panels, w + (size_t)at * LSTM_LANES, panel, v + at, stride,
                n - at < LSTM_SEGMENT ? n - at : LSTM_SEGMENT, rows);
}
