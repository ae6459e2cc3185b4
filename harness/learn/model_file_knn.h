/* model_file_knn.h - nearest neighbours as weights files.
 *
 * "kind": "knn", "k" and "labels" (how many there are) among the metadata;
 * tensors refs I8 [references, inputs], labels U8 or I32 [references] and,
 * where it is not 1, in_scale F32 [1]: an input is in_scale times an integer. */
#ifndef HARNESS_LEARN_MODEL_FILE_KNN_H
#define HARNESS_LEARN_MODEL_FILE_KNN_H

#include "harness/learn/model_kind.h"

int model_knn_write(const char *path, const struct infer_knn *m,
                    const struct safetensors_text *meta, size_t n_meta, struct err *e) MUST_CHECK;

#endif
