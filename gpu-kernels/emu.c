/* emu.c - the emu backend: the .cu itself, block by block, on fibers. */
#include <stdio.h>
#include <stdlib.h>

#include "gpu-kernels/backend.h"
#include "gpu-kernels/emu_block.h"
#include "gpu-kernels/kind.h"
#include "gpu-kernels/pack.h"

enum { BLOCKS = 4 }; /* few, so that blocks stride as they do on a full GPU */

struct emu_model {
    struct emu *device;
    const struct kind *kind;
    struct kind_pack pack;
};

static int open_emu(void **self, char *name, size_t name_size, char *why, size_t n)
{
    *self = emu_new();
    snprintf(name, name_size, "emu");
    return *self ? 0 : infer_fail(why, n, "out of memory");
}

static void close_emu(void *self)
{
    emu_free(self);
}

static int load_emu(void *self, const struct infer_net *net, void **model, char *why, size_t n)
{
    struct emu_model *made = calloc(1, sizeof *made);
    if (!made || !kind_of(net)->pack(&made->pack, net)) {
        free(made);
        return infer_fail(why, n, "out of memory");
    }
    made->device = self;
    made->kind = kind_of(net);
    *model = made;
    return 0;
}

static void unload_emu(void *model)
{
    struct emu_model *m = model;
    m->kind->unpack(&m->pack);
    free(m);
}

static int launch(struct emu_model *m, const struct kind_places *at, uint32_t rows, char *why,
                  size_t n)
{
    struct kind_launch l[KIND_LAUNCHES];
    const uint32_t count = m->kind->plan(&m->pack, at, rows, BLOCKS, l);
    for (uint32_t i = 0; i < count; i++)
        if (emu_launch(m->device, m->kind->emu[l[i].kernel], l[i].blocks, l[i].threads, l[i].args,
                       NULL))
            return infer_fail(why, n, "emu: %s", m->device->why);
    return 0;
}

static int run_some(struct emu_model *m, uint32_t rows, const float *in, float *out, char *why,
                    size_t n)
{
    const struct kind_pack *p = &m->pack;
    void *x = pack_alloc(rows * p->row_size);
    void *scratch = pack_alloc(p->scratch + rows * p->row_scratch);
    int rc = x && scratch ? 0 : infer_fail(why, n, "out of memory");
    if (!rc) {
        struct kind_places at = {.x = x, .y = out, .scratch = scratch};
        for (uint32_t i = 0; i < p->n_blobs; i++)
            at.blob[i] = p->blob[i].at;
        m->kind->stage(p, x, in, rows);
        rc = launch(m, &at, rows, why, n);
    }
    free(x);
    free(scratch);
    return rc;
}

static int run_emu(void *model, uint32_t rows, const float *in, float *out, char *why, size_t n)
{
    struct emu_model *m = model;
    int rc = 0;
    for (uint32_t some; rows && !rc; rows -= some) {
        some = rows < KIND_ROWS_MAX ? rows : KIND_ROWS_MAX;
        rc = run_some(m, some, in, out, why, n);
        in += (size_t)some * m->pack.n_in;
        out += (size_t)some * m->pack.n_out;
    }
    return rc;
}

const struct infer_ops infer_emu = {
    .open = open_emu, .close = close_emu, .load = load_emu, .unload = unload_emu, .run = run_emu};
