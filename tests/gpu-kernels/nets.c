/* nets.c - see nets.h */
#include <math.h>
#include <stdlib.h>
#include <string.h>

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

static void make_f32(struct net *n, uint64_t *s)
{
    const struct infer_mlp *m = &n->mlp;
    n->mlp.w1 = n->w1 = floats((size_t)m->n_in * m->n_hidden, 0.5f, s);
    n->mlp.b1 = n->b1 = floats(m->n_hidden, 0.5f, s);
    n->mlp.w2 = n->w2 = floats((size_t)m->n_hidden * m->n_out, 0.5f, s);
    n->mlp.b2 = n->b2 = floats(m->n_out, 0.5f, s);
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
    m->q2 = n->q2 = bytes((size_t)m->n_hidden * m->n_out, s);
    m->c1 = n->c1 = integers(m->n_hidden, 20000, s);
    m->c2 = n->c2 = integers(m->n_out, 1000000, s);
    m->in_scale = 1.0f / 127;
    m->hidden_scale = 127.0f / (60.0f * 60.0f * sqrtf((float)m->n_in) * 4.0f);
    m->out_scale = 1.0f / 4096;
}

struct net *net_make(uint32_t n_in, uint32_t n_hidden, uint32_t n_out, enum infer_type type,
                     uint64_t seed)
{
    struct net *n = calloc(1, sizeof *n);
    n->mlp = (struct infer_mlp){.n_in = n_in, .n_hidden = n_hidden, .n_out = n_out, .type = type};
    (type == INFER_S8 ? make_s8 : make_f32)(n, &seed);
    return n;
}

void net_free(struct net *n)
{
    void *owned[] = {n->w1, n->b1, n->w2, n->b2, n->q1, n->q2, n->c1, n->c2, n};
    for (size_t i = 0; i < sizeof owned / sizeof *owned; i++)
        free(owned[i]);
}

float *net_inputs(const struct net *n, uint32_t rows, float size, uint64_t seed)
{
    return floats((size_t)rows * n->mlp.n_in, size, &seed);
}

static double exact_f32(const struct infer_mlp *m, const float *x, uint32_t o, double *scale)
{
    double y = (double)m->b2[o];
    *scale = fabs(y);
    for (uint32_t j = 0; j < m->n_hidden; j++) {
        double h = (double)m->b1[j], w2 = (double)m->w2[o * m->n_hidden + j], size = fabs(h);
        for (uint32_t k = 0; k < m->n_in; k++) {
            double term = (double)x[k] * (double)m->w1[j * m->n_in + k];
            h += term;
            size += fabs(term);
        }
        y += (h > 0 ? h : 0) * w2;
        *scale += size * fabs(w2);
    }
    return y;
}

static double saturate(double v, double low, double high)
{
    return v > low ? (v < high ? nearbyint(v) : high) : low;
}

static double exact_s8(const struct infer_mlp *m, const float *x, uint32_t o)
{
    float inverse = 1.0f / m->in_scale;
    int64_t y = m->c2[o];
    for (uint32_t j = 0; j < m->n_hidden; j++) {
        int64_t sum = m->c1[j];
        for (uint32_t k = 0; k < m->n_in; k++)
            sum += (int64_t)saturate((double)(x[k] * inverse), -127, 127) * m->q1[j * m->n_in + k];
        y += (int64_t)saturate((double)((float)sum * m->hidden_scale), 0, 127) *
             m->q2[o * m->n_hidden + j];
    }
    return (double)((float)y * m->out_scale);
}

double net_exact(const struct net *n, const float *x, uint32_t o, double *scale)
{
    *scale = 0;
    return n->mlp.type == INFER_S8 ? exact_s8(&n->mlp, x, o) : exact_f32(&n->mlp, x, o, scale);
}

static void canonical_row(const struct infer_mlp *m, const float *x, float *y)
{
    float h[1024] = {0}, s[32];
    for (uint32_t j = 0; j < m->n_hidden; j++) {
        h[j] = m->b1[j];
        for (uint32_t k = 0; k < m->n_in; k++)
            h[j] = fmaf(x[k], m->w1[j * m->n_in + k], h[j]);
        h[j] = h[j] > 0 ? h[j] : 0;
    }
    for (uint32_t o = 0; o < m->n_out; o++) {
        memset(s, 0, sizeof s);
        for (uint32_t j = 0; j < (m->n_hidden + 31) / 32 * 32; j++)
            s[j % 32] = fmaf(h[j], j < m->n_hidden ? m->w2[o * m->n_hidden + j] : 0, s[j % 32]);
        for (int d = 16; d; d /= 2)
            for (int l = 0; l < d; l++)
                s[l] += s[l + d];
        y[o] = s[0] + m->b2[o];
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
