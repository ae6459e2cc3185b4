/* lstm.cu - recurrent networks: a kernel for a step of all layers, one for the
 * dense layer and one for softmax; CUDA and C11 at once (cu_portable.h).
 *
 * A step is one launch, because the next needs all of its h: the end of a
 * launch is the barrier of the whole device.  Within it every block owns a few
 * neurons of a few rows, so that even one row's weights are read through as
 * many SMs as there are panels, and the state of a neuron, c, never leaves
 * whoever computes it.  What is computed, and in which order: lstm.h.        */
#include "gpu-kernels/cu_math.h"
#include "gpu-kernels/cu_portable.h"
#include "gpu-kernels/lstm.h"

struct lstm_shared {
    struct cu_float4 x[LSTM_WARPS][LSTM_ROWS][LSTM_SEGMENT / 4]; /* a warp's rows of its segment */
    float part[LSTM_WARPS][LSTM_ROWS][LSTM_SIDE][LSTM_LANES];    /* its sums */
};

/* Where a block works: its panels and, for this warp, its tile of rows. */
struct lstm_place {
    uint32_t panel, side, slots;
    uint32_t row, rows; /* the first of the tile; how many of its rows there are, 0..8 */
};

struct lstm_segment {
    const float *from;
    uint32_t stride, at, n; /* its place among the values, in the panel too, and length */
    uint32_t in;            /* of the panel */
};

CU_DEV uint32_t lstm_segments(uint32_t n)
{
    return (n + LSTM_SEGMENT - 1) / LSTM_SEGMENT;
}

CU_DEV struct lstm_segment lstm_segment(const struct lstm_matrix *m, uint32_t i)
{
    const uint32_t n_a = lstm_segments(m->n_a), second = i >= n_a;
    struct lstm_segment s;
    s.from = second ? m->b : m->a;
    s.stride = second ? m->b_stride : m->a_stride;
    s.at = (second ? i - n_a : i) * LSTM_SEGMENT;
    s.n = (second ? m->n_b : m->n_a) - s.at;
    s.n = s.n < LSTM_SEGMENT ? s.n : LSTM_SEGMENT;
    s.in = s.at + (second ? m->n_a : 0);
    return s;
}

/* Brings this warp's rows of a segment, zero where there is no row. */
CU_DEV void lstm_stage(float *x, const struct lstm_segment *s, const struct lstm_place *p)
{
    const uint32_t lane = threadIdx.x % LSTM_LANES;
    for (uint32_t r = 0; r < LSTM_ROWS; r++)
        for (uint32_t k = lane; k < s->n; k += LSTM_LANES)
            x[r * LSTM_SEGMENT + k] =
                r < p->rows ? s->from[(size_t)(p->row + r) * s->stride + s->at + k] : 0.0f;
}

/* The chains of a segment: `rows` rows by `side` panels, constants at every call like `step`.
 * Loops count to the most there can be and are unrolled: acc[] and v[] stay in registers. */
CU_DEV void lstm_chains(float acc[LSTM_ROWS][LSTM_SIDE], const float *w, size_t panel,
                        const struct cu_float4 *x, uint32_t n, const uint32_t rows,
                        const uint32_t side, const uint32_t step)
{
    for (uint32_t k = 0; k < n; k += step, w += step * LSTM_LANES) {
        float v[LSTM_PAD][LSTM_SIDE];
        CU_UNROLL
        for (uint32_t i = 0; i < LSTM_PAD; i++) {
            CU_UNROLL
            for (uint32_t j = 0; j < LSTM_SIDE; j++)
                v[i][j] = i < step && j < side ? w[j * panel + i * LSTM_LANES] : 0.0f;
        }
        CU_UNROLL
        for (uint32_t i = 0; i < LSTM_PAD; i += 4) {
            CU_UNROLL
            for (uint32_t r = 0; r < LSTM_ROWS; r++) {
                if (i >= step || r >= rows)
                    continue;
                const struct cu_float4 in = x[(r * LSTM_SEGMENT + k + i) / 4];
                CU_UNROLL
                for (uint32_t j = 0; j < LSTM_SIDE; j++) {
                    if (j >= side)
                        continue;
                    acc[r][j] = cu_fma(in.x, v[i][j], acc[r][j]);
                    acc[r][j] = cu_fma(in.y, v[i + 1][j], acc[r][j]);
                    acc[r][j] = cu_fma(in.z, v[i + 2][j], acc[r][j]);
                    acc[r][j] = cu_fma(in.w, v[i + 3][j], acc[r][j]);
                }
            }
        }
    }
}

