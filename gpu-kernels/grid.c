/* grid.c - see grid.h */
#include <assert.h>
#include <string.h>

#include "gpu-kernels/grid.h"
#include "gpu-kernels/quant.h"

const char *const grid_kernels[GRID_KERNELS] = {"mlp_f32",     "mlp_s8",       "mlp_deep_f32",
                                                "mlp_deep_s8", "mlp_f32_mail", "mlp_s8_mail"};

/* A narrow network leaves warps of a block idle, unless the block takes more
 * than one tile of rows: the largest power of two of tiles that fits. */
static uint32_t slots_for(uint32_t chunks)
{
    uint32_t slots = MLP_WARPS;
    while (slots > 1 && slots * chunks > MLP_WARPS)
        slots /= 2;
    return slots;
}

static uint32_t grid_for(uint32_t rows, uint32_t rows_per_block, uint32_t blocks)
{
    uint32_t grid = (rows + rows_per_block - 1) / rows_per_block;
    return grid < blocks ? grid : blocks;
}

/* The last layer's chunks: the outputs are sums over them. */
static uint32_t last_chunks(const struct pack *p)
{
    return p->table[p->n_layers - 1].chunks;
}

static void plan_f32(struct grid *g, const struct pack *p, const struct grid_places *at,
                     uint32_t rows, uint32_t blocks)
{
    uint32_t slots = slots_for(p->chunks);
    g->kernel = GRID_F32;
    g->args_size = sizeof g->args.f32;
    g->blocks = grid_for(rows, slots * MLP_F32_ROWS, blocks);
    g->args.f32 = (struct mlp_f32_args){.x = at->x,
                                        .w1 = at->w1,
                                        .b1 = at->bias1,
                                        .w2 = at->w2,
                                        .b2 = at->bias2,
                                        .y = at->y,
                                        .rows = rows,
                                        .n_in = p->n_in,
                                        .k_pad = p->k_pad,
                                        .chunks = last_chunks(p),
                                        .n_out = p->n_out,
                                        .slots = slots};
}

static void plan_s8(struct grid *g, const struct pack *p, const struct grid_places *at,
                    uint32_t rows, uint32_t blocks)
{
    uint32_t slots = slots_for(p->chunks);
    g->kernel = GRID_S8;
    g->args_size = sizeof g->args.s8;
    g->blocks = grid_for(rows, slots * MLP_S8_ROWS, blocks);
    g->args.s8 = (struct mlp_s8_args){.x = at->x,
                                      .w1 = at->w1,
                                      .w2 = at->w2,
                                      .c1 = at->bias1,
                                      .c2 = at->bias2,
                                      .y = at->y,
                                      .hidden_scale = p->layer[0].scale,
                                      .out_scale = p->out_scale,
                                      .rows = rows,
                                      .k_steps = p->k_pad / 32,
                                      .chunks = last_chunks(p),
                                      .n_out = p->n_out,
                                      .slots = slots};
}

/* Adds the list of layers to what the plan for one layer says. */
static void plan_deep(struct grid *g, const struct pack *p, const struct grid_places *at)
{
    if (p->layout == PACK_F32) {
        g->kernel = GRID_DEEP_F32;
        g->args_size = sizeof g->args.deep_f32;
        g->args.deep_f32.layers = at->layers;
        g->args.deep_f32.n_layers = p->n_layers;
        g->args.deep_f32.sigmoid = p->sigmoid;
        g->args.deep_f32.sigmoid_out = p->sigmoid_out;
    } else {
        g->kernel = GRID_DEEP_S8;
        g->args_size = sizeof g->args.deep_s8;
        g->args.deep_s8.layers = at->layers;
        g->args.deep_s8.n_layers = p->n_layers;
    }
}

void grid_plan(struct grid *g, const struct pack *p, const struct grid_places *at, uint32_t rows,
               uint32_t blocks)
{
    assert(rows && blocks && (p->layout == PACK_F32 || p->layout == PACK_MMA));
    memset(g, 0, sizeof *g);
    g->threads = MLP_THREADS;
    (p->layout == PACK_F32 ? plan_f32 : plan_s8)(g, p, at, rows, blocks);
    if (p->deep) /* `net` comes first in its arguments */
        plan_deep(g, p, at);
}

uint32_t grid_plan_mail(struct grid *g, const struct pack *p, const struct grid_places *at,
                        const struct mail_args *mail)
{
    if (p->deep)
        return 0;
    grid_plan(g, p, at, 1, 1);
    if (g->kernel == GRID_F32) { /* `net` comes first in its arguments */
        g->kernel = GRID_F32_MAIL;
        g->args_size = sizeof g->args.f32_mail;
        g->args.f32_mail.mail = *mail;
        return g->args.f32.slots * MLP_F32_ROWS;
    }
    g->kernel = GRID_S8_MAIL;
    g->args_size = sizeof g->args.s8_mail;
    g->args.s8_mail.mail = *mail;
    return g->args.s8.slots * MLP_S8_ROWS;
}

size_t grid_row_size(const struct pack *p)
{
    return p->layout == PACK_F32 ? p->n_in * sizeof(float) : p->k_pad;
}

void grid_stage(const struct pack *p, void *to, const float *x, uint32_t rows)
{
    if (p->layout == PACK_F32)
        memcpy(to, x, rows * grid_row_size(p));
    else
        quant_rows(to, p->k_pad, x, rows, p->n_in, p->in_inverse);
}
