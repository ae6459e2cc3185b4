/* nets.c - see nets.h */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "gpu-kernels/cu_math.h"
#include "tests/gpu-kernels/nets.h"

enum { GUARD = 16, POISON = 0x7fe5a5a5 }; /* a NaN that no kernel makes */

uint64_t nets_random(uint64_t *state)
{
    uint64_t z = (*state += 0x9e3779b97f4a7c15u);
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

float nets_uniform(uint64_t *state)
{
    return (float)((double)(nets_random(state) >> 11) / 4503599627370496.0 - 1.0);
}

static float *floats(size_t count, float size, uint64_t *state)
{
    float *v = malloc(count * sizeof *v);
    for (size_t i = 0; i < count; i++)
        v[i] = nets_uniform(state) * size;
    return v;
}

/* The width of the layer before number i, which counts the outputs as the last. */
static uint32_t before(const struct infer_mlp *m, uint32_t i)
{
    return i ? infer_layer(m, i - 1).width : m->n_in;
}

static void make_f32(struct net *n, uint64_t *s)
{
    const struct infer_mlp *m = &n->mlp;
    n->mlp.w1 = n->w1 = floats((size_t)m->n_in * m->n_hidden, 0.5f, s);
    n->mlp.b1 = n->b1 = floats(m->n_hidden, 0.5f, s);
    n->mlp.w2 = n->w2 = floats((size_t)before(m, 1 + m->n_deep) * m->n_out, 0.5f, s);
    n->mlp.b2 = n->b2 = floats(m->n_out, 0.5f, s);
    for (uint32_t i = 0; i < m->n_deep; i++) {
        struct infer_layer *l = &n->mlp.deep[i];
        l->w = n->deep[2 * i] = floats((size_t)before(m, i + 1) * l->width, 0.25f, s);
        l->b = n->deep[2 * i + 1] = floats(l->width, 0.5f, s);
    }
}

static int8_t *bytes(size_t count, uint64_t *s)
{
    int8_t *v = malloc(count);
    for (size_t i = 0; i < count; i++)
        v[i] = (int8_t)nets_random(s); /* -128 and 127 included */
    return v;
}

static int32_t *integers(size_t count, int32_t size, uint64_t *s)
{
    int32_t *v = malloc(count * sizeof *v);
    for (size_t i = 0; i < count; i++)
        v[i] = (int32_t)((float)size * nets_uniform(s));
    return v;
}

static void make_s8(struct net *n, uint64_t *s)
{
    struct infer_mlp *m = &n->mlp;
    m->q1 = n->q1 = bytes((size_t)m->n_in * m->n_hidden, s);
    m->q2 = n->q2 = bytes((size_t)before(m, 1 + m->n_deep) * m->n_out, s);
    m->c1 = n->c1 = integers(m->n_hidden, 20000, s);
    m->c2 = n->c2 = integers(m->n_out, 1000000, s);
    m->in_scale = 1.0f / 127;
    m->hidden_scale = 127.0f / (60.0f * 60.0f * sqrtf((float)m->n_in) * 4.0f);
    m->out_scale = 1.0f / 4096;
    for (uint32_t i = 0; i < m->n_deep; i++) {
        struct infer_layer *l = &m->deep[i];
        l->q = n->deep[2 * i] = bytes((size_t)before(m, i + 1) * l->width, s);
        l->c = n->deep[2 * i + 1] = integers(l->width, 20000, s);
        l->scale = 127.0f / (60.0f * 60.0f * sqrtf((float)before(m, i + 1)) * 4.0f);
    }
}

struct net *net_make(uint32_t n_in, uint32_t n_hidden, uint32_t n_out, enum infer_type type,
                     uint64_t seed)
{
    struct net *n = calloc(1, sizeof *n);
    n->mlp = (struct infer_mlp){.n_in = n_in, .n_hidden = n_hidden, .n_out = n_out, .type = type};
    (type == INFER_S8 ? make_s8 : make_f32)(n, &seed);
    return n;
}

struct net *net_make_deep(uint32_t n_in, uint32_t n_hidden, uint32_t n_out, enum infer_type type,
                          uint32_t n_deep, const uint32_t *widths, uint64_t seed)
{
    struct net *n = calloc(1, sizeof *n);
    n->mlp = (struct infer_mlp){
        .n_in = n_in, .n_hidden = n_hidden, .n_out = n_out, .type = type, .n_deep = n_deep};
    for (uint32_t i = 0; i < n_deep; i++)
        n->mlp.deep[i].width = widths[i];
    (type == INFER_S8 ? make_s8 : make_f32)(n, &seed);
    return n;
}

struct net *net_make_any_deep(uint32_t widest, uint64_t seed)
{
    uint64_t s = seed + 1000;
    uint32_t widths[INFER_DEEP_MAX], v[4];
    for (int i = 0; i < INFER_DEEP_MAX; i++)
        widths[i] = 1 + (uint32_t)(nets_random(&s) % widest);
    for (int i = 0; i < 4; i++)
        v[i] = (uint32_t)(nets_random(&s) >> 8);
    enum infer_type type = seed % 2 ? INFER_S8 : INFER_F32;
    uint32_t n_deep = seed % 9 == 8 ? 0 : 1 + v[3] % INFER_DEEP_MAX;
    struct net *n =
        net_make_deep(1 + v[0] % 64, 1 + v[1] % widest, 1 + v[2] % 16, type, n_deep, widths, seed);
    n->mlp.sigmoid = type == INFER_F32 && (!n_deep || seed % 4 == 0);
    n->mlp.sigmoid_out = type == INFER_F32 && seed % 8 < 3;
    return n;
}

void net_free(struct net *n)
{
    for (int i = 0; i < 2 * INFER_DEEP_MAX; i++)
        free(n->deep[i]);
    void *owned[] = {n->w1, n->b1, n->w2, n->b2, n->q1, n->q2, n->c1, n->c2, n};
    for (size_t i = 0; i < sizeof owned / sizeof *owned; i++)
        free(owned[i]);
}

float *net_inputs(const struct net *n, uint32_t rows, float size, uint64_t seed)
{
    return floats((size_t)rows * n->mlp.n_in, size, &seed);
}

/* Values of one hidden layer after another, in two arrays by turns, and of
 * each the sum of magnitudes of what it is the sum of. */
struct exact {
    double v[2][1024], size[2][1024];
};

static double exact_sigmoid(double v)
{
    return 1 / (1 + exp(-v));
}

static void exact_layer(const struct infer_mlp *m, struct exact *e, uint32_t i)
{
    const struct infer_layer l = infer_layer(m, i);
    const uint32_t count = before(m, i);
    for (uint32_t j = 0; j < l.width; j++) {
        double h = (double)l.b[j], size = fabs(h);
        for (uint32_t k = 0; k < count; k++) {
            double w = (double)l.w[j * count + k];
            h += e->v[i % 2][k] * w;
            size += e->size[i % 2][k] * fabs(w);
        }
        e->v[(i + 1) % 2][j] = m->sigmoid ? exact_sigmoid(h) : h > 0 ? h : 0;
        e->size[(i + 1) % 2][j] = size + m->sigmoid;
    }
}

static double exact_f32(const struct infer_mlp *m, const float *x, uint32_t o, double *scale)
{
    struct exact e;
    const uint32_t layers = 1 + m->n_deep, last = before(m, layers);
    for (uint32_t k = 0; k < m->n_in; k++)
        e.v[0][k] = (double)x[k], e.size[0][k] = fabs((double)x[k]);
    for (uint32_t i = 0; i < layers; i++)
        exact_layer(m, &e, i);
    double y = (double)m->b2[o];
    *scale = fabs(y) + m->sigmoid_out;
    for (uint32_t j = 0; j < last; j++) {
        y += e.v[layers % 2][j] * (double)m->w2[o * last + j];
        *scale += e.size[layers % 2][j] * fabs((double)m->w2[o * last + j]);
    }
    return m->sigmoid_out ? exact_sigmoid(y) : y;
}

static double saturate(double v, double low, double high)
{
    return v > low ? (v < high ? nearbyint(v) : high) : low;
}

static double exact_s8(const struct infer_mlp *m, const float *x, uint32_t o)
{
    int64_t v[2][1024], y = m->c2[o];
    const uint32_t layers = 1 + m->n_deep, last = before(m, layers);
    for (uint32_t k = 0; k < m->n_in; k++)
        v[0][k] = (int64_t)saturate((double)(x[k] * (1.0f / m->in_scale)), -127, 127);
    for (uint32_t i = 0; i < layers; i++) {
        const struct infer_layer l = infer_layer(m, i);
        for (uint32_t j = 0; j < l.width; j++) {
            int64_t sum = l.c[j];
            for (uint32_t k = 0; k < before(m, i); k++)
                sum += v[i % 2][k] * l.q[j * before(m, i) + k];
            v[(i + 1) % 2][j] = (int64_t)saturate((double)((float)sum * l.scale), 0, 127);
        }
    }
    for (uint32_t j = 0; j < last; j++)
        y += v[layers % 2][j] * m->q2[o * last + j];
    return (double)((float)y * m->out_scale);
}

double net_exact(const struct net *n, const float *x, uint32_t o, double *scale)
{
    *scale = 0;
    return n->mlp.type == INFER_S8 ? exact_s8(&n->mlp, x, o) : exact_f32(&n->mlp, x, o, scale);
}

static void canonical_layer(const struct infer_mlp *m, uint32_t i, const float *x, float *h)
{
    const struct infer_layer l = infer_layer(m, i);
    memset(h, 0, 1024 * sizeof *h);
    for (uint32_t j = 0; j < l.width; j++) {
        h[j] = l.b[j];
        for (uint32_t k = 0; k < before(m, i); k++)
            h[j] = fmaf(x[k], l.w[j * before(m, i) + k], h[j]);
        h[j] = m->sigmoid ? cu_sigmoid(h[j]) : h[j] > 0 ? h[j] : 0;
    }
}

static void canonical_row(const struct infer_mlp *m, const float *x, float *y)
{
    float room[2][1024], s[32];
    const uint32_t layers = 1 + m->n_deep, last = before(m, layers);
    const float *h = room[layers % 2];
    for (uint32_t i = 0; i < layers; i++)
        canonical_layer(m, i, i ? room[i % 2] : x, room[(i + 1) % 2]);
    for (uint32_t o = 0; o < m->n_out; o++) {
        memset(s, 0, sizeof s);
        for (uint32_t j = 0; j < (last + 31) / 32 * 32; j++)
            s[j % 32] = fmaf(h[j], j < last ? m->w2[o * last + j] : 0, s[j % 32]);
        for (int d = 16; d; d /= 2)
            for (int l = 0; l < d; l++)
                s[l] += s[l + d];
        y[o] = s[0] + m->b2[o];
        if (m->sigmoid_out && !isnan(y[o]))
            y[o] = cu_sigmoid(y[o]);
        y[o] = isnan(y[o]) ? NAN : y[o];
    }
}

void net_canonical(const struct net *n, uint32_t rows, const float *x, float *y)
{
    const struct infer_mlp *m = &n->mlp;
    double unused;
    for (uint32_t r = 0; r < rows; r++, x += m->n_in, y += m->n_out)
        if (m->type == INFER_F32)
            canonical_row(m, x, y);
        else
            for (uint32_t o = 0; o < m->n_out; o++)
                y[o] = (float)net_exact(n, x, o, &unused);
}

size_t net_differ(const struct net *n, uint32_t rows, const float *a, const float *b)
{
    size_t differ = 0;
    for (size_t i = 0; i < (size_t)rows * n->mlp.n_out; i++)
        differ += memcmp(a + i, b + i, sizeof *a) != 0;
    return differ;
}

float *net_outputs(const struct net *n, uint32_t rows)
{
    size_t count = (size_t)rows * n->mlp.n_out + GUARD;
    uint32_t *y = malloc(count * sizeof *y);
    for (size_t i = 0; i < count; i++)
        y[i] = POISON;
    return (float *)y;
}

int net_overran(const struct net *n, uint32_t rows, const float *y)
{
    const uint32_t poison = POISON;
    for (size_t i = 0; i < GUARD; i++)
        if (memcmp(y + (size_t)rows * n->mlp.n_out + i, &poison, sizeof poison))
            return 1;
    return 0;
}
