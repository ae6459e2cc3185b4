/* knn.h - what a nearest-neighbours kernel is given, and what it must compute.
 * Read by the host (C11) and by the device (CUDA).
 *
 *     x8   = round(x * (1 / in_scale)) to -127 .. 127      (NaN gives -127)
 *     d[r] = sum over dimensions of (x8 - refs[r])^2       exact: at most 16,646,400
 *     near = the k references of least d; of equal ones those that come first
 *     y    = how many of near have label 0, 1, .. ; then their mean d, in the
 *            units of the inputs: float(sum of d) * (in_scale^2 / k)
 *
 * All sums are of integers, so their order is free, and float() rounds once.
 * A neighbour is one word, d << 8 | label: it sorts by distance, and because
 * a d fills 24 bits at most, none is KNN_NONE.  d = |x|^2 + |r|^2 - 2 x.r, so
 * the word is base[r] + norm(x) - (x.r << 9) in arithmetic modulo 2^32, where
 * base[r] = |r|^2 << 8 | label and norm(x) = |x|^2 << 8.                     */
#ifndef GPU_KERNELS_KNN_H
#define GPU_KERNELS_KNN_H

#include <stdint.h>

#define KNN_REFS_MAX   8192
#define KNN_DIM_MAX    256 /* keeps d below 2^24 */
#define KNN_K_MAX      32  /* a list of neighbours is a register of a warp */
#define KNN_LABELS_MAX 16
#define KNN_NONE       0xffffffffu
#define KNN_LABEL      0xffu /* of a word: the label.  a is nearer than b: (a | KNN_LABEL) < b */

#define KNN_THREADS 256 /* of every block */
#define KNN_WARPS   (KNN_THREADS / 32)
#define KNN_STEPS   (KNN_DIM_MAX / 32) /* of mma.m16n8k32 */
#define KNN_ROWS    16                 /* of one: the queries of a few */
#define KNN_TILES   4                  /* column tiles of 8 references that a warp takes at once */
#define KNN_PANEL   (KNN_WARPS * KNN_TILES * 8) /* references that a block takes at once */
#define KNN_QUERIES 32                          /* that a block of knn_scan takes at once */
#define KNN_SLICES  16                          /* into which it may cut the references */

/* One struct for all kernels.  x is [rows][8 * steps + 1]: a row's bytes, zero-padded,
 * and its norm.  refs are the B operands of mma, [tile][step][lane][2].     */
struct knn_args {
    const uint32_t *x, *refs, *base;
    uint32_t *near; /* few: [rows][8 * tiles] words; many: [rows][slices][k] */
    float *y;
    float scale; /* in_scale^2 / k */
    uint32_t rows, steps, tiles, n_refs, k, n_labels;
    uint32_t slices, panels; /* many: of a slice */
    uint32_t pad;
};

#endif
