/* grid.h - how a batch becomes one kernel launch; the same for the GPU, for
 * the fibers and for the tests, so that all run the same grid of blocks.    */
#ifndef GPU_KERNELS_GRID_H
#define GPU_KERNELS_GRID_H

#include "gpu-kernels/pack.h"

/* Where a network's arrays and the batch lie, as the device sees them. */
struct grid_places {
    const void *x, *w1, *w2, *bias1, *bias2;
    void *y;
    const void *layers; /* the pack's table; read for a deep network alone */
};

enum grid_kernel {
    GRID_F32,
    GRID_S8,
    GRID_DEEP_F32,
    GRID_DEEP_S8,
    GRID_F32_MAIL,
    GRID_S8_MAIL,
    GRID_KERNELS
};
extern const char *const grid_kernels[GRID_KERNELS]; /* as mlp.cu names them */

struct grid {
    enum grid_kernel kernel;
    uint32_t blocks, threads; /* of the launch, of each block */
    union {
        struct mlp_f32_args f32;
        struct mlp_s8_args s8;
        struct mlp_deep_f32_args deep_f32;
        struct mlp_deep_s8_args deep_s8;
        struct mlp_f32_mail_args f32_mail;
        struct mlp_s8_mail_args s8_mail;
    } args;
    size_t args_size;
};

/* At most `blocks` blocks: more rows than they hold, and they stride. */
void grid_plan(struct grid *g, const struct pack *p, const struct grid_places *at, uint32_t rows,
               uint32_t blocks);

/* The kernel that stays, of a network with one hidden layer: blocks is left to the caller.  Rows
 * that a block takes at a time; 0: a deep network has none. */
uint32_t grid_plan_mail(struct grid *g, const struct pack *p, const struct grid_places *at,
                        const struct mail_args *mail);

/* Bytes of a row of x as the kernel reads it, and bringing rows into that form. */
size_t grid_row_size(const struct pack *p);
void grid_stage(const struct pack *p, void *to, const float *x, uint32_t rows);

#endif
