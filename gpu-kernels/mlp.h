/* mlp.h - what a fused perceptron kernel is given, and the one order in which
 * it must compute.  Read by the host (C11) and by the device (CUDA).
 *
 * Floating-point addition is not associative, so "the same result on every
 * backend" has to be a promise about order.  The canonical order of fp32 is
 * the natural one of a warp and of AVX alike, so nobody pays for it:
 *
 *     h[j]   = relu of an fma chain over k = 0, 1, .. n_in-1, begun at b1[j]
 *     s[o][l]= fma chain over neurons l, l+32, l+64 .., begun at 0   (l < 32)
 *     y[o]   = butterfly sum of s[o][*] at distances 16, 8, 4, 2, 1, plus b2[o]
 *
 * relu(NaN) is 0 and a NaN output is the one quiet NaN 0x7fc00000.  Neurons
 * are padded to whole chunks of 32 with zeros; a padded term adds 0.  Further
 * hidden layers repeat the first line over the neurons before them, and s is
 * taken over the last of them.  sigmoid in place of relu, or of an output, is
 * that of cu_math.h: it counts a hidden NaN as the least number there is.
 *
 * int8 sums are exact, so their order is free; only the roundings are fixed:
 *
 *     x8 = round(x * (1 / in_scale)) to -127 .. 127            (NaN gives -127)
 *     h8 = round(float(c1[j] + sum x8 q1) * hidden_scale) to 0 .. 127
 *     y  = float(c2[o] + sum h8 q2) * out_scale
 *
 * and further hidden layers are h8 of the one before, each with its own scale.
 * round is half to even.  So in_scale and out_scale are "real = scale *
 * integer", and hidden_scale takes a first-layer sum to a hidden integer:
 * in_scale * w1_scale / h_scale for weights of scale w1_scale.               */
#ifndef GPU_KERNELS_MLP_H
#define GPU_KERNELS_MLP_H

#include <stdint.h>

#include "gpu-kernels/mail.h"

#define MLP_IN_MAX     64
#define MLP_HIDDEN_MAX 1024
#define MLP_OUT_MAX    16

/* Several hidden layers, or a sigmoid: all of a tile's values lie in shared memory. */
#define MLP_LAYERS_MAX     4   /* hidden ones */
#define MLP_DEEP_WIDTH_MAX 512 /* of each; keeps int8 sums below 2^24, where floats are exact */
#define MLP_DEEP_STEP      16  /* inputs whose weights are fetched together */

#define MLP_LANES    32  /* neurons of a chunk: a warp, or two AVX-512 registers */
#define MLP_THREADS  256 /* of every block */
#define MLP_WARPS    (MLP_THREADS / MLP_LANES)
#define MLP_F32_ROWS 8  /* rows of an fp32 tile: what one load of a weight serves */
#define MLP_S8_ROWS  16 /* rows of an int8 tile: the m of mma.m16n8k32 */

/* Rounding by addition: for |v| < 2^22 the sum's last bits are the integer. */
#define MLP_ROUND_MAGIC 12582912.0f /* 1.5 * 2^23 */

/* fp32.  Weights lie in panels: w1[chunk][k_pad][32], so that a warp's load
 * and a vector load are both contiguous; k_pad rounds n_in up to 4 (one
 * 16-byte read of x), padding is zero.  w2 is [n_out][32 * chunks].        */
struct mlp_f32_args {
    const float *x, *w1, *b1, *w2, *b2;
    float *y;
    uint32_t rows, n_in, k_pad, chunks, n_out;
    uint32_t slots; /* tiles that a block works on at once: 8 warps / chunks in flight */
};

/* int8.  x is [rows][32 * k_steps] quantised, zero-padded.  w1 and w2 are the
 * B operands of mma in the order the lanes hold them (see pack_mma.c).      */
struct mlp_s8_args {
    const uint32_t *x, *w1, *w2;
    const int32_t *c1, *c2;
    float *y;
    float hidden_scale, out_scale;
    uint32_t rows, k_steps, chunks, n_out;
    uint32_t slots, pad;
};

/* A hidden layer of a deep network: where it begins in w1 and in the biases,
 * both in words of four bytes, and its shape. */
struct mlp_layer {
    uint32_t w, bias;
    uint32_t k_pad;  /* inputs after padding: to MLP_DEEP_STEP for fp32, to 32 for int8 */
    uint32_t chunks; /* of 32 neurons */
    float scale;     /* int8: hidden_scale of this layer */
};

/* `net` as above, with w1 and its biases those of all hidden layers, k_pad and
 * k_steps those of the first layer, chunks those of the last. */
struct mlp_deep_f32_args {
    struct mlp_f32_args net;
    const struct mlp_layer *layers;
    uint32_t n_layers;
    uint32_t sigmoid, sigmoid_out; /* hidden layers, outputs: 0 or 1 */
    uint32_t pad;
};

struct mlp_deep_s8_args {
    struct mlp_s8_args net;
    const struct mlp_layer *layers;
    uint32_t n_layers, pad;
};

/* One hidden layer, asked by mail: `net` without x, y and rows. */
struct mlp_f32_mail_args {
    struct mlp_f32_args net;
    struct mail_args mail;
};

struct mlp_s8_mail_args {
    struct mlp_s8_args net;
    struct mail_args mail;
};

#endif
