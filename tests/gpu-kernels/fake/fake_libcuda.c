/* fake_libcuda.c - a libcuda.so.1 over the PTX interpreter, for tests only.
 *
 * The production cuda backend opens it through MALV_LIBCUDA and runs without
 * knowing.  Device memory is host memory that the interpreter knows about, so
 * an access out of bounds is found; launches are done when they return, and
 * their failure shows, as on a device, at the next synchronisation.  It says
 * it is sm_80 with 2 SMs; FAKE_CUDA changes that: "none" no device, "old" a
 * device too old, "oom" no memory, "hopper" sm_90 (which takes no such cubin),
 * "stays" kernels that answer mail, of up to 4 blocks, run on while the host does.              */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gpu-kernels/cudrv.h"
#include "tests/gpu-kernels/ptx/ptx.h"

enum {
    SUCCESS,
    OUT_OF_MEMORY = 2,
    NO_DEVICE = 100,
    NO_BINARY = 209,
    INVALID_PTX = 218,
    NOT_FOUND = 500,
    LAUNCH_FAILED = 719
};

struct CUfunc_st {
    struct ptx_module *module;
    char name[32];
};
struct CUmod_st {
    struct ptx_module *module;
    struct CUfunc_st functions[8];
    int count;
};

static cu_result pending; /* of a launch, until somebody synchronises */

enum { LAUNCHES_MAX = 16, ARGS_MAX = 256, STAY_MAX = 4 };
struct CUgraph_st {
    struct launch {
        cu_function f;
        unsigned grid, block;
        unsigned char args[ARGS_MAX];
    } launch[LAUNCHES_MAX];
    int n;
};
struct CUstream_st {
    struct CUgraph_st *capture; /* NULL: launches run */
    struct launch staying;      /* a kernel with a thread for each of its blocks */
    pthread_t thread[STAY_MAX];
    unsigned running, done, next; /* threads to be joined; those that have left; are begun */
};

#define X(name, args) cu_result name args;
CUDRV_CALLS(X)
#undef X

static int is(const char *what)
{
    const char *fake = getenv("FAKE_CUDA");
    return fake && !strcmp(fake, what);
}

cu_result cuInit(unsigned flags)
{
    return flags || is("none") ? NO_DEVICE : SUCCESS;
}
cu_result cuDriverGetVersion(int *v)
{
    *v = 12000;
    return SUCCESS;
}
cu_result cuDeviceGetCount(int *n)
{
    *n = 1;
    return SUCCESS;
}
cu_result cuDeviceGet(int *d, int i)
{
    *d = i;
    return i ? NO_DEVICE : SUCCESS;
}
cu_result cuDeviceGetName(char *name, int n, int d)
{
    (void)d;
    snprintf(name, (size_t)n, "PTX interpreter");
    return SUCCESS;
}
cu_result cuDeviceGetAttribute(int *v, unsigned attribute, int d)
{
    (void)d;
    if (attribute == CU_ATTR_SM_COUNT)
        *v = 2;
    else if (attribute == CU_ATTR_MAJOR)
        *v = is("old") ? 7 : is("hopper") ? 9 : 8;
    else
        *v = 0;
    return SUCCESS;
}
cu_result cuDevicePrimaryCtxRetain(cu_context *c, int d)
{
    (void)d;
    *c = (cu_context)&pending;
    return SUCCESS;
}
cu_result cuDevicePrimaryCtxRelease_v2(int d)
{
    (void)d;
    return SUCCESS;
}
cu_result cuCtxSetCurrent(cu_context c)
{
    (void)c;
    return SUCCESS;
}

cu_result cuModuleLoadData(cu_module *m, const void *image)
{
    char why[256];
    if (!memcmp(image, "\177ELF", 4))
        return NO_BINARY; /* cubins are for silicon */
    struct ptx_module *parsed = ptx_load(image, why, sizeof why);
    if (!parsed) {
        fprintf(stderr, "fake libcuda: %s\n", why);
        return INVALID_PTX;
    }
    *m = calloc(1, sizeof **m);
    (*m)->module = parsed;
    return SUCCESS;
}
cu_result cuModuleUnload(cu_module m)
{
    ptx_free(m->module);
    free(m);
    return SUCCESS;
}
cu_result cuModuleGetFunction(cu_function *f, cu_module m, const char *name)
{
    if (!ptx_param_size(m->module, name) || m->count == 8)
        return NOT_FOUND;
    *f = &m->functions[m->count++];
    (*f)->module = m->module;
    snprintf((*f)->name, sizeof(*f)->name, "%s", name);
    return SUCCESS;
}

cu_result cuMemAlloc_v2(cu_pointer *p, size_t size)
{
    void *memory = is("oom") ? NULL : aligned_alloc(256, (size + 255) / 256 * 256);
    if (!memory)
        return OUT_OF_MEMORY;
    memset(memory, 0xa5, size); /* nothing may count on zeros */
    ptx_memory_add(memory, size);
    *p = (uintptr_t)memory;
    return SUCCESS;
}
cu_result cuMemFree_v2(cu_pointer p)
{
    ptx_memory_remove((void *)(uintptr_t)p);
    free((void *)(uintptr_t)p);
    return SUCCESS;
}
cu_result cuMemcpyHtoD_v2(cu_pointer to, const void *from, size_t size)
{
    memcpy((void *)(uintptr_t)to, from, size);
    return SUCCESS;
}
cu_result cuMemHostAlloc(void **p, size_t size, unsigned flags)
{
    cu_pointer made;
    cu_result r = flags == CU_HOST_ALLOC_MAPPED && !is("oom") ? cuMemAlloc_v2(&made, size)
                                                              : (cu_result)OUT_OF_MEMORY;
    if (!r)
        *p = (void *)(uintptr_t)made;
    return r;
}
cu_result cuMemHostGetDevicePointer_v2(cu_pointer *device, void *host, unsigned flags)
{
    (void)flags;
    *device = (uintptr_t)host;
    return SUCCESS;
}
cu_result cuMemFreeHost(void *p)
{
    return cuMemFree_v2((uintptr_t)p);
}

