/* mlp_f32.h - how threads of a block share out an fp32 tile: lane = neuron of a
 * chunk, eight rows per load of a weight.  Device code for mlp.cu.           */
#ifndef GPU_KERNELS_MLP_F32_H
#define GPU_KERNELS_MLP_F32_H

#include "gpu-kernels/cu_math.h"
#include "gpu-kernels/cu_portable.h"
#include "gpu-kernels/mlp.h"

struct f32_shared {
    struct cu_float4 x[MLP_WARPS * MLP_F32_ROWS][MLP_IN_MAX / 4];
    /* [slots * 8][32 * chunks]: it fits, as slots > 1 only while slots * chunks <= 8 */
    float h[MLP_F32_ROWS * MLP_HIDDEN_MAX];
};

/* Every warp brings rows of x, `stride` apart, zero beyond the batch and beyond n_in. */
CU_DEV void f32_stage(float *x, const uint32_t stride, const struct mlp_f32_args *a, uint32_t base)
{
    const uint32_t lane = threadIdx.x % 32;
    for (uint32_t r = threadIdx.x / 32; r < a->slots * MLP_F32_ROWS; r += MLP_WARPS)
        for (uint32_t k = lane; k < a->k_pad; k += 32)
            x[r * stride + k] =
                k < a->n_in && base + r < a->rows ? a->x[(size_t)(base + r) * a->n_in + k] : 0.0f;
}

/* One neuron of `rows` rows, a constant at every call like `step`.  Loops count
 * to the most there can be and are unrolled: h[] and v[] stay in registers.
 * w and x are this lane's column of the chunk and the first row. */
CU_DEV void f32_sums(float h[MLP_F32_ROWS], const float *w, const struct cu_float4 *x,
                     const uint32_t stride, uint32_t k_pad, const int rows, const uint32_t step)
{
    for (uint32_t k = 0; k < k_pad; k += step, w += step * 32) {
        float v[MLP_DEEP_STEP];
        CU_UNROLL
        for (uint32_t i = 0; i < MLP_DEEP_STEP; i++)
            v[i] = i < step ? w[i * 32] : 0.0f;
        CU_UNROLL
        for (uint32_t i = 0; i < MLP_DEEP_STEP; i += 4) {
            CU_UNROLL
            for (int r = 0; r < MLP_F32_ROWS; r++) {
                if (i >= step || r >= rows)
                    continue;
                const struct cu_float4 in = x[(r * stride + k + i) / 4];
                h[r] = cu_fma(in.x, v[i], h[r]);
                h[r] = cu_fma(in.y, v[i + 1], h[r]);
                h[r] = cu_fma(in.z, v[i + 2], h[r]);
                h[r] = cu_fma(in.w, v[i + 3], h[r]);
            }
        }
    }
}

CU_DEV void f32_hidden(struct f32_shared *sm, const struct mlp_f32_args *a, uint32_t c,
                       uint32_t row, const int rows)
{
    const uint32_t j = c * 32 + threadIdx.x % 32;
    float h[MLP_F32_ROWS];
    CU_UNROLL
    for (int r = 0; r < MLP_F32_ROWS; r++)
        h[r] = a->b1[j];
    f32_sums(h, a->w1 + c * a->k_pad * 32 + threadIdx.x % 32, sm->x[row], MLP_IN_MAX, a->k_pad,
             rows, 4);
    CU_UNROLL
    for (int r = 0; r < MLP_F32_ROWS; r++)
        if (r < rows)
            sm->h[(row + r) * a->chunks * 32 + j] = h[r] > 0.0f ? h[r] : 0.0f;
}

/* A warp finishes an output of one row: lane l holds the chain of neurons l, l+32, .. */
CU_DEV float f32_output(const float *h, const struct mlp_f32_args *a, uint32_t row, uint32_t o,
                        const uint32_t sigmoid)
{
    const uint32_t lane = threadIdx.x % 32, width = a->chunks * 32;
    float s = 0.0f;
    for (uint32_t j = lane; j < width; j += 32)
        s = cu_fma(h[row * width + j], a->w2[o * width + j], s);
    CU_UNROLL
    for (int distance = 16; distance; distance /= 2)
        s += __shfl_xor_sync(CU_ALL_LANES, s, distance);
    s += a->b2[o];
    if (sigmoid)
        s = s == s ? cu_sigmoid(s) : s;
    return s == s ? s : cu_float(0x7fc00000u);
}

CU_DEV void f32_outputs(const float *h, const struct mlp_f32_args *a, uint32_t row, uint32_t base,
                        const uint32_t sigmoid)
{
    for (uint32_t o = 0; o < a->n_out; o++) {
        const float y = f32_output(h, a, row, o, sigmoid);
        if (threadIdx.x % 32 == 0)
            a->y[(size_t)(base + row) * a->n_out + o] = y;
    }
}

#endif
