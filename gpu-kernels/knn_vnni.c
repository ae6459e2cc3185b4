/* knn_vnni.c - the twin of knn.cu for AVX-512 VNNI. */
#if defined(__x86_64__)
#include <immintrin.h>

/* The instruction by its name: of the intrinsic gcc 12 makes two copies a product. */
static inline __attribute__((always_inline)) __m512i multiply(__m512i sum, __m512i refs, __m512i x)
{
    __asm__("vpdpbusd %2, %1, %0" : "+v"(sum) : "v"(refs), "v"(x));
    return sum;
}

#define KNN_NAME     knn_vnni
#define KNN_GROUP    4
#define KNN_X        int8_t
#define KNN_MULTIPLY multiply
#include "gpu-kernels/knn_avx512.h"
#endif