cu_result cuStreamCreate(cu_stream *s, unsigned flags)
{
    (void)flags;
    *s = calloc(1, sizeof **s);
    return SUCCESS;
}
cu_result cuStreamDestroy_v2(cu_stream s)
{
    cuStreamSynchronize(s);
    free(s);
    return SUCCESS;
}
cu_result cuStreamSynchronize(cu_stream s)
{
    while (s->running)
        pthread_join(s->thread[--s->running], NULL);
    cu_result r = pending;
    pending = SUCCESS;
    return r;
}
cu_result cuStreamQuery(cu_stream s)
{
    return __atomic_load_n(&s->done, __ATOMIC_ACQUIRE) < s->running ? CU_NOT_READY : pending;
}

static void execute(const struct launch *l, uint64_t limit, uint32_t only)
{
    char why[512] = "";
    const struct ptx_launch p = {.kernel = l->f->name,
                                 .grid = l->grid,
                                 .block = l->block,
                                 .args = l->args,
                                 .args_size = ptx_param_size(l->f->module, l->f->name),
                                 .step_limit = limit,
                                 .only = only};
    if (!ptx_launch(l->f->module, &p, why, sizeof why))
        return;
    fprintf(stderr, "fake libcuda: %s\n", why);
    pending = LAUNCH_FAILED;
}

static void *stay(void *stream)
{
    cu_stream s = stream;
    execute(&s->staying, UINT64_MAX, __atomic_add_fetch(&s->next, 1, __ATOMIC_RELAXED));
    __atomic_add_fetch(&s->done, 1, __ATOMIC_RELEASE);
    return NULL;
}

static cu_result start(cu_stream s, const struct launch *l)
{
    if (!is("stays") || !strstr(l->f->name, "_mail") || l->grid > STAY_MAX) {
        execute(l, 0, 0);
        return SUCCESS;
    }
    cuStreamSynchronize(s);
    s->staying = *l;
    s->done = s->next = 0;
    while (s->running < l->grid && !pthread_create(&s->thread[s->running], NULL, stay, s))
        s->running++;
    return s->running == l->grid ? SUCCESS : (cu_result)OUT_OF_MEMORY;
}

cu_result cuLaunchKernel(cu_function f, unsigned gx, unsigned gy, unsigned gz, unsigned bx,
                         unsigned by, unsigned bz, unsigned shared, cu_stream s, void **params,
                         void **extra)
{
    (void)extra;
    struct launch l = {.f = f, .grid = gx, .block = bx};
    const size_t size = ptx_param_size(f->module, f->name);
    if (gy != 1 || gz != 1 || by != 1 || bz != 1 || shared || size > sizeof l.args)
        return NOT_FOUND;
    memcpy(l.args, params[0], size);
    if (!s->capture)
        return start(s, &l);
    if (s->capture->n == LAUNCHES_MAX)
        return OUT_OF_MEMORY;
    s->capture->launch[s->capture->n++] = l;
    return SUCCESS;
}

/* ---- graphs: the launches, to be made again ---- */

cu_result cuStreamBeginCapture_v2(cu_stream s, unsigned mode)
{
    if (mode != CU_CAPTURE_RELAXED || s->capture)
        return NOT_FOUND;
    s->capture = calloc(1, sizeof *s->capture);
    return SUCCESS;
}
cu_result cuStreamEndCapture(cu_stream s, cu_graph *g)
{
    *g = s->capture;
    s->capture = NULL;
    return *g ? SUCCESS : (cu_result)NOT_FOUND;
}
cu_result cuGraphInstantiateWithFlags(cu_graph_exec *x, cu_graph g, unsigned long long flags)
{
    (void)flags;
    *x = malloc(sizeof *g);
    memcpy(*x, g, sizeof *g);
    return SUCCESS;
}
cu_result cuGraphLaunch(cu_graph_exec x, cu_stream s)
{
    const struct CUgraph_st *g = (const void *)x;
    for (int i = 0; i < g->n; i++)
        start(s, &g->launch[i]);
    return SUCCESS;
}
cu_result cuGraphExecDestroy(cu_graph_exec x)
{
    free(x);
    return SUCCESS;
}
cu_result cuGraphDestroy(cu_graph g)
{
    free(g);
    return SUCCESS;
}

cu_result cuGetErrorName(cu_result r, const char **name)
{
    *name = r == NO_DEVICE       ? "CUDA_ERROR_NO_DEVICE"
            : r == OUT_OF_MEMORY ? "CUDA_ERROR_OUT_OF_MEMORY"
            : r == INVALID_PTX   ? "CUDA_ERROR_INVALID_PTX"
            : r == LAUNCH_FAILED ? "CUDA_ERROR_LAUNCH_FAILED"
                                 : "CUDA_ERROR_UNKNOWN";
    return SUCCESS;
}
