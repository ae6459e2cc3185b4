/* kind_knn.c - the k nearest neighbours of knn.cu, for every backend. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "gpu-kernels/backend.h"
#include "gpu-kernels/kind.h"
#include "gpu-kernels/knn_cpu.h"
#include "gpu-kernels/pack.h"
#include "gpu-kernels/quant.h"

/* ---- what is a valid one ---------------------------------------------------- */

static int check(const struct infer_net *net, char *why, size_t n)
{
    const struct infer_knn *m = net->knn;
    const struct {
        const char *name;
        uint32_t is, max;
    } dims[] = {{"n_refs", m->n_refs, KNN_REFS_MAX},
                {"n_dim", m->n_dim, KNN_DIM_MAX},
                {"k", m->k, m->n_refs < KNN_K_MAX ? m->n_refs : KNN_K_MAX},
                {"n_labels", m->n_labels, KNN_LABELS_MAX}};
    for (int i = 0; i < 4; i++)
        if (dims[i].is < 1 || dims[i].is > dims[i].max)
            return infer_fail(why, n, "%s is %u, want 1..%u", dims[i].name, dims[i].is,
                              dims[i].max);
    if (!(m->in_scale >= 1e-12f && m->in_scale <= 1e12f)) /* its square times any d is finite */
        return infer_fail(why, n, "in_scale is %g, want 1e-12..1e12", (double)m->in_scale);
    if (!m->refs || !m->labels)
        return infer_fail(why, n, "nearest neighbours lack refs or labels");
    for (uint32_t r = 0; r < m->n_refs; r++)
        if (m->labels[r] >= m->n_labels)
            return infer_fail(why, n, "labels[%u] is %u, want 0..%u", r, m->labels[r],
                              m->n_labels - 1);
    return 0;
}

static void shape(const struct infer_net *net, uint32_t *n_in, uint32_t *n_out)
{
    *n_in = net->knn->n_dim;
    *n_out = net->knn->n_labels + 1;
}

static uint64_t flops(const struct infer_net *net)
{
    return 2 * (uint64_t)net->knn->n_refs * net->knn->n_dim;
}

/* ---- the kernels -------------------------------------------------------------- */

enum { REFS, BASE, BLOBS };
enum { DISTANCES, SELECT, SCAN, MERGE, KERNELS };

/* What stage and plan need to know. */
struct packed {
    uint32_t n_dim, steps, tiles, n_refs, k, n_labels, row_words;
    float in_inverse, scale;
    int8_t *refs;
    uint32_t *base;
};

/* Lane 4g + q holds of a B operand column g, k = 4q .. and 16 + 4q .. (pack_mma.c). */
static size_t fragment_byte(uint32_t k, uint32_t g)
{
    const uint32_t lane = 4 * g + k % 16 / 4;
    return (lane * 2 + k / 16) * 4 + k % 4;
}

static void fill(struct packed *p, const struct infer_knn *m)
{
    for (uint32_t r = 0; r < m->n_refs; r++) {
        uint32_t square = 0;
        for (uint32_t i = 0; i < m->n_dim; i++) {
            const int8_t v = m->refs[(size_t)r * m->n_dim + i];
            const size_t operand = ((size_t)r / 8 * p->steps + i / 32) * 256;
            p->refs[operand + fragment_byte(i % 32, r % 8)] = v;
            square += (uint32_t)(v * v);
        }
        p->base[r] = square << 8 | m->labels[r];
    }
}

static void unpack(struct kind_pack *k)
{
    struct packed *p = k->own;
    free(p->refs);
    free(p->base);
    free(p);
}

static bool pack(struct kind_pack *k, const struct infer_net *net)
{
    const struct infer_knn *m = net->knn;
    const uint32_t steps = (m->n_dim + 31) / 32;
    const uint32_t tiles = (m->n_refs + 8 * KNN_TILES - 1) / (8 * KNN_TILES) * KNN_TILES;
    const size_t refs = (size_t)tiles * steps * 256, base = (size_t)tiles * 8 * sizeof(uint32_t);
    struct packed *p = malloc(sizeof *p);
    if (!p)
        return false;
    *p = (struct packed){.n_dim = m->n_dim,
                         .steps = steps,
                         .tiles = tiles,
                         .n_refs = m->n_refs,
                         .k = m->k,
                         .n_labels = m->n_labels,
                         .row_words = steps * 8 + 1,
                         .in_inverse = 1.0f / m->in_scale,
                         .scale = knn_scale(m),
                         .refs = pack_alloc(refs),
                         .base = pack_alloc(base)};
    *k = (struct kind_pack){.own = p,
                            .blob = {[REFS] = {p->refs, refs}, [BASE] = {p->base, base}},
                            .n_blobs = BLOBS,
                            .n_in = m->n_dim,
                            .n_out = m->n_labels + 1,
                            .row_size = p->row_words * sizeof(uint32_t),
                            .scratch = KNN_ROWS * base,
                            .row_scratch = KNN_SLICES * m->k * sizeof(uint32_t)};
    if (!p->refs || !p->base) {
        unpack(k);
        return false;
    }
    fill(p, m);
    return true;
}

