/* knn.cu - k nearest neighbours on int8 tensor cores: see knn.h.
 *
 * Few queries (KNN_ROWS at most): knn_distances spreads the references over
 * all blocks, then knn_select gives each query a block that finds the k-th
 * distance by bisection, each round a count.
 * Many: knn_scan gives a block 32 queries and a slice of the references.
 * Distances of a panel of 256 lie in shared memory; a warp reads those of a
 * query in order and keeps the nearest in a register, one per lane, sorted.
 * knn_merge joins what the slices found.                                     */
#include "gpu-kernels/cu_portable.h"
#include "gpu-kernels/knn.h"

/* ---- distances ------------------------------------------------------------ */

/* Of 16 queries from `row` on: the A operands of all steps, and the norms. */
struct knn_x {
    uint32_t a[KNN_STEPS][4][32];
    uint32_t norm[KNN_ROWS];
};

CU_DEV void x_stage(struct knn_x *to, const struct knn_args *a, uint32_t row)
{
    const uint32_t stride = a->steps * 8 + 1;
    for (uint32_t i = threadIdx.x; i < a->steps * 128; i += KNN_THREADS) {
        const uint32_t step = i / 128, part = i / 32 % 4, lane = i % 32;
        const uint32_t r = row + lane / 4 + part % 2 * 8, word = part / 2 * 4 + lane % 4;
        to->a[step][part][lane] = r < a->rows ? a->x[(size_t)r * stride + step * 8 + word] : 0;
    }
    if (threadIdx.x < KNN_ROWS && row + threadIdx.x < a->rows)
        to->norm[threadIdx.x] = a->x[(size_t)(row + threadIdx.x) * stride + stride - 1];
}

/* x.r of 16 queries and `count` (a constant) tiles of 8 references, into c. */
CU_DEV void tile_products(int32_t c[KNN_TILES][4], const struct knn_x *x, const struct knn_args *a,
                          uint32_t tile, const uint32_t count)
{
    const uint32_t lane = threadIdx.x % 32;
    const uint32_t *refs = a->refs + (size_t)tile * a->steps * 64 + lane * 2;
    CU_UNROLL
    for (uint32_t i = 0; i < KNN_TILES * 4; i++)
        c[i / 4][i % 4] = 0;
    for (uint32_t step = 0; step < a->steps; step++, refs += 64) {
        const uint32_t in[4] = {x->a[step][0][lane], x->a[step][1][lane], x->a[step][2][lane],
                                x->a[step][3][lane]};
        CU_UNROLL
        for (uint32_t t = 0; t < KNN_TILES; t++)
            if (t < count)
                cu_mma_s8(c[t], in, refs[t * a->steps * 64], refs[t * a->steps * 64 + 1]);
    }
}

/* ---- a sorted list in a register ------------------------------------------ */

/* The lanes' candidates, in order, into `near`: a later one must be nearer, not as near. */
CU_DEV uint32_t near_take(uint32_t near, uint32_t candidate, uint32_t k)
{
    const uint32_t lane = threadIdx.x % 32;
    for (;;) {
        const uint32_t worst = cu_shuffle(near, k - 1);
        const uint32_t better = cu_ballot((candidate | KNN_LABEL) < worst);
        if (!better)
            return near;
        const uint32_t from = cu_lowest(better);
        const uint32_t word = cu_shuffle(candidate, from);
        const uint32_t before = cu_shuffle(near, lane ? lane - 1 : 0);
        if ((word | KNN_LABEL) < near)
            near = lane && (word | KNN_LABEL) < before ? before : word;
        if (lane == from)
            candidate = KNN_NONE;
    }
}

/* ---- few queries ---------------------------------------------------------- */

CU_DEV void few_store(const struct knn_args *a, const struct knn_x *x, const int32_t c[4],
                      uint32_t tile)
{
    const uint32_t g = threadIdx.x % 32 / 4, q = threadIdx.x % 4;
    CU_UNROLL
    for (uint32_t i = 0; i < 4; i++) {
        const uint32_t row = g + i / 2 * 8, r = tile * 8 + q * 2 + i % 2;
        if (row < a->rows && r < a->n_refs)
            a->near[(size_t)row * a->tiles * 8 + r] =
                a->base[r] + x->norm[row] - ((uint32_t)c[i] << 9);
    }
}

CU_KERNEL(knn_distances, struct knn_args, KNN_THREADS)
{
    CU_SHARED(struct knn_x, x);
    x_stage(x, &A, 0);
    __syncthreads();
    for (uint32_t t = blockIdx.x * KNN_WARPS + threadIdx.x / 32; t < A.tiles;
         t += gridDim.x * KNN_WARPS) {
        int32_t c[KNN_TILES][4];
        tile_products(c, x, &A, t, 1);
        few_store(&A, x, c[0], t);
    }
}

