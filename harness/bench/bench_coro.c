#include "harness/bench/bench_coro.h"

#include <stdint.h>
#include <stdlib.h>

#if BENCH_CORO

#define STACK ((size_t)16 << 10)

#define SAVE_AND_CHANGE_STACKS                                                                     \
    "    pushq %rbp\n"                                                                             \
    "    pushq %rbx\n"                                                                             \
    "    pushq %r12\n"                                                                             \
    "    pushq %r13\n"                                                                             \
    "    pushq %r14\n"                                                                             \
    "    pushq %r15\n"                                                                             \
    "    movq %rsp, (%rdi)\n"                                                                      \
    "    movq %rsi, %rsp\n"                                                                        \
    "    popq %r15\n"                                                                              \
    "    popq %r14\n"                                                                              \
    "    popq %r13\n"                                                                              \
    "    popq %r12\n"                                                                              \
    "    popq %rbx\n"                                                                              \
    "    popq %rbp\n"

/* A `ret` here is mispredicted every time, because the call that pushed the address was
 * another coroutine's; popping it and jumping is not. */
__asm__(".text\n"
        ".type coro_return, @function\n"
        "coro_return:\n" SAVE_AND_CHANGE_STACKS "    ret\n"
        ".size coro_return, .-coro_return\n"
        ".type coro_jump, @function\n"
        "coro_jump:\n" SAVE_AND_CHANGE_STACKS "    popq %rdx\n"
        "    jmp *%rdx\n"
        ".size coro_jump, .-coro_jump\n"
        /* first arrival: r12 holds the function, r13 its argument */
        ".type coro_enter, @function\n"
        "coro_enter:\n"
        "    movq %r13, %rdi\n"
        "    callq *%r12\n"
        "    ud2\n"
        ".size coro_enter, .-coro_enter\n");

void coro_return(void **save, void *to);
void coro_jump(void **save, void *to);
void coro_enter(void);

bool coro_start(struct coro *c, void (*entry)(void *arg), void *arg)
{
    c->stack = aligned_alloc(64, STACK);
    if (!c->stack)
        return false;
    /* What a switch pops, lowest first; the stack is 16-aligned when coro_enter calls. */
    uint64_t *sp = (uint64_t *)(void *)(c->stack + STACK) - 9;
    sp[0] = sp[1] = 0;                  /* r15, r14 */
    sp[2] = (uint64_t)(uintptr_t)arg;   /* r13 */
    sp[3] = (uint64_t)(uintptr_t)entry; /* r12 */
    sp[4] = sp[5] = 0;                  /* rbx, rbp */
    sp[6] = (uint64_t)(uintptr_t)coro_enter;
    sp[7] = sp[8] = 0;
    c->sp = sp;
    return true;
}

void coro_switch(struct coro *from, struct coro *to, enum coro_ending ending)
{
    if (ending == CORO_RET)
        coro_return(&from->sp, to->sp);
    else
        coro_jump(&from->sp, to->sp);
}

#else

bool coro_start(struct coro *c, void (*entry)(void *arg), void *arg)
{
    (void)c, (void)entry, (void)arg;
    return false;
}

void coro_switch(struct coro *from, struct coro *to, enum coro_ending ending)
{
    (void)from, (void)to, (void)ending;
}

#endif

void coro_free(struct coro *c)
{
    free(c->stack);
}
