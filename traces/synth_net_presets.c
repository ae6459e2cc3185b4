/* synth_net_presets.c - the training jobs of a published comparison.
 *
 * Tally (Zhao et al., ASPLOS'25): what its artifact trains, and how (tally-project/tally-bench
 * 5b72ee8: python/configs/train_config.py, python/workloads/training/pytorch,
 * docker/Dockerfile.base). FP32, PyTorch 2.2 without cuDNN, so that convolutions go image by image
 * through columns (slow_conv2d); cuBLAS replaced by CUTLASS in every run, its own and those it is
 * compared with (REPLACE_CUBLAS; tally-project/tally src/tally/cutlass/cutlass.cu): tiles of 128 x
 * 128 x 8 by 256 threads, slices of 128 where there are fewer than 60 tiles, biases added by a
 * kernel of their own. Shapes are the models' published configurations.  From memory or by memory's
 * use, so assumed: registers; which attention (one kernel but in PEGASUS-X, where
 * transformers 4.45.1 has none); lengths that depend on data: PEGASUS-X 1024 (its encoder's limit
 * elsewhere) and 60 tokens, Whisper's texts 64. */
#include "traces/synth_net.h"

/* clang-format off */

#define A100                                                                                       \
    .sms = 108, .threads_per_sm = 2048, .tflops = 19.5, .bandwidth_gbs = 1555, .efficiency = 0.8,  \
    .least_us = 2, .element = 4, .train = true
#define TALLY                                                                                      \
    A100, .gemm = {.m = 128,                                                                       \
                   .n = 128,                                                                       \
                   .k = 8,                                                                         \
                   .block = 256,                                                                   \
                   .registers = 128,                                                               \
                   .stages = 2,                                                                    \
                   .split_k = 128,                                                                 \
                   .split_below = 60,                                                              \
                   .bias_kernel = true,                                                            \
                   .efficiency = 0.9}
#define TRANSFORMER(n, t, w, h)                                                                    \
    .kind = NET_TRANSFORMER, .count = n, .tokens = t, .width = w, .heads = h, .ffn = 4 * w
#define LINEAR(i, o) .kind = NET_LINEAR, .in = i, .out = o
#define FULL(i, o)   {LINEAR(i, o), .bias = true, .norm = true, .relu = true}

const struct synth_net synth_net_tally_bert = {
    TALLY, .batch = 32, .cudnn = true, .optimizer = NET_ADAMW_LOOP, .layers = 4,
    .layer = {{.kind = NET_EMBEDDING, .rows = 30522, .positions = 512, .tokens = 384,
               .width = 768, .norm = true, .dropout = true},
              {TRANSFORMER(12, 384, 768, 12), .dropout = true, .dropout_att = true},
              {LINEAR(768, 2), .tokens = 384, .bias = true},
              {.kind = NET_LOSS, .rows = 384, .count = 2}}};

const struct synth_net synth_net_tally_gpt2 = {
    TALLY, .batch = 1, .cudnn = true, .optimizer = NET_ADAMW, .clip = true, .layers = 4,
    .layer = {{.kind = NET_EMBEDDING, .rows = 50257, .positions = 1024, .tokens = 512,
               .width = 1280, .dropout = true},
              {TRANSFORMER(36, 512, 1280, 20), .fused_qkv = true, .dropout = true,
               .dropout_att = true},
              {LINEAR(1280, 50257), .tokens = 512, .tied = true},
              {.kind = NET_LOSS, .rows = 50257, .tokens = 511}}};

const struct synth_net synth_net_tally_pegasus = {
    TALLY, .batch = 4, .cudnn = true, .optimizer = NET_ADAMW, .clip = true, .layers = 6,
    .layer = {{.kind = NET_EMBEDDING, .rows = 96103, .tokens = 1024, .width = 768,
               .dropout = true},
              {TRANSFORMER(12, 1024, 768, 12), .eager = true, .passes = 2, .dropout = true},
              {.kind = NET_EMBEDDING, .rows = 1, .tokens = 60, .width = 768,
               .dropout = true}, /* the same table */
              {TRANSFORMER(12, 60, 768, 12), .context = 1024, .eager = true, .passes = 2,
               .dropout = true},
              {LINEAR(768, 96103), .tokens = 60, .tied = true},
              {.kind = NET_LOSS, .rows = 96103, .tokens = 60}}};