#define KNN_EACH (KNN_REFS_MAX / KNN_THREADS) /* references of a thread */

struct select_shared {
    uint32_t part[2][KNN_WARPS];
};

/* The block's sum of v.  Sums take turns with the two halves, and so need one barrier each. */
CU_DEV uint32_t block_sum(struct select_shared *sm, uint32_t *turn, uint32_t v)
{
    const uint32_t warp_sum = cu_warp_sum(v);
    *turn ^= 1;
    if (threadIdx.x % 32 == 0)
        sm->part[*turn][threadIdx.x / 32] = warp_sum;
    __syncthreads();
    uint32_t sum = 0;
    CU_UNROLL
    for (uint32_t w = 0; w < KNN_WARPS; w++)
        sum += sm->part[*turn][w];
    return sum;
}

/* How many words are nearer than d, or as near and of a reference before `end`. */
CU_DEV uint32_t select_count(const uint32_t word[KNN_EACH], uint32_t d, uint32_t end)
{
    uint32_t count = 0;
    CU_UNROLL
    for (uint32_t i = 0; i < KNN_EACH; i++)
        count += word[i] >> 8 < d || (word[i] >> 8 == d && i * KNN_THREADS + threadIdx.x < end);
    return count;
}

/* The k nearest are those nearer than *d, and of those at *d the references before *end. */
CU_DEV void select_bounds(struct select_shared *sm, uint32_t *turn, const uint32_t word[KNN_EACH],
                          uint32_t k, uint32_t *d, uint32_t *end)
{
    uint32_t low = 0, cut = 0;
    for (uint32_t bit = 1u << 23; bit; bit /= 2) /* the most d that fewer than k are below */
        if (block_sum(sm, turn, select_count(word, low + bit, 0)) < k)
            low += bit;
    for (uint32_t bit = KNN_REFS_MAX / 2; bit; bit /= 2)
        if (block_sum(sm, turn, select_count(word, low, cut + bit)) < k)
            cut += bit;
    *d = low;
    *end = cut + 1;
}

CU_KERNEL(knn_select, struct knn_args, KNN_THREADS)
{
    CU_SHARED(struct select_shared, sm);
    const uint32_t *from = A.near + (size_t)blockIdx.x * A.tiles * 8;
    uint32_t word[KNN_EACH], turn = 0, d, end, sum = 0;
    CU_UNROLL
    for (uint32_t i = 0; i < KNN_EACH; i++) {
        const uint32_t r = i * KNN_THREADS + threadIdx.x;
        word[i] = r < A.n_refs ? from[r] : KNN_NONE;
    }
    select_bounds(sm, &turn, word, A.k, &d, &end);
    CU_UNROLL
    for (uint32_t i = 0; i < KNN_EACH; i++) {
        const uint32_t own = word[i] >> 8;
        if (own < d || (own == d && i * KNN_THREADS + threadIdx.x < end))
            sum += own;
        else
            word[i] = KNN_NONE;
    }
    sum = block_sum(sm, &turn, sum);
    float *y = A.y + (size_t)blockIdx.x * (A.n_labels + 1);
    if (threadIdx.x == 0)
        y[A.n_labels] = (float)(int32_t)sum * A.scale;
    for (uint32_t label = 0; label < A.n_labels; label++) {
        uint32_t votes = 0;
        CU_UNROLL
        for (uint32_t i = 0; i < KNN_EACH; i++)
            votes += (word[i] & KNN_LABEL) == label;
        votes = block_sum(sm, &turn, votes);
        if (threadIdx.x == 0)
            y[label] = (float)(int32_t)votes;
    }
}

/* ---- many queries --------------------------------------------------------- */

#define KNN_STRIDE (KNN_PANEL + 8) /* of a query's words: eight rows of a store hit 32 banks */

struct scan_shared {
    struct knn_x x[KNN_QUERIES / KNN_ROWS];
    uint32_t word[KNN_QUERIES][KNN_STRIDE];
    uint32_t near[KNN_QUERIES][32]; /* between panels: a lane's words are its own */
};

