/* knn_scalar.c - the twin of knn.cu in plain C. */
#include "gpu-kernels/knn_rows.h"

static int32_t product(const int8_t *x, const int8_t *r, uint32_t n)
{
    int32_t sum = 0;
    for (uint32_t i = 0; i < n; i++)
        sum += x[i] * r[i];
    return sum;
}

void knn_scalar(const struct knn_cpu *p, struct knn_block *b, uint32_t rows, const float *x,
                float *y)
{
    int8_t *x8 = (int8_t *)b->x;
    struct knn_row *row = b->row;
    for (; rows; rows--, x += p->n_dim, y += p->n_labels + 1) {
        const int8_t *ref = p->refs;
        knn_row_start(row, p, x, x8, NULL, 0);
        const uint32_t norm = (uint32_t)row->offset << 8;
        for (uint32_t r = 0; r < p->n_refs; r++, ref += p->dim_pad) {
            uint32_t word = p->base[r] + norm - ((uint32_t)product(x8, ref, p->dim_pad) << 9);
            if ((word | KNN_LABEL) < row->near[p->k - 1])
                knn_insert(row->near, p->k, word);
        }
        knn_answer(p, row, y);
    }
}
