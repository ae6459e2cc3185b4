/* malv-rivals.c - OpenBLAS and oneDNN on a float perceptron: see rivals.h.
 *
 * Each is used as its manual advises for this case: OpenBLAS with the vector
 * routine for one row and the matrix routine for more; oneDNN with bias and
 * ReLU fused, weights in the layout it likes best, primitives made once.    */
#include <stdlib.h>
#include <string.h>

#include "gpu-kernels/rivals.h"

static void transpose(float *to, const float *from, uint32_t rows, uint32_t columns)
{
    for (uint32_t r = 0; r < rows; r++)
        for (uint32_t c = 0; c < columns; c++)
            to[(size_t)c * rows + r] = from[(size_t)r * columns + c];
}

#if defined(HAVE_openblas)
#include <cblas.h>

struct blas {
    const struct infer_mlp *m;
    uint32_t rows;
    const float *x;
    float *y, *w1, *h; /* w1: [in][hidden] */
};

static void blas_free(void *self)
{
    struct blas *b = self;
    free(b->w1);
    free(b->h);
    free(b);
}

static void *blas_make(const struct infer_mlp *m, uint32_t rows, const float *x, float *y)
{
    struct blas *b = calloc(1, sizeof *b);
    if (!b)
        return NULL;
    *b = (struct blas){m, rows, x, y, NULL, NULL};
    b->w1 = malloc((size_t)m->n_in * m->n_hidden * sizeof *b->w1);
    b->h = malloc((size_t)rows * m->n_hidden * sizeof *b->h);
    if (!b->w1 || !b->h) {
        blas_free(b);
        return NULL;
    }
    transpose(b->w1, m->w1, m->n_hidden, m->n_in);
    return b;
}

static void biases(float *to, const float *bias, uint32_t rows, uint32_t n)
{
    for (uint32_t r = 0; r < rows; r++)
        memcpy(to + (size_t)r * n, bias, n * sizeof *to);
}

#if defined(__x86_64__) && !defined(__clang__)
__attribute__((target_clones("avx512f", "avx2", "default"), optimize("O3")))
#endif
static void
relu(float *h, size_t n)
{
    for (size_t i = 0; i < n; i++)
        h[i] = h[i] > 0 ? h[i] : 0;
}

static void blas_run(void *self)
{
    const struct blas *b = self;
    const struct infer_mlp *m = b->m;
    const int in = (int)m->n_in, hidden = (int)m->n_hidden, out = (int)m->n_out, n = (int)b->rows;
    biases(b->h, m->b1, b->rows, m->n_hidden);
    biases(b->y, m->b2, b->rows, m->n_out);
    if (n == 1)
        cblas_sgemv(CblasRowMajor, CblasTrans, in, hidden, 1, b->w1, hidden, b->x, 1, 1, b->h, 1);
    else
        cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, n, hidden, in, 1, b->x, in, b->w1,
                    hidden, 1, b->h, hidden);
    relu(b->h, (size_t)n * m->n_hidden);
    if (n == 1)
        cblas_sgemv(CblasRowMajor, CblasNoTrans, out, hidden, 1, m->w2, hidden, b->h, 1, 1, b->y,
                    1);
    else
        cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, n, out, hidden, 1, b->h, hidden, m->w2,
                    hidden, 1, b->y, out);
}
#endif

#if defined(HAVE_dnnl)
#include <dnnl.h>

#if DNNL_VERSION_MAJOR == 2
struct layer {
    dnnl_primitive_t primitive;
    dnnl_exec_arg_t args[4];
};
struct dnn {
    dnnl_engine_t engine;
    dnnl_stream_t stream;
    struct layer layer[2];
    float *h;
};

static dnnl_memory_desc_t matrix(uint32_t rows, uint32_t columns, dnnl_format_tag_t tag)
{
    dnnl_memory_desc_t d;
    dnnl_dims_t dims = {rows, columns};
    dnnl_memory_desc_init_by_tag(&d, 2, dims, dnnl_f32, tag);
    return d;
}

/* y = x w^T + b, then ReLU if asked; any layout for w. */
static dnnl_primitive_desc_t describe(struct dnn *d, uint32_t rows, uint32_t in, uint32_t out,
                                      int relu)
{
    dnnl_memory_desc_t x = matrix(rows, in, dnnl_ab), w = matrix(in, out, dnnl_format_tag_any);
    dnnl_memory_desc_t b = matrix(1, out, dnnl_ab), y = matrix(rows, out, dnnl_ab);
    dnnl_matmul_desc_t matmul;
    dnnl_primitive_attr_t attr;
    dnnl_post_ops_t post;
    dnnl_primitive_desc_t made = NULL;
    dnnl_matmul_desc_init(&matmul, &x, &w, &b, &y);
    dnnl_primitive_attr_create(&attr);
    dnnl_post_ops_create(&post);
    if (relu)
        dnnl_post_ops_append_eltwise(post, 1, dnnl_eltwise_relu, 0, 0);
    dnnl_primitive_attr_set_post_ops(attr, post);
    dnnl_primitive_desc_create(&made, &matmul, attr, d->engine, NULL);
    dnnl_post_ops_destroy(post);
    dnnl_primitive_attr_destroy(attr);
    return made;
}

