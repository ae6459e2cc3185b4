/* bugs.cu - kernels with one planted bug each, for the checkers to find.
 *
 * Compiled like mlp.cu: as C for the fibers, to PTX for the interpreter.  64
 * threads; out[t] should be in[63 - t], the sum of a warp, or in[t] + 1.     */
#include "gpu-kernels/cu_portable.h"
#include "tests/gpu-kernels/bugs/bugs.h"

struct bug_shared {
    float v[BUG_THREADS];
};

CU_KERNEL(bug_none, struct bug_args, BUG_THREADS)
{
    CU_SHARED(struct bug_shared, sm);
    sm->v[threadIdx.x] = A.in[threadIdx.x];
    __syncthreads();
    A.out[threadIdx.x] = sm->v[BUG_THREADS - 1 - threadIdx.x];
}

CU_KERNEL(bug_missing_sync, struct bug_args, BUG_THREADS)
{
    CU_SHARED(struct bug_shared, sm);
    sm->v[threadIdx.x] = A.in[threadIdx.x];
    A.out[threadIdx.x] = sm->v[BUG_THREADS - 1 - threadIdx.x];
}

CU_KERNEL(bug_missing_second_sync, struct bug_args, BUG_THREADS)
{
    CU_SHARED(struct bug_shared, sm);
    sm->v[threadIdx.x] = A.in[threadIdx.x];
    __syncthreads();
    const float other = sm->v[BUG_THREADS - 1 - threadIdx.x];
    sm->v[threadIdx.x] = other; /* somebody may not have read it yet */
    A.out[threadIdx.x] = other;
}

CU_KERNEL(bug_divergent_shuffle, struct bug_args, BUG_THREADS)
{
    float s = A.in[threadIdx.x];
    if (threadIdx.x % 32 < 31) /* lane 31 never comes */
        s += __shfl_xor_sync(CU_ALL_LANES, s, 1);
    A.out[threadIdx.x] = s;
}

CU_KERNEL(bug_out_of_bounds, struct bug_args, BUG_THREADS)
{
    A.out[threadIdx.x] = A.in[threadIdx.x + 1]; /* thread 63 reads beyond */
}

CU_KERNEL(bug_uninitialised_shared, struct bug_args, BUG_THREADS)
{
    CU_SHARED(struct bug_shared, sm);
    if (threadIdx.x != 7)
        sm->v[threadIdx.x] = A.in[threadIdx.x];
    __syncthreads();
    A.out[threadIdx.x] = sm->v[BUG_THREADS - 1 - threadIdx.x];
}

CU_KERNEL(bug_divergent_barrier, struct bug_args, BUG_THREADS)
{
    CU_SHARED(struct bug_shared, sm);
    sm->v[threadIdx.x] = A.in[threadIdx.x];
    if (threadIdx.x < 40) {
        __syncthreads();
        A.out[threadIdx.x] = sm->v[BUG_THREADS - 1 - threadIdx.x];
    } else {
        A.out[threadIdx.x] = 0.0f;
        __syncthreads();
    }
}

CU_KERNEL(bug_endless_wait, struct bug_args, BUG_THREADS)
{
    float s = A.in[threadIdx.x];
    while (s == s) /* never NaN */
        s = __shfl_xor_sync(CU_ALL_LANES, s, 1);
    A.out[threadIdx.x] = s;
}

CU_KERNEL(bug_divergent_ballot, struct bug_args, BUG_THREADS)
{
    uint32_t who = 0;
    if (threadIdx.x % 32 != 9) /* lane 9 never votes */
        who = cu_ballot(A.in[threadIdx.x] > 0.0f);
    A.out[threadIdx.x] = (float)(int32_t)who;
}

struct sum_shared {
    uint32_t part[BUG_THREADS / 32];
};

/* Two sums of the block through one place: the second overwrites what some still read. */
CU_KERNEL(bug_sums_in_one_place, struct bug_args, BUG_THREADS)
{
    CU_SHARED(struct sum_shared, sm);
    uint32_t sum = threadIdx.x;
    for (int i = 0; i < 2; i++) {
        const uint32_t part = cu_warp_sum(sum);
        if (threadIdx.x % 32 == 0)
            sm->part[threadIdx.x / 32] = part;
        __syncthreads();
        sum = sm->part[0] + sm->part[1];
    }
    A.out[threadIdx.x] = A.in[threadIdx.x] + (float)(int32_t)sum;
}
