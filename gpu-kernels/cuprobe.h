/* cuprobe.h - a device to measure: the driver, its events and graphs, the kernels of probe.h.
 *
 * Calls that fail are remembered: the first is in `step` and `bad`, what follows does nothing, and
 * cuprobe_failed says it in one sentence.                                                      */
#ifndef GPU_KERNELS_CUPROBE_H
#define GPU_KERNELS_CUPROBE_H

#include <stdbool.h>
#include <stdint.h>

#include "gpu-kernels/cudrv.h"
#include "gpu-kernels/probe.h"

typedef struct CUevent_st *cu_event;

enum { /* CUdevice_attribute: numbers of the ABI */
       CU_ATTR_COPY_ENGINES = 40,
       CU_ATTR_THREADS_PER_SM = 39,
       CU_ATTR_SMEM_PER_SM = 81,
       CU_ATTR_REGISTERS_PER_SM = 82,
       CU_ATTR_BLOCKS_PER_SM = 106,
};

#define CUPROBE_CALLS(X)                                                                           \
    X(cuDeviceTotalMem_v2, (size_t *, int))                                                        \
    X(cuMemcpyHtoDAsync_v2, (cu_pointer, const void *, size_t, cu_stream))                         \
    X(cuMemcpyDtoHAsync_v2, (void *, cu_pointer, size_t, cu_stream))                               \
    X(cuEventCreate, (cu_event *, unsigned))                                                       \
    X(cuEventRecord, (cu_event, cu_stream))                                                        \
    X(cuEventSynchronize, (cu_event))                                                              \
    X(cuEventElapsedTime, (float *, cu_event, cu_event))                                           \
    X(cuEventDestroy_v2, (cu_event))

struct cuprobe {
    struct cudrv d;
#define X(call, args) cu_result(*call) args;
    CUPROBE_CALLS(X)
#undef X
    cu_context context;
    cu_module module;
    cu_function kernel[PROBES];
    cu_stream stream;
    cu_event from, to;
    cu_pointer lead;
    cu_result bad;
    const char *step;
};

/* Device 0, or -1 with the reason in one sentence. */
int cuprobe_open(struct cuprobe *p, char *why, size_t n);
void cuprobe_close(struct cuprobe *p);
int cuprobe_failed(const struct cuprobe *p, char *why, size_t n); /* 0: nothing did */

/* s NULL: the probe's own stream. */
void cuprobe_launch(struct cuprobe *p, enum probe_kernel k, uint32_t grid, const void *args,
                    cu_stream s);
void cuprobe_wait(struct cuprobe *p, cu_stream s);
/* An event into the probe's stream, behind a kernel that keeps the device busy while the host
 * queues what comes after it. */
void cuprobe_begin(struct cuprobe *p);
double cuprobe_end_us(struct cuprobe *p); /* another; waits; device time between the two */
void cuprobe_copy(struct cuprobe *p, bool to_device, cu_pointer device, void *host, size_t bytes,
                  cu_stream s);
cu_stream cuprobe_stream(struct cuprobe *p); /* another one; to cuStreamDestroy_v2 */
cu_pointer cuprobe_alloc(struct cuprobe *p, size_t bytes);
void cuprobe_free(struct cuprobe *p, cu_pointer at);
void *cuprobe_pinned(struct cuprobe *p, size_t bytes, cu_pointer *device); /* device may be NULL */
void cuprobe_unpin(struct cuprobe *p, void *at);
int cuprobe_attribute(struct cuprobe *p, unsigned attribute);
/* What is launched on the probe's stream until cuprobe_graph becomes a graph. */
void cuprobe_capture(struct cuprobe *p);
cu_graph_exec cuprobe_graph(struct cuprobe *p); /* to cuGraphExecDestroy; NULL: failed */

#endif
