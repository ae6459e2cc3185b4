/* model_onnx_chain.h - a graph on its way to a network, a node after the other. */
#ifndef HARNESS_LEARN_MODEL_ONNX_CHAIN_H
#define HARNESS_LEARN_MODEL_ONNX_CHAIN_H

#include "harness/learn/model_onnx.h"
#include "harness/learn/onnx.h"

struct onnx_layer {
    const Onnx__Node *node, *add, *activation; /* NULL: none */
    uint64_t in, out;
    bool sigmoid;
};

struct onnx_chain {
    const struct onnx *o;
    struct model_onnx *m;
    const char *value;   /* what the next node reads */
    int32_t type;        /* of its elements */
    uint64_t rank, rows; /* rank 0, rows 0: left open */
    uint64_t width;      /* numbers in a row of it; 0: left open */
    struct onnx_layer layer[MODEL_ONNX_LAYERS];
    uint32_t layers;
    const char *labels[ONNX_NODES_MAX]; /* values that are classes, not scores */
    uint32_t n_labels;
};

/* That float32 rows of `width` may come in here; 0: of any. */
int onnx_chain_row(const struct onnx_chain *c, const Onnx__Node *n, uint64_t width,
                   struct err *e) MUST_CHECK;

/* Perceptrons: a node that the table in model_onnx.c names; all of them are there. */
int onnx_gemm(struct onnx_chain *c, const Onnx__Node *n, struct err *e) MUST_CHECK;
int onnx_matmul(struct onnx_chain *c, const Onnx__Node *n, struct err *e) MUST_CHECK;
int onnx_add(struct onnx_chain *c, const Onnx__Node *n, struct err *e) MUST_CHECK;
int onnx_activation(struct onnx_chain *c, const Onnx__Node *n, struct err *e) MUST_CHECK;
int onnx_perceptron(struct onnx_chain *c, struct err *e) MUST_CHECK;

/* Trees. */
int onnx_trees(struct onnx_chain *c, const Onnx__Node *n, struct err *e) MUST_CHECK;

#endif