/* A segment's sums of this warp's tile, into its part. */
CU_DEV void lstm_part(struct lstm_shared *sm, const struct lstm_matrix *m,
                      const struct lstm_place *p, const struct lstm_segment *s, const uint32_t rows,
                      const uint32_t side, const uint32_t step)
{
    const uint32_t warp = threadIdx.x / LSTM_LANES, lane = threadIdx.x % LSTM_LANES;
    const size_t panel = (size_t)m->k * LSTM_LANES;
    float acc[LSTM_ROWS][LSTM_SIDE];
    CU_UNROLL
    for (uint32_t i = 0; i < LSTM_ROWS * LSTM_SIDE; i++)
        acc[i / LSTM_SIDE][i % LSTM_SIDE] = 0.0f;
    lstm_chains(acc, m->w + p->panel * panel + s->in * LSTM_LANES + lane, panel, sm->x[warp][0],
                s->n, rows, side, step);
    CU_UNROLL
    for (uint32_t r = 0; r < LSTM_ROWS; r++) {
        CU_UNROLL
        for (uint32_t j = 0; j < LSTM_SIDE; j++)
            if (r < rows && j < side)
                sm->part[warp][r][j][lane] = acc[r][j];
    }
}

/* z, which holds the starts, plus the segments of a round, in order.  Row i of z is row
 * warp % share + i * share of the tile: what this warp is to finish. */
CU_DEV void lstm_add(float z[LSTM_ROWS][LSTM_SIDE], const struct lstm_shared *sm,
                     const struct lstm_place *p, uint32_t segments)
{
    const uint32_t warp = threadIdx.x / LSTM_LANES, lane = threadIdx.x % LSTM_LANES;
    const uint32_t share = LSTM_WARPS / p->slots, slot = warp / share * share;
    for (uint32_t s = 0; s < segments; s++) {
        CU_UNROLL
        for (uint32_t i = 0; i < LSTM_ROWS; i++) {
            const uint32_t r = warp % share + i * share;
            CU_UNROLL
            for (uint32_t j = 0; j < LSTM_SIDE; j++)
                if (r < p->rows && j < p->side)
                    z[i][j] += sm->part[slot + s][r][j][lane];
        }
    }
}

CU_DEV void lstm_sums(float z[LSTM_ROWS][LSTM_SIDE], struct lstm_shared *sm,
                      const struct lstm_matrix *m, const struct lstm_place *p)
{
    const uint32_t warp = threadIdx.x / LSTM_LANES, share = LSTM_WARPS / p->slots;
    const uint32_t segments = lstm_segments(m->n_a) + lstm_segments(m->n_b);
    for (uint32_t first = 0; first < segments; first += share) {
        const uint32_t left = segments - first, mine = warp % share;
        if (mine < left && p->rows) {
            const struct lstm_segment s = lstm_segment(m, first + mine);
            lstm_stage((float *)sm->x[warp][0], &s, p);
            __syncwarp(CU_ALL_LANES);
            if (p->side == LSTM_SIDE)
                lstm_part(sm, m, p, &s, LSTM_ROWS, LSTM_SIDE, 4);
            else if (p->rows == 1)
                lstm_part(sm, m, p, &s, 1, 1, LSTM_PAD);
            else
                lstm_part(sm, m, p, &s, LSTM_ROWS, 1, LSTM_PAD);
        }
        __syncthreads();
        lstm_add(z, sm, p, left < share ? left : share);
        __syncthreads(); /* part is written again */
    }
}