/* A panel's words: this warp's four tiles, 16 queries after the other 16. */
CU_DEV void scan_panel(struct scan_shared *sm, const struct knn_args *a, uint32_t panel)
{
    const uint32_t warp = threadIdx.x / 32, g = threadIdx.x % 32 / 4, q = threadIdx.x % 4;
    const uint32_t own = warp * KNN_TILES, first = panel * (KNN_PANEL / 8) + own;
    if (first >= a->tiles)
        return;
    for (uint32_t half = 0; half < KNN_QUERIES / KNN_ROWS; half++) {
        int32_t c[KNN_TILES][4];
        tile_products(c, &sm->x[half], a, first, KNN_TILES);
        CU_UNROLL
        for (uint32_t i = 0; i < KNN_TILES * 4; i++) {
            const uint32_t row = g + i % 4 / 2 * 8, at = i / 4 * 8 + q * 2 + i % 2;
            sm->word[half * KNN_ROWS + row][own * 8 + at] =
                a->base[first * 8 + at] - ((uint32_t)c[i / 4][i % 4] << 9);
        }
    }
}

/* The words of a panel into this warp's lists: every eighth query is its own. */
CU_DEV void scan_take(struct scan_shared *sm, const struct knn_args *a, uint32_t base,
                      uint32_t panel)
{
    const uint32_t lane = threadIdx.x % 32;
    uint32_t left = a->n_refs - panel * KNN_PANEL;
    left = left < KNN_PANEL ? left : KNN_PANEL;
    for (uint32_t q = threadIdx.x / 32; q < KNN_QUERIES && base + q < a->rows; q += KNN_WARPS) {
        const uint32_t norm = sm->x[q / KNN_ROWS].norm[q % KNN_ROWS];
        uint32_t near = sm->near[q][lane];
        for (uint32_t at = 0; at < left; at += 32)
            near =
                near_take(near, at + lane < left ? sm->word[q][at + lane] + norm : KNN_NONE, a->k);
        sm->near[q][lane] = near;
    }
}

/* 32 queries from `base` on and one slice of the references. */
CU_DEV void scan_slice(struct scan_shared *sm, const struct knn_args *a, uint32_t base,
                       uint32_t slice)
{
    const uint32_t warp = threadIdx.x / 32, lane = threadIdx.x % 32;
    const uint32_t end = (slice + 1) * a->panels;
    for (uint32_t q = warp; q < KNN_QUERIES; q += KNN_WARPS)
        sm->near[q][lane] = KNN_NONE;
    for (uint32_t half = 0; half < KNN_QUERIES / KNN_ROWS; half++)
        x_stage(&sm->x[half], a, base + half * KNN_ROWS);
    __syncthreads();
    for (uint32_t p = slice * a->panels; p < end && p * KNN_PANEL < a->n_refs; p++) {
        scan_panel(sm, a, p);
        __syncthreads();
        scan_take(sm, a, base, p);
        __syncthreads(); /* the next panel's words, or the next queries, take the place */
    }
    for (uint32_t q = warp; q < KNN_QUERIES && base + q < a->rows; q += KNN_WARPS)
        if (lane < a->k)
            a->near[((size_t)(base + q) * a->slices + slice) * a->k + lane] = sm->near[q][lane];
}

CU_KERNEL(knn_scan, struct knn_args, KNN_THREADS)
{
    CU_SHARED(struct scan_shared, sm);
    const uint32_t groups = (A.rows + KNN_QUERIES - 1) / KNN_QUERIES;
    for (uint32_t i = blockIdx.x; i < groups * A.slices; i += gridDim.x)
        scan_slice(sm, &A, i / A.slices * KNN_QUERIES, i % A.slices);
}

/* A warp's answer: lane i counts label i, and one more the distances. */
CU_DEV void merge_answer(const struct knn_args *a, uint32_t row, uint32_t near)
{
    const uint32_t lane = threadIdx.x % 32;
    const uint32_t sum = cu_warp_sum(lane < a->k ? near >> 8 : 0);
    float y = (float)(int32_t)sum * a->scale;
    for (uint32_t label = 0; label < a->n_labels; label++) {
        const uint32_t votes = cu_warp_sum(lane < a->k && (near & KNN_LABEL) == label);
        y = lane == label ? (float)(int32_t)votes : y;
    }
    if (lane <= a->n_labels)
        a->y[(size_t)row * (a->n_labels + 1) + lane] = y;
}

CU_KERNEL(knn_merge, struct knn_args, KNN_THREADS)
{
    const uint32_t lane = threadIdx.x % 32;
    for (uint32_t row = blockIdx.x * KNN_WARPS + threadIdx.x / 32; row < A.rows;
         row += gridDim.x * KNN_WARPS) {
        const uint32_t *list = A.near + (size_t)row * A.slices * A.k;
        uint32_t near = KNN_NONE;
        for (uint32_t s = 0; s < A.slices; s++, list += A.k)
            near = near_take(near, lane < A.k ? list[lane] : KNN_NONE, A.k);
        merge_answer(&A, row, near);
    }
}
