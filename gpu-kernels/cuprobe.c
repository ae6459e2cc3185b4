/* cuprobe.c - see cuprobe.h; kernels.mk defines PROBE_PTX, a file name. */
#include "gpu-kernels/cuprobe.h"

#include <string.h>

#include "gpu-kernels/backend.h"
#include "gpu-kernels/beside.h"

#if defined(PROBE_PTX)
__asm__(".pushsection .rodata\n"
        ".balign 16\n"
        "probe_image_text:\n"
        ".incbin \"" PROBE_PTX "\"\n"
        ".byte 0\n"
        ".popsection\n");
extern const char probe_image_text[] __attribute__((visibility("hidden")));
static const char *const probe_ptx = probe_image_text;
#else
static const char *const probe_ptx = NULL;
#endif

static bool fine(struct cuprobe *p, cu_result r, const char *step)
{
    if (r && !p->bad) {
        p->bad = r;
        p->step = step;
    }
    return !p->bad;
}

int cuprobe_failed(const struct cuprobe *p, char *why, size_t n)
{
    return p->bad ? infer_fail(why, n, "%s on %s failed: %s", p->step, p->d.name,
                               cudrv_error(&p->d, p->bad))
                  : 0;
}

static int find_calls(struct cuprobe *p, char *why, size_t n)
{
    void *found;
#define X(call, args)                                                                              \
    found = beside_symbol(p->d.library, #call);                                                    \
    if (!found)                                                                                    \
        return infer_fail(why, n, "the NVIDIA driver is too old, it lacks " #call);                \
    memcpy(&p->call, &found, sizeof found);
    CUPROBE_CALLS(X)
#undef X
    return 0;
}

static void find_kernels(struct cuprobe *p)
{
    static const char *const names[] = {
#define X(name, threads) "probe_" #name,
        PROBE_KERNELS(X)
#undef X
    };
    for (int i = 0; i < PROBES && !p->bad; i++)
        fine(p, p->d.cuModuleGetFunction(&p->kernel[i], p->module, names[i]), "finding a kernel");
}

static int prepare(struct cuprobe *p, char *why, size_t n)
{
    const struct cudrv *d = &p->d;
    if (find_calls(p, why, n))
        return -1;
    if (!probe_ptx)
        return infer_fail(why, n, "this build has no PTX (neither nvcc nor clang was there)");
    if (fine(p, d->cuDevicePrimaryCtxRetain(&p->context, d->device), "opening a context") &&
        fine(p, d->cuCtxSetCurrent(p->context), "entering the context") &&
        fine(p, d->cuModuleLoadData(&p->module, probe_ptx), "loading the kernels"))
        find_kernels(p);
    p->stream = cuprobe_stream(p);
    if (!p->bad && fine(p, p->cuEventCreate(&p->from, 0), "making an event"))
        fine(p, p->cuEventCreate(&p->to, 0), "making an event");
    p->lead = cuprobe_alloc(p, sizeof(struct probe_spins));
    return cuprobe_failed(p, why, n);
}

int cuprobe_open(struct cuprobe *p, char *why, size_t n)
{
    *p = (struct cuprobe){0};
    if (cudrv_any(&p->d, why, n))
        return -1;
    if (!prepare(p, why, n))
        return 0;
    cuprobe_close(p);
    return -1;
}

void cuprobe_close(struct cuprobe *p)
{
    cuprobe_free(p, p->lead);
    if (p->from)
        p->cuEventDestroy_v2(p->from);
    if (p->to)
        p->cuEventDestroy_v2(p->to);
    if (p->stream)
        p->d.cuStreamDestroy_v2(p->stream);
    if (p->module)
        p->d.cuModuleUnload(p->module);
    if (p->context)
        p->d.cuDevicePrimaryCtxRelease_v2(p->d.device);
    cudrv_close(&p->d);
}

void cuprobe_launch(struct cuprobe *p, enum probe_kernel k, uint32_t grid, const void *args,
                    cu_stream s)
{
    static const unsigned threads[] = {
#define X(name, threads) threads,
        PROBE_KERNELS(X)
#undef X
    };
    void *params[1];
    memcpy(params, &args, sizeof args);
    if (!p->bad)
        fine(p,
             p->d.cuLaunchKernel(p->kernel[k], grid, 1, 1, threads[k], 1, 1, 0, s ? s : p->stream,
                                 params, NULL),
             "launching a kernel");
}

void cuprobe_wait(struct cuprobe *p, cu_stream s)
{
    if (!p->bad)
        fine(p, p->d.cuStreamSynchronize(s ? s : p->stream), "running a kernel");
}

enum { LEAD_NS = 500000 };

void cuprobe_begin(struct cuprobe *p)
{
    const struct probe_spin_args lead = {(void *)(uintptr_t)p->lead, LEAD_NS, UINT64_MAX};
    cuprobe_launch(p, PROBE_spin, 1, &lead, NULL);
    if (!p->bad)
        fine(p, p->cuEventRecord(p->from, p->stream), "recording an event");
}

double cuprobe_end_us(struct cuprobe *p)
{
    float ms = 0;
    if (!p->bad && fine(p, p->cuEventRecord(p->to, p->stream), "recording an event") &&
        fine(p, p->cuEventSynchronize(p->to), "waiting for an event"))
        fine(p, p->cuEventElapsedTime(&ms, p->from, p->to), "reading an event");
    return 1e3 * (double)ms;
}

void cuprobe_copy(struct cuprobe *p, bool to_device, cu_pointer device, void *host, size_t bytes,
                  cu_stream s)
{
    s = s ? s : p->stream;
    if (!p->bad)
        fine(p,
             to_device ? p->cuMemcpyHtoDAsync_v2(device, host, bytes, s)
                       : p->cuMemcpyDtoHAsync_v2(host, device, bytes, s),
             "copying");
}

cu_stream cuprobe_stream(struct cuprobe *p)
{
    cu_stream s = NULL;
    if (!p->bad)
        fine(p, p->d.cuStreamCreate(&s, CU_STREAM_OWN), "making a stream");
    return s;
}

cu_pointer cuprobe_alloc(struct cuprobe *p, size_t bytes)
{
    cu_pointer at = 0;
    if (!p->bad)
        fine(p, p->d.cuMemAlloc_v2(&at, bytes), "taking memory");
    return at;
}

void cuprobe_free(struct cuprobe *p, cu_pointer at)
{
    if (at)
        p->d.cuMemFree_v2(at);
}

void *cuprobe_pinned(struct cuprobe *p, size_t bytes, cu_pointer *device)
{
    void *at = NULL;
    if (!p->bad && fine(p, p->d.cuMemHostAlloc(&at, bytes, CU_HOST_ALLOC_MAPPED), "pinning") &&
        device)
        fine(p, p->d.cuMemHostGetDevicePointer_v2(device, at, 0), "pinning");
    return at;
}

void cuprobe_unpin(struct cuprobe *p, void *at)
{
    if (at)
        p->d.cuMemFreeHost(at);
}

int cuprobe_attribute(struct cuprobe *p, unsigned attribute)
{
    int v = 0;
    if (!p->bad)
        fine(p, p->d.cuDeviceGetAttribute(&v, attribute, p->d.device), "asking the device");
    return v;
}

void cuprobe_capture(struct cuprobe *p)
{
    if (!p->bad)
        fine(p, p->d.cuStreamBeginCapture_v2(p->stream, CU_CAPTURE_RELAXED), "capturing a graph");
}

cu_graph_exec cuprobe_graph(struct cuprobe *p)
{
    cu_graph graph = NULL;
    cu_graph_exec exec = NULL;
    if (!p->bad && fine(p, p->d.cuStreamEndCapture(p->stream, &graph), "capturing a graph"))
        fine(p, p->d.cuGraphInstantiateWithFlags(&exec, graph, 0), "making a graph");
    if (graph)
        p->d.cuGraphDestroy(graph);
    return exec;
}
