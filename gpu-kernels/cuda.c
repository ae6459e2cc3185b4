/* cuda.c - the cuda backend.
 *
 * Weights are copied to the device once.  A batch travels through two pinned
 * buffers that the GPU reads and writes in host memory: for a few kilobytes
 * that is quicker than a copy each way, each of which costs as much as the
 * launch itself (published: 6-7 us a small copy, NVIDIA/gdrcopy README).    */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gpu-kernels/backend.h"
#include "gpu-kernels/beside.h"
#include "gpu-kernels/cuda_image.h"
#include "gpu-kernels/cudrv.h"
#include "gpu-kernels/grid.h"

enum { ROWS_MAX = 4096, BLOCKS_PER_SM = 2 }; /* of one launch; more rows take turns */

struct pinned {
    void *host;
    cu_pointer device;
};

struct cuda {
    struct cudrv drv;
    cu_context context;
    cu_module module;
    cu_stream stream;
    cu_function kernel[GRID_KERNELS];
    struct pinned x, y;
};

struct cuda_model {
    struct cuda *on;
    struct pack pack;
    cu_pointer w1, w2, bias1, bias2, layers;
};

/* `step` in a failing call's sentence. */
static int check(const struct cuda *c, cu_result r, const char *step, char *why, size_t n)
{
    return r ? infer_fail(why, n, "%s on %s failed: %s", step, c->drv.name, cudrv_error(&c->drv, r))
             : 0;
}

static int load_module(struct cuda *c, char *why, size_t n)
{
    void *library;
    const void *cubin = cuda_image_cubin(c->drv.arch, &library);
    cu_result r = cubin ? c->drv.cuModuleLoadData(&c->module, cubin) : 1;
    beside_close(library);
    if (!r)
        return 0;
    if (!cuda_image_ptx)
        return infer_fail(why, n, "this build has no PTX (neither nvcc nor clang was there)");
    return check(c, c->drv.cuModuleLoadData(&c->module, cuda_image_ptx), "loading the kernels", why,
                 n);
}

static cu_result pin(struct cuda *c, struct pinned *p, size_t size)
{
    cu_result r = c->drv.cuMemHostAlloc(&p->host, size, CU_HOST_ALLOC_MAPPED);
    return r ? r : c->drv.cuMemHostGetDevicePointer_v2(&p->device, p->host, 0);
}

static int find_kernels(struct cuda *c, char *why, size_t n)
{
    for (int i = 0; i < GRID_KERNELS; i++)
        if (check(c, c->drv.cuModuleGetFunction(&c->kernel[i], c->module, grid_kernels[i]),
                  grid_kernels[i], why, n))
            return -1;
    return 0;
}

static int prepare(struct cuda *c, char *why, size_t n)
{
    const struct cudrv *d = &c->drv;
    if (check(c, d->cuDevicePrimaryCtxRetain(&c->context, d->device), "opening a context", why,
              n) ||
        check(c, d->cuCtxSetCurrent(c->context), "entering the context", why, n) ||
        load_module(c, why, n) || find_kernels(c, why, n) ||
        check(c, d->cuStreamCreate(&c->stream, CU_STREAM_OWN), "making a stream", why, n) ||
        check(c, pin(c, &c->x, ROWS_MAX * MLP_IN_MAX * sizeof(float)), "pinning memory", why, n) ||
        check(c, pin(c, &c->y, ROWS_MAX * MLP_OUT_MAX * sizeof(float)), "pinning memory", why, n))
        return -1;
    return 0;
}

static void close_cuda(void *self)
{
    struct cuda *c = self;
    const struct cudrv *d = &c->drv;
    if (c->x.host)
        d->cuMemFreeHost(c->x.host);
    if (c->y.host)
        d->cuMemFreeHost(c->y.host);
    if (c->stream)
        d->cuStreamDestroy_v2(c->stream);
    if (c->module)
        d->cuModuleUnload(c->module);
    if (c->context)
        d->cuDevicePrimaryCtxRelease_v2(d->device);
    cudrv_close(&c->drv);
    free(c);
}

