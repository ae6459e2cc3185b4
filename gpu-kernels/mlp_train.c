#include "gpu-kernels/mlp_train.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "gpu-kernels/cu_math.h"
#include "gpu-kernels/mlp.h"

enum { LAYERS = INFER_DEEP_MAX + 2, LANES = 32 };

struct train_layer {
    uint32_t width, before;
    float *w, *b;   /* parameters */
    float *gw, *gb; /* their gradients */
    float *y;       /* values for the row at hand */
    float *d;       /* and the loss's slope at each sum */
};

struct mlp_train {
    struct infer_mlp net; /* over w and b of the layers */
    uint32_t n_layers;
    struct train_layer layer[LAYERS];
    size_t n;
    float *p, *g, *v; /* [n] each */
};

/* ---- shape ---------------------------------------------------------------------------- */

bool mlp_train_can(const struct infer_mlp *m)
{
    return m->type == INFER_F32 && !m->sigmoid_out;
}

static struct infer_layer layer_of(const struct infer_mlp *m, uint32_t i)
{
    if (i <= m->n_deep)
        return infer_layer(m, i);
    return (struct infer_layer){.width = m->n_out, .w = m->w2, .b = m->b2};
}

static size_t params_of(const struct infer_mlp *m, size_t *values)
{
    size_t n = 0, before = m->n_in;
    *values = 0;
    for (uint32_t i = 0; i <= m->n_deep + 1; i++) {
        const size_t width = layer_of(m, i).width;
        n += width * (before + 1);
        *values += width;
        before = width;
    }
    return n;
}

static void place(struct mlp_train *t, const struct infer_mlp *m, float *values, size_t n_values)
{
    size_t at = 0;
    uint32_t before = m->n_in;
    for (uint32_t i = 0; i < t->n_layers; i++) {
        const struct infer_layer from = layer_of(m, i);
        struct train_layer *l = &t->layer[i];
        const size_t weights = (size_t)from.width * before;
        *l = (struct train_layer){.width = from.width, .before = before};
        l->w = t->p + at, l->gw = t->g + at;
        l->b = l->w + weights, l->gb = l->gw + weights;
        l->y = values, l->d = values + n_values;
        memcpy(l->w, from.w, weights * sizeof *l->w);
        memcpy(l->b, from.b, from.width * sizeof *l->b);
        values += from.width;
        at += weights + from.width;
        before = from.width;
    }
}

static void describe(struct mlp_train *t, const struct infer_mlp *m)
{
    const struct train_layer *out = &t->layer[t->n_layers - 1];
    t->net = *m;
    t->net.w1 = t->layer[0].w, t->net.b1 = t->layer[0].b;
    t->net.w2 = out->w, t->net.b2 = out->b;
    for (uint32_t i = 0; i < m->n_deep; i++)
        t->net.deep[i].w = t->layer[i + 1].w, t->net.deep[i].b = t->layer[i + 1].b;
}

struct mlp_train *mlp_train_new(const struct infer_mlp *m)
{
    size_t values;
    assert(mlp_train_can(m));
    struct mlp_train *t = calloc(1, sizeof *t);
    const size_t n = params_of(m, &values);
    float *all = t ? calloc(3 * n + 2 * values, sizeof *all) : NULL;
    if (!all) {
        free(t);
        return NULL;
    }
    t->n_layers = m->n_deep + 2;
    t->n = n;
    t->p = all, t->g = all + n, t->v = all + 2 * n;
    place(t, m, all + 3 * n, values);
    describe(t, m);
    return t;
}

void mlp_train_free(struct mlp_train *t)
{
    if (!t)
        return;
    free(t->p);
    free(t);
}

const struct infer_mlp *mlp_train_net(const struct mlp_train *t)
{
    return &t->net;
}

const float *mlp_train_params(const struct mlp_train *t, size_t *n)
{
    *n = t->n;
    return t->p;
}

/* ---- forward, in the order of mlp.h ------------------------------------------------------ */

static void hidden(const struct mlp_train *t, const struct train_layer *l, const float *x)
{
    for (uint32_t j = 0; j < l->width; j++) {
        float a = l->b[j];
        for (uint32_t k = 0; k < l->before; k++)
            a = cu_fma(x[k], l->w[(size_t)j * l->before + k], a);
        l->y[j] = t->net.sigmoid ? cu_sigmoid(a) : a > 0.0f ? a : 0.0f;
    }
}

