/* emu.c - the emu backend: the .cu itself, block by block, on fibers. */
#include <stdio.h>
#include <stdlib.h>

#include "gpu-kernels/backend.h"
#include "gpu-kernels/emu_block.h"
#include "gpu-kernels/grid.h"

emu_kernel emu_mlp_f32, emu_mlp_s8, emu_mlp_deep_f32, emu_mlp_deep_s8; /* mlp.cu, as C */
static emu_kernel *const kernels[GRID_KERNELS] = {emu_mlp_f32, emu_mlp_s8, emu_mlp_deep_f32,
                                                  emu_mlp_deep_s8};

enum { BLOCKS = 4 }; /* few, so that blocks stride as they do on a full GPU */

struct emu_model {
    struct emu *device;
    struct pack pack;
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

static int load_emu(void *self, const struct infer_mlp *m, void **model, char *why, size_t n)
{
    struct emu_model *made = calloc(1, sizeof *made);
    if (!made || !pack_make(&made->pack, m, m->type == INFER_F32 ? PACK_F32 : PACK_MMA)) {
        free(made);
        return infer_fail(why, n, "out of memory");
    }
    made->device = self;
    *model = made;
    return 0;
}

static void unload_emu(void *model)
{
    struct emu_model *m = model;
    pack_free(&m->pack);
    free(m);
}

static int run_emu(void *model, uint32_t rows, const float *in, float *out, char *why, size_t n)
{
    struct emu_model *m = model;
    const struct pack *p = &m->pack;
    const bool f32 = p->layout == PACK_F32;
    void *x = pack_alloc(rows * grid_row_size(p));
    if (!x)
        return infer_fail(why, n, "out of memory");
    grid_stage(p, x, in, rows);
    struct grid_places at = {.x = x,
                             .w1 = p->w1,
                             .w2 = p->w2,
                             .bias1 = f32 ? (void *)p->b1 : p->c1,
                             .bias2 = f32 ? (void *)p->b2 : p->c2,
                             .y = out,
                             .layers = p->table};
    struct grid g;
    grid_plan(&g, p, &at, rows, BLOCKS);
    int bad = emu_launch(m->device, kernels[g.kernel], g.blocks, g.threads, &g.args, NULL);
    free(x);
    return bad ? infer_fail(why, n, "emu: %s", m->device->why) : 0;
}

const struct infer_ops infer_emu = {open_emu, close_emu, load_emu, unload_emu, run_emu};