static int open_cuda(void **self, char *name, size_t name_size, char *why, size_t n)
{
    struct cuda *c = calloc(1, sizeof *c);
    if (!c)
        return infer_fail(why, n, "out of memory");
    if (cudrv_open(&c->drv, why, n) || prepare(c, why, n)) {
        close_cuda(c);
        return -1;
    }
    snprintf(name, name_size, "cuda (%s)", c->drv.name);
    *self = c;
    return 0;
}

static void unload_cuda(void *model)
{
    struct cuda_model *m = model;
    const cu_pointer owned[] = {m->w1, m->w2, m->bias1, m->bias2, m->layers};
    for (int i = 0; i < 5; i++)
        if (owned[i])
            m->on->drv.cuMemFree_v2(owned[i]);
    pack_free(&m->pack);
    free(m);
}

static int upload(const struct cuda *c, cu_pointer *to, const void *from, size_t size, char *why,
                  size_t n)
{
    if (check(c, c->drv.cuMemAlloc_v2(to, size), "allocating memory", why, n))
        return -1;
    return check(c, c->drv.cuMemcpyHtoD_v2(*to, from, size), "copying weights", why, n);
}

static int upload_all(struct cuda_model *m, char *why, size_t n)
{
    const struct pack *p = &m->pack;
    const struct cuda *c = m->on;
    const bool f32 = p->layout == PACK_F32; /* biases are 4 bytes either way */
    if (upload(c, &m->w1, p->w1, p->w1_size, why, n) ||
        upload(c, &m->w2, p->w2, p->w2_size, why, n) ||
        upload(c, &m->bias1, f32 ? (void *)p->b1 : p->c1, p->bias1_size, why, n) ||
        upload(c, &m->bias2, f32 ? (void *)p->b2 : p->c2, MLP_OUT_MAX * 4, why, n) ||
        upload(c, &m->layers, p->table, sizeof p->table, why, n))
        return -1;
    return 0;
}

static int load_cuda(void *self, const struct infer_mlp *net, void **model, char *why, size_t n)
{
    struct cuda_model *m = calloc(1, sizeof *m);
    if (!m || !pack_make(&m->pack, net, net->type == INFER_F32 ? PACK_F32 : PACK_MMA)) {
        free(m);
        return infer_fail(why, n, "out of memory");
    }
    m->on = self;
    if (check(m->on, m->on->drv.cuCtxSetCurrent(m->on->context), "entering the context", why, n) ||
        upload_all(m, why, n)) {
        unload_cuda(m);
        return -1;
    }
    *model = m;
    return 0;
}

static void *at(cu_pointer p)
{
    return (void *)(uintptr_t)p;
}

static int run_some(const struct cuda_model *m, uint32_t rows, const float *in, float *out,
                    char *why, size_t n)
{
    const struct cuda *c = m->on;
    const struct grid_places places = {at(c->x.device), at(m->w1),       at(m->w2),    at(m->bias1),
                                       at(m->bias2),    at(c->y.device), at(m->layers)};
    struct grid g;
    void *args[] = {&g.args};
    grid_plan(&g, &m->pack, &places, rows, (uint32_t)c->drv.sm_count * BLOCKS_PER_SM);
    grid_stage(&m->pack, c->x.host, in, rows);
    if (check(c,
              c->drv.cuLaunchKernel(c->kernel[g.kernel], g.blocks, 1, 1, g.threads, 1, 1, 0,
                                    c->stream, args, NULL),
              "launching a kernel", why, n) ||
        check(c, c->drv.cuStreamSynchronize(c->stream), grid_kernels[g.kernel], why, n))
        return -1;
    memcpy(out, c->y.host, (size_t)rows * m->pack.n_out * sizeof *out);
    return 0;
}

static int run_cuda(void *model, uint32_t rows, const float *in, float *out, char *why, size_t n)
{
    const struct cuda_model *m = model;
    const struct cuda *c = m->on;
    if (check(c, c->drv.cuCtxSetCurrent(c->context), "entering the context", why, n))
        return -1;
    while (rows) {
        uint32_t some = rows < ROWS_MAX ? rows : ROWS_MAX;
        if (run_some(m, some, in, out, why, n))
            return -1;
        rows -= some;
        in += (size_t)some * m->pack.n_in;
        out += (size_t)some * m->pack.n_out;
    }
    return 0;
}

const struct infer_ops infer_cuda = {open_cuda, close_cuda, load_cuda, unload_cuda, run_cuda};