static void outputs(const struct train_layer *l, const float *h)
{
    for (uint32_t o = 0; o < l->width; o++) {
        const float *w = l->w + (size_t)o * l->before;
        float s[LANES] = {0};
        for (uint32_t j = 0; j < l->before; j++)
            s[j % LANES] = cu_fma(h[j], w[j], s[j % LANES]);
        for (int distance = LANES / 2; distance; distance /= 2)
            for (int i = 0; i < distance; i++)
                s[i] += s[i + distance];
        l->y[o] = s[0] + l->b[o];
    }
}

/* d of the outputs: softmax(y), less 1 for the label. */
static void loss_slopes(const struct train_layer *l, uint32_t label)
{
    float most = l->y[0], sum = 0;
    for (uint32_t o = 1; o < l->width; o++)
        most = l->y[o] > most ? l->y[o] : most;
    for (uint32_t o = 0; o < l->width; o++)
        sum += l->d[o] = cu_exp_any(l->y[o] - most);
    for (uint32_t o = 0; o < l->width; o++)
        l->d[o] /= sum;
    l->d[label] -= 1.0f;
}

/* ---- backward ------------------------------------------------------------------------------ */

static void slopes(const struct mlp_train *t, const struct train_layer *l,
                   const struct train_layer *above)
{
    for (uint32_t j = 0; j < l->width; j++) {
        const float y = l->y[j];
        float s = 0;
        for (uint32_t o = 0; o < above->width; o++)
            s = cu_fma(above->d[o], above->w[(size_t)o * above->before + j], s);
        l->d[j] = t->net.sigmoid ? s * (y * (1.0f - y)) : y > 0.0f ? s : 0.0f;
    }
}

static void add(const struct train_layer *l, const float *before)
{
    for (uint32_t j = 0; j < l->width; j++) {
        float *g = l->gw + (size_t)j * l->before;
        for (uint32_t k = 0; k < l->before; k++)
            g[k] = cu_fma(l->d[j], before[k], g[k]);
        l->gb[j] += l->d[j];
    }
}

static void add_row(struct mlp_train *t, const float *x, uint32_t label)
{
    const uint32_t last = t->n_layers - 1;
    assert(label < t->net.n_out);
    for (uint32_t i = 0; i < last; i++)
        hidden(t, &t->layer[i], i ? t->layer[i - 1].y : x);
    outputs(&t->layer[last], t->layer[last - 1].y);
    loss_slopes(&t->layer[last], label);
    for (uint32_t i = last; i-- > 0;)
        slopes(t, &t->layer[i], &t->layer[i + 1]);
    for (uint32_t i = 0; i <= last; i++)
        add(&t->layer[i], i ? t->layer[i - 1].y : x);
}

/* ---- steps --------------------------------------------------------------------------------- */

static void collect(struct mlp_train *t, const struct mlp_batch *b)
{
    assert(b->rows);
    memset(t->g, 0, t->n * sizeof *t->g);
    for (uint32_t r = 0; r < b->rows; r++)
        add_row(t, b->x + (size_t)r * t->net.n_in, b->label[r]);
    for (size_t i = 0; i < t->n; i++)
        t->g[i] /= (float)b->rows;
}

void mlp_train_gradient(struct mlp_train *t, const struct mlp_batch *b, float *g)
{
    collect(t, b);
    memcpy(g, t->g, t->n * sizeof *g);
}

void mlp_train_step(struct mlp_train *t, const struct mlp_batch *b, float rate, float momentum)
{
    collect(t, b);
    for (size_t i = 0; i < t->n; i++) {
        t->v[i] = cu_fma(momentum, t->v[i], t->g[i]);
        t->p[i] = cu_fma(-rate, t->v[i], t->p[i]);
    }
}

uint64_t mlp_train_flops(const struct infer_mlp *m, uint64_t rows)
{
    size_t values;
    const struct infer_net net = {.kind = INFER_MLP, .mlp = m};
    const uint64_t forward = infer_flops(&net), first = 2 * (uint64_t)m->n_in * m->n_hidden;
    return rows * (3 * forward - first) + 4 * params_of(m, &values);
}
