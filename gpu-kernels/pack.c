/* pack.c - panels, quads and pairs; the fragments of mma are in pack_mma.c. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "gpu-kernels/pack.h"

static uint32_t round_up(uint32_t v, uint32_t to)
{
    return (v + to - 1) / to * to;
}

void *pack_alloc(size_t bytes)
{
    size_t whole = (bytes + 63) / 64 * 64;
    void *p = aligned_alloc(64, whole ? whole : 64);
    return p ? memset(p, 0, whole) : NULL;
}

static void f32_layer(struct pack_layer *l, const struct infer_layer *from, bool first)
{
    (void)first;
    for (uint32_t j = 0; j < l->width; j++) {
        float *panel = (float *)l->w + (size_t)(j / 32) * l->k_pad * 32 + j % 32;
        for (uint32_t k = 0; k < l->k; k++)
            panel[k * 32] = from->w[(size_t)j * l->k + k];
    }
}

static void f32_output(struct pack *p, const struct infer_mlp *m)
{
    uint32_t last = p->layer[p->n_layers - 1].width;
    for (uint32_t o = 0; o < m->n_out; o++)
        memcpy((float *)p->w2 + (size_t)o * p->hidden_pad, m->w2 + (size_t)o * last,
               last * sizeof(float));
}

/* Narrowing four vectors of 16 sums to bytes with vpackssdw and vpacksswb
 * leaves neuron 16 s + 4 b + i of every 64 at byte 16 b + 4 s + i. */
static uint32_t packed_place(uint32_t j)
{
    uint32_t s = j % 64 / 16, b = j % 16 / 4, i = j % 4;
    return j / 64 * 64 + 16 * b + 4 * s + i;
}

/* vpdpbusd wants its left operand unsigned: inputs are sent as x + 128, and
 * 128 times the weights of a neuron leave its bias in return.  What a hidden
 * layer brings is never negative, but lies in the order of packed_place. */
static void quads_layer(struct pack_layer *l, const struct infer_layer *from, bool first)
{
    int8_t *w = l->w;
    for (uint32_t j = 0; j < l->width; j++)
        for (uint32_t k = 0; k < l->k; k++) {
            int8_t q = from->q[(size_t)j * l->k + k];
            uint32_t at = first ? k : packed_place(k);
            w[((size_t)(j / 16) * (l->k_pad / 4) + at / 4) * 64 + j % 16 * 4 + at % 4] = q;
            l->c[j] -= first ? 128 * q : 0; /* |c| < 2^23 before, < 2^24 after */
        }
}

static void quads_output(struct pack *p, const struct infer_mlp *m)
{
    uint32_t last = p->layer[p->n_layers - 1].width;
    for (uint32_t o = 0; o < m->n_out; o++)
        for (uint32_t j = 0; j < last; j++)
            ((int8_t *)p->w2)[(size_t)o * p->hidden_pad + packed_place(j)] =
                m->q2[(size_t)o * last + j];
}

static void pairs_layer(struct pack_layer *l, const struct infer_layer *from, bool first)
{
    (void)first;
    for (uint32_t j = 0; j < l->width; j++)
        for (uint32_t k = 0; k < l->k; k++)
            ((int16_t *)
                 l->w)[((size_t)(j / 16) * (l->k_pad / 2) + k / 2) * 32 + j % 16 * 2 + k % 2] =
                from->q[(size_t)j * l->k + k];
}

static void pairs_output(struct pack *p, const struct infer_mlp *m)
{
    uint32_t last = p->layer[p->n_layers - 1].width;
    for (uint32_t o = 0; o < m->n_out; o++)
        memcpy((int8_t *)p->w2 + (size_t)o * p->hidden_pad, m->q2 + (size_t)o * last, last);
}

static const struct {
    uint32_t k_to, hidden_to, w1_bytes; /* per weight */
    void (*layer)(struct pack_layer *l, const struct infer_layer *from, bool first);
    void (*output)(struct pack *p, const struct infer_mlp *m);
} layouts[] = {
    [PACK_F32] = {4, 32, sizeof(float), f32_layer, f32_output},
    [PACK_MMA] = {32, 32, 1, pack_mma_layer, pack_mma_output},
    [PACK_QUADS] = {32, 64, 1, quads_layer, quads_output},
    [PACK_PAIRS] = {32, 64, sizeof(int16_t), pairs_layer, pairs_output},
};

