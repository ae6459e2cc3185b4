/* knn_avx2.c - the twin of knn.cu for AVX2: two rows by 32 references a tile. */
#if defined(__x86_64__)
#include <immintrin.h>
#include <string.h>

#include "gpu-kernels/knn_rows.h"

enum { ROWS = 2, LANES = 8, CHUNK = KNN_VECTORS * LANES };
#define INLINE static inline __attribute__((always_inline))

/* Those of 8 references that may be nearer than the worst. */
static __attribute__((noinline)) void take(const struct knn_cpu *p, struct knn_row *row,
                                           uint32_t first, __m256i sum, uint32_t hits)
{
    _Alignas(32) int32_t sums[LANES];
    _mm256_store_si256((__m256i *)sums, sum);
    for (; hits; hits &= hits - 1) {
        const uint32_t i = (uint32_t)__builtin_ctz(hits), r = first + i;
        const uint32_t product = (uint32_t)(sums[i] - p->half[r]);
        const uint32_t word = p->base[r] + ((uint32_t)row->offset << 8) - (product << 9);
        if ((word | KNN_LABEL) < row->near[p->k - 1])
            knn_insert(row->near, p->k, word);
    }
}

/* `rows` rows (a constant) by one chunk. */
INLINE void tile(const struct knn_cpu *p, const int16_t x[][KNN_DIM_MAX], struct knn_row *row,
                 uint32_t chunk, const int rows)
{
    const __m256i *ref = (const __m256i *)p->refs + (size_t)chunk * (p->dim_pad / 2) * KNN_VECTORS;
    __m256i sum[ROWS][KNN_VECTORS], v[KNN_VECTORS];
    for (int r = 0; r < rows; r++)
        for (int i = 0; i < KNN_VECTORS; i++)
            sum[r][i] = _mm256_load_si256((const __m256i *)(p->half + chunk * CHUNK) + i);
    for (uint32_t g = 0; g < p->dim_pad; g += 2, ref += KNN_VECTORS) {
        for (int i = 0; i < KNN_VECTORS; i++)
            v[i] = _mm256_load_si256(ref + i);
        for (int r = 0; r < rows; r++) {
            int32_t pair;
            memcpy(&pair, x[r] + g, sizeof pair);
            const __m256i in = _mm256_set1_epi32(pair);
            for (int i = 0; i < KNN_VECTORS; i++)
                sum[r][i] = _mm256_add_epi32(sum[r][i], _mm256_madd_epi16(v[i], in));
        }
    }
    for (uint32_t i = 0; i < KNN_VECTORS; i++)
        for (int r = 0; r < rows; r++) {
            const __m256i least = _mm256_set1_epi32(knn_least(row + r, p->k));
            const __m256i above = _mm256_cmpgt_epi32(sum[r][i], least);
            const int hits = _mm256_movemask_ps(_mm256_castsi256_ps(above));
            if (hits)
                take(p, row + r, chunk * CHUNK + i * LANES, sum[r][i], (uint32_t)hits);
        }
}

static void block(const struct knn_cpu *p, struct knn_block *b, uint32_t rows, const float *x,
                  float *y)
{
    const uint32_t chunks = (p->n_refs + CHUNK - 1) / CHUNK;
    for (uint32_t r = 0; r < rows; r++)
        knn_row_start(&b->row[r], p, x + (size_t)r * p->n_dim, NULL, b->x[r], 128);
    for (uint32_t c = 0; c < chunks; c++) {
        uint32_t r = 0;
        for (; r + ROWS <= rows; r += ROWS)
            tile(p, (const int16_t(*)[KNN_DIM_MAX])(b->x + r), b->row + r, c, ROWS);
        for (; r < rows; r++)
            tile(p, (const int16_t(*)[KNN_DIM_MAX])(b->x + r), b->row + r, c, 1);
    }
    for (uint32_t r = 0; r < rows; r++)
        knn_answer(p, &b->row[r], y + (size_t)r * (p->n_labels + 1));
}

void knn_avx2(const struct knn_cpu *p, struct knn_block *b, uint32_t rows, const float *x, float *y)
{
    for (uint32_t some; rows; rows -= some) {
        some = rows < KNN_BLOCK ? rows : KNN_BLOCK;
        block(p, b, some, x, y);
        x += (size_t)some * p->n_dim;
        y += (size_t)some * (p->n_labels + 1);
    }
}
#endif
