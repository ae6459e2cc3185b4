/* knn_avx512.c - the twin of knn.cu for AVX-512 without VNNI. */
#if defined(__x86_64__)
#define KNN_NAME                   knn_avx512
#define KNN_GROUP                  2
#define KNN_X                      int16_t
#define KNN_MULTIPLY(sum, refs, x) _mm512_add_epi32(sum, _mm512_madd_epi16(refs, x))
#include "gpu-kernels/knn_avx512.h"
#endif
