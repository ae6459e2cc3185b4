/* fake_gpu.c - a libcuda.so.1 of a device whose times are known, for malv calibrate --gpu.
 *
 * Its host clock is fake_now(); nothing else passes time.  Kernels of probe.cu run as C.  The
 * rules: a launch takes the host 2 us; an idle stream begins it 3 us later, a busy one GAP after
 * what it runs, within a graph GRAPH_GAP; 32 kernels run together; a wait takes 0.5 us.
 * FAKE_GPU=none: no device; =broken: launches fail. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gpu-kernels/cuprobe.h"
#include "gpu-kernels/emu.h"
#include "tests/calibrate/fake/fake_gpu.h"
#include "tests/calibrate/fake/fake_memory.h"

#define X(name, args) cu_result name args;
CUDRV_CALLS(X)
CUPROBE_CALLS(X)
#undef X

enum { NO_DEVICE = 100, LAUNCH_FAILED = 719, INVALID = 1, SLOTS = 32, NODES = 512 };

struct CUstream_st {
    double ready; /* ns: what it was given has ended */
};
struct CUevent_st {
    double at;
};
struct CUfunc_st {
    int kernel;
};
struct CUgraph_st {
    int n;
    double ns[NODES];
};

static double host = 1e9, slot[SLOTS], h2d_begin, h2d_end;
static struct CUfunc_st functions[PROBES];
static struct CUgraph_st captured;
static int capturing;
static const struct emu_self *self_of_emu;

static int is(const char *what)
{
    const char *fake = getenv("FAKE_GPU");
    return fake && !strcmp(fake, what);
}

uint64_t fake_now(void)
{
    return (uint64_t)host;
}

/* ---- the device's clock, as a kernel sees it ---- */

static double clock_at, clock_step;
static int in_turns, tenant = -1;

/* Tenants have it in turns: SLICE_NS, then a switch.  Who comes first is the first. */
static double my_turn(double t)
{
    const double period = 2.0 * (FAKE_SLICE_NS + FAKE_SWITCH_NS);
    char dir[64];
    snprintf(dir, sizeof dir, "/tmp/fake-gpu-%d", (int)getppid());
    if (tenant < 0 && (tenant = mkdir(dir, 0700) != 0) == 1)
        rmdir(dir);
    double from = tenant * period / 2, in = fmod(t, period);
    return in < from ? t - in + from : in >= from + FAKE_SLICE_NS ? t - in + period + from : t;
}

static uint64_t device_clock(void)
{
    double t = clock_at;
    clock_at += clock_step;
    if (in_turns)
        clock_at = my_turn(clock_at);
    return (uint64_t)t;
}

static double chase_ns(const struct probe_chase_args *a)
{
    return (double)a->steps *
           (fake_memory_size(a->next) <= FAKE_CACHE ? FAKE_NEAR_NS : FAKE_FAR_NS);
}

/* All threads one after the other; how long the device takes. */
static double run(int kernel, unsigned grid, const void *args)
{
    static emu_kernel *const body[] = {
#define X(name, threads) emu_probe_##name,
        PROBE_KERNELS(X)
#undef X
    };
    static const unsigned threads[] = {
#define X(name, threads) threads,
        PROBE_KERNELS(X)
#undef X
    };
    const struct probe_spin_args *spin = args;
    const struct probe_copy_args *copy = args;
    struct emu_self self = {.grid = {grid, 1, 1}};
    double begin = clock_at = host;
    clock_step = kernel == PROBE_chase ? chase_ns(args) : 500;
    in_turns = kernel == PROBE_spin && spin->gap_ns != UINT64_MAX;
    probe_emu_clock = device_clock;
    self_of_emu = emu_self;
    emu_self = &self;
    for (self.block.x = 0; self.block.x < grid; self.block.x++)
        for (self.thread.x = 0; self.thread.x < threads[kernel]; self.thread.x++)
            body[kernel](args);
    emu_self = self_of_emu;
    if (kernel == PROBE_spin)
        return in_turns ? clock_at - begin : (double)spin->spin_ns;
    if (kernel == PROBE_chase)
        return chase_ns(args);
    double share = fmin(1, (double)grid / FAKE_SMS);
    return kernel == PROBE_copy
               ? 16.0 * (double)copy->n / (FAKE_BANDWIDTH * fmin(1, 2 * share)) * 1e9
               : 200;
}

