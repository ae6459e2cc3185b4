/* malv-rivals-openblas.c - OpenBLAS, used as its manual advises: the vector
 * routine for one row and the matrix routine for more.                      */
#if defined(HAVE_openblas)
#include <cblas.h>
#include <stdlib.h>
#include <string.h>

#include "gpu-kernels/malv-rivals.h"

/* A loop that the compiler makes vectors of, for the processor that is there. */
#if defined(__x86_64__) && !defined(__clang__)
#define VECTORS __attribute__((target_clones("avx512f", "avx2", "default"), optimize("O3")))
#else
#define VECTORS
#endif

/* ---- perceptrons ---------------------------------------------------------------- */

enum { LAYERS = INFER_DEEP_MAX + 1 };

struct blas {
    const struct infer_mlp *m;
    uint32_t rows;
    const float *x;
    float *y, *w[LAYERS], *h[LAYERS]; /* w: [before][width] */
};

static void mlp_free(void *self)
{
    struct blas *b = self;
    for (int i = 0; i < LAYERS; i++) {
        free(b->w[i]);
        free(b->h[i]);
    }
    free(b);
}

static void *mlp_make(const struct infer_net *net, uint32_t rows, const float *x, float *y)
{
    const struct infer_mlp *m = net->mlp;
    if (m->sigmoid || m->sigmoid_out) /* there is no vector routine for it */
        return NULL;
    struct blas *b = calloc(1, sizeof *b);
    if (!b)
        return NULL;
    *b = (struct blas){.m = m, .rows = rows, .x = x, .y = y};
    uint32_t before = m->n_in;
    for (uint32_t i = 0; i <= m->n_deep; i++) {
        const struct infer_layer l = infer_layer(m, i);
        b->w[i] = malloc((size_t)before * l.width * sizeof(float));
        b->h[i] = malloc((size_t)rows * l.width * sizeof(float));
        if (!b->w[i] || !b->h[i]) {
            mlp_free(b);
            return NULL;
        }
        for (uint32_t j = 0; j < l.width; j++)
            for (uint32_t k = 0; k < before; k++)
                b->w[i][(size_t)k * l.width + j] = l.w[(size_t)j * before + k];
        before = l.width;
    }
    return b;
}

static void biases(float *to, const float *bias, uint32_t rows, uint32_t n)
{
    for (uint32_t r = 0; r < rows; r++)
        memcpy(to + (size_t)r * n, bias, n * sizeof *to);
}

VECTORS static void relu(float *h, size_t n)
{
    for (size_t i = 0; i < n; i++)
        h[i] = h[i] > 0 ? h[i] : 0;
}

static void mlp_run(void *self)
{
    const struct blas *b = self;
    const struct infer_mlp *m = b->m;
    const int n = (int)b->rows, out = (int)m->n_out;
    const float *x = b->x;
    int before = (int)m->n_in;
    for (uint32_t i = 0; i <= m->n_deep; i++) {
        const struct infer_layer l = infer_layer(m, i);
        const int width = (int)l.width;
        biases(b->h[i], l.b, b->rows, l.width);
        if (n == 1)
            cblas_sgemv(CblasRowMajor, CblasTrans, before, width, 1, b->w[i], width, x, 1, 1,
                        b->h[i], 1);
        else
            cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, n, width, before, 1, x, before,
                        b->w[i], width, 1, b->h[i], width);
        relu(b->h[i], (size_t)n * l.width);
        x = b->h[i];
        before = width;
    }
    biases(b->y, m->b2, b->rows, m->n_out);
    if (n == 1)
        cblas_sgemv(CblasRowMajor, CblasNoTrans, out, before, 1, m->w2, before, x, 1, 1, b->y, 1);
    else
        cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, n, out, before, 1, x, before, m->w2,
                    before, 1, b->y, out);
}

const struct rival rival_blas_mlp = {"openblas", INFER_MLP, mlp_make, mlp_run, NULL, mlp_free};

/* ---- nearest neighbours: products of all queries and references, then the choice ------ */

struct products {
    struct rival_knn k;
    float *refs, *c;
};

static void knn_free(void *self)
{
    struct products *p = self;
    free(p->refs);
    free(p->c);
    free(p->k.square);
    free(p);
}

static void *knn_make(const struct infer_net *net, uint32_t rows, const float *x, float *y)
{
    const struct infer_knn *m = net->knn;
    const size_t n = (size_t)m->n_refs * m->n_dim;
    struct products *p = calloc(1, sizeof *p);
    if (!p)
        return NULL;
    p->k = (struct rival_knn){m, rows, x, y, NULL};
    p->refs = malloc(n * sizeof *p->refs);
    p->c = malloc((size_t)rows * m->n_refs * sizeof *p->c);
    if (!p->refs || !p->c || rival_knn_start(&p->k)) {
        knn_free(p);
        return NULL;
    }
    for (size_t i = 0; i < n; i++)
        p->refs[i] = m->refs[i];
    return p;
}

static void knn_products(void *self)
{
    const struct products *p = self;
    const int n = (int)p->k.rows, refs = (int)p->k.m->n_refs, dim = (int)p->k.m->n_dim;
    if (n == 1)
        cblas_sgemv(CblasRowMajor, CblasNoTrans, refs, dim, 1, p->refs, dim, p->k.x, 1, 0, p->c, 1);
    else
        cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, n, refs, dim, 1, p->k.x, dim, p->refs,
                    dim, 0, p->c, refs);
}

static void knn_select(void *self)
{
    const struct products *p = self;
    rival_knn_select(&p->k, p->c, NULL);
}

static void knn_run(void *self)
{
    knn_products(self);
    knn_select(self);
}

const struct rival rival_blas_knn = {"openblas", INFER_KNN, knn_make, knn_run, NULL, knn_free};
const struct rival rival_blas_knn_part = {"openblas.products", INFER_KNN,  knn_make,
                                          knn_products,        knn_select, knn_free};
#endif
