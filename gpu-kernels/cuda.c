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
#include "gpu-kernels/cuda_graph.h"
#include "gpu-kernels/cuda_image.h"
#include "gpu-kernels/cuda_mail.h"

enum { ROW_USUAL = 256 /* bytes: most networks fit */ };

int cuda_check(const struct cuda *c, cu_result r, const char *step, char *why, size_t n)
{
    return r ? infer_fail(why, n, "%s on %s failed: %s", step, c->drv.name, cudrv_error(&c->drv, r))
             : 0;
}

static int load_image(struct cuda *c, const char *kind, cu_module *to, char *why, size_t n)
{
    void *library;
    const void *cubin = cuda_image_cubin(kind, c->drv.arch, &library);
    cu_result r = cubin ? c->drv.cuModuleLoadData(to, cubin) : 1;
    beside_close(library);
    if (!r)
        return 0;
    const char *ptx = cuda_image_ptx(kind);
    if (!ptx)
        return infer_fail(why, n, "this build has no PTX (neither nvcc nor clang was there)");
    return cuda_check(c, c->drv.cuModuleLoadData(to, ptx), "loading the kernels", why, n);
}

static int load_kind(struct cuda *c, const struct kind *kind, struct cuda_module *m, char *why,
                     size_t n)
{
    if (m->module)
        return 0;
    if (load_image(c, kind->name, &m->module, why, n))
        return -1;
    for (uint32_t i = 0; i < kind->n_kernels; i++)
        if (cuda_check(c, c->drv.cuModuleGetFunction(&m->kernel[i], m->module, kind->kernels[i]),
                       kind->kernels[i], why, n))
            return -1;
    return 0;
}

/* At least `size` bytes that the GPU sees too; what was there is lost. */
static int pin(struct cuda *c, struct cuda_pinned *p, size_t size, char *why, size_t n)
{
    if (p->size >= size)
        return 0;
    if (p->host)
        c->drv.cuMemFreeHost(p->host);
    *p = (struct cuda_pinned){0};
    c->moved++;
    if (cuda_check(c, c->drv.cuMemHostAlloc(&p->host, size, CU_HOST_ALLOC_MAPPED), "pinning memory",
                   why, n))
        return -1;
    p->size = size;
    return cuda_check(c, c->drv.cuMemHostGetDevicePointer_v2(&p->device, p->host, 0),
                      "pinning memory", why, n);
}

static int prepare(struct cuda *c, char *why, size_t n)
{
    const struct cudrv *d = &c->drv;
    if (cuda_check(c, d->cuDevicePrimaryCtxRetain(&c->context, d->device), "opening a context", why,
                   n) ||
        cuda_check(c, d->cuCtxSetCurrent(c->context), "entering the context", why, n) ||
        cuda_check(c, d->cuStreamCreate(&c->stream, CU_STREAM_OWN), "making a stream", why, n) ||
        /* What is bound to go wrong does so now, while `auto` can turn to another backend. */
        load_kind(c, &kind_mlp, &c->module[INFER_MLP], why, n) ||
        pin(c, &c->x, ROW_USUAL * KIND_ROWS_MAX, why, n) ||
        pin(c, &c->y, ROW_USUAL * KIND_ROWS_MAX, why, n))
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
    if (c->scratch)
        d->cuMemFree_v2(c->scratch);
    for (int i = 0; i < INFER_KINDS; i++)
        if (c->module[i].module)
            d->cuModuleUnload(c->module[i].module);
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
    cuda_mail_close(m->mail); /* its kernel reads the weights */
    cuda_graphs_close(m->graphs, m->on);
    for (int i = 0; i < KIND_BLOBS; i++)
        if (m->blob[i])
            m->on->drv.cuMemFree_v2(m->blob[i]);
    m->kind->unpack(&m->pack);
    free(m);
}

static int upload(const struct cuda *c, cu_pointer *to, const void *from, size_t size, char *why,
                  size_t n)
{
    if (cuda_check(c, c->drv.cuMemAlloc_v2(to, size), "allocating memory", why, n))
        return -1;
    return cuda_check(c, c->drv.cuMemcpyHtoD_v2(*to, from, size), "copying weights", why, n);
}

static int upload_all(struct cuda_model *m, char *why, size_t n)
{
    for (uint32_t i = 0; i < m->pack.n_blobs; i++)
        if (upload(m->on, &m->blob[i], m->pack.blob[i].at, m->pack.blob[i].size, why, n))
            return -1;
    return 0;
}

