/* test_cupti.c - our declarations of CUPTI against NVIDIA's own, where cupti.h is installed. */
#include <criterion/criterion.h>

#if defined(HAVE_CUPTI_H)
#include <cupti.h>

#include "capture/cupti.h"

#define AT(ours, a, theirs, b)                                                                     \
    cr_expect_eq(offsetof(struct ours, a), offsetof(theirs, b), #theirs "." #b);                   \
    cr_expect_eq(sizeof(((struct ours *)0)->a), sizeof(((theirs *)0)->b), #theirs "." #b)

#define KERNEL(K)                                                                                  \
    AT(cupti_kernel, kind, K, kind);                                                               \
    AT(cupti_kernel, registers, K, registersPerThread);                                            \
    AT(cupti_kernel, begin, K, start);                                                             \
    AT(cupti_kernel, end, K, end);                                                                 \
    AT(cupti_kernel, device, K, deviceId);                                                         \
    AT(cupti_kernel, context, K, contextId);                                                       \
    AT(cupti_kernel, stream, K, streamId);                                                         \
    AT(cupti_kernel, grid[0], K, gridX);                                                           \
    AT(cupti_kernel, block[2], K, blockZ);                                                         \
    AT(cupti_kernel, smem_static, K, staticSharedMemory);                                          \
    AT(cupti_kernel, smem_dynamic, K, dynamicSharedMemory);                                        \
    AT(cupti_kernel, correlation, K, correlationId);                                               \
    AT(cupti_kernel, name, K, name)

/* The versions that every header since CUDA 11.8 has: what comes later is longer. */
Test(capture_cupti, records_of_the_abi)
{
    KERNEL(CUpti_ActivityKernel4);
    KERNEL(CUpti_ActivityKernel8);
    AT(cupti_memcpy, copy, CUpti_ActivityMemcpy4, copyKind);
    AT(cupti_memcpy, from, CUpti_ActivityMemcpy4, srcKind);
    AT(cupti_memcpy, bytes, CUpti_ActivityMemcpy4, bytes);
    AT(cupti_memcpy, end, CUpti_ActivityMemcpy4, end);
    AT(cupti_memcpy, stream, CUpti_ActivityMemcpy5, streamId);
    AT(cupti_memcpy, correlation, CUpti_ActivityMemcpy5, correlationId);
    AT(cupti_memcpy_peer, stream, CUpti_ActivityMemcpyPtoP3, streamId);
    AT(cupti_memcpy_peer, correlation, CUpti_ActivityMemcpyPtoP3, correlationId);
    AT(cupti_memset, bytes, CUpti_ActivityMemset3, bytes);
    AT(cupti_memset, correlation, CUpti_ActivityMemset3, correlationId);
    AT(cupti_api, call, CUpti_ActivityAPI, cbid);
    AT(cupti_api, thread, CUpti_ActivityAPI, threadId);
    AT(cupti_api, correlation, CUpti_ActivityAPI, correlationId);
    AT(cupti_sync, type, CUpti_ActivitySynchronization, type);
    AT(cupti_sync, event, CUpti_ActivitySynchronization, cudaEventId);
    AT(cupti_event, correlation, CUpti_ActivityCudaEvent, correlationId);
    AT(cupti_event, event, CUpti_ActivityCudaEvent, eventId);
}

Test(capture_cupti, numbers_of_the_abi)
{
    cr_expect_eq((int)CUPTI_MEMCPY, (int)CUPTI_ACTIVITY_KIND_MEMCPY);
    cr_expect_eq((int)CUPTI_MEMSET, (int)CUPTI_ACTIVITY_KIND_MEMSET);
    cr_expect_eq((int)CUPTI_KERNEL, (int)CUPTI_ACTIVITY_KIND_KERNEL);
    cr_expect_eq((int)CUPTI_DRIVER, (int)CUPTI_ACTIVITY_KIND_DRIVER);
    cr_expect_eq((int)CUPTI_RUNTIME, (int)CUPTI_ACTIVITY_KIND_RUNTIME);
    cr_expect_eq((int)CUPTI_CONCURRENT_KERNEL, (int)CUPTI_ACTIVITY_KIND_CONCURRENT_KERNEL);
    cr_expect_eq((int)CUPTI_MEMCPY_PEER, (int)CUPTI_ACTIVITY_KIND_MEMCPY2);
    cr_expect_eq((int)CUPTI_EVENT, (int)CUPTI_ACTIVITY_KIND_CUDA_EVENT);
    cr_expect_eq((int)CUPTI_SYNC, (int)CUPTI_ACTIVITY_KIND_SYNCHRONIZATION);
    cr_expect_eq((int)CUPTI_DOMAIN_DRIVER, (int)CUPTI_CB_DOMAIN_DRIVER_API);
    cr_expect_eq((int)CUPTI_DOMAIN_RUNTIME, (int)CUPTI_CB_DOMAIN_RUNTIME_API);
    cr_expect_eq((int)CUPTI_FLUSH_FORCED, (int)CUPTI_ACTIVITY_FLAG_FLUSH_FORCED);
}
#else
Test(capture_cupti, records_of_the_abi)
{
    cr_skip_test("cupti.h is not installed");
}
#endif