static void stage(const struct kind_pack *k, void *to, const float *x, uint32_t rows)
{
    const struct packed *p = k->own;
    uint32_t *row = to;
    for (; rows; rows--, x += p->n_dim, row += p->row_words) {
        int8_t *x8 = (int8_t *)row;
        uint32_t square = 0;
        quant_rows(x8, p->steps * 32, x, 1, p->n_dim, p->in_inverse);
        for (uint32_t i = 0; i < p->n_dim; i++)
            square += (uint32_t)(x8[i] * x8[i]);
        row[p->row_words - 1] = square << 8;
    }
}

static void add_launch(struct kind_launch *l, uint32_t kernel, uint32_t blocks,
                       const struct knn_args *args)
{
    _Static_assert(sizeof *args <= KIND_ARGS, "arguments of a kernel");
    *l = (struct kind_launch){.kernel = kernel, .blocks = blocks, .threads = KNN_THREADS};
    memcpy(l->args, args, sizeof *args);
}

static uint32_t at_most(uint32_t v, uint32_t most)
{
    return v < most ? v : most;
}

/* Slices are whole panels, as many as leave no block idle. */
static void cut(struct knn_args *a, uint32_t groups, uint32_t blocks)
{
    const uint32_t panels = (a->n_refs + KNN_PANEL - 1) / KNN_PANEL;
    const uint32_t slices = at_most(at_most(blocks / groups + 1, KNN_SLICES), panels);
    a->panels = (panels + slices - 1) / slices;
    a->slices = (panels + a->panels - 1) / a->panels;
}

static uint32_t plan(const struct kind_pack *k, const struct kind_places *at, uint32_t rows,
                     uint32_t blocks, struct kind_launch launch[KIND_LAUNCHES])
{
    const struct packed *p = k->own;
    struct knn_args a = {.x = at->x,
                         .refs = at->blob[REFS],
                         .base = at->blob[BASE],
                         .near = at->scratch,
                         .y = at->y,
                         .scale = p->scale,
                         .rows = rows,
                         .steps = p->steps,
                         .tiles = p->tiles,
                         .n_refs = p->n_refs,
                         .k = p->k,
                         .n_labels = p->n_labels};
    if (rows <= KNN_ROWS) {
        add_launch(&launch[0], DISTANCES, at_most((p->tiles + KNN_WARPS - 1) / KNN_WARPS, blocks),
                   &a);
        add_launch(&launch[1], SELECT, rows, &a);
        return 2;
    }
    const uint32_t groups = (rows + KNN_QUERIES - 1) / KNN_QUERIES;
    cut(&a, groups, blocks);
    add_launch(&launch[0], SCAN, at_most(groups * a.slices, blocks), &a);
    add_launch(&launch[1], MERGE, at_most((rows + KNN_WARPS - 1) / KNN_WARPS, blocks), &a);
    return 2;
}

/* ---- the twin ------------------------------------------------------------------- */

struct twin {
    struct knn_block block;
    struct knn_cpu pack;
    knn_forward *forward;
};

static void *twin_make(const struct infer_net *net, uint32_t level)
{
    struct twin *t = pack_alloc(sizeof *t); /* vectors want their alignment */
    if (!t || !knn_cpu_make(&t->pack, net->knn, knn_twins[level].layout)) {
        free(t);
        return NULL;
    }
    t->forward = knn_twins[level].forward;
    return t;
}

static bool twin_run(void *twin, uint32_t rows, const float *x, float *y)
{
    struct twin *t = twin;
    t->forward(&t->pack, &t->block, rows, x, y);
    return true;
}

static void twin_free(void *twin)
{
    knn_cpu_free(&((struct twin *)twin)->pack);
    free(twin);
}

kind_kernel emu_knn_distances, emu_knn_select, emu_knn_scan, emu_knn_merge; /* knn.cu, as C */
static kind_kernel *const emu[KERNELS] = {emu_knn_distances, emu_knn_select, emu_knn_scan,
                                          emu_knn_merge};
static const char *const kernels[KERNELS] = {"knn_distances", "knn_select", "knn_scan",
                                             "knn_merge"};

const struct kind kind_knn = {.name = "knn",
                              .kernels = kernels,
                              .emu = emu,
                              .n_kernels = KERNELS,
                              .check = check,
                              .shape = shape,
                              .flops = flops,
                              .pack = pack,
                              .unpack = unpack,
                              .stage = stage,
                              .plan = plan,
                              .twin_make = twin_make,
                              .twin_run = twin_run,
                              .twin_free = twin_free};
