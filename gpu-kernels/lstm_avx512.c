/* lstm_avx512.c - the recurrent twin for AVX-512: six rows by two panels are
 * 24 sums in registers (lstm_simd.h). */
#if defined(__x86_64__)
#include <immintrin.h>

#define LSTM_W           16
#define LSTM_TILE_ROWS   6
#define LSTM_TILE_PANELS 2
/* clang-format off */
#define LSTM_TILES(X)                                                                              \
    X(1, 1) X(2, 1) X(3, 1) X(4, 1) X(5, 1) X(6, 1)                                                \
    X(1, 2) X(2, 2) X(3, 2) X(4, 2) X(5, 2) X(6, 2)
/* clang-format on */
#define V              __m512
#define V_ZERO         _mm512_setzero_ps()
#define V_LOAD(p)      _mm512_load_ps(p)
#define V_STORE(p, v)  _mm512_store_ps(p, v)
#define V_ALL(x)       _mm512_set1_ps(x)
#define V_FMA(a, b, c) _mm512_fmadd_ps(a, b, c)
#define V_ADD(a, b)    _mm512_add_ps(a, b)
#include "gpu-kernels/lstm_simd.h"

const struct lstm_twin_ops lstm_avx512 = {sums, lstm_states, lstm_softmax};
#endif
