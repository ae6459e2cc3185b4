/* cuda_state.h - what the files of the cuda backend share. */
#ifndef GPU_KERNELS_CUDA_STATE_H
#define GPU_KERNELS_CUDA_STATE_H

#include <stdbool.h>

#include "gpu-kernels/backend.h"
#include "gpu-kernels/cudrv.h"
#include "gpu-kernels/kind.h"

enum { CUDA_BLOCKS_PER_SM = 2, CUDA_KERNELS_MAX = 8 };

struct cuda_pinned {
    void *host;
    cu_pointer device;
    size_t size;
};

/* A kind's kernels, once a network of that kind was loaded. */
struct cuda_module {
    cu_module module;
    cu_function kernel[CUDA_KERNELS_MAX];
};

struct cuda {
    struct cudrv drv;
    cu_context context;
    cu_stream stream;
    struct cuda_module module[INFER_KINDS];
    struct cuda_pinned x, y;
    cu_pointer scratch;
    size_t scratch_size;
    uint64_t moved; /* how often x, y or scratch went elsewhere */
    enum infer_submit submit;
    uint32_t looks;   /* of kernels that stay */
    uint32_t staying; /* networks that have one */
};

struct cuda_model {
    struct cuda *on;
    const struct kind *kind;
    const struct cuda_module *module;
    struct kind_pack pack;
    cu_pointer blob[KIND_BLOBS];
    struct cuda_graphs *graphs; /* NULL: none yet */
    struct cuda_mail *mail;
};

/* 0, or -1 and a sentence with `step` in it. */
int cuda_check(const struct cuda *c, cu_result r, const char *step, char *why, size_t n);
int cuda_launch(const struct cuda_model *m, struct kind_launch *l, cu_stream on, char *why,
                size_t n);
/* Where a network's weights are; x, y and scratch are those of the backend. */
struct kind_places cuda_places(const struct cuda_model *m);

#endif
