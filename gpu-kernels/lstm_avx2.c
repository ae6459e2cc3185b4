/* lstm_avx2.c - the recurrent twin for AVX2 and FMA: three rows by a panel are
 * 12 sums in registers (lstm_simd.h). */
#if defined(__x86_64__)
#include <immintrin.h>

#define LSTM_W           8
#define LSTM_TILE_ROWS   3
#define LSTM_TILE_PANELS 1
#define LSTM_TILES(X)    X(1, 1) X(2, 1) X(3, 1)
#define V                __m256
#define V_ZERO           _mm256_setzero_ps()
#define V_LOAD(p)        _mm256_load_ps(p)
#define V_STORE(p, v)    _mm256_store_ps(p, v)
#define V_ALL(x)         _mm256_set1_ps(x)
#define V_FMA(a, b, c)   _mm256_fmadd_ps(a, b, c)
#define V_ADD(a, b)      _mm256_add_ps(a, b)
#include "gpu-kernels/lstm_simd.h"

const struct lstm_twin_ops lstm_avx2 = {sums, lstm_states, lstm_softmax};
#endif
