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

static void fill_f32(struct pack *p, const struct infer_mlp *m)
{
    float *w1 = p->w1, *w2 = p->w2;
    for (uint32_t j = 0; j < m->n_hidden; j++) {
        float *panel = w1 + (size_t)(j / 32) * p->k_pad * 32 + j % 32;
        for (uint32_t k = 0; k < m->n_in; k++)
            panel[k * 32] = m->w1[(size_t)j * m->n_in + k];
        p->b1[j] = m->b1[j];
    }
    for (uint32_t o = 0; o < m->n_out; o++) {
        memcpy(w2 + (size_t)o * p->hidden_pad, m->w2 + (size_t)o * m->n_hidden,
               m->n_hidden * sizeof *w2);
        p->b2[o] = m->b2[o];
    }
}

static void fill_int_sums(struct pack *p, const struct infer_mlp *m)
{
    memcpy(p->c1, m->c1, m->n_hidden * sizeof *p->c1);
    memcpy(p->c2, m->c2, m->n_out * sizeof *p->c2);
}

/* Narrowing four vectors of 16 sums to bytes with vpackssdw and vpacksswb
 * leaves neuron 16 s + 4 b + i of every 64 at byte 16 b + 4 s + i. */
static uint32_t packed_place(uint32_t j)
{
    uint32_t s = j % 64 / 16, b = j % 16 / 4, i = j % 4;
    return j / 64 * 64 + 16 * b + 4 * s + i;
}

/* vpdpbusd wants its left operand unsigned: inputs are sent as x + 128, and
 * 128 times the weights of a neuron leave its bias in return. */
static void fill_quads(struct pack *p, const struct infer_mlp *m)
{
    int8_t *w1 = p->w1, *w2 = p->w2;
    fill_int_sums(p, m);
    for (uint32_t o = 0; o < m->n_out; o++)
        for (uint32_t j = 0; j < m->n_hidden; j++)
            w2[(size_t)o * p->hidden_pad + packed_place(j)] = m->q2[(size_t)o * m->n_hidden + j];
    for (uint32_t j = 0; j < m->n_hidden; j++)
        for (uint32_t k = 0; k < m->n_in; k++) {
            int8_t q = m->q1[(size_t)j * m->n_in + k];
            w1[((size_t)(j / 16) * (p->k_pad / 4) + k / 4) * 64 + j % 16 * 4 + k % 4] = q;
            p->c1[j] -= 128 * q; /* |c1| < 2^23 before, < 2^24 after */
        }
}

static void fill_pairs(struct pack *p, const struct infer_mlp *m)
{
    int16_t *w1 = p->w1;
    fill_int_sums(p, m);
    for (uint32_t o = 0; o < m->n_out; o++)
        memcpy((int8_t *)p->w2 + (size_t)o * p->hidden_pad, m->q2 + (size_t)o * m->n_hidden,
               m->n_hidden);
    for (uint32_t j = 0; j < m->n_hidden; j++)
        for (uint32_t k = 0; k < m->n_in; k++)
            w1[((size_t)(j / 16) * (p->k_pad / 2) + k / 2) * 32 + j % 16 * 2 + k % 2] =
                m->q1[(size_t)j * m->n_in + k];
}

static const struct {
    uint32_t k_to, hidden_to, w1_bytes; /* per weight */
    void (*fill)(struct pack *p, const struct infer_mlp *m);
} layouts[] = {
    [PACK_F32] = {4, 32, sizeof(float), fill_f32},
    [PACK_MMA] = {32, 32, 1, pack_mma_fill},
    [PACK_QUADS] = {32, 64, 1, fill_quads},
    [PACK_PAIRS] = {32, 64, sizeof(int16_t), fill_pairs},
};

static bool allocate(struct pack *p)
{
    size_t w2_rows = p->layout == PACK_MMA ? round_up(p->n_out, 8) : p->n_out;
    size_t w2_bytes = p->layout == PACK_F32 ? sizeof(float) : 1;
    p->w1_size = (size_t)p->hidden_pad * p->k_pad * layouts[p->layout].w1_bytes;
    p->w2_size = w2_rows * p->hidden_pad * w2_bytes;
    p->w1 = pack_alloc(p->w1_size);
    p->w2 = pack_alloc(p->w2_size);
    bool ok = p->w1 && p->w2;
    if (p->layout == PACK_F32) {
        p->b1 = pack_alloc(p->hidden_pad * sizeof *p->b1);
        p->b2 = pack_alloc(MLP_OUT_MAX * sizeof *p->b2);
        return ok && p->b1 && p->b2;
    }
    p->c1 = pack_alloc(p->hidden_pad * sizeof *p->c1);
    p->c2 = pack_alloc(MLP_OUT_MAX * sizeof *p->c2);
    return ok && p->c1 && p->c2;
}

bool pack_make(struct pack *p, const struct infer_mlp *m, enum pack_layout layout)
{
    assert((layout == PACK_F32) == (m->type == INFER_F32));
    *p = (struct pack){.layout = layout,
                       .n_in = m->n_in,
                       .n_hidden = m->n_hidden,
                       .n_out = m->n_out,
                       .chunks = (m->n_hidden + 31) / 32,
                       .k_pad = round_up(m->n_in, layouts[layout].k_to),
                       .hidden_pad = round_up(m->n_hidden, layouts[layout].hidden_to)};
    if (m->type == INFER_S8) {
        p->in_inverse = 1.0f / m->in_scale;
        p->hidden_scale = m->hidden_scale;
        p->out_scale = m->out_scale;
    }
    if (!allocate(p)) {
        pack_free(p);
        return false;
    }
    layouts[layout].fill(p, m);
    return true;
}

void pack_free(struct pack *p)
{
    void *owned[] = {p->w1, p->w2, p->b1, p->b2, p->c1, p->c2};
    for (size_t i = 0; i < sizeof owned / sizeof *owned; i++)
        free(owned[i]);
    *p = (struct pack){0};
}
