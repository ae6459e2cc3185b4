/* forests.h - random forests, inputs that tie and are missing, and references
 * that share no code with gpu-kernels/ (as nets.h has them for perceptrons). */
#ifndef TESTS_FORESTS_H
#define TESTS_FORESTS_H

#include <stdbool.h>

#include "gpu-kernels/forest.h"
#include "gpu-kernels/infer.h"

struct forest {
    struct infer_forest f;
    struct infer_net net;
    uint32_t *sizes, *first;
    int32_t *features;
    float *values;
    uint8_t *default_left;
};

/* Trees of any shape, of up to `depth` splits one after the other. */
struct forest *forest_make(uint32_t n_in, uint32_t n_out, uint32_t n_trees, uint32_t depth,
                           uint64_t seed);
/* One whose every number is random. */
struct forest *forest_make_any(uint64_t seed);
void forest_free(struct forest *f);

/* Few different values, so that many equal a split's; some NaN, some infinite. */
float *forest_inputs(const struct forest *f, uint32_t rows, uint64_t seed);

/* Output o of a row in double precision, before the transform; *scale: the sum of magnitudes. */
double forest_exact(const struct forest *f, const float *x, uint32_t o, double *scale);
/* The bits that every backend must give. */
void forest_canonical(const struct forest *f, uint32_t rows, const float *x, float *y);

/* As net_outputs and net_overran: poison, also behind the end. */
float *forest_outputs(const struct forest *f, uint32_t rows);
bool forest_overran(const struct forest *f, uint32_t rows, const float *y);
size_t forest_differ(const struct forest *f, uint32_t rows, const float *a, const float *b);

#endif
