/* uk_prims.h - what a microkernel's steps cost, one by one.
 *
 * Each is a count of cycles in the machine profile ("cost.ukernel.NAME"),
 * times "cost.ukernel.scale" (one number that tells a platform from the one
 * its primitives were calibrated on), at "cost.ukernel.clock".  Nothing
 * composed is ever looked up: what a call or an interrupt costs is the sum of
 * the steps that the kernel really takes.                                    */
#ifndef MODELS_KERNEL_UK_PRIMS_H
#define MODELS_KERNEL_UK_PRIMS_H

#include "models/machine.h"

/* name, class (enum uk_class), what */
#define UK_PRIMS(X)                                                                                \
    X(entry, TRAP, "system call: user to kernel")                                                  \
    X(exit, TRAP, "kernel to user")                                                                \
    X(vspace, SPACE, "loading the root of an address space")                                       \
    X(ibrs, TRAP, "switching restricted speculation of indirect branches on, or off")              \
    X(ibpb, SPACE, "barrier to the prediction of indirect branches")                               \
    X(rsb, SPACE, "overwriting the predictions of returns")                                        \
    X(cap, IPC, "capability lookup and check of its rights")                                       \
    X(fast_call, IPC, "fast path of a call: its conditions, the transfer in registers")            \
    X(fast_reply, IPC, "fast path of reply-receive")                                               \
    X(decode, IPC, "slow path: finding out what the system call asks for")                         \
    X(body, IPC, "slow path: the transfer or the signal, queues")                                  \
    X(word, COPY, "one message word beyond the registers")                                         \
    X(sched, SCHED, "scheduler: the highest priority that is ready")                               \
    X(fpu_save, FPU, "saving vector registers that were written")                                  \
    X(fpu_save_clean, FPU, "saving ones that were not")                                            \
    X(fpu_restore, FPU, "restoring vector registers")                                              \
    X(irq, IRQ, "interrupt entry, acknowledge, mask")                                              \
    X(ipi_send, WAKE, "telling another core to reschedule")                                        \
    X(ipi_wire, WAKE, "until it arrives there")                                                    \
    X(ipi_recv, WAKE, "its entry there, leaving idle")                                             \
    X(mcs_fast, SCHED, "MCS: moving a scheduling context along a fast path")                       \
    X(mcs_slow, SCHED, "MCS: reading time, budget and refills, programming the timer")

/* Against attacks by speculation, each paid at its own place (seL4's KernelSkimWindow,
 * KernelX86IBRSMode, KernelX86IBPBOnContextSwitch and KernelX86RSBOnContextSwitch).  With a skim
 * window user mode maps next to nothing of the kernel: the way in loads the kernel's own root and
 * the way out that of whoever runs next, so that a switch of address spaces loads nothing more. */
#define UK_MITIGATIONS(X)                                                                          \
    X(skim, "Meltdown: vspace at each entry from user mode and each exit to it, none at a switch") \
    X(ibrs, "Spectre 2: ibrs at each entry from user mode and each exit to it")                    \
    X(ibpb, "Spectre 2 between threads: ibpb whenever another thread gets the core")               \
    X(rsb, "the same for returns: rsb whenever another thread gets the core")

enum uk_mitigation {
#define X(name, what) UK_M_##name,
    UK_MITIGATIONS(X)
#undef X
        UK_MITIGATIONS_N
};

enum uk_class {
    UK_C_TRAP,
    UK_C_SPACE,
    UK_C_IPC,
    UK_C_COPY,
    UK_C_SCHED,
    UK_C_FPU,
    UK_C_IRQ,
    UK_C_WAKE,
    UK_C_LOCK,
    UK_C_COMPUTE,
    UK_C_DEVICE,
    UK_CLASSES
};
const char *uk_class_name(enum uk_class c); /* "trap", "space", ... */

enum uk_prim {
#define X(name, class, what) UK_##name,
    UK_PRIMS(X)
#undef X
        UK_PRIMS_N
};

struct uk_prims {
    sim_cost ps[UK_PRIMS_N];
    double clock;         /* Hz */
    uint32_t registers;   /* message words that need no memory */
    unsigned mitigations; /* set of 1 << UK_M_x; those that are off cost nothing and are not read */
};
int uk_prims_read(struct uk_prims *p, unsigned mitigations, struct machine_use *use,
                  struct err *e) MUST_CHECK;
enum uk_class uk_prim_class(enum uk_prim p);
double uk_prims_cycles(const struct uk_prims *p, double ns);

#endif
