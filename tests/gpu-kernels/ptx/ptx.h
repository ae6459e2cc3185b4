/* ptx.h - executes PTX on the host: what the compilers really emitted.
 *
 * A second way to run the kernels without a GPU, sharing nothing with the
 * first (fibers).  Lanes of a warp run in lock step, always the group that is
 * furthest behind.  A launch ends with a sentence that names kernel, thread
 * and line of PTX at the first
 *     access outside the memory given with ptx_memory_add, or misaligned;
 *     race on a word of shared memory, or read of one that nobody wrote;
 *     barrier or warp operation that not all threads reach;
 *     step beyond the limit.
 * An opcode is known only by its whole name with all modifiers (ptx_ops.c),
 * and every known one has a test (test_ptx_ops.c); others are refused.      */
#ifndef TESTS_PTX_H
#define TESTS_PTX_H

#include <stddef.h>
#include <stdint.h>

struct ptx_module;

/* NULL with a sentence in why[0..n). */
struct ptx_module *ptx_load(const char *text, char *why, size_t n);
void ptx_free(struct ptx_module *m);

/* Bytes of a kernel's parameters; 0 when there is no such kernel. */
size_t ptx_param_size(const struct ptx_module *m, const char *kernel);

struct ptx_launch {
    const char *kernel;
    uint32_t grid, block;
    const void *args;
    size_t args_size;
    uint64_t step_limit; /* instructions of warps; 0: a billion */
    uint32_t only;       /* 1 + the block to run; 0: all, one after the other */
};
int ptx_launch(const struct ptx_module *m, const struct ptx_launch *l, char *why, size_t n);

/* What global addresses may touch. */
void ptx_memory_add(const void *p, size_t size);
void ptx_memory_remove(const void *p);

#endif
