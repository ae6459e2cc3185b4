/* emu_fiber.h - a stack to run a function on, left and re-entered at will.
 *
 * Switching costs a few nanoseconds (x86-64: six registers; elsewhere the C
 * library's ucontext) and tells AddressSanitizer what happens.  A fiber that
 * is never resumed again needs no farewell: its stack is simply reused.     */
#ifndef GPU_KERNELS_EMU_FIBER_H
#define GPU_KERNELS_EMU_FIBER_H

#include <stdbool.h>
#include <stddef.h>
#if defined(__x86_64__) && !defined(FIBER_PORTABLE)
#define FIBER_ASM 1
#else
#include <ucontext.h>
#endif

struct fiber {
#if defined(FIBER_ASM)
    void *sp;
#else
    ucontext_t context;
#endif
    void *stack; /* NULL: the host's own */
    size_t size;
    void *fake_stack; /* AddressSanitizer's */
};

size_t fiber_stack_size(void);

/* f will start in entry(), which must not return, when first switched to. */
void fiber_make(struct fiber *f, void *stack, size_t size, void (*entry)(void));
void fiber_switch(struct fiber *from, struct fiber *to, bool from_is_finished);
void fiber_started(struct fiber *from); /* first words of entry(); from: who switched */

#endif
