/* cpu_narrow512.h - fp32 networks of at most 32 neurons a layer, for AVX-512. */
#ifndef GPU_KERNELS_CPU_NARROW512_H
#define GPU_KERNELS_CPU_NARROW512_H

#include "gpu-kernels/pack.h"

enum { CPU_NARROW_ROWS = 16 };
bool cpu_narrow512(const struct pack *p);
/* rows: a multiple of CPU_NARROW_ROWS. */
void cpu_narrow512_f32(const struct pack *p, uint32_t rows, const float *x, float *y);

#endif
