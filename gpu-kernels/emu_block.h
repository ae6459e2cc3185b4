/* emu_block.h - runs a kernel's blocks on the host, one fiber per thread.
 *
 * Threads run until they need each other.  Every misuse of that need ends the
 * launch with a sentence: a barrier or warp operation that some thread never
 * reaches (who waits where, by file and line), lanes that meet at different
 * operations, a shuffle from a lane outside its mask, too many steps.
 *
 * A seed other than 0 runs warps and lanes in another order each time, which
 * a correct kernel cannot notice.  Shared memory starts as NaN in every block. */
#ifndef GPU_KERNELS_EMU_BLOCK_H
#define GPU_KERNELS_EMU_BLOCK_H

#include <stdbool.h>

#include "gpu-kernels/emu.h"
#include "gpu-kernels/emu_fiber.h"

enum emu_state { EMU_READY, EMU_AT_WARP, EMU_AT_BARRIER, EMU_DONE };

struct emu_thread {
    struct emu_self self;
    struct fiber fiber;
    struct emu_warp *warp;
    enum emu_state state;
    const char *where; /* it waits */
};

struct emu_warp {
    struct emu_thread *lanes;
    uint32_t count, arrived, done; /* lanes: how many; as masks */
    uint32_t mask[32];             /* what each arrived lane asked for */
    enum emu_op op[32];
    union emu_operand operand[32];
};

enum { EMU_THREADS_MAX = 1024, EMU_SITES = 8, EMU_SHARED_MAX = 48 << 10 };

struct emu {
    struct fiber host;
    struct emu_thread *threads;
    struct emu_warp *warps;
    char *stacks;
    unsigned char *shared;
    struct {
        const void *site;
        size_t offset;
    } sites[EMU_SITES];
    uint32_t site_count;
    size_t shared_used;
    uint32_t count, live, at_barrier;
    const char *barrier_where; /* the first that waits there */
    uint32_t barrier_thread;
    uint64_t random, steps, step_limit;
    emu_kernel *kernel;
    const void *args;
    bool failed;
    char why[256];
};

struct emu_options {
    uint64_t seed;
    uint64_t step_limit; /* barriers and warp operations per launch; 0: a billion */
};

struct emu *emu_new(void); /* NULL when out of memory */
void emu_free(struct emu *e);

/* 0, or -1 with a sentence in e->why.  options may be NULL. */
int emu_launch(struct emu *e, emu_kernel *kernel, uint32_t grid, uint32_t block, const void *args,
               const struct emu_options *options);

/* For emu_warp.c: the launch of the running thread, and how it goes wrong. */
extern _Thread_local struct emu *emu_now;
extern _Thread_local struct emu_thread *emu_running;
_Noreturn void emu_die(const char *format, ...) __attribute__((format(printf, 1, 2)));
void emu_wait(enum emu_state state, const char *where); /* until another makes it ready */
void emu_step(const char *where);

#endif