const struct synth_net synth_net_tally_whisper = {
    TALLY, .batch = 16, .optimizer = NET_ADAMW, .clip = true, .checkpoint = true, .layers = 7,
    .layer = {{.kind = NET_CONV, .in = 80, .out = 768, .length = 3000, .kernel = 3,
               .bias = true, .relu = true},
              {.kind = NET_CONV, .in = 768, .out = 768, .length = 3000, .kernel = 3,
               .stride = 2, .bias = true, .relu = true},
              {TRANSFORMER(12, 1500, 768, 12)},
              {.kind = NET_EMBEDDING, .rows = 51865, .positions = 448, .tokens = 64,
               .width = 768},
              {TRANSFORMER(12, 64, 768, 12), .context = 1500},
              {LINEAR(768, 51865), .tokens = 64, .tied = true},
              {.kind = NET_LOSS, .rows = 51865, .tokens = 64}}};

#define POINTS(i, o)                                                                               \
    {.kind = NET_CONV, .in = i, .out = o, .length = 2500, .bias = true, .norm = true,       \
     .relu = true}
#define MOST {.kind = NET_POOL, .in = 1024, .length = 2500, .stride = 2500}
const struct synth_net synth_net_tally_pointnet = {
    TALLY, .batch = 128, .optimizer = NET_ADAM, .layers = 22,
    .layer = {POINTS(3, 64), POINTS(64, 128), POINTS(128, 1024), MOST, FULL(1024, 512),
              FULL(512, 256), {LINEAR(256, 9), .bias = true},
              POINTS(3, 64),
              POINTS(64, 64), POINTS(64, 128), POINTS(128, 1024), MOST, FULL(1024, 512),
              FULL(512, 256), {LINEAR(256, 4096), .bias = true},
              POINTS(64, 128), POINTS(128, 1024), MOST, FULL(1024, 512), FULL(512, 256),
              {LINEAR(256, 16), .bias = true},
              {.kind = NET_LOSS, .rows = 16}}};

#define CONV(i, o, s, kr, st)                                                                      \
    .kind = NET_CONV, .in = i, .out = o, .size = s, .kernel = kr,         \
    .stride = st, .norm = true
/* n bottlenecks of width w, the first of which takes `i` channels of side s by stride st. */
#define BLOCKS(n, i, w, s, st)                                                                     \
    {CONV(i, w, s, 1, 1), .relu = true}, {CONV(w, w, s, 3, st), .relu = true},                     \
        {CONV(w, 4 * w, s / st, 1, 1), .residual = true, .relu = true}, {CONV(i, 4 * w, s, 1, st)}, \
        {CONV(4 * w, w, s / st, 1, 1), .count = n - 1, .relu = true},                              \
        {CONV(w, w, s / st, 3, 1), .count = n - 1, .relu = true},                                  \
    {                                                                                              \
        CONV(w, 4 * w, s / st, 1, 1), .count = n - 1, .residual = true, .relu = true               \
    }
#define RESNET50                                                                                   \
    {CONV(3, 64, 224, 7, 2), .relu = true},                                                        \
        {.kind = NET_POOL, .in = 64, .size = 112, .stride = 2}, BLOCKS(3, 64, 64, 56, 1),   \
        BLOCKS(4, 256, 128, 56, 2), BLOCKS(6, 512, 256, 28, 2), BLOCKS(3, 1024, 512, 14, 2),       \
        {.kind = NET_POOL, .in = 2048, .size = 7, .stride = 7},                             \
        {LINEAR(2048, 1000), .bias = true},                                                 \
    {                                                                                              \
        .kind = NET_LOSS, .rows = 1000                                                      \
    }
const struct synth_net synth_net_tally_resnet50 = {
    TALLY, .batch = 128, .optimizer = NET_SGD, .layers = 33, .layer = {RESNET50}};
/* clang-format on */
