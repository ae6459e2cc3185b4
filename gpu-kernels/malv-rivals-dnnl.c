/* malv-rivals-dnnl.c - oneDNN, used as its manual advises: bias and activation
 * fused, weights in the layout it likes best, primitives made once.         */
#if defined(HAVE_dnnl)
#include <dnnl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "gpu-kernels/malv-rivals.h"

#if DNNL_VERSION_MAJOR == 2 /* version 3 has another interface */
struct layer {
    dnnl_primitive_t primitive;
    dnnl_exec_arg_t args[4];
    int n_args;
};

enum { LAYERS = INFER_DEEP_MAX + 2 };
struct dnn {
    dnnl_engine_t engine;
    dnnl_stream_t stream;
    struct layer layer[LAYERS];
    uint32_t layers;
    void *own[LAYERS]; /* values between layers */
    struct rival_knn k;
};

/* What a layer is: y = act(x w^T + b) */
struct shape {
    uint32_t rows, in, out;
    dnnl_data_type_t x, y; /* w is of x's type */
    dnnl_alg_kind_t act;   /* dnnl_alg_kind_undef: none */
    const void *w;
    const float *b; /* NULL: none */
};

static dnnl_memory_desc_t matrix(uint32_t rows, uint32_t columns, dnnl_data_type_t type,
                                 dnnl_format_tag_t tag)
{
    dnnl_memory_desc_t d;
    dnnl_dims_t dims = {rows, columns};
    dnnl_memory_desc_init_by_tag(&d, 2, dims, type, tag);
    return d;
}

static dnnl_primitive_desc_t describe(struct dnn *d, const struct shape *s)
{
    dnnl_memory_desc_t x = matrix(s->rows, s->in, s->x, dnnl_ab);
    dnnl_memory_desc_t w = matrix(s->in, s->out, s->x, dnnl_format_tag_any);
    dnnl_memory_desc_t b = matrix(1, s->out, dnnl_f32, dnnl_ab);
    dnnl_memory_desc_t y = matrix(s->rows, s->out, s->y, dnnl_ab);
    dnnl_matmul_desc_t matmul;
    dnnl_primitive_attr_t attr;
    dnnl_post_ops_t post;
    dnnl_primitive_desc_t made = NULL;
    dnnl_matmul_desc_init(&matmul, &x, &w, s->b ? &b : NULL, &y);
    dnnl_primitive_attr_create(&attr);
    dnnl_post_ops_create(&post);
    if (s->act != dnnl_alg_kind_undef)
        dnnl_post_ops_append_eltwise(post, 1, s->act, 0, 0);
    dnnl_primitive_attr_set_post_ops(attr, post);
    dnnl_primitive_desc_create(&made, &matmul, attr, d->engine, NULL);
    dnnl_post_ops_destroy(post);
    dnnl_primitive_attr_destroy(attr);
    return made;
}

