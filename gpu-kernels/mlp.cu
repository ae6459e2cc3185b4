/* mlp.cu - a whole perceptron in one kernel: fp32, and int8 on tensor cores,
 * each with one hidden layer and, at the end of the file, with several.
 *
 * All are CUDA and C11 at once (cu_portable.h) and compute as mlp.h says.
 * A block of eight warps takes `slots` tiles of rows at a time; the warps of a
 * slot share the chunks of 32 neurons out among themselves, so that a narrow
 * network still fills the block.  Blocks stride over the batch.             */
#include "gpu-kernels/cu_math.h"
#include "gpu-kernels/cu_portable.h"
#include "gpu-kernels/mlp.h"

/* ---- fp32: lane = neuron of a chunk, eight rows per load of a weight ------- */

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

/* A warp finishes one row: lane l holds the chain of neurons l, l+32, .. */
CU_DEV void f32_output(const float *h, const struct mlp_f32_args *a, uint32_t row, uint32_t base,
                       const uint32_t sigmoid)
{
    const uint32_t lane = threadIdx.x % 32, width = a->chunks * 32;
    for (uint32_t o = 0; o < a->n_out; o++) {
        float s = 0.0f;
        for (uint32_t j = lane; j < width; j += 32)
            s = cu_fma(h[row * width + j], a->w2[o * width + j], s);
        CU_UNROLL
        for (int distance = 16; distance; distance /= 2)
            s += __shfl_xor_sync(CU_ALL_LANES, s, distance);
        s += a->b2[o];
        if (sigmoid)
            s = s == s ? cu_sigmoid(s) : s;
        if (lane == 0)
            a->y[(size_t)(base + row) * a->n_out + o] = s == s ? s : cu_float(0x7fc00000u);
    }
}

CU_KERNEL(mlp_f32, struct mlp_f32_args, MLP_THREADS)
{
    CU_SHARED(struct f32_shared, sm);
    const uint32_t warp = threadIdx.x / 32, share = MLP_WARPS / A.slots;
    const uint32_t row = warp / share * MLP_F32_ROWS, group = A.slots * MLP_F32_ROWS;
    for (uint32_t base = blockIdx.x * group; base < A.rows; base += gridDim.x * group) {
        f32_stage((float *)sm->x, MLP_IN_MAX, &A, base);
        __syncthreads();
        for (uint32_t c = warp % share; c < A.chunks; c += share)
            if (A.rows - base == 1) /* a batch of one: an eighth of the work */
                f32_hidden(sm, &A, c, row, 1);
            else
                f32_hidden(sm, &A, c, row, MLP_F32_ROWS);
        __syncthreads();
        for (uint32_t r = warp; r < group && base + r < A.rows; r += MLP_WARPS)
            f32_output(sm->h, &A, r, base, 0);
        /* No barrier here: x is next written by warps past the second barrier
         * above, h by warps past the first barrier of the next round. */
    }
}

/* ---- int8: two chained mma, the hidden layer never leaves the registers ---- */

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

/* Thread = one output of one of 16 rows, for every slot in turn. */
CU_DEV void s8_output(int32_t part[][MLP_S8_ROWS][MLP_OUT_MAX], const struct mlp_s8_args *a,
                      uint32_t base)
{
    const uint32_t r = threadIdx.x / MLP_OUT_MAX, o = threadIdx.x % MLP_OUT_MAX;
    const uint32_t share = MLP_WARPS / a->slots;
    for (uint32_t slot = 0; slot < a->slots; slot++) {
        const uint32_t row = base + slot * MLP_S8_ROWS + r;
        if (o >= a->n_out || row >= a->rows)
            continue;
        int32_t sum = a->c2[o];
        for (uint32_t w = 0; w < share; w++)
            sum += part[slot * share + w][r][o];
        a->y[(size_t)row * a->n_out + o] = (float)sum * a->out_scale;
    }
}

CU_KERNEL(mlp_s8, struct mlp_s8_args, MLP_THREADS)
{
    CU_SHARED(struct s8_shared, sm);
    const uint32_t warp = threadIdx.x / 32, share = MLP_WARPS / A.slots;
    const uint32_t group = A.slots * MLP_S8_ROWS;
    for (uint32_t base = blockIdx.x * group; base < A.rows; base += gridDim.x * group) {
        uint32_t x[2][4];
        int32_t sum[2][4] = {{0, 0, 0, 0}, {0, 0, 0, 0}};
        s8_fetch(x, &A, base + warp / share * MLP_S8_ROWS);
        for (uint32_t c = warp % share; c < A.chunks; c += share)
            s8_chunk(sum, &A, c, x);
        s8_store(sm->part, sum);
        __syncthreads();
        s8_output(sm->part, &A, base);
        __syncthreads(); /* part is written again at once */
    }
}

