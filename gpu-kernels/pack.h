/* pack.h - a network's weights, laid out the way the kernels read them.
 *
 * A pack is made once, when a network is loaded, and never changes.  `f32` is
 * one layout for every backend; int8 has three, because tensor cores, VNNI
 * and plain SIMD each want their operands elsewhere.  All arrays belong to
 * the pack, are 64-byte aligned, and their padding is zero.                 */
#ifndef GPU_KERNELS_PACK_H
#define GPU_KERNELS_PACK_H

#include <stdbool.h>

#include "gpu-kernels/infer.h"
#include "gpu-kernels/mlp.h"

enum pack_layout {
    PACK_F32,   /* panels: mlp.h */
    PACK_MMA,   /* int8 fragments for mma.m16n8k32: pack_mma.c */
    PACK_QUADS, /* int8 [16 neurons][4 k] for vpdpbusd; c1 allows for inputs sent as x + 128 */
    PACK_PAIRS, /* int16 [16 neurons][2 k] for vpmaddwd, and for plain C */
};

/* A hidden layer: its part of the pack's w1, b1 and c1. */
struct pack_layer {
    uint32_t k;         /* values before it */
    uint32_t k_pad;     /* the same after padding; to 4 for f32 (16 when deep), 32 for int8 */
    uint32_t width;     /* neurons */
    uint32_t width_pad; /* after padding to 32, or 64 for quads and pairs */
    void *w;
    float *b;
    int32_t *c;
    float scale; /* int8: hidden_scale */
};

struct pack {
    enum pack_layout layout;
    uint32_t n_in, n_out;
    bool deep;           /* several hidden layers, or a sigmoid */
    uint32_t chunks;     /* of 32 neurons, of the widest hidden layer */
    uint32_t k_pad;      /* of the first layer */
    uint32_t hidden_pad; /* of the last layer: the row length of w2 */
    struct pack_layer layer[MLP_LAYERS_MAX];
    struct mlp_layer table[MLP_LAYERS_MAX]; /* the layers as a deep kernel reads them */
    uint32_t n_layers;
    bool sigmoid, sigmoid_out;
    void *w1, *w2;
    float *b1, *b2;                      /* f32 */
    int32_t *c1, *c2;                    /* int8 */
    size_t w1_size, w2_size, bias1_size; /* bytes, for whoever copies them to a device */
    float in_inverse, out_scale;
};

/* false when out of memory; then there is nothing to free. */
bool pack_make(struct pack *p, const struct infer_mlp *m, enum pack_layout layout);
void pack_free(struct pack *p); /* a zeroed pack is fine */

/* pack_mma.c: fills a layer's weights, or w2, of a PACK_MMA whose sizes are set. */
void pack_mma_layer(struct pack_layer *l, const struct infer_layer *from, bool first);
void pack_mma_output(struct pack *p, const struct infer_mlp *m);

void *pack_alloc(size_t bytes); /* zeroed, 64-byte aligned; free() it */

#endif
