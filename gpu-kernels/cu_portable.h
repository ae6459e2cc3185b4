/* cu_portable.h - the words a kernel may use, in CUDA and in C11.
 *
 * A kernel is written once, in the common subset of both languages: no
 * templates, references or <<<>>>.  It takes ONE argument struct by value,
 * so the same bytes go to cuLaunchKernel, to the fibers of emu.h and to the
 * PTX interpreter of the tests.  Allowed beside plain C:
 *
 *     CU_KERNEL(name, args_type, threads) { .. A.field .. }
 *     CU_SHARED(type, pointer)        shared memory, starts undefined (NaN)
 *     threadIdx blockIdx gridDim      .x only
 *     __syncthreads()  __syncwarp(mask)  __shfl_xor_sync(mask, value, xor)
 *     cu_load_system  cu_store_system   words of memory that the host writes, too
 *     cu_shuffle(v, lane)  cu_ballot(condition)  cu_warp_sum(v)   of all lanes
 *     cu_fma  cu_bits  cu_float  cu_lowest  cu_mma_s8   and CU_DEV helpers, always inlined
 *
 * Compilers must not contract a * b + c by themselves: kernels.mk says so.  */
#ifndef GPU_KERNELS_CU_PORTABLE_H
#define GPU_KERNELS_CU_PORTABLE_H

#include <stddef.h>
#include <stdint.h>

#if defined(__CUDACC__) || defined(__CUDA__)

#define CU_DEV static __device__ __forceinline__
#define CU_KERNEL(name, args_type, threads)                                                        \
    extern "C" __global__ void __launch_bounds__(threads) name(const __grid_constant__ args_type A)
#define CU_SHARED(type, pointer)                                                                   \
    __shared__ type pointer##_storage;                                                             \
    type *const pointer = &pointer##_storage
#define CU_UNROLL _Pragma("unroll")

CU_DEV float cu_fma(float a, float b, float c)
{
    return __fmaf_rn(a, b, c);
}

CU_DEV uint32_t cu_bits(float v)
{
    uint32_t r;
    asm("mov.b32 %0, %1;" : "=r"(r) : "f"(v));
    return r;
}

CU_DEV float cu_float(uint32_t bits)
{
    float r;
    asm("mov.b32 %0, %1;" : "=f"(r) : "r"(bits));
    return r;
}

CU_DEV uint64_t cu_load_system(const uint64_t *p)
{
    uint64_t r;
    asm volatile("ld.relaxed.sys.u64 %0, [%1];" : "=l"(r) : "l"(p) : "memory");
    return r;
}

CU_DEV void cu_store_system(uint64_t *p, uint64_t v)
{
    asm volatile("st.relaxed.sys.u64 [%0], %1;" : : "l"(p), "l"(v) : "memory");
}

CU_DEV uint32_t cu_shuffle(uint32_t v, uint32_t lane)
{
    return __shfl_sync(0xffffffffu, v, (int)lane);
}

CU_DEV uint32_t cu_ballot(int condition)
{
    return __ballot_sync(0xffffffffu, condition);
}

CU_DEV uint32_t cu_warp_sum(uint32_t v)
{
    return __reduce_add_sync(0xffffffffu, v);
}

CU_DEV uint32_t cu_lowest(uint32_t bits) /* of them; there is one */
{
    return (uint32_t)__ffs((int)bits) - 1;
}

/* c (16 x 8, int32) += a (16 x 32, int8) * b (32 x 8, int8), over the warp. */
CU_DEV void cu_mma_s8(int32_t c[4], const uint32_t a[4], uint32_t b0, uint32_t b1)
{
    asm volatile("mma.sync.aligned.m16n8k32.row.col.s32.s8.s8.s32 "
                 "{%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
                 : "+r"(c[0]), "+r"(c[1]), "+r"(c[2]), "+r"(c[3])
                 : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
}

#else
#include "gpu-kernels/emu.h"
#endif

/* Four floats that load as one 16-byte word. */
struct __attribute__((aligned(16))) cu_float4 {
    float x, y, z, w;
};

#define CU_ALL_LANES 0xffffffffu

#endif