/* Block `item` of tiles of rows by groups of panels; this warp's part of it. */
CU_DEV struct lstm_place lstm_place(uint32_t item, uint32_t rows, uint32_t panels, uint32_t side,
                                    uint32_t slots)
{
    const uint32_t groups = panels / side, slot = threadIdx.x / LSTM_LANES / (LSTM_WARPS / slots);
    struct lstm_place p;
    p.side = side;
    p.slots = slots;
    p.panel = item % groups * side;
    p.row = (item / groups * slots + slot) * LSTM_ROWS;
    p.rows = p.row < rows ? rows - p.row : 0;
    p.rows = p.rows < LSTM_ROWS ? p.rows : LSTM_ROWS;
    return p;
}

CU_DEV uint32_t lstm_items(uint32_t rows, uint32_t panels, uint32_t side, uint32_t slots)
{
    return (rows + slots * LSTM_ROWS - 1) / (slots * LSTM_ROWS) * (panels / side);
}

CU_DEV float lstm_start(const struct lstm_cell *cell, uint32_t row, uint32_t column,
                        uint32_t columns)
{
    const float start = cell->m.start[column];
    if (!cell->table)
        return start;
    return start + cell->table[(size_t)cell->id[(size_t)row * cell->id_stride] * columns + column];
}

/* From a lane's gate to its neuron's state; lanes 0..7 have what the others bring. */
CU_DEV void lstm_state(float z, const struct lstm_cell *cell, size_t at)
{
    const uint32_t lane = threadIdx.x % LSTM_LANES;
    const float v = lane / LSTM_NEURONS == 2 ? cu_tanh(z) : cu_sigmoid(z);
    const float f = __shfl_xor_sync(CU_ALL_LANES, v, LSTM_NEURONS);
    const float g = __shfl_xor_sync(CU_ALL_LANES, v, 2 * LSTM_NEURONS);
    const float o = __shfl_xor_sync(CU_ALL_LANES, v, 3 * LSTM_NEURONS);
    if (lane >= LSTM_NEURONS)
        return;
    const float c = cu_fma(f, cell->first ? 0.0f : cell->c[at], v * g);
    cell->c[at] = c;
    cell->h[at] = o * cu_tanh(c);
}

CU_DEV void lstm_cell(struct lstm_shared *sm, const struct lstm_step_args *a,
                      const struct lstm_cell *cell, uint32_t item)
{
    const struct lstm_place p = lstm_place(item, a->rows, a->panels, a->side, a->slots);
    const uint32_t share = LSTM_WARPS / a->slots, lane = threadIdx.x % LSTM_LANES;
    const uint32_t mine = threadIdx.x / LSTM_LANES % share, columns = a->panels * LSTM_LANES;
    float z[LSTM_ROWS][LSTM_SIDE];
    CU_UNROLL
    for (uint32_t i = 0; i < LSTM_ROWS; i++) {
        CU_UNROLL
        for (uint32_t j = 0; j < LSTM_SIDE; j++)
            z[i][j] = mine + i * share < p.rows && j < p.side
                          ? lstm_start(cell, p.row + mine + i * share,
                                       (p.panel + j) * LSTM_LANES + lane, columns)
                          : 0.0f;
    }
    lstm_sums(z, sm, &cell->m, &p);
    CU_UNROLL
    for (uint32_t i = 0; i < LSTM_ROWS; i++) {
        CU_UNROLL
        for (uint32_t j = 0; j < LSTM_SIDE; j++)
            if (mine + i * share < p.rows && j < p.side)
                lstm_state(z[i][j], cell,
                           (size_t)(p.row + mine + i * share) * a->stride +
                               (p.panel + j) * LSTM_NEURONS + lane % LSTM_NEURONS);
    }
}

/* One of the two, field by field: an array of arguments at an index that is no constant would
 * cost the compiler what it knows of where their pointers point. */
#define LSTM_PICK(field) cell.field = second ? a->cell[1].field : a->cell[0].field
CU_DEV struct lstm_cell lstm_pick(const struct lstm_step_args *a, uint32_t second)
{
    struct lstm_cell cell;
    LSTM_PICK(m.w);
    LSTM_PICK(m.start);
    LSTM_PICK(m.a);
    LSTM_PICK(m.b);
    LSTM_PICK(m.a_stride);
    LSTM_PICK(m.b_stride);
    LSTM_PICK(m.n_a);
    LSTM_PICK(m.n_b);
    LSTM_PICK(m.k);
    LSTM_PICK(table);
    LSTM_PICK(id);
    LSTM_PICK(h);
    LSTM_PICK(c);
    LSTM_PICK(id_stride);
    LSTM_PICK(first);
    return cell;
}

