/* mlp_train.h - steps of gradient descent for a perceptron, in fp32.
 *
 * What KML does in a kernel thread (Akgun et al., HotStorage'21; sbu-fsl/kernel-ml,
 * sgd_optimizer): stochastic gradient descent with momentum on the cross entropy
 * of the softmax of the outputs.  A step takes a batch whole:
 *
 *     g = mean over the rows of the loss's slope at each parameter
 *     v = momentum * v + g          w = w - rate * v
 *
 * One order of operations, so the bits are the same everywhere (fma, +, *, /, and
 * cu_math.h): values as mlp.h says, so that a network in training answers what
 * the runtime answers; slopes of a layer as fma chains over the layer above, from
 * its neuron 0 on; gradients as fma chains over the rows of the batch.       */
#ifndef GPU_KERNELS_MLP_TRAIN_H
#define GPU_KERNELS_MLP_TRAIN_H

#include "gpu-kernels/infer.h"

struct mlp_train;

struct mlp_batch {
    uint32_t rows;
    const float *x;        /* [rows][n_in] */
    const uint32_t *label; /* [rows], below n_out: the output that was right */
};

/* Whether a network can be trained so: fp32, linear outputs, as infer_load takes it. */
bool mlp_train_can(const struct infer_mlp *m);
struct mlp_train *
mlp_train_new(const struct infer_mlp *m); /* from its weights on; NULL: no memory */
void mlp_train_free(struct mlp_train *t); /* NULL is fine */
const struct infer_mlp *mlp_train_net(const struct mlp_train *t); /* as it is now; borrowed */
/* momentum 0: v is forgotten. */
void mlp_train_step(struct mlp_train *t, const struct mlp_batch *b, float rate, float momentum);
/* The mean slope at each parameter, in the order of mlp_train_params, before any momentum. */
void mlp_train_gradient(struct mlp_train *t, const struct mlp_batch *b, float *g);
/* Of each hidden layer, then of the outputs: weights [width][before], then biases [width]. */
const float *mlp_train_params(const struct mlp_train *t, size_t *n);
/* Operations of a step: forward as infer_flops counts them, twice that backward (once less for the
 * first layer, whose inputs need no slope), and four for each parameter. */
uint64_t mlp_train_flops(const struct infer_mlp *m, uint64_t rows);

#endif
