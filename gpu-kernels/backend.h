/* backend.h - what a backend of infer.h is: one const table.
 *
 * infer.c owns the checks; a backend is only ever given a valid network, rows
 * >= 1 and finite positive scales.  Methods return 0, or -1 with a sentence
 * in why[0..n).                                                             */
#ifndef GPU_KERNELS_BACKEND_H
#define GPU_KERNELS_BACKEND_H

#include "gpu-kernels/infer.h"

struct infer_ops {
    int (*open)(void **self, char *name, size_t name_size, char *why, size_t n);
    void (*close)(void *self);
    void (*submit)(void *self, enum infer_submit how, uint32_t looks); /* NULL: there is one way */
    int (*load)(void *self, const struct infer_net *net, void **model, char *why, size_t n);
    void (*unload)(void *model);
    int (*run)(void *model, uint32_t rows, const float *in, float *out, char *why, size_t n);
};

extern const struct infer_ops infer_cpu, infer_cuda, infer_emu;

int infer_fail(char *why, size_t n, const char *format, ...) __attribute__((format(printf, 3, 4)));

#endif
