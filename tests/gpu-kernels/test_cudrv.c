/* test_cudrv.c - our declarations of the driver against NVIDIA's own, where
 * cuda.h is installed: most of it happens when this file is compiled. */
#include <criterion/criterion.h>

#if defined(HAVE_CUDA_H)
#include <cuda.h>

#include "gpu-kernels/cudrv.h"
#include "gpu-kernels/cuprobe.h"

#define X(name, args) _Static_assert(_Generic(&(name), CUresult(*) args : 1, default : 0), #name);
CUDRV_CALLS(X)
CUPROBE_CALLS(X)
#undef X

Test(kernels_cudrv, numbers_of_the_abi)
{
    cr_expect_eq((int)CU_ATTR_SM_COUNT, (int)CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT);
    cr_expect_eq((int)CU_ATTR_MAJOR, (int)CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR);
    cr_expect_eq((int)CU_ATTR_MINOR, (int)CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR);
    cr_expect_eq((int)CU_HOST_ALLOC_MAPPED, CU_MEMHOSTALLOC_DEVICEMAP);
    cr_expect_eq((int)CU_ATTR_COPY_ENGINES, (int)CU_DEVICE_ATTRIBUTE_ASYNC_ENGINE_COUNT);
    cr_expect_eq((int)CU_ATTR_THREADS_PER_SM,
                 (int)CU_DEVICE_ATTRIBUTE_MAX_THREADS_PER_MULTIPROCESSOR);
    cr_expect_eq((int)CU_ATTR_SMEM_PER_SM,
                 (int)CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_MULTIPROCESSOR);
    cr_expect_eq((int)CU_ATTR_REGISTERS_PER_SM,
                 (int)CU_DEVICE_ATTRIBUTE_MAX_REGISTERS_PER_MULTIPROCESSOR);
    cr_expect_eq((int)CU_ATTR_BLOCKS_PER_SM,
                 (int)CU_DEVICE_ATTRIBUTE_MAX_BLOCKS_PER_MULTIPROCESSOR);
    cr_expect_eq((int)CU_CAPTURE_RELAXED, (int)CU_STREAM_CAPTURE_MODE_RELAXED);
    cr_expect_eq((int)CU_STREAM_OWN, (int)CU_STREAM_NON_BLOCKING);
}
#else
Test(kernels_cudrv, numbers_of_the_abi)
{
    cr_skip_test("cuda.h is not installed");
}
#endif
