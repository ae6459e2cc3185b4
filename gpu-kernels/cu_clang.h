/* cu_clang.h - the words of CUDA that the kernels use, for clang's NVPTX back
 * end alone: no toolkit, no CUDA headers, no libdevice.  kernels.mk includes
 * it before a kernel when there is no nvcc.                                 */
#pragma once

#define __global__             __attribute__((global))
#define __device__             __attribute__((device))
#define __shared__             __attribute__((shared))
#define __forceinline__        inline __attribute__((always_inline))
#define __launch_bounds__(...) __attribute__((launch_bounds(__VA_ARGS__)))
#define __grid_constant__

/* threadIdx.x reads a special register: a property whose getter does that. */
#define CU_SPECIAL(variable, builtin)                                                              \
    struct cu_##variable {                                                                         \
        __declspec(property(get = get)) unsigned x;                                                \
        static __device__ unsigned get() { return builtin(); }                                     \
    };                                                                                             \
    extern const __device__ __attribute__((weak)) cu_##variable variable

CU_SPECIAL(threadIdx, __nvvm_read_ptx_sreg_tid_x);
CU_SPECIAL(blockIdx, __nvvm_read_ptx_sreg_ctaid_x);
CU_SPECIAL(gridDim, __nvvm_read_ptx_sreg_nctaid_x);

#ifdef __CUDA_ARCH__
extern "C" __device__ void __syncthreads(void);

static __device__ __forceinline__ void __syncwarp(unsigned mask)
{
    __nvvm_bar_warp_sync(mask);
}

static __device__ __forceinline__ float __shfl_xor_sync(unsigned mask, float v, int x)
{
    return __nvvm_shfl_sync_bfly_f32(mask, v, x, 31);
}

static __device__ __forceinline__ unsigned __shfl_sync(unsigned mask, unsigned v, int lane)
{
    return (unsigned)__nvvm_shfl_sync_idx_i32(mask, (int)v, lane, 31);
}

static __device__ __forceinline__ unsigned __ballot_sync(unsigned mask, int condition)
{
    return __nvvm_vote_ballot_sync(mask, condition);
}

static __device__ __forceinline__ unsigned __reduce_add_sync(unsigned mask, unsigned v)
{
    return (unsigned)__nvvm_redux_sync_add((int)v, mask);
}

static __device__ __forceinline__ int __ffs(int v)
{
    return __builtin_ffs(v);
}

static __device__ __forceinline__ float __fmaf_rn(float a, float b, float c)
{
    return __nvvm_fma_rn_f(a, b, c);
}
#endif
