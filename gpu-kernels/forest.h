/* forest.h - gradient-boosted trees: as trained, as the kernel is given them,
 * and the one order in which it must add.  Read by the host and the device.
 *
 * A split asks whether its feature is below its value; a feature that is NaN
 * goes the way that the split was trained to send it.  Tree t adds to output
 * t % n_out, in 256 lanes:
 *
 *     s[l]  = sum of the leaves of that output's trees l, l+256, .. begun at 0
 *     c[w]  = butterfly sum of s[32w] .. s[32w+31] at distances 16, 8, 4, 2, 1
 *     y     = (((c0 + c1) + (c2 + c3)) + ((c4 + c5) + (c6 + c7))) + base
 *
 * which is natural for warps and for AVX, whether their lanes are trees or rows.
 * A lane without trees is 0, and adding it changes nothing.  Then comes the
 * transform, by cu_math.h; a NaN (of sums beyond all floats) is 0x7fc00000.  */
#ifndef GPU_KERNELS_FOREST_H
#define GPU_KERNELS_FOREST_H

#include <stdint.h>

#define FOREST_IN_MAX    128
#define FOREST_OUT_MAX   16
#define FOREST_TREES_MAX 2048
#define FOREST_DEPTH_MAX 12                              /* splits on the longest path */
#define FOREST_NODES_MAX ((2u << FOREST_DEPTH_MAX) - 1u) /* of a tree */

enum forest_transform { FOREST_LINEAR, FOREST_SIGMOID, FOREST_EXP, FOREST_TRANSFORMS };

/* As trained.  The nodes of a tree lie breadth first, one tree after the other,
 * so that the k-th split of a tree has its children at 2k + 1 and 2k + 2.   */
struct infer_forest {
    uint32_t n_in, n_out, n_trees;
    enum forest_transform transform;
    float base;
    const uint32_t *sizes;       /* [n_trees] nodes */
    const int32_t *features;     /* [nodes] of a split; -1 in a leaf */
    const float *values;         /* [nodes] what a split compares with, or what a leaf adds */
    const uint8_t *default_left; /* [nodes] 1: NaN goes left */
};

/* ---- as the kernel reads it ------------------------------------------------- */

#define FOREST_LANES   256
#define FOREST_THREADS 256
#define FOREST_WARPS   (FOREST_THREADS / 32)

/* `meta`: a feature (7 bits), whether NaN goes left (1), and where the children
 * begin (24), 0 in a leaf.  All trees of FOREST_DEPTH_MAX have 2^24 - 2048 nodes. */
struct __attribute__((aligned(8))) forest_node {
    float value;
    uint32_t meta;
};
#define FOREST_FEATURE 127u
#define FOREST_MISSING 128u
#define FOREST_CHILD   8

struct forest_args {
    const float *x;
    const struct forest_node *nodes;
    const uint32_t *roots; /* [n_out][stride]: the trees of an output, in their order */
    float *y;
    float base;
    uint32_t rows, n_in, n_out, n_trees, stride, transform;
    uint32_t share; /* warps that work on one row: 1, 2, 4 or 8 */
};

#endif
