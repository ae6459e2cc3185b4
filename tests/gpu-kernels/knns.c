/* knns.c - see knns.h */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gpu-kernels/pack.h"
#include "tests/gpu-kernels/knns.h"
#include "tests/gpu-kernels/nets.h"

enum { GUARD = 16 };
static const uint32_t poison = 0x7fe5a5a5; /* a NaN that no kernel makes */

struct knn *knn_make(uint32_t n_refs, uint32_t n_dim, uint32_t k, uint32_t n_labels,
                     uint32_t spread, uint64_t seed)
{
    struct knn *n = calloc(1, sizeof *n);
    uint64_t s = seed + 77;
    n->refs = malloc((size_t)n_refs * n_dim);
    n->labels = malloc(n_refs);
    for (size_t i = 0; i < (size_t)n_refs * n_dim; i++)
        n->refs[i] = spread > 127 ? (int8_t)nets_random(&s) /* -128 and 127 included */
                                  : (int8_t)(nets_random(&s) % (2 * spread + 1) - spread);
    for (uint32_t i = 0; i < n_refs; i++)
        n->labels[i] = (uint8_t)(nets_random(&s) % n_labels);
    n->m = (struct infer_knn){n_refs, n_dim, k, n_labels, n->refs, n->labels, 1.0f};
    n->net = (struct infer_net){.kind = INFER_KNN, .knn = &n->m};
    return n;
}

struct knn *knn_make_any(uint32_t most_refs, uint64_t seed)
{
    uint64_t s = seed * 31 + 5;
    const uint32_t n_refs = 1 + (uint32_t)(nets_random(&s) % most_refs);
    const uint32_t most_k = n_refs < KNN_K_MAX ? n_refs : KNN_K_MAX;
    const uint32_t spreads[] = {1, 3, 20, 128};
    struct knn *n = knn_make(n_refs, 1 + (uint32_t)(nets_random(&s) % (seed % 3 ? 70 : 256)),
                             1 + (uint32_t)(nets_random(&s) % most_k),
                             1 + (uint32_t)(nets_random(&s) % 16), spreads[seed % 4], seed);
    if (seed % 5 == 0)
        n->m.in_scale = 0.37f;
    return n;
}

void knn_free(struct knn *n)
{
    free(n->refs);
    free(n->labels);
    free(n);
}

float *knn_inputs(const struct knn *n, uint32_t rows, uint32_t spread, uint64_t seed)
{
    float *x = malloc((size_t)rows * n->m.n_dim * sizeof *x);
    uint64_t s = seed;
    for (size_t i = 0; i < (size_t)rows * n->m.n_dim; i++)
        x[i] = roundf(nets_uniform(&s) * (float)spread * 2) / 2 * n->m.in_scale; /* halves too */
    return x;
}

/* ---- the reference ------------------------------------------------------------- */

static double x8(float x, float in_scale)
{
    const float v = x * (1.0f / in_scale);
    return v > -127 ? v < 127 ? nearbyint((double)v) : 127 : -127;
}

struct candidate {
    double d;
    uint32_t index;
};

static int nearer(const void *a, const void *b)
{
    const struct candidate *p = a, *q = b;
    if (p->d != q->d)
        return p->d < q->d ? -1 : 1;
    return p->index < q->index ? -1 : 1;
}

void knn_naive(const struct knn *n, uint32_t rows, const float *x, float *y)
{
    const struct infer_knn *m = &n->m;
    struct candidate *c = malloc(m->n_refs * sizeof *c);
    for (uint32_t row = 0; row < rows; row++, x += m->n_dim, y += m->n_labels + 1) {
        double sum = 0;
        for (uint32_t r = 0; r < m->n_refs; r++) {
            c[r] = (struct candidate){0, r};
            for (uint32_t i = 0; i < m->n_dim; i++) {
                const double apart = x8(x[i], m->in_scale) - m->refs[(size_t)r * m->n_dim + i];
                c[r].d += apart * apart;
            }
        }
        qsort(c, m->n_refs, sizeof *c, nearer);
        for (uint32_t l = 0; l < m->n_labels; l++)
            y[l] = 0;
        for (uint32_t i = 0; i < m->k; i++) {
            y[m->labels[c[i].index]]++;
            sum += c[i].d;
        }
        y[m->n_labels] = (float)sum * (m->in_scale * m->in_scale / (float)m->k);
    }
    free(c);
}

