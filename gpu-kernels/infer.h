/* infer.h - the runtime that runs networks on whichever backend there is.
 *
 * Every backend gives the same bits (see kernels in mlp.cu): `cuda` through
 * the driver API opened at run time, `cpu` the vectorized twin, `emu` the .cu
 * itself over host fibers.  `auto` is cuda when a device is there, else cpu.
 * Self-contained: includes nothing of the simulator.
 *
 * Open it in the process that uses it: a CUDA context does not survive a fork.
 * One thread at a time may use a backend and its models.                    */
#ifndef GPU_KERNELS_INFER_H
#define GPU_KERNELS_INFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum infer_backend { INFER_AUTO, INFER_CUDA, INFER_CPU, INFER_EMU };

/* A hidden layer: `width` neurons, each with a weight for every value before it. */
struct infer_layer {
    uint32_t width;
    const float *w, *b; /* f32: [width][before], [width] */
    const int8_t *q;    /* s8: the same */
    const int32_t *c;
    float scale; /* s8: hidden_scale of this layer */
};

/* A multilayer perceptron as trained.  Left at zero, what is below `deep` means
 * one hidden layer, ReLU, linear outputs; else no layer is wider than 512.   */
enum infer_type { INFER_F32, INFER_S8 };
enum { INFER_DEEP_MAX = 3 };
struct infer_mlp {
    uint32_t n_in, n_hidden, n_out; /* 1..64, 1..1024, 1..16; n_hidden of the first layer */
    enum infer_type type;
    const float *w1, *b1, *w2, *b2; /* f32: [hidden][in], [hidden], [out][last hidden], [out] */
    const int8_t *q1, *q2;          /* s8: same shapes; requantisation as mlp.h states */
    const int32_t *c1, *c2;         /* s8 biases */
    float in_scale;                 /* s8: input = in_scale * integer */
    float hidden_scale;             /* s8: hidden integer = hidden_scale * first-layer sum */
    float out_scale;                /* s8: output = out_scale * last sum */

    struct infer_layer deep[INFER_DEEP_MAX]; /* hidden layers after the first */
    uint32_t n_deep;
    bool sigmoid;     /* f32: hidden layers are sigmoid, not ReLU */
    bool sigmoid_out; /* f32: and so are the outputs, not linear */
};

/* Hidden layer i of 1 + n_deep, the first one in the same words. */
struct infer_layer infer_layer(const struct infer_mlp *m, uint32_t i);

/* Nearest neighbours (knn.h): outputs are the votes for each label among the k
 * nearest references, then their mean squared distance. */
struct infer_knn {
    uint32_t n_refs, n_dim, k, n_labels; /* 1..8192, 1..256, 1..32 and <= n_refs, 1..16 */
    const int8_t *refs;                  /* [n_refs][n_dim]; of equally near ones the first count */
    const uint8_t *labels;               /* [n_refs], 0..n_labels-1 */
    float in_scale;                      /* input = in_scale * integer */
};

/* A network of any kind. */
enum infer_kind { INFER_MLP, INFER_FOREST, INFER_LSTM, INFER_KNN, INFER_KINDS };
struct infer_net {
    enum infer_kind kind;
    union {
        const struct infer_mlp *mlp;
        const struct infer_forest *forest; /* forest.h */
        const struct infer_lstm *lstm;     /* lstm_net.h */
        const struct infer_knn *knn;
    };
};

/* Of a network that infer_load takes. */
void infer_shape(const struct infer_net *net, uint32_t *n_in, uint32_t *n_out);
uint64_t infer_flops(const struct infer_net *net);   /* of one row */
uint64_t infer_bytes(const struct infer_net *net);   /* of its weights on a device; 0: no memory */
const char *infer_kind(const struct infer_net *net); /* "mlp", "mlp_s8", .. */

struct infer;       /* a backend in use */
struct infer_model; /* a network loaded on it */

/* 0, or -1 with one sentence in why[0..n). INFER_AUTO never fails. */
int infer_open(struct infer **r, enum infer_backend want, char *why, size_t n);
void infer_close(struct infer *r); /* NULL is fine; unload its models first */
const char *
infer_name(const struct infer *r); /* "cuda (NVIDIA H100 ..)", "cpu (avx512-vnni)", "emu" */
const char *infer_notice(const struct infer *r); /* why auto fell back, or NULL */

/* How batches go to a device from now on; the bits are the same, and `cpu` and `emu` know no
 * difference.  A launch each; one launch of a CUDA graph; or a letter to a kernel that stays on the
 * GPU (mail.h), which perceptrons with one hidden layer have, for batches that its boxes hold: what
 * does not fit goes by graph.  looks: into an empty box, of a microsecond each, before that kernel
 * leaves; 0: MAIL_LOOKS. */
enum infer_submit { INFER_LAUNCH, INFER_GRAPH, INFER_MAIL };
void infer_submit(struct infer *r, enum infer_submit how, uint32_t looks);

int infer_load(struct infer *r, const struct infer_net *net, struct infer_model **out, char *why,
               size_t n);
int infer_load_mlp(struct infer *r, const struct infer_mlp *mlp, struct infer_model **out,
                   char *why, size_t n);
void infer_unload(struct infer_model *m);
/* rows x n_in floats -> rows x n_out floats, 1 <= rows; blocks until done.
 * For INFER_S8 the inputs are quantised with in_scale first (round half even,
 * saturate): identical on every backend. 0 or -1 (device failure, with why). */
int infer_run(struct infer_model *m, uint32_t rows, const float *in, float *out, char *why,
              size_t n);

#endif
