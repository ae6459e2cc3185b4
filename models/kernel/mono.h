/* mono.h - a monolithic kernel: tasks, system calls, wake-ups.
 *
 * The baseline beside the microkernel.  A task is a program, as in ukernel.h;
 * what tasks share are channels: a count that a post raises and a wait takes
 * from, which is a pipe with one byte a message, an eventfd, a futex or a
 * signal, told apart by what its two sides cost.  A task that waits on an
 * empty channel gives up its core; a post wakes it, on its own core behind
 * whoever runs there, on another one by an interrupt that ends its idling.
 * Device interrupts end a task's own computing at once and its system calls never.
 * Costs are "cost.linux.NAME", times.                                       */
#ifndef MODELS_KERNEL_MONO_H
#define MODELS_KERNEL_MONO_H

#include <stdbool.h>

#include "models/machine.h"
#include "sim/sim.h"

/* name, class, what */
#define MONO_PRIMS(X)                                                                              \
    X(enter, trap, "system call: user to kernel")                                                  \
    X(leave, trap, "kernel to user")                                                               \
    X(pipe, ipc, "body of a read or write of a few bytes of a pipe")                               \
    X(eventfd, ipc, "body of a read or write of an eventfd")                                       \
    X(futex, ipc, "body of a futex wait or wake")                                                  \
    X(signal_send, ipc, "body of kill(2)")                                                         \
    X(signal_take, ipc, "frame on the user's stack, handler entry, sigreturn")                     \
    X(wake, wake, "making a task ready")                                                           \
    X(ipi, wake, "telling another core, until it takes the interrupt")                             \
    X(idle_exit, wake, "that core leaves its idle state")                                          \
    X(pick, sched, "choosing the next task")                                                       \
    X(switch_task, space, "stack, registers and address space of another task")                    \
    X(irq, irq, "device interrupt: entry, handler, exit")                                          \
    X(softirq, irq, "and the deferred work behind it")

enum mono_prim {
#define X(name, class, what) MONO_##name,
    MONO_PRIMS(X)
#undef X
        MONO_PRIMS_N
};
enum mono_class {
    MONO_C_trap,
    MONO_C_ipc,
    MONO_C_wake,
    MONO_C_sched,
    MONO_C_space,
    MONO_C_irq,
    MONO_CLASSES
};
const char *mono_class_name(enum mono_class c);

enum mono_kind { MONO_PIPE, MONO_EVENTFD, MONO_FUTEX, MONO_SIGNAL };

struct mono_prims {
    sim_cost ps[MONO_PRIMS_N];
};
int mono_prims_read(struct mono_prims *p, struct machine_use *use, struct err *e) MUST_CHECK;

enum mono_opcode { MONO_COMPUTE, MONO_POST, MONO_WAIT, MONO_NULL, MONO_END };
struct mono_op {
    enum mono_opcode op;
    uint32_t channel;
    sim_time ns; /* of MONO_COMPUTE */
};

struct mono;
struct mono_task;
typedef void mono_program(void *ctx, struct mono_task *t, struct mono_op *next);

struct mono_times {
    sim_time user, kernel, idle; /* core-nanoseconds up to now */
};

struct mono *mono_new(struct sim *s, const struct mono_prims *p, uint32_t cores);
void mono_free(struct mono *m);
uint32_t mono_channel(struct mono *m, enum mono_kind kind); /* from 1; 0: out of memory */
/* Ready at once; NULL: out of memory. */
struct mono_task *mono_task(struct mono *m, uint32_t core, mono_program *program, void *ctx);
/* A device interrupts this core; its deferred work posts to the channel. */
void mono_irq(struct mono *m, uint32_t core, uint32_t channel);
/* Charges since the last call, all cores together, are added here; NULL: nowhere. */
void mono_account(struct mono *m, sim_cost account[MONO_CLASSES]);
struct mono_times mono_times(const struct mono *m);

#endif
