/* model_onnx.h - networks trained elsewhere, from ONNX files.
 *
 * The graph is one chain from its input to its output.  Perceptrons: Gemm, or
 * MatMul and Add, with Relu or Sigmoid between, and Sigmoid or nothing at the
 * end.  Trees: one TreeEnsembleRegressor or TreeEnsembleClassifier of
 * ai.onnx.ml.  Casts to float32, Identity, Flatten and Reshape pass where they
 * leave a row what it is; what is made of a classifier's labels is left out.
 *
 * Of a classifier with two labels whose leaves vote for one class alone, the
 * one output is the score of the second label.                              */
#ifndef HARNESS_LEARN_MODEL_ONNX_H
#define HARNESS_LEARN_MODEL_ONNX_H

#include "gpu-kernels/infer.h"
#include "harness/learn/model_file_forest.h"

enum { MODEL_ONNX_LAYERS = INFER_DEEP_MAX + 2 };

struct model_onnx {
    struct model_forest *forest; /* NULL: a perceptron */
    struct infer_mlp mlp;
    float *w[MODEL_ONNX_LAYERS], *b[MODEL_ONNX_LAYERS]; /* what it borrows from */
};

int model_onnx_load(struct model_onnx **m, const char *path, struct err *e) MUST_CHECK;
int model_onnx_parse(struct model_onnx **m, const char *name, const void *bytes, size_t n,
                     struct err *e) MUST_CHECK;
void model_onnx_free(struct model_onnx *m); /* NULL is fine */
struct infer_net model_onnx_net(const struct model_onnx *m);

#endif