/* What a full batch of this network needs, of what all networks share. */
static int make_room(struct cuda *c, const struct kind_pack *p, char *why, size_t n)
{
    const size_t scratch = p->scratch + p->row_scratch * KIND_ROWS_MAX;
    if (pin(c, &c->x, p->row_size * KIND_ROWS_MAX, why, n) ||
        pin(c, &c->y, sizeof(float) * p->n_out * KIND_ROWS_MAX, why, n))
        return -1;
    if (c->scratch_size >= scratch)
        return 0;
    if (c->scratch)
        c->drv.cuMemFree_v2(c->scratch);
    c->scratch = 0;
    c->scratch_size = 0;
    c->moved++;
    if (cuda_check(c, c->drv.cuMemAlloc_v2(&c->scratch, scratch), "allocating memory", why, n))
        return -1;
    c->scratch_size = scratch;
    return 0;
}

static int load_cuda(void *self, const struct infer_net *net, void **model, char *why, size_t n)
{
    struct cuda *c = self;
    struct cuda_model *m = calloc(1, sizeof *m);
    if (!m || !kind_of(net)->pack(&m->pack, net)) {
        free(m);
        return infer_fail(why, n, "out of memory");
    }
    m->on = c;
    m->kind = kind_of(net);
    m->module = &c->module[net->kind];
    if (cuda_check(c, c->drv.cuCtxSetCurrent(c->context), "entering the context", why, n) ||
        load_kind(c, m->kind, &c->module[net->kind], why, n) || make_room(c, &m->pack, why, n) ||
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

int cuda_launch(const struct cuda_model *m, struct kind_launch *l, cu_stream on, char *why,
                size_t n)
{
    const struct cuda *c = m->on;
    void *args[] = {l->args};
    return cuda_check(c,
                      c->drv.cuLaunchKernel(m->module->kernel[l->kernel], l->blocks, 1, 1,
                                            l->threads, 1, 1, 0, on, args, NULL),
                      "launching a kernel", why, n);
}

struct kind_places cuda_places(const struct cuda_model *m)
{
    const struct cuda *c = m->on;
    struct kind_places places = {
        .x = at(c->x.device), .y = at(c->y.device), .scratch = at(c->scratch)};
    for (int i = 0; i < KIND_BLOBS; i++)
        places.blob[i] = at(m->blob[i]);
    return places;
}

static int go(struct cuda_model *m, uint32_t rows, char *why, size_t n)
{
    const struct cuda *c = m->on;
    const struct kind_places places = cuda_places(m);
    struct kind_launch l[KIND_LAUNCHES];
    const uint32_t count =
        m->kind->plan(&m->pack, &places, rows, (uint32_t)c->drv.sm_count * CUDA_BLOCKS_PER_SM, l);
    if (c->submit != INFER_LAUNCH)
        return cuda_graphs_run(m, rows, l, count, why, n);
    for (uint32_t i = 0; i < count; i++)
        if (cuda_launch(m, &l[i], c->stream, why, n))
            return -1;
    return 0;
}

static int run_some(struct cuda_model *m, uint32_t rows, const float *in, float *out, char *why,
                    size_t n)
{
    const struct cuda *c = m->on;
    m->kind->stage(&m->pack, c->x.host, in, rows);
    if (go(m, rows, why, n) ||
        cuda_check(c, c->drv.cuStreamSynchronize(c->stream), m->kind->name, why, n))
        return -1;
    memcpy(out, c->y.host, (size_t)rows * m->pack.n_out * sizeof *out);
    return 0;
}

static int run_cuda(void *model, uint32_t rows, const float *in, float *out, char *why, size_t n)
{
    struct cuda_model *m = model;
    const struct cuda *c = m->on;
    if (cuda_check(c, c->drv.cuCtxSetCurrent(c->context), "entering the context", why, n))
        return -1;
    if (c->submit == INFER_MAIL && cuda_mail_holds(m, rows))
        return cuda_mail_run(m, rows, in, out, why, n);
    while (rows) {
        uint32_t some = rows < KIND_ROWS_MAX ? rows : KIND_ROWS_MAX;
        if (run_some(m, some, in, out, why, n))
            return -1;
        rows -= some;
        in += (size_t)some * m->pack.n_in;
        out += (size_t)some * m->pack.n_out;
    }
    return 0;
}

static void submit_cuda(void *self, enum infer_submit how, uint32_t looks)
{
    struct cuda *c = self;
    c->submit = how;
    c->looks = looks;
}

const struct infer_ops infer_cuda = {.open = open_cuda,
                                     .close = close_cuda,
                                     .submit = submit_cuda,
                                     .load = load_cuda,
                                     .unload = unload_cuda,
                                     .run = run_cuda};