/* ---- several hidden layers, fp32: values of a tile go back and forth in h --- */

struct deep_f32_shared {
    /* [slots * 8][k_pad of whoever reads it]: slots * chunks <= 8 or slots is 1 */
    struct cu_float4 h[2][MLP_F32_ROWS * MLP_DEEP_WIDTH_MAX / 4];
};

/* A chunk of a layer, of the rows from `from` on: their 32 neurons from `to` on. */
CU_DEV void deep_f32_chunk(const struct mlp_deep_f32_args *a, const struct mlp_layer *l, uint32_t c,
                           const struct cu_float4 *from, float *to, const int rows)
{
    const uint32_t lane = threadIdx.x % 32, width = l->chunks * 32, k_pad = l->k_pad;
    const float bias = a->net.b1[l->bias + c * 32 + lane];
    float h[MLP_F32_ROWS];
    CU_UNROLL
    for (int r = 0; r < MLP_F32_ROWS; r++)
        h[r] = bias;
    f32_sums(h, a->net.w1 + l->w + c * k_pad * 32 + lane, from, k_pad, k_pad, rows, MLP_DEEP_STEP);
    CU_UNROLL
    for (int r = 0; r < MLP_F32_ROWS; r++) {
        if (r >= rows)
            continue;
        if (a->sigmoid)
            h[r] = cu_sigmoid(h[r]);
        to[r * width + lane] = h[r] > 0.0f ? h[r] : 0.0f;
    }
}

CU_DEV void deep_f32_layer(struct deep_f32_shared *sm, const struct mlp_deep_f32_args *a,
                           uint32_t n, uint32_t rows_left)
{
    const struct mlp_layer *l = a->layers + n;
    const uint32_t warp = threadIdx.x / 32, share = MLP_WARPS / a->net.slots;
    const uint32_t row = warp / share * MLP_F32_ROWS;
    const struct cu_float4 *from = sm->h[n % 2] + row * l->k_pad / 4;
    float *to = (float *)sm->h[(n + 1) % 2] + row * l->chunks * 32;
    for (uint32_t c = warp % share; c < l->chunks; c += share)
        if (rows_left == 1)
            deep_f32_chunk(a, l, c, from, to + c * 32, 1);
        else
            deep_f32_chunk(a, l, c, from, to + c * 32, MLP_F32_ROWS);
}

CU_KERNEL(mlp_deep_f32, struct mlp_deep_f32_args, MLP_THREADS)
{
    CU_SHARED(struct deep_f32_shared, sm);
    const uint32_t warp = threadIdx.x / 32, group = A.net.slots * MLP_F32_ROWS;
    for (uint32_t base = blockIdx.x * group; base < A.net.rows; base += gridDim.x * group) {
        f32_stage((float *)sm->h[0], A.net.k_pad, &A.net, base);
        __syncthreads();
        for (uint32_t n = 0; n < A.n_layers; n++) {
            deep_f32_layer(sm, &A, n, A.net.rows - base);
            __syncthreads();
        }
        for (uint32_t r = warp; r < group && base + r < A.net.rows; r += MLP_WARPS)
            f32_output((const float *)sm->h[A.n_layers % 2], &A.net, r, base, A.sigmoid_out);
        __syncthreads(); /* after two layers the outputs read what the next x overwrites */
    }
}

/* ---- several hidden layers, int8: fragments lie in h as mma wants them ------ */

struct deep_s8_shared {
    /* of each 32 values of 16 rows the four registers of every lane; slots share them out */
    uint32_t h[2][MLP_DEEP_WIDTH_MAX / 32][4][32];
    int32_t part[MLP_WARPS][MLP_S8_ROWS][MLP_OUT_MAX];
};

CU_DEV void deep_s8_stage(uint32_t to[][4][32], const struct mlp_s8_args *a, uint32_t row)
{
    const uint32_t warp = threadIdx.x / 32, lane = threadIdx.x % 32;
    uint32_t x[2][4];
    if (warp % (MLP_WARPS / a->slots)) /* one warp of each slot is enough */
        return;
    s8_fetch(x, a, row);
    CU_UNROLL
    for (uint32_t step = 0; step < 2; step++) {
        CU_UNROLL
        for (uint32_t i = 0; i < 4; i++)
            to[step][i][lane] = x[step][i];
    }
}