/* The weights, rearranged as the primitive wants them. */
static dnnl_memory_t rearranged(struct dnn *d, dnnl_primitive_desc_t pd, const struct shape *s)
{
    const dnnl_memory_desc_t *to = dnnl_primitive_desc_query_md(pd, dnnl_query_weights_md, 0);
    dnnl_memory_desc_t from = matrix(s->in, s->out, s->x, dnnl_ba);
    dnnl_memory_t source, made;
    dnnl_primitive_desc_t reorder_desc;
    dnnl_primitive_t reorder;
    dnnl_memory_create(&source, &from, d->engine, (void *)(uintptr_t)s->w);
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

static void add_arg(struct layer *l, int arg, dnnl_memory_t memory)
{
    l->args[l->n_args++] = (dnnl_exec_arg_t){arg, memory};
}

static dnnl_memory_t view(struct dnn *d, uint32_t rows, uint32_t columns, dnnl_data_type_t type,
                          const void *at)
{
    dnnl_memory_desc_t desc = matrix(rows, columns, type, dnnl_ab);
    dnnl_memory_t made = NULL;
    dnnl_memory_create(&made, &desc, d->engine, (void *)(uintptr_t)at);
    return made;
}

static int add_layer(struct dnn *d, const struct shape *s, const void *x, void *y)
{
    struct layer *l = &d->layer[d->layers];
    dnnl_primitive_desc_t pd = describe(d, s);
    if (!pd)
        return -1;
    d->layers++;
    add_arg(l, DNNL_ARG_SRC, view(d, s->rows, s->in, s->x, x));
    add_arg(l, DNNL_ARG_WEIGHTS, rearranged(d, pd, s));
    add_arg(l, DNNL_ARG_DST, view(d, s->rows, s->out, s->y, y));
    if (s->b)
        add_arg(l, DNNL_ARG_BIAS, view(d, 1, s->out, dnnl_f32, s->b));
    int bad = dnnl_primitive_create(&l->primitive, pd) != dnnl_success;
    dnnl_primitive_desc_destroy(pd);
    return bad ? -1 : 0;
}

static void dnn_free(void *self)
{
    struct dnn *d = self;
    for (uint32_t i = 0; i < d->layers; i++) {
        for (int j = 0; j < d->layer[i].n_args; j++)
            dnnl_memory_destroy(d->layer[i].args[j].memory);
        dnnl_primitive_destroy(d->layer[i].primitive);
    }
    for (int i = 0; i < LAYERS; i++)
        free(d->own[i]);
    free(d->k.square);
    dnnl_stream_destroy(d->stream);
    dnnl_engine_destroy(d->engine);
    free(d);
}

static void dnn_run(void *self)
{
    struct dnn *d = self;
    for (uint32_t i = 0; i < d->layers; i++)
        dnnl_primitive_execute(d->layer[i].primitive, d->stream, d->layer[i].n_args,
                               d->layer[i].args);
    dnnl_stream_wait(d->stream);
}

static struct dnn *start(void)
{
    struct dnn *d = calloc(1, sizeof *d);
    if (d && !dnnl_engine_create(&d->engine, dnnl_cpu, 0) &&
        !dnnl_stream_create(&d->stream, d->engine, dnnl_stream_in_order))
        return d;
    free(d);
    return NULL;
}

/* ---- perceptrons ---------------------------------------------------------------- */

static int mlp_layers(struct dnn *d, const struct infer_mlp *m, uint32_t rows, const float *x,
                      float *y)
{
    const dnnl_alg_kind_t act = m->sigmoid ? dnnl_eltwise_logistic : dnnl_eltwise_relu;
    uint32_t before = m->n_in;
    for (uint32_t i = 0; i <= m->n_deep; i++) {
        const struct infer_layer l = infer_layer(m, i);
        const struct shape s = {rows, before, l.width, dnnl_f32, dnnl_f32, act, l.w, l.b};
        if (!(d->own[i] = malloc((size_t)rows * l.width * sizeof(float))) ||
            add_layer(d, &s, x, d->own[i]))
            return -1;
        x = d->own[i];
        before = l.width;
    }
    const struct shape last = {
        rows,     before,   m->n_out,
        dnnl_f32, dnnl_f32, m->sigmoid_out ? dnnl_eltwise_logistic : dnnl_alg_kind_undef,
        m->w2,    m->b2};
    return add_layer(d, &last, x, y);
}

static void *mlp_make(const struct infer_net *net, uint32_t rows, const float *x, float *y)
{
    struct dnn *d = start();
    if (d && !mlp_layers(d, net->mlp, rows, x, y))
        return d;
    if (d)
        dnn_free(d);
    return NULL;
}

const struct rival rival_dnnl_mlp = {"onednn", INFER_MLP, mlp_make, dnn_run, NULL, dnn_free};

/* ---- nearest neighbours: products of all queries and references in int8, then the choice ---- */

static void *knn_make(const struct infer_net *net, uint32_t rows, const float *x, float *y)
{
    const struct infer_knn *m = net->knn;
    const size_t n = (size_t)rows * m->n_dim;
    struct dnn *d = start();
    if (!d)
        return NULL;
    const struct shape s = {rows,    m->n_dim, m->n_refs, dnnl_s8, dnnl_s32, dnnl_alg_kind_undef,
                            m->refs, NULL};
    int8_t *x8 = d->own[0] = malloc(n);
    d->own[1] = malloc((size_t)rows * m->n_refs * sizeof(int32_t));
    d->k = (struct rival_knn){m, rows, x, y, NULL};
    for (size_t i = 0; x8 && i < n; i++)
        x8[i] = (int8_t)x[i];
    if (x8 && d->own[1] && !rival_knn_start(&d->k) && !add_layer(d, &s, x8, d->own[1]))
        return d;
    dnn_free(d);
    return NULL;
}

static void knn_select(void *self)
{
    const struct dnn *d = self;
    rival_knn_select(&d->k, NULL, d->own[1]);
}

static void knn_run(void *self)
{
    dnn_run(self);
    knn_select(self);
}

const struct rival rival_dnnl_knn = {"onednn", INFER_KNN, knn_make, knn_run, NULL, dnn_free};
const struct rival rival_dnnl_knn_part = {"onednn.products", INFER_KNN,  knn_make,
                                          dnn_run,           knn_select, dnn_free};
#else
const struct rival rival_dnnl_mlp = {"onednn", INFER_KINDS, NULL, NULL, NULL, NULL};
const struct rival rival_dnnl_knn = {"onednn", INFER_KINDS, NULL, NULL, NULL, NULL};
const struct rival rival_dnnl_knn_part = {"onednn", INFER_KINDS, NULL, NULL, NULL, NULL};
#endif
#endif
