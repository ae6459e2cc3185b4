/* mlp_s8.h - int8 on tensor cores: two chained mma, the hidden layer never
 * leaves the registers.  Device code for mlp.cu.                             */
#ifndef GPU_KERNELS_MLP_S8_H
#define GPU_KERNELS_MLP_S8_H

#include "gpu-kernels/cu_portable.h"
#include "gpu-kernels/mlp.h"

struct s8_shared {
    int32_t part[MLP_WARPS][MLP_S8_ROWS][MLP_OUT_MAX]; /* each warp's share of the sums */
};

CU_DEV uint32_t s8_round(int32_t sum, float scale)
{
    float v = (float)sum * scale;
    v = v > 0.0f ? v : 0.0f;
    v = v < 127.0f ? v : 127.0f;
    return cu_bits(v + MLP_ROUND_MAGIC) & 0xffu;
}

/* This lane's share of 16 rows of x: rows g and g + 8, bytes 4q.. and 16 + 4q.. */
CU_DEV void s8_fetch(uint32_t x[2][4], const struct mlp_s8_args *a, uint32_t row)
{
    const uint32_t g = threadIdx.x % 32 / 4, q = threadIdx.x % 4;
    CU_UNROLL
    for (uint32_t step = 0; step < 2; step++) {
        CU_UNROLL
        for (uint32_t i = 0; i < 4; i++) {
            const uint32_t r = row + g + i % 2 * 8;
            x[step][i] = 0;
            if (step < a->k_steps && r < a->rows)
                x[step][i] = a->x[((size_t)r * a->k_steps + step) * 8 + i / 2 * 4 + q];
        }
    }
}

/* Eight neurons: this lane's two columns of two rows, rounded to two bytes each. */
CU_DEV void s8_hidden_tile(uint32_t h[2], const struct mlp_s8_args *a, uint32_t tile,
                           const uint32_t x[2][4])
{
    const uint32_t lane = threadIdx.x % 32, *w = a->w1 + (size_t)tile * a->k_steps * 64 + lane * 2;
    const int32_t *bias = a->c1 + tile * 8 + lane % 4 * 2;
    int32_t c[4] = {bias[0], bias[1], bias[0], bias[1]};
    cu_mma_s8(c, x[0], w[0], w[1]);
    if (a->k_steps == 2)
        cu_mma_s8(c, x[1], w[64], w[65]);
    CU_UNROLL
    for (int i = 0; i < 2; i++)
        h[i] = s8_round(c[2 * i], a->hidden_scale) | s8_round(c[2 * i + 1], a->hidden_scale) << 8;
}

/* 32 neurons into the sums of up to 16 outputs (order of k: pack_mma.c). */
CU_DEV void s8_chunk(int32_t sum[2][4], const struct mlp_s8_args *a, uint32_t chunk,
                     const uint32_t x[2][4])
{
    const uint32_t lane = threadIdx.x % 32, tiles = (a->n_out + 7) / 8;
    const uint32_t *w = a->w2 + (size_t)chunk * tiles * 64 + lane * 2;
    uint32_t h[4] = {0, 0, 0, 0}, pair[2];
    CU_UNROLL
    for (uint32_t t = 0; t < 4; t++) {
        s8_hidden_tile(pair, a, chunk * 4 + t, x);
        CU_UNROLL
        for (uint32_t i = 0; i < 2; i++)
            h[t / 2 * 2 + i] |= pair[i] << t % 2 * 16;
    }
    cu_mma_s8(sum[0], h, w[0], w[1]);
    if (tiles == 2)
        cu_mma_s8(sum[1], h, w[64], w[65]);
}

CU_DEV void s8_store(int32_t part[][MLP_S8_ROWS][MLP_OUT_MAX], const int32_t sum[2][4])
{
    const uint32_t warp = threadIdx.x / 32, g = threadIdx.x % 32 / 4, q = threadIdx.x % 4;
    CU_UNROLL
    for (uint32_t t = 0; t < 2; t++) {
        CU_UNROLL
        for (uint32_t i = 0; i < 4; i++)
            part[warp][g + i / 2 * 8][8 * t + 2 * q + i % 2] = sum[t][i];
    }
}

CU_DEV float s8_total(int32_t part[][MLP_S8_ROWS][MLP_OUT_MAX], const struct mlp_s8_args *a,
                      uint32_t slot, uint32_t r, uint32_t o)
{
    const uint32_t share = MLP_WARPS / a->slots;
    int32_t sum = a->c2[o];
    for (uint32_t w = 0; w < share; w++)
        sum += part[slot * share + w][r][o];
    return (float)sum * a->out_scale;
}

/* Thread = one output of one of 16 rows, for every slot in turn. */
CU_DEV void s8_output(int32_t part[][MLP_S8_ROWS][MLP_OUT_MAX], const struct mlp_s8_args *a,
                      uint32_t base)
{
    const uint32_t r = threadIdx.x / MLP_OUT_MAX, o = threadIdx.x % MLP_OUT_MAX;
    for (uint32_t slot = 0; slot < a->slots; slot++) {
        const uint32_t row = base + slot * MLP_S8_ROWS + r;
        if (o < a->n_out && row < a->rows)
            a->y[(size_t)row * a->n_out + o] = s8_total(part, a, slot, r, o);
    }
}

#endif
