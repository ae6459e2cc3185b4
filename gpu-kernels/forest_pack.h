/* forest_pack.h - the nodes of a forest, laid out the way they are read.
 *
 * `together` trees of one output lie interleaved: their roots, then the two
 * children of each one's first split, then of each one's second, and so on.
 * 32 for the kernel, where the lanes of a warp are trees; 1 for the twins.
 * One node more at the end is a leaf of 0, for lanes that have no tree.     */
#ifndef GPU_KERNELS_FOREST_PACK_H
#define GPU_KERNELS_FOREST_PACK_H

#include <stdbool.h>

#include "gpu-kernels/cu_math.h"
#include "gpu-kernels/forest.h"

struct forest_pack {
    uint32_t n_in, n_out, n_trees;
    uint32_t stride; /* of roots: trees of an output, rounded up to 32 */
    uint32_t n_nodes;
    enum forest_transform transform;
    float base;
    struct forest_node *nodes;
    uint32_t *roots;  /* [n_out][stride] */
    uint8_t *longest; /* [n_out][stride / 16]: the most splits on a path of 16 trees */
};

bool forest_pack_make(struct forest_pack *p, const struct infer_forest *f, uint32_t together);
void forest_pack_free(struct forest_pack *p); /* a zeroed one is fine */

/* Trees of output o. */
static inline uint32_t forest_trees(uint32_t n_trees, uint32_t n_out, uint32_t o)
{
    return (n_trees - o + n_out - 1) / n_out;
}

/* ---- the twins --------------------------------------------------------------- */

typedef void forest_forward(const struct forest_pack *p, uint32_t rows, const float *x, float *y);

forest_forward forest_scalar;
#if defined(__x86_64__)
forest_forward forest_avx2, forest_avx512;
#endif

/* An output of the sums c of forest.h. */
static inline float forest_finish(const struct forest_pack *p, const float c[FOREST_WARPS])
{
    float y = ((c[0] + c[1]) + (c[2] + c[3])) + ((c[4] + c[5]) + (c[6] + c[7])) + p->base;
    if (p->transform)
        y = p->transform == FOREST_EXP ? cu_exp_any(y) : y == y ? cu_sigmoid(y) : y;
    return y == y ? y : __builtin_nanf("");
}

#endif
