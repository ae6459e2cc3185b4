/* mlp.cu - a whole perceptron in one kernel: fp32, and int8 on tensor cores,
 * each with one hidden layer, then with several, and at last with one by mail.
 *
 * All are CUDA and C11 at once (cu_portable.h) and compute as mlp.h says.
 * A block of eight warps takes `slots` tiles of rows at a time; the warps of a
 * slot share the chunks of 32 neurons out among themselves, so that a narrow
 * network still fills the block.  Blocks stride over the batch.             */
#include "gpu-kernels/mail.h"
#include "gpu-kernels/mlp_f32.h"
#include "gpu-kernels/mlp_s8.h"

/* ---- one hidden layer ------------------------------------------------------- */

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
            f32_outputs(sm->h, &A, r, base, 0);
        /* No barrier here: x is next written by warps past the second barrier
         * above, h by warps past the first barrier of the next round. */
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
            f32_outputs((const float *)sm->h[A.n_layers % 2], &A.net, r, base, A.sigmoid_out);
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

/* ---- by mail: a block that stays and serves one box, as mail.h says ----------- */

/* The next letter's tag and rows; MAIL_LEAVE when none comes for long.  One thread waits. */
CU_DEV void mail_wait(uint32_t news[2], const uint64_t *box, uint32_t last, uint32_t idle)
{
    news[0] = last;
    news[1] = MAIL_LEAVE;
    for (uint32_t poll = 0; poll < idle; poll++) {
        const uint64_t head = cu_load_system(box + MAIL_HEAD);
        if ((uint32_t)(head >> 32) != last) {
            news[0] = (uint32_t)(head >> 32);
            news[1] = (uint32_t)head;
            break;
        }
    }
}

/* Every word brings its own proof that it has arrived. */
CU_DEV uint32_t mail_word(const uint64_t *at, uint32_t tag)
{
    uint64_t word = cu_load_system(at);
    while ((uint32_t)(word >> 32) != tag)
        word = cu_load_system(at);
    return (uint32_t)word;
}

CU_DEV void mail_answer(uint64_t *box, const struct mail_args *m, uint32_t at, uint32_t tag,
                        float y)
{
    cu_store_system(box + m->y + at, (uint64_t)tag << 32 | cu_bits(y));
}

CU_DEV void f32_mail_stage(struct f32_shared *sm, const struct mlp_f32_args *a, const uint64_t *x,
                           uint32_t tag, uint32_t rows)
{
    const uint32_t lane = threadIdx.x % 32;
    float *to = (float *)sm->x;
    for (uint32_t r = threadIdx.x / 32; r < a->slots * MLP_F32_ROWS; r += MLP_WARPS)
        for (uint32_t k = lane; k < a->k_pad; k += 32)
            to[r * MLP_IN_MAX + k] =
                k < a->n_in && r < rows ? cu_float(mail_word(x + r * a->n_in + k, tag)) : 0.0f;
}

CU_KERNEL(mlp_f32_mail, struct mlp_f32_mail_args, MLP_THREADS)
{
    CU_SHARED(struct f32_shared, sm);
    const uint32_t warp = threadIdx.x / 32, share = MLP_WARPS / A.net.slots;
    const uint32_t row = warp / share * MLP_F32_ROWS;
    uint64_t *const box = A.mail.boxes + (size_t)blockIdx.x * A.mail.stride;
    uint32_t *const news = (uint32_t *)sm->x; /* between two tiles */
    uint32_t tag = (uint32_t)cu_load_system(box + MAIL_ANSWERED);
    for (;;) {
        if (threadIdx.x == 0)
            mail_wait(news, box, tag, A.mail.idle);
        __syncthreads();
        tag = news[0];
        const uint32_t rows = news[1];
        __syncthreads();
        if (rows == MAIL_LEAVE)
            break;
        f32_mail_stage(sm, &A.net, box + MAIL_X, tag, rows);
        __syncthreads();
        for (uint32_t c = warp % share; c < A.net.chunks; c += share)
            if (rows == 1)
                f32_hidden(sm, &A.net, c, row, 1);
            else
                f32_hidden(sm, &A.net, c, row, MLP_F32_ROWS);
        __syncthreads();
        for (uint32_t r = warp; r < rows; r += MLP_WARPS)
            for (uint32_t o = 0; o < A.net.n_out; o++) {
                const float y = f32_output(sm->h, &A.net, r, o, 0);
                if (threadIdx.x % 32 == 0)
                    mail_answer(box, &A.mail, r * A.net.n_out + o, tag, y);
            }
    }
    if (threadIdx.x == 0)
        cu_store_system(box + MAIL_LEFT, A.mail.launch);
}

struct s8_mail_shared {
    struct s8_shared s8;
    uint32_t x[MLP_WARPS * MLP_S8_ROWS * MLP_IN_MAX / 4];
    uint32_t news[2];
};

CU_DEV void s8_mail_stage(uint32_t *to, const struct mlp_s8_args *a, const uint64_t *x,
                          uint32_t tag, uint32_t rows)
{
    for (uint32_t i = threadIdx.x; i < rows * a->k_steps * 8; i += MLP_THREADS)
        to[i] = mail_word(x + i, tag);
}

CU_DEV void s8_mail_answer(struct s8_mail_shared *sm, const struct mlp_s8_mail_args *a,
                           uint64_t *box, uint32_t tag, uint32_t rows)
{
    const uint32_t r = threadIdx.x / MLP_OUT_MAX, o = threadIdx.x % MLP_OUT_MAX;
    for (uint32_t slot = 0; slot < a->net.slots; slot++) {
        const uint32_t row = slot * MLP_S8_ROWS + r;
        if (o < a->net.n_out && row < rows)
            mail_answer(box, &a->mail, row * a->net.n_out + o, tag,
                        s8_total(sm->s8.part, &a->net, slot, r, o));
    }
}

CU_KERNEL(mlp_s8_mail, struct mlp_s8_mail_args, MLP_THREADS)
{
    CU_SHARED(struct s8_mail_shared, sm);
    const uint32_t warp = threadIdx.x / 32, share = MLP_WARPS / A.net.slots;
    uint64_t *const box = A.mail.boxes + (size_t)blockIdx.x * A.mail.stride;
    uint32_t tag = (uint32_t)cu_load_system(box + MAIL_ANSWERED);
    struct mlp_s8_args net = A.net;
    net.x = sm->x;
    for (;;) {
        if (threadIdx.x == 0)
            mail_wait(sm->news, box, tag, A.mail.idle);
        __syncthreads();
        tag = sm->news[0];
        net.rows = sm->news[1];
        if (net.rows == MAIL_LEAVE)
            break;
        s8_mail_stage(sm->x, &net, box + MAIL_X, tag, net.rows);
        __syncthreads();
        uint32_t x[2][4];
        int32_t sum[2][4] = {{0, 0, 0, 0}, {0, 0, 0, 0}};
        s8_fetch(x, &net, warp / share * MLP_S8_ROWS);
        for (uint32_t c = warp % share; c < net.chunks; c += share)
            s8_chunk(sum, &net, c, x);
        s8_store(sm->s8.part, sum);
        __syncthreads();
        s8_mail_answer(sm, &A, box, tag, net.rows);
        __syncthreads(); /* part and x are written again at once */
    }
    if (threadIdx.x == 0)
        cu_store_system(box + MAIL_LEFT, A.mail.launch);
}
