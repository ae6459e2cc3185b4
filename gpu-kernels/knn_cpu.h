/* knn_cpu.h - the CPU twins of knn.cu: one blob of references, three layouts.
 *
 * A twin computes what knn.h says.  Plain C reads the references as they are;
 * AVX2 and AVX-512 want them between one another: by vectors of 8 or 16, and
 * in each the next two dimensions (vpmaddwd) or four (vpdpbusd) of every
 * reference.  There a reference is sent as r + 128, because vpdpbusd wants an
 * unsigned side, and 128 times the sum of x comes back with the norm of x.
 *
 * Sums there begin at -floor(|r|^2 / 2): then d < W means that 2 sum + p is above
 * offset - W, where p is 0 or 1, and one signed comparison finds all that may be
 * nearer than the worst.  Padding begins so low that it never is.             */
#ifndef GPU_KERNELS_KNN_CPU_H
#define GPU_KERNELS_KNN_CPU_H

#include <stdbool.h>
#include <stddef.h>

#include "gpu-kernels/infer.h"
#include "gpu-kernels/knn.h"

enum knn_layout { KNN_PLAIN, KNN_PAIRS_8, KNN_PAIRS_16, KNN_QUADS_16 };
enum { KNN_VECTORS = 4, KNN_BLOCK = 64 }; /* vectors of a chunk; rows that visit it in turn */

struct knn_cpu {
    uint32_t n_refs, n_dim, k, n_labels;
    uint32_t dim_pad; /* to 4 */
    uint32_t chunk;   /* references of one: KNN_VECTORS vectors */
    float in_inverse, scale;
    void *refs;
    uint32_t *base;
    int32_t *half; /* of the squares, less than 0 */
};

/* A row's nearest so far, and what is known of it. */
struct knn_row {
    _Alignas(64) uint32_t near[KNN_K_MAX];
    int32_t offset; /* |x|^2, and what the references' 128 costs */
};

/* Rows at work on: x as bytes or as int16, whichever the layout multiplies with. */
struct knn_block {
    _Alignas(64) int16_t x[KNN_BLOCK][KNN_DIM_MAX];
    struct knn_row row[KNN_BLOCK];
};

typedef void knn_forward(const struct knn_cpu *p, struct knn_block *b, uint32_t rows,
                         const float *x, float *y);

struct knn_twin {
    knn_forward *forward;
    enum knn_layout layout;
};
extern const struct knn_twin knn_twins[]; /* in the order of cpu_twins (cpu.h) */

knn_forward knn_scalar;
#if defined(__x86_64__)
knn_forward knn_avx2, knn_avx512, knn_vnni;
#endif

float knn_scale(const struct infer_knn *m);
bool knn_cpu_make(struct knn_cpu *p, const struct infer_knn *m, enum knn_layout layout);
void knn_cpu_free(struct knn_cpu *p);

/* A sum must be above it if its reference is nearer than the worst of k. */
static inline int32_t knn_least(const struct knn_row *row, uint32_t k)
{
    return (row->offset - (int32_t)(row->near[k - 1] >> 8)) >> 1;
}

/* A word that is nearer than the last of k goes to its place. */
static inline void knn_insert(uint32_t *near, uint32_t k, uint32_t word)
{
    uint32_t i = k - 1;
    for (; i && (word | KNN_LABEL) < near[i - 1]; i--)
        near[i] = near[i - 1];
    near[i] = word;
}

static inline void knn_answer(const struct knn_cpu *p, const struct knn_row *row, float *y)
{
    uint32_t sum = 0;
    for (uint32_t l = 0; l <= p->n_labels; l++)
        y[l] = 0.0f;
    for (uint32_t i = 0; i < p->k; i++) {
        y[row->near[i] & KNN_LABEL] += 1.0f;
        sum += row->near[i] >> 8;
    }
    y[p->n_labels] = (float)(int32_t)sum * p->scale;
}

#endif
