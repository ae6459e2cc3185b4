/* forest.cu - gradient-boosted trees: a warp walks down 32 trees at once.
 *
 * CUDA and C11 at once (cu_portable.h), adds as forest.h says.  A thread walks
 * the trees of its lane for one row and keeps their sum in a register; `share`
 * warps, as many as an output's trees fill, work on one row, the others of the
 * block on other rows.  The nodes of 32 trees lie interleaved level by level
 * (forest_pack.h), so near the roots a warp reads whole lines.               */
#include "gpu-kernels/cu_math.h"
#include "gpu-kernels/cu_portable.h"
#include "gpu-kernels/forest.h"

struct forest_shared {
    float x[FOREST_WARPS][FOREST_IN_MAX];
    float part[FOREST_WARPS][FOREST_OUT_MAX]; /* c of forest.h */
};

/* The leaf of a tree for a row. */
CU_DEV float forest_leaf(const struct forest_node *nodes, uint32_t at, const float *x)
{
    struct forest_node n = nodes[at];
    while (n.meta >> FOREST_CHILD) {
        const float v = x[n.meta & FOREST_FEATURE];
        const uint32_t left = v == v ? v < n.value : (n.meta & FOREST_MISSING) != 0;
        n = nodes[(n.meta >> FOREST_CHILD) + 1 - left];
    }
    return n.value;
}

CU_DEV void forest_stage(struct forest_shared *sm, const struct forest_args *a, uint32_t base,
                         uint32_t slots)
{
    for (uint32_t i = threadIdx.x; i < slots * FOREST_IN_MAX; i += FOREST_THREADS) {
        const uint32_t r = i / FOREST_IN_MAX, k = i % FOREST_IN_MAX;
        if (k < a->n_in && base + r < a->rows)
            sm->x[r][k] = a->x[(size_t)(base + r) * a->n_in + k];
    }
}

/* The chunk of 32 lanes that this warp has of its row. */
CU_DEV void forest_chunk(struct forest_shared *sm, const struct forest_args *a, uint32_t slot,
                         uint32_t chunk, uint32_t row)
{
    const uint32_t warp = threadIdx.x / 32, lane = threadIdx.x % 32;
    for (uint32_t o = 0; o < a->n_out; o++) {
        const uint32_t trees = (a->n_trees - o + a->n_out - 1) / a->n_out;
        float s = 0.0f;
        for (uint32_t k = chunk * 32 + lane; row && k < trees; k += FOREST_LANES)
            s += forest_leaf(a->nodes, a->roots[o * a->stride + k], sm->x[slot]);
        CU_UNROLL
        for (int distance = 16; distance; distance /= 2)
            s += __shfl_xor_sync(CU_ALL_LANES, s, distance);
        if (lane == 0)
            sm->part[warp][o] = s;
    }
}

/* Thread = one output of one row. */
CU_DEV void forest_output(const struct forest_shared *sm, const struct forest_args *a,
                          uint32_t base, uint32_t slots)
{
    const uint32_t r = threadIdx.x / FOREST_OUT_MAX, o = threadIdx.x % FOREST_OUT_MAX;
    if (r >= slots || o >= a->n_out || base + r >= a->rows)
        return;
    float c[FOREST_WARPS];
    CU_UNROLL
    for (uint32_t w = 0; w < FOREST_WARPS; w++)
        c[w] = w < a->share ? sm->part[r * a->share + w][o] : 0.0f;
    float y = ((c[0] + c[1]) + (c[2] + c[3])) + ((c[4] + c[5]) + (c[6] + c[7])) + a->base;
    if (a->transform)
        y = a->transform == FOREST_EXP ? cu_exp_any(y) : y == y ? cu_sigmoid(y) : y;
    a->y[(size_t)(base + r) * a->n_out + o] = y == y ? y : cu_float(0x7fc00000u);
}

CU_KERNEL(forest, struct forest_args, FOREST_THREADS)
{
    CU_SHARED(struct forest_shared, sm);
    const uint32_t warp = threadIdx.x / 32, slots = FOREST_WARPS / A.share;
    for (uint32_t base = blockIdx.x * slots; base < A.rows; base += gridDim.x * slots) {
        const uint32_t slot = warp / A.share;
        forest_stage(sm, &A, base, slots);
        __syncthreads();
        forest_chunk(sm, &A, slot, warp % A.share, base + slot < A.rows);
        __syncthreads();
        forest_output(sm, &A, base, slots);
        /* No barrier here: x is next written by warps past the second barrier
         * above, part by warps past the first barrier of the next round. */
    }
}