/* ---- outputs --------------------------------------------------------------------- */

float *knn_outputs(const struct knn *n, uint32_t rows)
{
    const size_t count = (size_t)rows * (n->m.n_labels + 1) + GUARD;
    float *y = malloc(count * sizeof *y);
    for (size_t i = 0; i < count; i++)
        memcpy(y + i, &poison, sizeof poison);
    return y;
}

int knn_overran(const struct knn *n, uint32_t rows, const float *y)
{
    for (int i = 0; i < GUARD; i++)
        if (memcmp(y + (size_t)rows * (n->m.n_labels + 1) + i, &poison, sizeof poison))
            return 1;
    return 0;
}

size_t knn_differ(const struct knn *n, uint32_t rows, const float *a, const float *b)
{
    size_t differ = 0;
    for (size_t i = 0; i < (size_t)rows * (n->m.n_labels + 1); i++)
        differ += memcmp(a + i, b + i, sizeof *a) != 0;
    return differ;
}

/* ---- launches ---------------------------------------------------------------------- */

struct plan {
    struct kind_pack pack;
    struct kind_places at;
    struct kind_launch l[KIND_LAUNCHES];
    void *x, *scratch;
    size_t x_size, scratch_size, y_size;
    uint32_t count;
};

static void plan(struct plan *p, const struct knn *n, uint32_t rows, const float *x, float *y,
                 uint32_t blocks)
{
    const struct kind *k = kind_of(&n->net);
    k->pack(&p->pack, &n->net);
    p->x_size = rows * p->pack.row_size;
    p->scratch_size = p->pack.scratch + rows * p->pack.row_scratch;
    p->y_size = (size_t)rows * p->pack.n_out * sizeof *y;
    p->x = pack_alloc(p->x_size);
    p->scratch = pack_alloc(p->scratch_size);
    memset(p->scratch, 0xa5, p->scratch_size);
    k->stage(&p->pack, p->x, x, rows);
    p->at = (struct kind_places){.x = p->x, .y = y, .scratch = p->scratch};
    for (uint32_t i = 0; i < p->pack.n_blobs; i++)
        p->at.blob[i] = p->pack.blob[i].at;
    p->count = k->plan(&p->pack, &p->at, rows, blocks, p->l);
}

static void drop(struct plan *p, const struct knn *n)
{
    kind_of(&n->net)->unpack(&p->pack);
    free(p->x);
    free(p->scratch);
}

int knn_on_emu(struct emu *e, const struct knn *n, uint32_t rows, const float *x, float *y,
               uint32_t blocks, uint64_t seed, char *why, size_t size)
{
    const struct emu_options o = {.seed = seed};
    struct plan p;
    int bad = 0;
    plan(&p, n, rows, x, y, blocks);
    for (uint32_t i = 0; i < p.count && !bad; i++)
        bad = emu_launch(e, kind_of(&n->net)->emu[p.l[i].kernel], p.l[i].blocks, p.l[i].threads,
                         p.l[i].args, &o);
    snprintf(why, size, "%s", e->why);
    drop(&p, n);
    return bad;
}

int knn_on_ptx(const struct ptx_module *m, const struct knn *n, uint32_t rows, const float *x,
               float *y, uint32_t blocks, char *why, size_t size)
{
    struct plan p;
    int bad = 0;
    plan(&p, n, rows, x, y, blocks);
    for (uint32_t i = 0; i < p.pack.n_blobs; i++)
        ptx_memory_add(p.at.blob[i], p.pack.blob[i].size);
    ptx_memory_add(p.x, p.x_size);
    ptx_memory_add(p.scratch, p.scratch_size);
    ptx_memory_add(y, p.y_size);
    for (uint32_t i = 0; i < p.count && !bad; i++) {
        const char *kernel = kind_of(&n->net)->kernels[p.l[i].kernel];
        struct ptx_launch l = {.kernel = kernel,
                               .grid = p.l[i].blocks,
                               .block = p.l[i].threads,
                               .args = p.l[i].args,
                               .args_size = ptx_param_size(m, kernel)};
        bad = ptx_launch(m, &l, why, size);
    }
    for (uint32_t i = 0; i < p.pack.n_blobs; i++)
        ptx_memory_remove(p.at.blob[i]);
    ptx_memory_remove(p.x);
    ptx_memory_remove(p.scratch);
    ptx_memory_remove(y);
    drop(&p, n);
    return bad;
}