CU_KERNEL(lstm_step, struct lstm_step_args, LSTM_THREADS)
{
    CU_SHARED(struct lstm_shared, sm);
    const uint32_t items = lstm_items(A.rows, A.panels, A.side, A.slots);
    for (uint32_t i = blockIdx.x; i < items * A.cells; i += gridDim.x) {
        const struct lstm_cell cell = lstm_pick(&A, A.from || i >= items);
        lstm_cell(sm, &A, &cell, i < items ? i : i - items);
    }
}

CU_DEV void lstm_out_tile(struct lstm_shared *sm, const struct lstm_out_args *a, uint32_t item)
{
    const struct lstm_place p = lstm_place(item, a->rows, a->panels, a->side, a->slots);
    const uint32_t share = LSTM_WARPS / a->slots, lane = threadIdx.x % LSTM_LANES;
    const uint32_t mine = threadIdx.x / LSTM_LANES % share;
    float z[LSTM_ROWS][LSTM_SIDE];
    CU_UNROLL
    for (uint32_t i = 0; i < LSTM_ROWS; i++) {
        CU_UNROLL
        for (uint32_t j = 0; j < LSTM_SIDE; j++)
            z[i][j] = j < p.side ? a->m.start[(p.panel + j) * LSTM_LANES + lane] : 0.0f;
    }
    lstm_sums(z, sm, &a->m, &p);
    CU_UNROLL
    for (uint32_t i = 0; i < LSTM_ROWS; i++) {
        CU_UNROLL
        for (uint32_t j = 0; j < LSTM_SIDE; j++) {
            const uint32_t r = mine + i * share, o = (p.panel + j) * LSTM_LANES + lane;
            if (r < p.rows && j < p.side && o < a->n_out)
                a->y[(size_t)(p.row + r) * a->n_out + o] =
                    z[i][j] == z[i][j] ? z[i][j] : cu_float(0x7fc00000u);
        }
    }
}

CU_KERNEL(lstm_out, struct lstm_out_args, LSTM_THREADS)
{
    CU_SHARED(struct lstm_shared, sm);
    const uint32_t items = lstm_items(A.rows, A.panels, A.side, A.slots);
    for (uint32_t i = blockIdx.x; i < items; i += gridDim.x)
        lstm_out_tile(sm, &A, i);
}

CU_DEV float lstm_exp(float v, float most)
{
    v -= most;
    return cu_exp(v > LSTM_EXP_MIN ? v : LSTM_EXP_MIN);
}

/* A warp has a row. */
CU_KERNEL(lstm_softmax, struct lstm_softmax_args, LSTM_THREADS)
{
    const uint32_t lane = threadIdx.x % LSTM_LANES, warps = gridDim.x * LSTM_WARPS;
    for (uint32_t r = blockIdx.x * LSTM_WARPS + threadIdx.x / LSTM_LANES; r < A.rows; r += warps) {
        const float *z = A.z + (size_t)r * A.n_out;
        float most = LSTM_LOWEST, sum = 0.0f;
        for (uint32_t o = lane; o < A.n_out; o += LSTM_LANES)
            most = z[o] > most ? z[o] : most;
        for (int distance = LSTM_LANES / 2; distance; distance /= 2) {
            const float other = __shfl_xor_sync(CU_ALL_LANES, most, distance);
            most = other > most ? other : most;
        }
        for (uint32_t o = lane; o < A.n_out; o += LSTM_LANES)
            sum += lstm_exp(z[o], most);
        for (int distance = LSTM_LANES / 2; distance; distance /= 2)
            sum += __shfl_xor_sync(CU_ALL_LANES, sum, distance);
        for (uint32_t o = lane; o < A.n_out; o += LSTM_LANES)
            A.y[(size_t)r * A.n_out + o] = lstm_exp(z[o], most) / sum;
    }
}
