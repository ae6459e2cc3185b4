/* model_kind.h - what a kind of network other than the perceptron brings to
 * weights files: one const table, listed in model_file.c.                    */
#ifndef HARNESS_LEARN_MODEL_KIND_H
#define HARNESS_LEARN_MODEL_KIND_H

#include "gpu-kernels/infer.h"
#include "harness/learn/safetensors.h"
#include "sim/err.h"

struct model_kind {
    const char *name; /* of the metadata's "kind" */
    /* A valid network and what it borrows from, or a sentence. */
    int (*take)(void **own, struct infer_net *net, const struct safetensors *st, const char *path,
                struct err *e);
    void (*free)(void *own);                                        /* NULL is fine */
    void (*say)(const struct infer_net *net, char *text, size_t n); /* "forest of 100 trees, .." */
};

extern const struct model_kind model_kind_forest, model_kind_knn, model_kind_lstm;

#endif
