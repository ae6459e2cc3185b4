/* synth_net.h - what one step of a neural network launches on a GPU, from the network's shapes.
 *
 * Layers become operations, operations kernels: those of the pass forward in order, in training
 * those of the pass backward in reverse, then clipping and the optimizer's.  Which kernels an
 * operation is, how many blocks of how many threads, is PyTorch's (eager, 2.2); a kernel of a
 * matrix product has a block for each tile of the result (and slice of the inner dimension).
 *
 *   a matrix product takes  q x tile x depth x 2 / (flops / sms x efficiency)   on the busiest SM,
 *                           q = ceil(blocks / sms), a tile and its depth whole, or
 *   anything, at least      bytes / (bandwidth x efficiency x reach),
 *                           reach = bytes asked for at once / those that keep the memory busy,
 *   and at least            least_us.
 *
 * Bytes are of every tensor read and written once, as nothing stays in a cache between kernels;
 * FLOPs are those of products alone, two for a multiplication with its addition.
 *
 * A pure function of the parameters: no draws.                                                  */
#ifndef TRACES_SYNTH_NET_H
#define TRACES_SYNTH_NET_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "sim/config.h"
#include "sim/err.h"

#define SYNTH_NET_LAYERS 40
#define SYNTH_NET_DIM    (1 << 20) /* of a table, a layer: at most */

/* For each sample of the batch:
 *   embedding    tokens rows of width out of a table of rows (and of one of positions)
 *   transformer  attention of tokens to themselves, then to context (0: none), two products by way
 *                of ffn; norms, dropout and sums around them
 *   conv         in channels of size x size (or length x 1) to out, kernel, stride
 *   linear       tokens vectors of in to out
 *   pool         in channels of size x size (or length), stride
 *   loss         cross-entropy of tokens vectors of rows                                        */
enum net_layer_kind {
    NET_EMBEDDING,
    NET_TRANSFORMER,
    NET_CONV,
    NET_LINEAR,
    NET_POOL,
    NET_LOSS,
    NET_LAYER_KINDS
};

struct net_layer { /* 0 of count, tokens, kernel, stride: 1 */
    enum net_layer_kind kind;
    uint32_t count; /* of the same, one after the other */
    uint32_t rows, positions, tokens, context, width, heads, ffn;
    uint32_t in, out, size, length, kernel, stride;
    bool fused_qkv;            /* one product for query, key and value */
    bool eager;                /* attention by products and softmax, not by one kernel */
    bool bias, norm, relu;     /* of conv and linear; norm of embedding */
    bool residual;             /* conv: adds what came before */
    bool tied;                 /* linear: its weights are the embedding's */
    uint32_t passes;           /* eager: over the scores, for scale and mask */
    bool dropout, dropout_att; /* probability above 0 */
};

enum net_optimizer { NET_NONE, NET_SGD, NET_ADAM, NET_ADAMW, NET_ADAMW_LOOP };

struct net_gemm {
    uint32_t m, n, k;     /* tile of a block */
    uint32_t block;       /* threads of one */
    uint32_t registers;   /* of a thread */
    uint32_t stages;      /* tiles of both factors in shared memory at once */
    uint32_t split_k;     /* slices of the inner dimension; 0: as many as fill the SMs, */
    uint32_t split_below; /* else of so much, where the result has fewer tiles than this */
    bool bias_kernel;     /* adds a bias in a kernel of its own */
    double efficiency;    /* of the SMs' peak */
};

struct synth_net {
    uint32_t sms, threads_per_sm;
    double tflops, bandwidth_gbs;
    double efficiency;       /* of the bandwidth */
    double least_us;         /* a kernel takes */
    uint32_t batch, element; /* bytes of a number */
    bool train;
    bool checkpoint; /* transformers run forward again before they run backward */
    bool cudnn;      /* else convolutions image by image, through columns */
    bool clip;       /* gradients, by their norm */
    enum net_optimizer optimizer;
    struct net_gemm gemm;
    struct net_layer layer[SYNTH_NET_LAYERS];
    uint32_t layers;  /* 0: no network */
    uint32_t kernels; /* of a step, and what they take: filled by synth_net_size */
    double busy_us;
};

/* Names of kernels, and of their rows. */
#define NET_NAMES_MAP(X)                                                                           \
    X(GEMM, "gemm")                                                                                \
    X(SPLIT_SUM, "gemm_split_sum")                                                                 \
    X(BIAS, "bias")                                                                                \
    X(BMM, "batched_gemm")                                                                         \
    X(ATTENTION, "attention")                                                                      \
    X(ATTENTION_BACK, "attention_backward")                                                        \
    X(ADD, "add")                                                                                  \
    X(SCALE, "scale")                                                                              \
    X(COPY, "copy")                                                                                \
    X(FILL, "fill")                                                                                \
    X(ACTIVATION, "activation")                                                                    \
    X(DROPOUT, "dropout")                                                                          \
    X(SOFTMAX, "softmax")                                                                          \
    X(NORM, "layer_norm")                                                                          \
    X(NORM_BACK, "layer_norm_backward")                                                            \
    X(NORM_WEIGHTS, "layer_norm_weights")                                                          \
    X(BATCH_STATS, "batch_norm_stats")                                                             \
    X(BATCH_NORM, "batch_norm")                                                                    \
    X(REDUCE, "reduce")                                                                            \
    X(COLUMNS, "im2col")                                                                           \
    X(CONV, "conv")                                                                                \
    X(POOL, "pool")                                                                                \
    X(LOOKUP, "embedding")                                                                         \
    X(LOSS, "loss")                                                                                \
    X(OPTIMIZER, "optimizer")
enum net_name {
#define X(id, text) NET_##id##_KERNEL,
    NET_NAMES_MAP(X)
#undef X
        NET_NAMES
};
const char *synth_net_name(enum net_name n);

struct synth_kernel;
struct net_sum {
    uint64_t parameters;
    double flops, bytes, ns; /* of a step */
    uint64_t kernels, of[NET_NAMES];
};
/* A step's kernels in order (malloc'd, *n of them) and what they come to; each may be NULL. */
int synth_net_step(struct synth_kernel **out, uint64_t *n, struct net_sum *sum,
                   const struct synth_net *net, struct err *e) MUST_CHECK;

/* The section "network"; fills kernels and busy_us too. */
int synth_net_read(const struct config *section, struct synth_net *net, struct err *e) MUST_CHECK;
int synth_net_size(struct synth_net *net, struct err *e) MUST_CHECK;
/* What Tally's artifact trains (synth_net_presets.c). */
extern const struct synth_net synth_net_tally_bert, synth_net_tally_gpt2, synth_net_tally_pegasus,
    synth_net_tally_pointnet, synth_net_tally_whisper, synth_net_tally_resnet50;
void synth_net_json(FILE *f, const struct synth_net *net); /* every number, for digests */

#endif