/* Shapes of all layers, and how much room they take together. */
static void measure(struct pack *p, const struct infer_mlp *m)
{
    uint32_t k_to = p->deep && p->layout == PACK_F32 ? MLP_DEEP_STEP : layouts[p->layout].k_to;
    uint32_t k = m->n_in, k_pad = round_up(k, k_to);
    for (uint32_t i = 0; i < p->n_layers; i++) {
        struct infer_layer from = infer_layer(m, i);
        struct pack_layer *l = &p->layer[i];
        uint32_t width_pad = round_up(from.width, layouts[p->layout].hidden_to);
        *l = (struct pack_layer){k, k_pad, from.width, width_pad, NULL, NULL, NULL, from.scale};
        p->table[i] = (struct mlp_layer){(uint32_t)(p->w1_size / 4), (uint32_t)(p->bias1_size / 4),
                                         k_pad, (from.width + 31) / 32, from.scale};
        p->w1_size += (size_t)width_pad * k_pad * layouts[p->layout].w1_bytes;
        p->bias1_size += width_pad * sizeof(float);
        p->chunks = p->table[i].chunks > p->chunks ? p->table[i].chunks : p->chunks;
        k = from.width;
        k_pad = width_pad;
    }
    p->k_pad = p->layer[0].k_pad;
    p->hidden_pad = k_pad;
    p->w2_size = (size_t)(p->layout == PACK_MMA ? round_up(p->n_out, 8) : p->n_out) *
                 p->hidden_pad * (p->layout == PACK_F32 ? sizeof(float) : 1);
}

static bool allocate(struct pack *p)
{
    p->w1 = pack_alloc(p->w1_size);
    p->w2 = pack_alloc(p->w2_size);
    void *bias1 = pack_alloc(p->bias1_size), *bias2 = pack_alloc(MLP_OUT_MAX * sizeof(float));
    if (p->layout == PACK_F32)
        p->b1 = bias1, p->b2 = bias2;
    else
        p->c1 = bias1, p->c2 = bias2;
    return p->w1 && p->w2 && bias1 && bias2;
}

static void fill(struct pack *p, const struct infer_mlp *m)
{
    for (uint32_t i = 0; i < p->n_layers; i++) {
        struct infer_layer from = infer_layer(m, i);
        struct pack_layer *l = &p->layer[i];
        const bool f32 = p->layout == PACK_F32;
        l->w = (uint32_t *)p->w1 + p->table[i].w;
        l->b = f32 ? p->b1 + p->table[i].bias : NULL;
        l->c = f32 ? NULL : p->c1 + p->table[i].bias;
        if (f32)
            memcpy(l->b, from.b, l->width * sizeof *l->b);
        else
            memcpy(l->c, from.c, l->width * sizeof *l->c);
        layouts[p->layout].layer(l, &from, i == 0);
    }
    if (p->layout == PACK_F32)
        memcpy(p->b2, m->b2, m->n_out * sizeof *p->b2);
    else
        memcpy(p->c2, m->c2, m->n_out * sizeof *p->c2);
    layouts[p->layout].output(p, m);
}

bool pack_make(struct pack *p, const struct infer_mlp *m, enum pack_layout layout)
{
    assert((layout == PACK_F32) == (m->type == INFER_F32));
    *p = (struct pack){.layout = layout,
                       .n_in = m->n_in,
                       .n_out = m->n_out,
                       .deep = m->n_deep || m->sigmoid || m->sigmoid_out,
                       .n_layers = 1 + m->n_deep,
                       .sigmoid = m->sigmoid,
                       .sigmoid_out = m->sigmoid_out};
    if (m->type == INFER_S8) {
        p->in_inverse = 1.0f / m->in_scale;
        p->out_scale = m->out_scale;
    }
    measure(p, m);
    if (!allocate(p)) {
        pack_free(p);
        return false;
    }
    fill(p, m);
    return true;
}

void pack_free(struct pack *p)
{
    void *owned[] = {p->w1, p->w2, p->b1, p->b2, p->c1, p->c2};
    for (size_t i = 0; i < sizeof owned / sizeof *owned; i++)
        free(owned[i]);
    *p = (struct pack){0};
}
