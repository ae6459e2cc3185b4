/* lstm.h - what the recurrent kernels are given, and the one order in which
 * they must compute.  Read by the host (C11) and by the device (CUDA).
 *
 * All sums are columns of a matrix: a gate of a neuron, or an output.  The
 * values before a column are those of this step, a, and of the step before, b
 * (only a for the outputs; no b in the first step).  Each is cut into segments
 * of 64 values, the last one shorter, and
 *
 *     s    = fma chain over the values of a segment, in order, begun at 0
 *     z    = start of the column, plus s of each segment of a, then of b
 *
 * so that a segment is one warp's work when rows are few, and one loop of a
 * vector unit's when they are many.  The start is b_ih + b_hh; with a
 * vocabulary, plus the weight of the input that is 1, and there is no a.
 * Values are padded with zeros to 16.  Then, with sigmoid and tanh of
 * cu_math.h (which leave nothing that is not finite),
 *
 *     c    = fma(sigmoid(z_f), c, sigmoid(z_i) * tanh(z_g))     c = 0 at first
 *     h    = sigmoid(z_o) * tanh(c)
 *
 * An output is z of the last layer's h after the last step; NaN is the quiet
 * NaN 0x7fc00000.  softmax takes the largest output m that is not NaN and
 *
 *     e[o] = exp(y[o] - m), where less than -87 and NaN count as -87
 *     s[l] = sum over o = l, l + 32, .. in order, begun at 0       (l < 32)
 *     y[o] = e[o] / (butterfly sum of s at distances 16, 8, 4, 2, 1)
 *
 * A panel is 32 columns: gates i, f, g, o of eight neurons, or 32 outputs.   */
#ifndef GPU_KERNELS_LSTM_H
#define GPU_KERNELS_LSTM_H

#include <stdint.h>

#define LSTM_LANES   32 /* columns of a panel */
#define LSTM_NEURONS 8  /* of a panel: a lane of a warp holds one gate of one */
#define LSTM_SEGMENT 64
#define LSTM_PAD     16 /* values are padded to so many */
#define LSTM_ROWS    8  /* of a tile: what one load of a weight serves */
#define LSTM_SIDE    4  /* panels that a warp takes side by side when rows are many */
#define LSTM_THREADS 256
#define LSTM_WARPS   (LSTM_THREADS / LSTM_LANES)
#define LSTM_EXP_MIN (-87.0f)
#define LSTM_LOWEST  (-3.402823466e38f)

/* Sums of columns.  w is [panel][k][32]: a warp's load and a vector's are both contiguous. */
struct lstm_matrix {
    const float *w, *start; /* start: [panels * 32] */
    const float *a, *b;     /* values: rows a_stride and b_stride apart */
    uint32_t a_stride, b_stride;
    uint32_t n_a, n_b; /* values of a row, whole LSTM_PAD of them; either may be none */
    uint32_t k;        /* of the panel: n_a and the n_b of every step but the first */
    uint32_t pad;
};

/* A layer at a step: sums, then state. */
struct lstm_cell {
    struct lstm_matrix m;
    const float *table; /* with a vocabulary: [vocab][panels * 32], added to start */
    const uint32_t *id; /* of the step, rows id_stride apart */
    float *h, *c;       /* [rows][stride] */
    uint32_t id_stride;
    uint32_t first; /* c is 0 */
};

/* A launch: the first layer at step t and, of a second, t - 1, which need each other's past alone.
 * A block has slots * 8 rows by `side` panels; the 8 / slots warps of a slot take segments. */
struct lstm_step_args {
    struct lstm_cell cell[2];
    uint32_t from, cells; /* the ones that run: cell[from] .. cell[from + cells - 1] */
    uint32_t rows, panels, stride;
    uint32_t slots, side, pad;
};

struct lstm_out_args {
    struct lstm_matrix m;
    float *y; /* [rows][n_out] */
    uint32_t rows, panels, n_out;
    uint32_t slots, side, pad;
};

struct lstm_softmax_args {
    const float *z; /* [rows][n_out] */
    float *y;
    uint32_t rows, n_out;
};

#endif
