/* knn_cpu.c - see knn_cpu.h */
#include <stdlib.h>
#include <string.h>

#include "gpu-kernels/knn_cpu.h"
#include "gpu-kernels/pack.h"

const struct knn_twin knn_twins[] = {
    {knn_scalar, KNN_PLAIN},
#if defined(__x86_64__)
    {knn_avx2, KNN_PAIRS_8},
    {knn_avx512, KNN_PAIRS_16},
    {knn_vnni, KNN_QUADS_16},
#endif
};

static const struct {
    uint32_t lanes, group; /* references of a vector, dimensions of one in a row */
} layouts[] = {[KNN_PLAIN] = {1, 1},
               [KNN_PAIRS_8] = {8, 2},
               [KNN_PAIRS_16] = {16, 2},
               [KNN_QUADS_16] = {16, 4}};

float knn_scale(const struct infer_knn *m)
{
    return m->in_scale * m->in_scale / (float)m->k;
}

/* Where dimension i of reference r goes, counted in elements. */
static size_t place(const struct knn_cpu *p, enum knn_layout layout, uint32_t r, uint32_t i)
{
    const uint32_t lanes = layouts[layout].lanes, group = layouts[layout].group;
    const size_t vector = (size_t)lanes * group;
    size_t at = (size_t)(r / p->chunk) * p->chunk * p->dim_pad;
    at += (i / group * KNN_VECTORS + r % p->chunk / lanes) * vector;
    return at + r % lanes * group + i % group;
}

static void fill(struct knn_cpu *p, const struct infer_knn *m, enum knn_layout layout)
{
    for (uint32_t r = 0; r < m->n_refs; r++) {
        const int8_t *ref = m->refs + (size_t)r * m->n_dim;
        uint32_t square = 0;
        for (uint32_t i = 0; i < m->n_dim; i++) {
            square += (uint32_t)(ref[i] * ref[i]);
            if (layout == KNN_PLAIN)
                ((int8_t *)p->refs)[(size_t)r * p->dim_pad + i] = ref[i];
            else if (layout == KNN_QUADS_16)
                ((uint8_t *)p->refs)[place(p, layout, r, i)] = (uint8_t)(ref[i] + 128);
            else
                ((int16_t *)p->refs)[place(p, layout, r, i)] = (int16_t)(ref[i] + 128);
        }
        p->base[r] = square << 8 | m->labels[r];
        p->half[r] = -(int32_t)(square / 2);
    }
}

bool knn_cpu_make(struct knn_cpu *p, const struct infer_knn *m, enum knn_layout layout)
{
    const uint32_t chunk = KNN_VECTORS * layouts[layout].lanes;
    const size_t refs = (size_t)(m->n_refs + chunk - 1) / chunk * chunk;
    *p = (struct knn_cpu){.n_refs = m->n_refs,
                          .n_dim = m->n_dim,
                          .k = m->k,
                          .n_labels = m->n_labels,
                          .dim_pad = (m->n_dim + 3) / 4 * 4,
                          .chunk = chunk,
                          .in_inverse = 1.0f / m->in_scale,
                          .scale = knn_scale(m)};
    p->refs =
        pack_alloc(refs * p->dim_pad * (layout == KNN_PAIRS_8 || layout == KNN_PAIRS_16 ? 2 : 1));
    p->base = pack_alloc(refs * sizeof *p->base);
    p->half = pack_alloc(refs * sizeof *p->half);
    if (!p->refs || !p->base || !p->half) {
        knn_cpu_free(p);
        return false;
    }
    for (size_t r = m->n_refs; r < refs; r++)
        p->half[r] = -(1 << 30);
    fill(p, m, layout);
    return true;
}

void knn_cpu_free(struct knn_cpu *p)
{
    free(p->refs);
    free(p->base);
    free(p->half);
    *p = (struct knn_cpu){0};
}
