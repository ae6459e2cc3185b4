/* rivals.h - other people's libraries on the same network, for malv bench.
 *
 * They are measured, never used: they sum in their own order.  So they live
 * in malv-rivals.so, which is built where the headers of OpenBLAS or oneDNN
 * are (kernels.mk) and opened only by the benchmark.  All run on one thread. */
#ifndef GPU_KERNELS_RIVALS_H
#define GPU_KERNELS_RIVALS_H

#include "gpu-kernels/infer.h"

struct rival {
    const char *name; /* "openblas" */
    /* A float network with room for `rows`; NULL when the library fails. */
    void *(*make)(const struct infer_mlp *m, uint32_t rows, const float *x, float *y);
    void (*run)(void *self); /* x to y */
    void (*free)(void *self);
};

#define RIVALS_LIBRARY "malv-rivals.so"
#define RIVALS_SYMBOL  "malv_rivals"

/* A table that a NULL name ends; empty where the library was not built. */
const struct rival *rivals_open(void);

#endif
