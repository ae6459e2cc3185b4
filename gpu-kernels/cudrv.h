/* cudrv.h - the CUDA driver, found at run time.
 *
 * Neither building nor running needs any NVIDIA software: the few entry
 * points used are declared here (the driver's C ABI is stable; a test holds
 * the declarations against cuda.h where there is one) and looked up in
 * libcuda.so.1, or in the library that MALV_LIBCUDA names: the tests bring
 * their own.                                                                */
#ifndef GPU_KERNELS_CUDRV_H
#define GPU_KERNELS_CUDRV_H

#include <stddef.h>

typedef unsigned cu_result; /* CUresult; 0 is success */
typedef struct CUctx_st *cu_context;
typedef struct CUmod_st *cu_module;
typedef struct CUfunc_st *cu_function;
typedef struct CUstream_st *cu_stream;
typedef struct CUgraph_st *cu_graph;
typedef struct CUgraphExec_st *cu_graph_exec;
typedef unsigned long long cu_pointer; /* CUdeviceptr */

enum { /* CUdevice_attribute, flags, results: numbers of the ABI */
       CU_ATTR_SM_COUNT = 16,
       CU_ATTR_MAJOR = 75,
       CU_ATTR_MINOR = 76,
       CU_HOST_ALLOC_MAPPED = 2,
       CU_STREAM_OWN = 1, /* does not wait for the default stream */
       CU_CAPTURE_RELAXED = 2,
       CU_NOT_READY = 600, /* of cuStreamQuery: it still works */
};

#define CUDRV_CALLS(X)                                                                             \
    X(cuInit, (unsigned))                                                                          \
    X(cuDriverGetVersion, (int *))                                                                 \
    X(cuDeviceGetCount, (int *))                                                                   \
    X(cuDeviceGet, (int *, int))                                                                   \
    X(cuDeviceGetName, (char *, int, int))                                                         \
    X(cuDeviceGetAttribute, (int *, unsigned, int))                                                \
    X(cuDevicePrimaryCtxRetain, (cu_context *, int))                                               \
    X(cuDevicePrimaryCtxRelease_v2, (int))                                                         \
    X(cuCtxSetCurrent, (cu_context))                                                               \
    X(cuModuleLoadData, (cu_module *, const void *))                                               \
    X(cuModuleUnload, (cu_module))                                                                 \
    X(cuModuleGetFunction, (cu_function *, cu_module, const char *))                               \
    X(cuMemAlloc_v2, (cu_pointer *, size_t))                                                       \
    X(cuMemFree_v2, (cu_pointer))                                                                  \
    X(cuMemcpyHtoD_v2, (cu_pointer, const void *, size_t))                                         \
    X(cuMemHostAlloc, (void **, size_t, unsigned))                                                 \
    X(cuMemHostGetDevicePointer_v2, (cu_pointer *, void *, unsigned))                              \
    X(cuMemFreeHost, (void *))                                                                     \
    X(cuStreamCreate, (cu_stream *, unsigned))                                                     \
    X(cuStreamSynchronize, (cu_stream))                                                            \
    X(cuStreamQuery, (cu_stream))                                                                  \
    X(cuStreamDestroy_v2, (cu_stream))                                                             \
    X(cuStreamBeginCapture_v2, (cu_stream, unsigned))                                              \
    X(cuStreamEndCapture, (cu_stream, cu_graph *))                                                 \
    X(cuGraphInstantiateWithFlags, (cu_graph_exec *, cu_graph, unsigned long long))                \
    X(cuGraphLaunch, (cu_graph_exec, cu_stream))                                                   \
    X(cuGraphExecDestroy, (cu_graph_exec))                                                         \
    X(cuGraphDestroy, (cu_graph))                                                                  \
    X(cuLaunchKernel, (cu_function, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned,    \
                       unsigned, cu_stream, void **, void **))                                     \
    X(cuGetErrorName, (cu_result, const char **))

struct cudrv {
    void *library;
    int device, arch, sm_count, version; /* arch: 90 for sm_90 */
    char name[128];
#define X(call, args) cu_result(*call) args;
    CUDRV_CALLS(X)
#undef X
};

/* Device 0, or -1 with the reason in one sentence. */
int cudrv_open(struct cudrv *d, char *why, size_t n);
void cudrv_close(struct cudrv *d);
int cudrv_any(struct cudrv *d, char *why, size_t n); /* the same, of any age */

const char *cudrv_error(const struct cudrv *d, cu_result r); /* "CUDA_ERROR_.." */

#endif
