/* emu.h - the device's vocabulary for a host C compiler.
 *
 * A .cu file that includes cu_portable.h becomes plain C11 through this: each
 * CUDA thread is a fiber (emu_fiber.h), and the words that involve other
 * threads - barriers, shuffles, mma - are calls into the block that runs it
 * (emu_block.h).  Each carries its file and line for the reports.           */
#ifndef GPU_KERNELS_EMU_H
#define GPU_KERNELS_EMU_H

#include <stdint.h>
#include <string.h>

#include "gpu-kernels/cu_host.h"

struct emu_dim {
    uint32_t x, y, z;
};

/* What the running thread may know of itself; set before it is resumed. */
struct emu_self {
    struct emu_dim thread, block, grid;
    uint32_t lane;
};
extern _Thread_local const struct emu_self *emu_self;

typedef void emu_kernel(const void *args);

enum emu_op { EMU_SYNC, EMU_SHUFFLE, EMU_MMA_S8, EMU_BALLOT, EMU_SUM };
struct emu_shuffle {
    uint32_t value, from;
};
struct emu_mma {
    uint32_t a[4], b[2];
    int32_t c[4];
};
union emu_operand { /* what a lane brings to a warp's operation, and takes away */
    struct emu_shuffle shuffle;
    struct emu_mma mma;
};

void emu_barrier(const char *where);
void emu_warp_op(uint32_t mask, enum emu_op op, union emu_operand *io, const char *where);
void *emu_shared(size_t bytes,
                 const void *site); /* the same memory for every thread of the block */

#define EMU_TEXT_(x) #x
#define EMU_TEXT(x)  EMU_TEXT_(x)
#define EMU_HERE     __FILE__ ":" EMU_TEXT(__LINE__)

#define threadIdx (emu_self->thread)
#define blockIdx  (emu_self->block)
#define gridDim   (emu_self->grid)

#define CU_UNROLL
#define CU_KERNEL(name, args_type, threads)                                                        \
    static void name##_body(const args_type A);                                                    \
    emu_kernel emu_##name;                                                                         \
    void emu_##name(const void *args)                                                              \
    {                                                                                              \
        name##_body(*(const args_type *)args);                                                     \
    }                                                                                              \
    static void name##_body(const args_type A)
#define CU_SHARED(type, pointer)                                                                   \
    static const char pointer##_site;                                                              \
    type *const pointer = emu_shared(sizeof(type), &pointer##_site)

#define __syncthreads()  emu_barrier(EMU_HERE)
#define __syncwarp(mask) emu_warp_op(mask, EMU_SYNC, NULL, EMU_HERE)
#define __shfl_xor_sync(mask, value, distance)                                                     \
    emu_shuffle_float(mask, value, emu_self->lane ^ (uint32_t)(distance), EMU_HERE)
#define cu_shuffle(v, lane)     emu_word_op(EMU_SHUFFLE, v, lane, EMU_HERE)
#define cu_ballot(condition)    emu_word_op(EMU_BALLOT, (condition) != 0, 0, EMU_HERE)
#define cu_warp_sum(v)          emu_word_op(EMU_SUM, v, 0, EMU_HERE)
#define cu_mma_s8(c, a, b0, b1) emu_mma_s8(c, a, b0, b1, EMU_HERE)

/* Relaxed is all that is asked of a device. */
CU_DEV uint64_t cu_load_system(const uint64_t *p)
{
    return __atomic_load_n(p, __ATOMIC_RELAXED);
}

CU_DEV void cu_store_system(uint64_t *p, uint64_t v)
{
    __atomic_store_n(p, v, __ATOMIC_RELAXED);
}

CU_DEV float emu_shuffle_float(uint32_t mask, float value, uint32_t from, const char *where)
{
    union emu_operand io = {.shuffle = {cu_bits(value), from}};
    emu_warp_op(mask, EMU_SHUFFLE, &io, where);
    return cu_float(io.shuffle.value);
}

/* One word of every lane in, one out. */
CU_DEV uint32_t emu_word_op(enum emu_op op, uint32_t value, uint32_t from, const char *where)
{
    union emu_operand io = {.shuffle = {value, from}};
    emu_warp_op(0xffffffffu, op, &io, where);
    return io.shuffle.value;
}

CU_DEV uint32_t cu_lowest(uint32_t bits)
{
    return (uint32_t)__builtin_ctz(bits);
}

CU_DEV void emu_mma_s8(int32_t c[4], const uint32_t a[4], uint32_t b0, uint32_t b1,
                       const char *where)
{
    union emu_operand io = {.mma = {.b = {b0, b1}}};
    memcpy(io.mma.a, a, sizeof io.mma.a);
    memcpy(io.mma.c, c, sizeof io.mma.c);
    emu_warp_op(0xffffffffu, EMU_MMA_S8, &io, where);
    memcpy(c, io.mma.c, sizeof io.mma.c);
}

#endif
