/* lstm_twin.h - the CPU twin of lstm.cu: the walk over steps and layers is
 * lstm_twin.c's; sums, states and softmax are those of an instruction set.   */
#ifndef GPU_KERNELS_LSTM_TWIN_H
#define GPU_KERNELS_LSTM_TWIN_H

#include "gpu-kernels/lstm_pack.h"

/* The most panels and rows of z; the sums of one group of panels stay in the first caches. */
enum { LSTM_TWIN_PANELS = 2, LSTM_TWIN_ROWS = 48 };

struct lstm_twin_ops {
    /* z [rows][panels * 32], which holds the starts, plus all segments; panels from `panel` on. */
    void (*sums)(const struct lstm_matrix *m, uint32_t panel, uint32_t panels, uint32_t rows,
                 float *z);
    /* From z to h and c of those neurons, rows `stride` apart. */
    void (*states)(const float *z, uint32_t panels, uint32_t rows, bool first, float *h, float *c,
                   uint32_t stride);
    void (*softmax)(float *y, uint32_t n); /* of a row, in place */
};
extern const struct lstm_twin_ops lstm_scalar, lstm_avx2, lstm_avx512;

/* level: a place in cpu_twins (cpu.h).  NULL: out of memory. */
void *lstm_twin_make(const struct infer_lstm *net, uint32_t level);
bool lstm_twin_run(void *twin, uint32_t rows, const float *x, float *y);
void lstm_twin_free(void *twin);

#endif
