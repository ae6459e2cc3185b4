/* probe.cu - see probe.h */
#include "gpu-kernels/cu_portable.h"
#include "gpu-kernels/probe.h"

#if defined(__CUDACC__) || defined(__CUDA__)
CU_DEV uint64_t cu_clock(void)
{
    uint64_t t;
    asm volatile("mov.u64 %0, %%globaltimer;" : "=l"(t) : : "memory");
    return t;
}
#else
uint64_t (*probe_emu_clock)(void);

CU_DEV uint64_t cu_clock(void)
{
    return probe_emu_clock();
}
#endif

CU_KERNEL(probe_nothing, struct probe_nothing_args, 1)
{
    (void)A.unused;
}

CU_KERNEL(probe_spin, struct probe_spin_args, 1)
{
    const uint64_t begin = cu_clock();
    uint64_t last = begin, gaps = 0;
    while (last - begin < A.spin_ns) {
        const uint64_t now = cu_clock();
        if (now - last > A.gap_ns && gaps < PROBE_GAPS) {
            A.out->gap[gaps].off = last;
            A.out->gap[gaps].on = now;
            gaps++;
        }
        last = now;
    }
    A.out->begin = begin;
    A.out->end = last;
    A.out->gaps = gaps;
}

/* Eight words are on their way from each thread at a time. */
CU_KERNEL(probe_copy, struct probe_copy_args, PROBE_THREADS)
{
    const uint64_t step = (uint64_t)gridDim.x * PROBE_THREADS;
    uint64_t i = (uint64_t)blockIdx.x * PROBE_THREADS + threadIdx.x, v[8];
    for (; i + 7 * step < A.n; i += 8 * step) {
        CU_UNROLL
        for (int k = 0; k < 8; k++)
            v[k] = A.from[i + (uint64_t)k * step];
        CU_UNROLL
        for (int k = 0; k < 8; k++)
            A.to[i + (uint64_t)k * step] = v[k];
    }
    for (; i < A.n; i += step)
        A.to[i] = A.from[i];
}

CU_KERNEL(probe_chase, struct probe_chase_args, 1)
{
    const uint64_t begin = cu_clock();
    uint32_t at = 0;
    for (uint64_t k = 0; k < A.steps; k++)
        at = A.next[at];
    *A.last = at;
    *A.ns = cu_clock() - begin;
}
