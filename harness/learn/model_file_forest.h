/* model_file_forest.h - forests: in memory, and as weights files.
 *
 * "kind": "forest" and "transform": linear, sigmoid or exp among the metadata;
 * tensors shape I32 [inputs, outputs], base F32 [1], sizes I32 [trees],
 * features I32, values F32 and default_left U8 [nodes]: as forest.h has them. */
#ifndef HARNESS_LEARN_MODEL_FILE_FOREST_H
#define HARNESS_LEARN_MODEL_FILE_FOREST_H

#include "gpu-kernels/forest.h"
#include "harness/learn/model_kind.h"

struct model_forest {
    struct infer_forest f; /* borrows from what follows */
    uint32_t *sizes;
    int32_t *features;
    float *values;
    uint8_t *default_left;
    size_t nodes;
};

/* Room for so many; out of memory is an error. */
int model_forest_new(struct model_forest **m, uint32_t trees, size_t nodes, const char *path,
                     struct err *e) MUST_CHECK;
void model_forest_free(struct model_forest *m); /* NULL is fine */
struct infer_net model_forest_net(const struct model_forest *m);

int model_forest_write(const char *path, const struct model_forest *m,
                       const struct safetensors_text *meta, size_t n_meta,
                       struct err *e) MUST_CHECK;

#endif