/* The weights, rearranged as the primitive wants them. */
static dnnl_memory_t rearranged(struct dnn *d, dnnl_primitive_desc_t pd, uint32_t in, uint32_t out,
                                const float *w)
{
    const dnnl_memory_desc_t *to = dnnl_primitive_desc_query_md(pd, dnnl_query_weights_md, 0);
    dnnl_memory_desc_t from = matrix(in, out, dnnl_ba);
    dnnl_memory_t source, made;
    dnnl_primitive_desc_t reorder_desc;
    dnnl_primitive_t reorder;
    dnnl_memory_create(&source, &from, d->engine, (void *)(uintptr_t)w);
    dnnl_memory_create(&made, to, d->engine, DNNL_MEMORY_ALLOCATE);
    dnnl_reorder_primitive_desc_create(&reorder_desc, &from, d->engine, to, d->engine, NULL);
    dnnl_primitive_create(&reorder, reorder_desc);
    dnnl_exec_arg_t args[] = {{DNNL_ARG_FROM, source}, {DNNL_ARG_TO, made}};
    dnnl_primitive_execute(reorder, d->stream, 2, args);
    dnnl_stream_wait(d->stream);
    dnnl_primitive_destroy(reorder);
    dnnl_primitive_desc_destroy(reorder_desc);
    dnnl_memory_destroy(source);
    return made;
}

static int make_layer(struct dnn *d, struct layer *l, uint32_t rows, uint32_t in, uint32_t out,
                      const float *x, const float *w, const float *b, float *y, int relu)
{
    dnnl_primitive_desc_t pd = describe(d, rows, in, out, relu);
    if (!pd)
        return -1;
    dnnl_memory_desc_t xd = matrix(rows, in, dnnl_ab), bd = matrix(1, out, dnnl_ab);
    dnnl_memory_desc_t yd = matrix(rows, out, dnnl_ab);
    l->args[0].arg = DNNL_ARG_SRC;
    dnnl_memory_create(&l->args[0].memory, &xd, d->engine, (void *)(uintptr_t)x);
    l->args[1] = (dnnl_exec_arg_t){DNNL_ARG_WEIGHTS, rearranged(d, pd, in, out, w)};
    l->args[2].arg = DNNL_ARG_BIAS;
    dnnl_memory_create(&l->args[2].memory, &bd, d->engine, (void *)(uintptr_t)b);
    l->args[3].arg = DNNL_ARG_DST;
    dnnl_memory_create(&l->args[3].memory, &yd, d->engine, y);
    int bad = dnnl_primitive_create(&l->primitive, pd) != dnnl_success;
    dnnl_primitive_desc_destroy(pd);
    return bad ? -1 : 0;
}

static void dnn_free(void *self)
{
    struct dnn *d = self;
    for (int i = 0; i < 2; i++) {
        for (int j = 0; j < 4; j++)
            dnnl_memory_destroy(d->layer[i].args[j].memory);
        dnnl_primitive_destroy(d->layer[i].primitive);
    }
    dnnl_stream_destroy(d->stream);
    dnnl_engine_destroy(d->engine);
    free(d->h);
    free(d);
}

static void *dnn_make(const struct infer_mlp *m, uint32_t rows, const float *x, float *y)
{
    struct dnn *d = calloc(1, sizeof *d);
    if (!d)
        return NULL;
    d->h = malloc((size_t)rows * m->n_hidden * sizeof *d->h);
    if (d->h && !dnnl_engine_create(&d->engine, dnnl_cpu, 0) &&
        !dnnl_stream_create(&d->stream, d->engine, dnnl_stream_in_order) &&
        !make_layer(d, &d->layer[0], rows, m->n_in, m->n_hidden, x, m->w1, m->b1, d->h, 1) &&
        !make_layer(d, &d->layer[1], rows, m->n_hidden, m->n_out, d->h, m->w2, m->b2, y, 0))
        return d;
    dnn_free(d);
    return NULL;
}

static void dnn_run(void *self)
{
    struct dnn *d = self;
    for (int i = 0; i < 2; i++)
        dnnl_primitive_execute(d->layer[i].primitive, d->stream, 4, d->layer[i].args);
    dnnl_stream_wait(d->stream);
}
#else
#undef HAVE_dnnl /* version 3 has another interface; bookworm and trixie have 2 and 3 */
#endif
#endif

__attribute__((visibility("default"))) extern const struct rival malv_rivals[];
const struct rival malv_rivals[] = {
#if defined(HAVE_openblas)
    {"openblas", blas_make, blas_run, blas_free},
#endif
#if defined(HAVE_dnnl)
    {"onednn", dnn_make, dnn_run, dnn_free},
#endif
    {NULL, NULL, NULL, NULL}};
