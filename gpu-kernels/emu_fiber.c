/* emu_fiber.c - see emu_fiber.h */
#include <stdint.h>
#include <string.h>

#include "gpu-kernels/emu_fiber.h"

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define FIBER_ASAN 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__)
#define FIBER_ASAN 1
#endif

#if defined(FIBER_ASAN)
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
static void forget(const void *stack, size_t size)
{
    __asan_unpoison_memory_region(stack, size); /* what an abandoned fiber left */
}
static void leave(void **fake, const void *bottom, size_t size)
{
    __sanitizer_start_switch_fiber(fake, bottom, size);
}
static void arrive(void *fake, const void **bottom, size_t *size)
{
    __sanitizer_finish_switch_fiber(fake, bottom, size);
}
enum { STACK = 256 << 10 };
#else
static void forget(const void *stack, size_t size)
{
    (void)stack, (void)size;
}
static void leave(void **fake, const void *bottom, size_t size)
{
    (void)fake, (void)bottom, (void)size;
}
static void arrive(void *fake, const void **bottom, size_t *size)
{
    (void)fake, (void)bottom, (void)size;
}
enum { STACK = 32 << 10 };
#endif

size_t fiber_stack_size(void)
{
    return STACK;
}

#if defined(FIBER_ASM)
/* Saves what the System V ABI lets a callee keep, swaps stacks, restores. */
void fiber_swap(void **save, void *load);
__asm__(".text\n.globl fiber_swap\n.hidden fiber_swap\n.type fiber_swap,@function\n"
        "fiber_swap:\n"
        "push %rbp\npush %rbx\npush %r12\npush %r13\npush %r14\npush %r15\n"
        "mov %rsp,(%rdi)\nmov %rsi,%rsp\n"
        "pop %r15\npop %r14\npop %r13\npop %r12\npop %rbx\npop %rbp\nret\n"
        ".size fiber_swap,.-fiber_swap\n");

static void prepare(struct fiber *f, void (*entry)(void))
{
    uintptr_t *top = (uintptr_t *)(void *)((char *)f->stack + f->size) - 2;
    top[0] = (uintptr_t)entry; /* popped by ret with the stack aligned as after a call */
    memset(top - 6, 0, 6 * sizeof *top);
    f->sp = top - 6;
}

static void swap(struct fiber *from, struct fiber *to)
{
    fiber_swap(&from->sp, to->sp);
}
#else
static void prepare(struct fiber *f, void (*entry)(void))
{
    getcontext(&f->context);
    f->context.uc_stack.ss_sp = f->stack;
    f->context.uc_stack.ss_size = f->size;
    f->context.uc_link = NULL;
    makecontext(&f->context, entry, 0);
}

static void swap(struct fiber *from, struct fiber *to)
{
    swapcontext(&from->context, &to->context);
}
#endif

void fiber_make(struct fiber *f, void *stack, size_t size, void (*entry)(void))
{
    f->stack = stack;
    f->size = size;
    f->fake_stack = NULL;
    forget(stack, size);
    prepare(f, entry);
}

void fiber_switch(struct fiber *from, struct fiber *to, bool from_is_finished)
{
    leave(from_is_finished ? NULL : &from->fake_stack, to->stack, to->size);
    swap(from, to);
    arrive(from->fake_stack, NULL, NULL);
}

void fiber_started(struct fiber *from)
{
    const void *bottom = from->stack;
    arrive(NULL, &bottom, &from->size);
    from->stack = (void *)(uintptr_t)bottom;
}
