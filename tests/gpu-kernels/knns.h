/* knns.h - random nearest-neighbours models, a naive reference for them, and
 * their launches on fibers in a seeded order and in the PTX interpreter.
 *
 * The reference shares no code with gpu-kernels/: it sorts all references by
 * their distance in double precision.                                       */
#ifndef TESTS_KNNS_H
#define TESTS_KNNS_H

#include "gpu-kernels/emu_block.h"
#include "gpu-kernels/kind.h"
#include "gpu-kernels/knn.h"
#include "tests/gpu-kernels/ptx/ptx.h"

struct knn {
    struct infer_knn m;
    struct infer_net net;
    int8_t *refs;
    uint8_t *labels;
};

/* spread: references and inputs are -spread .. spread; a small one makes many ties. */
struct knn *knn_make(uint32_t n_refs, uint32_t n_dim, uint32_t k, uint32_t n_labels,
                     uint32_t spread, uint64_t seed);
struct knn *knn_make_any(uint32_t most_refs, uint64_t seed);
void knn_free(struct knn *n);

float *knn_inputs(const struct knn *n, uint32_t rows, uint32_t spread, uint64_t seed);
void knn_naive(const struct knn *n, uint32_t rows, const float *x, float *y);

/* Poisoned outputs, with a guard behind them. */
float *knn_outputs(const struct knn *n, uint32_t rows);
int knn_overran(const struct knn *n, uint32_t rows, const float *y);
size_t knn_differ(const struct knn *n, uint32_t rows, const float *a, const float *b);

/* All launches of a batch; poisoned scratch.  0, or -1 with a sentence. */
int knn_on_emu(struct emu *e, const struct knn *n, uint32_t rows, const float *x, float *y,
               uint32_t blocks, uint64_t seed, char *why, size_t size);
int knn_on_ptx(const struct ptx_module *m, const struct knn *n, uint32_t rows, const float *x,
               float *y, uint32_t blocks, char *why, size_t size);

#endif
