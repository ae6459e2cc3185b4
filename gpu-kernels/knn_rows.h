/* knn_rows.h - rows of floats as a vector twin of knn.cu multiplies with them;
 * each twin's compiler vectorizes these loops for its own instruction set.  */
#ifndef GPU_KERNELS_KNN_ROWS_H
#define GPU_KERNELS_KNN_ROWS_H

#include "gpu-kernels/knn_cpu.h"
#include "gpu-kernels/quant.h"

/* x8 into `bytes`, or as int16 into `pairs`; zero up to dim_pad.  The offset allows
 * for references sent as r + bias. */
static inline void knn_row_start(struct knn_row *row, const struct knn_cpu *p, const float *x,
                                 int8_t *bytes, int16_t *pairs, int32_t bias)
{
    int8_t x8[KNN_DIM_MAX] = {0};
    int32_t square = 0, sum = 0;
    for (uint32_t i = 0; i < p->n_dim; i++)
        x8[i] = quant_input(x[i], p->in_inverse);
    for (uint32_t i = 0; i < p->n_dim; i++) {
        square += x8[i] * x8[i];
        sum += x8[i];
    }
    for (uint32_t i = 0; bytes && i < p->dim_pad; i++)
        bytes[i] = x8[i];
    for (uint32_t i = 0; pairs && i < p->dim_pad; i++)
        pairs[i] = x8[i];
    row->offset = square + 2 * bias * sum;
    for (uint32_t i = 0; i < KNN_K_MAX; i++)
        row->near[i] = KNN_NONE;
}

#endif