/* ---- streams ---- */

static void submit(cu_stream s, double ns)
{
    int free_slot = 0;
    double begin = s->ready > host ? s->ready + FAKE_GAP_NS : host + 3000;
    for (int i = 1; i < SLOTS; i++)
        if (slot[i] < slot[free_slot])
            free_slot = i;
    begin = fmax(begin, slot[free_slot]);
    s->ready = slot[free_slot] = begin + ns;
}

cu_result cuLaunchKernel(cu_function f, unsigned gx, unsigned gy, unsigned gz, unsigned bx,
                         unsigned by, unsigned bz, unsigned shared, cu_stream s, void **params,
                         void **extra)
{
    (void)gy, (void)gz, (void)bx, (void)by, (void)bz, (void)shared, (void)extra;
    if (is("broken"))
        return LAUNCH_FAILED;
    double ns = run(f->kernel, gx, params[0]);
    if (capturing && captured.n < NODES) {
        captured.ns[captured.n++] = ns;
        return 0;
    }
    host += 2000;
    submit(s, ns);
    return 0;
}

cu_result cuStreamSynchronize(cu_stream s)
{
    host = fmax(host, s->ready) + 500;
    return 0;
}
cu_result cuStreamQuery(cu_stream s)
{
    return cuStreamSynchronize(s);
}

/* A copy back that meets one to the device: both end as the link's two ways together allow. */
static cu_result copy(const void *host_side, size_t n, cu_stream s, int to_device)
{
    host += 1500;
    double begin = fmax(host, s->ready) + FAKE_COPY_NS, end;
    if (!fake_memory_pinned(host_side))
        end = begin + (double)n / FAKE_PAGEABLE * 1e9;
    else if (!to_device && h2d_end > begin)
        end = h2d_begin + 2.0 * (double)n / FAKE_DUPLEX * 1e9;
    else
        end = begin + (double)n / FAKE_LINK * 1e9;
    if (to_device) {
        h2d_begin = begin;
        h2d_end = end;
    }
    s->ready = end;
    host = fake_memory_pinned(host_side) ? host : end;
    return 0;
}

cu_result cuMemcpyHtoDAsync_v2(cu_pointer to, const void *from, size_t n, cu_stream s)
{
    memcpy((void *)(uintptr_t)to, from, n);
    return copy(from, n, s, 1);
}
cu_result cuMemcpyDtoHAsync_v2(void *to, cu_pointer from, size_t n, cu_stream s)
{
    memcpy(to, (void *)(uintptr_t)from, n);
    return copy(to, n, s, 0);
}

cu_result cuEventRecord(cu_event e, cu_stream s)
{
    host += 300;
    e->at = fmax(host, s->ready);
    return 0;
}
cu_result cuEventSynchronize(cu_event e)
{
    host = fmax(host, e->at) + 500;
    return 0;
}
cu_result cuEventElapsedTime(float *ms, cu_event from, cu_event to)
{
    *ms = (float)((to->at - from->at) / 1e6);
    return 0;
}

/* ---- graphs ---- */

