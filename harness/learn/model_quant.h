/* model_quant.h - a trained fp32 network as int8.
 *
 * After training, symmetric, one scale per tensor: inputs and hidden values
 * are scaled by the largest magnitude that the calibration rows (x: n of net->n_in) bring up.   */
#ifndef HARNESS_LEARN_MODEL_QUANT_H
#define HARNESS_LEARN_MODEL_QUANT_H

#include "gpu-kernels/infer.h"
#include "sim/err.h"

struct model_quant {
    struct infer_mlp mlp; /* int8; its arrays are below */
    int8_t *q;
    int32_t *c;
};

int model_quant(struct model_quant *out, const struct infer_mlp *net, const float *x, size_t n,
                struct err *e) MUST_CHECK;
void model_quant_free(struct model_quant *m);

#endif
