/* rivals.h - other people's libraries on the same networks, for malv bench.
 *
 * They are measured, never used: they sum in their own order.  So they live
 * in malv-rivals.so, which is built from malv-rivals*.c for the libraries
 * whose headers are there (kernels.mk) and opened only by the benchmark.  All
 * run on one thread.                                                        */
#ifndef GPU_KERNELS_RIVALS_H
#define GPU_KERNELS_RIVALS_H

#include "gpu-kernels/infer.h"

struct rival {
    const char *name; /* "openblas" */
    enum infer_kind kind;
    /* A network with room for `rows`; NULL when the library fails, or has no such thing. */
    void *(*make)(const struct infer_net *net, uint32_t rows, const float *x, float *y);
    void (*run)(void *self);    /* x to y, or to what finish needs */
    void (*finish)(void *self); /* not timed: what run left out, to be checked.  NULL: nothing,
                                 * and then run is to be as fast as ours */
    void (*free)(void *self);
};

#define RIVALS_LIBRARY "malv-rivals.so"
#define RIVALS_SYMBOL  "malv_rivals"

/* A list that NULL ends; empty where the library was not built. */
const struct rival *const *rivals_open(void);

#endif
