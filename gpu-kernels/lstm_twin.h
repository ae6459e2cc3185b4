/* lstm_twin.h - the CPU twin of lstm.cu: the walk over layers and steps is
 * lstm_twin.c's; sums, states and softmax are those of an instruction set.   */
#ifndef GPU_KERNELS_LSTM_TWIN_H
#define GPU_KERNELS_LSTM_TWIN_H

#include "gpu-kernels/lstm_pack.h"

/* Panels that are summed side by side, a group; its neurons; and the most rows of z. */
enum { LSTM_TWIN_PANELS = 2, LSTM_TWIN_NEURONS = 2 * LSTM_NEURONS, LSTM_TWIN_ROWS = 48 };

struct lstm_twin_ops {
    /* Adds to z [rows][panels * 32] the segments of v, rows of n values `stride` apart: of one
     * panel or LSTM_TWIN_PANELS of weights [n][32], `panel` floats apart. */
    void (*sums)(float *z, uint32_t panels, const float *w, size_t panel, const float *v,
                 uint32_t stride, uint32_t n, uint32_t rows);
    /* From z of a group to the h and c of its neurons: rows of h are `stride` apart, c is
     * [rows][LSTM_TWIN_NEURONS]. */
    void (*states)(const float *z, uint32_t rows, float *h, uint32_t stride, float *c);
    void (*softmax)(float *y, uint32_t n); /* of a row, in place */
};
extern const struct lstm_twin_ops lstm_scalar, lstm_avx2, lstm_avx512;

/* level: a place in cpu_twins (cpu.h).  NULL: out of memory. */
void *lstm_twin_make(const struct infer_lstm *net, uint32_t level);
bool lstm_twin_run(void *twin, uint32_t rows, const float *x, float *y);
void lstm_twin_free(void *twin);

#endif
