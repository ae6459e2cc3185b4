/* knn_avx512.h - the body of the AVX-512 twins of knn.cu, with and without VNNI.
 *
 * A tile is four rows by a chunk of 64 references: sixteen sums in registers.
 * A block of rows visits a chunk while it lies in the first cache.  What beats
 * a row's worst is rare and goes one by one into its list, a register (two for
 * k above 16): those farther move up by a lane, which takes no search.
 *
 * The includer defines KNN_NAME; KNN_GROUP, dimensions of a reference that lie
 * together; KNN_X, what they are multiplied with; KNN_MULTIPLY(sum, refs, x). */
#include <immintrin.h>
#include <string.h>

#include "gpu-kernels/knn_rows.h"

enum { ROWS = 4, LANES = 16, CHUNK = KNN_VECTORS * LANES };
#define INLINE static inline __attribute__((always_inline))

/* Farther ones make room for `word`, by its distance alone: of equal ones the first stays. */
INLINE __m512i make_room(__m512i list, __m512i below, __m512i word)
{
    const __m512i as_far = _mm512_or_si512(word, _mm512_set1_epi32(KNN_LABEL));
    const __mmask16 own = _mm512_cmpgt_epu32_mask(list, as_far);
    const __mmask16 next = _mm512_cmpgt_epu32_mask(below, as_far);
    return _mm512_mask_mov_epi32(_mm512_mask_mov_epi32(list, own, word), next, below);
}

/* A chunk's references that may be nearer, in their order, into a row's list. */
INLINE void insert(const struct knn_cpu *p, struct knn_row *row, const int32_t sum[CHUNK],
                   uint32_t first, uint64_t hits, const bool wide)
{
    const uint32_t norm = (uint32_t)row->offset << 8;
    __m512i low = _mm512_load_si512(row->near), high = _mm512_load_si512(row->near + LANES);
    for (; hits; hits &= hits - 1) {
        const uint32_t i = (uint32_t)__builtin_ctzll(hits), r = first + i;
        const uint32_t product = (uint32_t)(sum[i] - p->half[r]);
        const __m512i word = _mm512_set1_epi32((int)(p->base[r] + norm - (product << 9)));
        if (wide)
            high = make_room(high, _mm512_alignr_epi32(high, low, 15), word);
        low = make_room(low, _mm512_maskz_alignr_epi32(0xfffe, low, low, 15), word);
    }
    _mm512_store_si512(row->near, low);
    if (wide)
        _mm512_store_si512(row->near + LANES, high);
}

static __attribute__((noinline)) void take(const struct knn_cpu *p, struct knn_row *row,
                                           uint32_t first, const int32_t sum[CHUNK])
{
    const __m512i least = _mm512_set1_epi32(knn_least(row, p->k));
    uint64_t hits = 0;
    for (int i = 0; i < CHUNK; i += LANES)
        hits |= (uint64_t)_mm512_cmpgt_epi32_mask(_mm512_load_si512(sum + i), least) << i;
    if (p->k > LANES)
        insert(p, row, sum, first, hits, true);
    else
        insert(p, row, sum, first, hits, false);
}

/* `rows` rows (a constant) by one chunk. */
INLINE void tile(const struct knn_cpu *p, const KNN_X x[][KNN_DIM_MAX], struct knn_row *row,
                 uint32_t chunk, const int rows)
{
    const uint32_t groups = p->dim_pad / KNN_GROUP, first = chunk * CHUNK;
    const char *ref = (const char *)p->refs + (size_t)chunk * groups * KNN_VECTORS * 64;
    __m512i sum[ROWS][KNN_VECTORS], v[KNN_VECTORS];
    for (int r = 0; r < rows; r++)
        for (int i = 0; i < KNN_VECTORS; i++)
            sum[r][i] = _mm512_load_si512(p->half + first + i * LANES);
    for (uint32_t g = 0; g < groups; g++, ref += KNN_VECTORS * 64) {
        for (int i = 0; i < KNN_VECTORS; i++)
            v[i] = _mm512_load_si512(ref + 64 * i);
        for (int r = 0; r < rows; r++) {
            int32_t some;
            memcpy(&some, x[r] + (size_t)g * KNN_GROUP, sizeof some);
            const __m512i in = _mm512_set1_epi32(some);
            for (int i = 0; i < KNN_VECTORS; i++)
                sum[r][i] = KNN_MULTIPLY(sum[r][i], v[i], in);
        }
    }
    for (int r = 0; r < rows; r++) {
        const __m512i most = _mm512_max_epi32(_mm512_max_epi32(sum[r][0], sum[r][1]),
                                              _mm512_max_epi32(sum[r][2], sum[r][3]));
        if (_mm512_cmpgt_epi32_mask(most, _mm512_set1_epi32(knn_least(row + r, p->k)))) {
            _Alignas(64) int32_t some[CHUNK];
            for (int i = 0; i < KNN_VECTORS; i++)
                _mm512_store_si512(some + i * LANES, sum[r][i]);
            take(p, row + r, first, some);
        }
    }
}

/* Rows that all chunks meet. */
static void block(const struct knn_cpu *p, struct knn_block *b, uint32_t rows, const float *x,
                  float *y)
{
    KNN_X(*in)[KNN_DIM_MAX] = (KNN_X(*)[KNN_DIM_MAX])(void *)b->x;
    const uint32_t chunks = (p->n_refs + CHUNK - 1) / CHUNK;
    for (uint32_t r = 0; r < rows; r++)
        knn_row_start(&b->row[r], p, x + (size_t)r * p->n_dim,
                      sizeof(KNN_X) == 1 ? (int8_t *)in[r] : NULL,
                      sizeof(KNN_X) == 2 ? (int16_t *)(void *)in[r] : NULL, 128);
    for (uint32_t c = 0; c < chunks; c++) {
        uint32_t r = 0;
        for (; r + ROWS <= rows; r += ROWS)
            tile(p, in + r, b->row + r, c, ROWS);
        for (; r < rows; r++)
            tile(p, in + r, b->row + r, c, 1);
    }
    for (uint32_t r = 0; r < rows; r++)
        knn_answer(p, &b->row[r], y + (size_t)r * (p->n_labels + 1));
}

void KNN_NAME(const struct knn_cpu *p, struct knn_block *b, uint32_t rows, const float *x, float *y)
{
    for (uint32_t some; rows; rows -= some) {
        some = rows < KNN_BLOCK ? rows : KNN_BLOCK;
        block(p, b, some, x, y);
        x += (size_t)some * p->n_dim;
        y += (size_t)some * (p->n_labels + 1);
    }
}
