/* cpu_act.h - what a CPU twin does to the sums of its neurons.
 *
 * Every twin takes max(sum, least) on the way out of its registers, which is
 * all of ReLU (least is 0) and the lower clamp of sigmoid, NaN included.  The
 * rest of sigmoid is a loop over what was stored, that the compiler of each
 * twin vectorizes for its own instruction set.                              */
#ifndef GPU_KERNELS_CPU_ACT_H
#define GPU_KERNELS_CPU_ACT_H

#include "gpu-kernels/cu_math.h"
#include "gpu-kernels/pack.h"

static inline float cpu_act_least(const struct pack *p)
{
    return p->sigmoid ? -CU_EXP_MAX : 0.0f;
}

static inline void cpu_act_sigmoid(float *v, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        v[i] = cu_sigmoid(v[i]);
}

/* A NaN among the outputs is already the one NaN, and stays. */
static inline void cpu_act_outputs(const struct pack *p, float *y, uint32_t rows)
{
    if (p->sigmoid_out)
        for (size_t i = 0; i < (size_t)rows * p->n_out; i++)
            y[i] = y[i] == y[i] ? cu_sigmoid(y[i]) : y[i];
}

#endif