cu_result cuStreamBeginCapture_v2(cu_stream s, unsigned mode)
{
    (void)s, (void)mode;
    capturing = 1;
    captured.n = 0;
    return 0;
}
cu_result cuStreamEndCapture(cu_stream s, cu_graph *g)
{
    (void)s;
    capturing = 0;
    *g = malloc(sizeof captured);
    **g = captured;
    return 0;
}
cu_result cuGraphInstantiateWithFlags(cu_graph_exec *x, cu_graph g, unsigned long long flags)
{
    (void)flags;
    *x = malloc(sizeof *g);
    memcpy(*x, g, sizeof *g);
    return 0;
}
cu_result cuGraphLaunch(cu_graph_exec x, cu_stream s)
{
    const struct CUgraph_st *g = (const void *)x;
    double ns = 0;
    for (int i = 0; i < g->n; i++)
        ns += g->ns[i] + (i ? FAKE_GRAPH_GAP_NS : 0);
    host += 4000;
    submit(s, ns);
    return 0;
}
cu_result cuGraphExecDestroy(cu_graph_exec x)
{
    free(x);
    return 0;
}
cu_result cuGraphDestroy(cu_graph g)
{
    free(g);
    return 0;
}

/* ---- things to have; memory is fake_memory.c ---- */

cu_result cuStreamCreate(cu_stream *s, unsigned flags)
{
    *s = calloc(1, sizeof **s);
    return *s && flags == CU_STREAM_OWN ? 0 : INVALID;
}
cu_result cuStreamDestroy_v2(cu_stream s)
{
    free(s);
    return 0;
}
cu_result cuEventCreate(cu_event *e, unsigned flags)
{
    *e = calloc(1, sizeof **e);
    return flags;
}
cu_result cuEventDestroy_v2(cu_event e)
{
    free(e);
    return 0;
}

/* ---- what it is ---- */

cu_result cuInit(unsigned flags)
{
    return flags || is("none") ? NO_DEVICE : 0;
}
cu_result cuDriverGetVersion(int *v)
{
    *v = 12040;
    return 0;
}
cu_result cuDeviceGetCount(int *n)
{
    *n = 1;
    return 0;
}
cu_result cuDeviceGet(int *d, int i)
{
    *d = i;
    return 0;
}
cu_result cuDeviceGetName(char *name, int n, int d)
{
    (void)d;
    snprintf(name, (size_t)n, "device of known times");
    return 0;
}
cu_result cuDeviceTotalMem_v2(size_t *n, int d)
{
    *n = (size_t)(d + 16) << 30;
    return 0;
}
cu_result cuDeviceGetAttribute(int *v, unsigned attribute, int d)
{
    (void)d;
    *v = attribute == CU_ATTR_SM_COUNT           ? FAKE_SMS
         : attribute == CU_ATTR_MAJOR            ? 7
         : attribute == CU_ATTR_MINOR            ? 5
         : attribute == CU_ATTR_COPY_ENGINES     ? 3
         : attribute == CU_ATTR_THREADS_PER_SM   ? 1024
         : attribute == CU_ATTR_SMEM_PER_SM      ? 65536
         : attribute == CU_ATTR_REGISTERS_PER_SM ? 65536
                                                 : 16;
    return 0;
}
cu_result cuDevicePrimaryCtxRetain(cu_context *c, int d)
{
    (void)d;
    *c = (cu_context)&host;
    return 0;
}
cu_result cuDevicePrimaryCtxRelease_v2(int d)
{
    return (cu_result)d;
}
cu_result cuCtxSetCurrent(cu_context c)
{
    return c ? 0 : INVALID;
}
cu_result cuModuleLoadData(cu_module *m, const void *image)
{
    *m = (cu_module)&functions;
    return strstr(image, "probe_spin") ? 0 : INVALID;
}
cu_result cuModuleUnload(cu_module m)
{
    return m ? 0 : INVALID;
}
cu_result cuModuleGetFunction(cu_function *f, cu_module m, const char *name)
{
    static const char *const names[] = {
#define X(n, threads) "probe_" #n,
        PROBE_KERNELS(X)
#undef X
    };
    (void)m;
    for (int i = 0; i < PROBES; i++)
        if (!strcmp(name, names[i])) {
            functions[i].kernel = i;
            *f = &functions[i];
            return 0;
        }
    return INVALID;
}
cu_result cuGetErrorName(cu_result r, const char **name)
{
    *name = r == NO_DEVICE ? "CUDA_ERROR_NO_DEVICE" : "CUDA_ERROR_LAUNCH_FAILED";
    return 0;
}
