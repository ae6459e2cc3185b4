/* model_file.h - a perceptron in a safetensors file.
 *
 * Tensors: fp32 w1 [hidden, in], b1 [hidden], w2 [out, hidden], b2 [out]; int8
 * the same as I8 weights and I32 biases, and scales [3] F32: in, hidden, out.
 * fp32 files written elsewhere may call them 0.weight, 0.bias, 2.weight,
 * 2.bias (a PyTorch Sequential) or fc1.weight .. fc2.bias.  Further hidden
 * layers are w2, b2 and so on, the outputs always last, up to w5; scales then
 * has one number per layer more.  Metadata "activation" (relu, sigmoid) and
 * "output_activation" (linear, sigmoid) say what is not the first of these.
 * A name ("sjf_mlp") is policies/weights/sjf_mlp.safetensors of this tree; a text
 * with a '/' is a path.                                                     */
#ifndef HARNESS_LEARN_MODEL_FILE_H
#define HARNESS_LEARN_MODEL_FILE_H

#include <stdbool.h>
#include <stddef.h>

#include "gpu-kernels/infer.h"
#include "harness/learn/safetensors.h"
#include "sim/err.h"

struct model_file;
struct model_kind;

int model_file_open(struct model_file **m, const char *name_or_path, struct err *e) MUST_CHECK;
int model_file_from(struct model_file **m, const char *name, const void *bytes, size_t n,
                    struct err *e) MUST_CHECK;
void model_file_free(struct model_file *m);

const struct infer_net *model_file_net(const struct model_file *m); /* borrowed, as all below */
const struct infer_mlp *model_file_mlp(const struct model_file *m); /* NULL: of another kind */
const char *model_file_meta(const struct model_file *m, const char *key);
const char *model_file_path(const struct model_file *m);
void model_file_shape(const struct infer_mlp *mlp, char *text, size_t n); /* "31-256-2"; n >= 48 */

const struct model_kind *model_file_other(const struct model_file *m); /* NULL: a perceptron */

int model_file_write(const char *path, const struct infer_mlp *mlp,
                     const struct safetensors_text *meta, size_t n_meta, struct err *e) MUST_CHECK;

/* Where the weights of `name` are or would be; malloc'd. */
char *model_file_place(const char *name_or_path, const char *extension);

#endif
