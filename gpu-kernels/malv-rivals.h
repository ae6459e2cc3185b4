/* malv-rivals.h - what the files of malv-rivals.so share. */
#ifndef GPU_KERNELS_MALV_RIVALS_H
#define GPU_KERNELS_MALV_RIVALS_H

#include "gpu-kernels/rivals.h"

extern const struct rival rival_blas_mlp, rival_blas_knn, rival_blas_knn_part;
extern const struct rival rival_xgboost, rival_blas_lstm;
extern const struct rival rival_dnnl_mlp, rival_dnnl_knn, rival_dnnl_knn_part;

/* The network's answers from the products x.r of every row and reference, which are what the
 * libraries have a routine for: as one would write it who has that routine. */
struct rival_knn {
    const struct infer_knn *m;
    uint32_t rows;
    const float *x;
    float *y;
    float *square; /* of each reference */
};
int rival_knn_start(struct rival_knn *k); /* after the rest; -1: no memory */
void rival_knn_select(const struct rival_knn *k, const float *f32, const int32_t *s32);

#endif