CU_DEV uint32_t s8_pair(const int32_t c[2], float scale)
{
    return s8_round(c[0], scale) | s8_round(c[1], scale) << 8;
}

/* 32 neurons of a layer, rounded: this lane's four registers of them. */
CU_DEV void deep_s8_chunk(uint32_t h[4], const struct mlp_deep_s8_args *a,
                          const struct mlp_layer *l, uint32_t chunk, uint32_t from[][4][32])
{
    const uint32_t lane = threadIdx.x % 32, steps = l->k_pad / 32;
    const uint32_t *w = a->net.w1 + l->w + (size_t)chunk * 4 * steps * 64 + lane * 2;
    const int32_t *bias = a->net.c1 + l->bias + chunk * 32 + lane % 4 * 2;
    int32_t c[4][4];
    CU_UNROLL
    for (uint32_t i = 0; i < 16; i++)
        c[i / 4][i % 4] = bias[i / 4 * 8 + i % 2];
    for (uint32_t step = 0; step < steps; step++, w += 64) {
        const uint32_t x[4] = {from[step][0][lane], from[step][1][lane], from[step][2][lane],
                               from[step][3][lane]};
        CU_UNROLL
        for (uint32_t t = 0; t < 4; t++)
            cu_mma_s8(c[t], x, w[(size_t)t * steps * 64], w[(size_t)t * steps * 64 + 1]);
    }
    CU_UNROLL
    for (uint32_t i = 0; i < 4; i++) /* two columns of each of two tiles, of row i % 2 */
        h[i] = s8_pair(c[i / 2 * 2] + i % 2 * 2, l->scale) |
               s8_pair(c[i / 2 * 2 + 1] + i % 2 * 2, l->scale) << 16;
}

CU_DEV void deep_s8_out(int32_t sum[2][4], const struct mlp_s8_args *a, uint32_t chunk,
                        const uint32_t h[4])
{
    const uint32_t lane = threadIdx.x % 32, tiles = (a->n_out + 7) / 8;
    const uint32_t *w = a->w2 + (size_t)chunk * tiles * 64 + lane * 2;
    cu_mma_s8(sum[0], h, w[0], w[1]);
    if (tiles == 2)
        cu_mma_s8(sum[1], h, w[64], w[65]);
}

/* The last layer's values go from the registers straight into the outputs. */
CU_DEV void deep_s8_layer(int32_t sum[2][4], const struct mlp_deep_s8_args *a, uint32_t n,
                          uint32_t from[][4][32], uint32_t to[][4][32])
{
    const struct mlp_layer *l = a->layers + n;
    const uint32_t warp = threadIdx.x / 32, lane = threadIdx.x % 32;
    const uint32_t share = MLP_WARPS / a->net.slots;
    for (uint32_t c = warp % share; c < l->chunks; c += share) {
        uint32_t h[4];
        deep_s8_chunk(h, a, l, c, from);
        if (n + 1 == a->n_layers) {
            deep_s8_out(sum, &a->net, c, h);
            continue;
        }
        CU_UNROLL
        for (uint32_t i = 0; i < 4; i++)
            to[c][i][lane] = h[i];
    }
}

CU_KERNEL(mlp_deep_s8, struct mlp_deep_s8_args, MLP_THREADS)
{
    CU_SHARED(struct deep_s8_shared, sm);
    const uint32_t slot = threadIdx.x / 32 / (MLP_WARPS / A.net.slots);
    const uint32_t group = A.net.slots * MLP_S8_ROWS;
    const uint32_t mine = slot * (MLP_DEEP_WIDTH_MAX / 32 / A.net.slots);
    for (uint32_t base = blockIdx.x * group; base < A.net.rows; base += gridDim.x * group) {
        int32_t sum[2][4] = {{0, 0, 0, 0}, {0, 0, 0, 0}};
        deep_s8_stage(sm->h[0] + mine, &A.net, base + slot * MLP_S8_ROWS);
        __syncthreads();
        for (uint32_t n = 0; n < A.n_layers; n++) {
            deep_s8_layer(sum, &A, n, sm->h[n % 2] + mine, sm->h[(n + 1) % 2] + mine);
            if (n + 1 == A.n_layers)
                s8_store(sm->part, sum);
            __syncthreads();
        }
        s8_output(sm->part, &A.net, base);
        /* No barrier here: the next x does not touch part. */
    }
}
