/* malv-rivals.c - which rivals this build has, and what they share: see rivals.h. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "gpu-kernels/malv-rivals.h"

int rival_knn_start(struct rival_knn *k)
{
    const struct infer_knn *m = k->m;
    k->square = calloc(m->n_refs, sizeof *k->square);
    for (size_t i = 0; k->square && i < (size_t)m->n_refs * m->n_dim; i++)
        k->square[i / m->n_dim] += (float)(m->refs[i] * m->refs[i]);
    return k->square ? 0 : -1;
}

struct neighbour {
    float d;
    uint32_t at;
};

/* Inputs that are integers, and in_scale 1, are assumed. */
static void select_row(const struct rival_knn *k, uint32_t row, const float *f32,
                       const int32_t *s32)
{
    const struct infer_knn *m = k->m;
    const float *x = k->x + (size_t)row * m->n_dim;
    float *y = k->y + (size_t)row * (m->n_labels + 1), x2 = 0, sum = 0;
    struct neighbour near[32];
    for (uint32_t i = 0; i < m->n_dim; i++)
        x2 += x[i] * x[i];
    for (uint32_t i = 0; i < m->k; i++)
        near[i].d = INFINITY;
    for (uint32_t r = 0; r < m->n_refs; r++) {
        const float d = k->square[r] - 2 * (f32 ? f32[r] : (float)s32[r]);
        uint32_t at = m->k - 1;
        if (!(d < near[at].d))
            continue;
        for (; at && d < near[at - 1].d; at--)
            near[at] = near[at - 1];
        near[at] = (struct neighbour){d, r};
    }
    memset(y, 0, (m->n_labels + 1) * sizeof *y);
    for (uint32_t i = 0; i < m->k; i++) {
        y[m->labels[near[i].at]]++;
        sum += near[i].d + x2;
    }
    y[m->n_labels] = sum / (float)m->k;
}

void rival_knn_select(const struct rival_knn *k, const float *f32, const int32_t *s32)
{
    const uint32_t n = k->m->n_refs;
    for (uint32_t row = 0; row < k->rows; row++)
        select_row(k, row, f32 ? f32 + (size_t)row * n : NULL, s32 ? s32 + (size_t)row * n : NULL);
}

__attribute__((visibility("default"))) extern const struct rival *const malv_rivals[];
const struct rival *const malv_rivals[] = {
#if defined(HAVE_openblas)
    &rival_blas_mlp,
    &rival_blas_knn,
    &rival_blas_knn_part,
    &rival_blas_lstm,
#endif
#if defined(HAVE_dnnl)
    &rival_dnnl_mlp,
    &rival_dnnl_knn,
    &rival_dnnl_knn_part,
#endif
#if defined(HAVE_xgboost)
    &rival_xgboost,
#endif
    NULL};
