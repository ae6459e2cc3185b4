/* cu_host.h - the few words of cu_portable.h that need no other thread, for a
 * host compiler: for the fibers and for the CPU twins.                      */
#ifndef GPU_KERNELS_CU_HOST_H
#define GPU_KERNELS_CU_HOST_H

#include <math.h>
#include <stdint.h>
#include <string.h>

#ifndef CU_DEV
#define CU_DEV static inline __attribute__((unused))
#endif

CU_DEV uint32_t cu_bits(float v)
{
    uint32_t bits;
    memcpy(&bits, &v, sizeof bits);
    return bits;
}

CU_DEV float cu_float(uint32_t bits)
{
    float v;
    memcpy(&v, &bits, sizeof v);
    return v;
}

CU_DEV float cu_fma(float a, float b, float c)
{
    return fmaf(a, b, c);
}

#endif
