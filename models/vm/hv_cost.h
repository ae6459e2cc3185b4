/* hv_cost.h - what the primitives of a hypervisor cost, and exits made of them.
 *
 * Nothing dearer than a primitive stands in a profile: what a guest's
 * operation takes follows from the exits it makes, and an exit is
 *
 *     exit.out  pmu  state  [loop]  handler  ->  effect  ->  [loop]  entry
 *
 * where the loop (interrupts on, locks, dispatch) comes before the handler, or
 * after it where a fast path handles the exit early, or not at all where the
 * fast path goes straight back.  An exit of a nested guest is handled by the
 * guest hypervisor: out to the host, in to the guest hypervisor, its own loop
 * and handler, its resume (an exit of its own) and in to the nested guest, plus
 * what the host does to switch between the two (and again whatever the guest
 * hypervisor itself must exit for on its way to its user space).
 *
 * Constants: section "hypervisor" of the profile, in cycles (unit "1") of
 * hypervisor.clock, or in time units.  All costs here in ps.                 */
#ifndef MODELS_VM_HV_COST_H
#define MODELS_VM_HV_COST_H

#include "models/machine.h"

/* id, key, what it is */
#define EXIT_REASONS(X)                                                                            \
    X(CPUID, "cpuid", "an instruction that is emulated without side effects")                      \
    X(HYPERCALL, "hypercall", "vmcall, vmmcall")                                                   \
    X(TIMER_WRITE, "timer_write", "the guest programs its deadline timer (an MSR write)")          \
    X(TIMER_FIRE, "timer_fire", "the preemption timer ran out")                                    \
    X(EOI, "eoi", "end of interrupt, where the controller is not virtualized")                     \
    X(IPI, "ipi", "interrupt command: a write of ICR")                                             \
    X(HLT, "hlt", "the guest has nothing to do")                                                   \
    X(IO_KERNEL, "io_kernel", "port or MMIO access to a device in the kernel")                     \
    X(IO_USER, "io_user", "port or MMIO access to a device in user space")                         \
    X(EPT, "ept", "EPT violation: a page that is not mapped yet, or is shared")                    \
    X(EXTINT, "extint", "an interrupt of the host, or a kick, while the guest ran")                \
    X(PAUSE, "pause", "a PAUSE loop found by the processor")

enum exit_reason {
#define X(id, key, what) EXIT_##id,
    EXIT_REASONS(X)
#undef X
        EXIT_REASONS_N
};
const char *exit_reason_name(enum exit_reason r);

/* Whose time a part of an operation is. */
#define HV_PARTS(X)                                                                                \
    X(EXIT, "exit")       /* leaving and entering the guest, in hardware */                        \
    X(KERNEL, "kernel")   /* the host kernel's loop and handlers */                                \
    X(USER, "user")       /* the way to user space, and its device */                              \
    X(NESTED, "nested")   /* all that a guest hypervisor adds */                                   \
    X(COMPUTE, "compute") /* guest instructions, its interrupt handler among them */               \
    X(WAKE, "wake")       /* waiting for a CPU: wake-up of a thread, or others run */              \
    X(WAIT, "wait")       /* for a deadline, or for another vCPU's interrupt to arrive */

enum hv_part {
#define X(id, key) HV_##id,
    HV_PARTS(X)
#undef X
        HV_PARTS_N
};
const char *hv_part_name(enum hv_part p);

enum exit_path {
    EXIT_PATH_FULL,   /* loop, handler */
    EXIT_PATH_EARLY,  /* handler with interrupts still off, loop afterwards */
    EXIT_PATH_ULTRA,  /* the same, before the host's state is restored */
    EXIT_PATH_REENTER /* handler, and straight back */
};

struct hv_cost {
    double clock; /* Hz, of the cycles */
    sim_cost hardware, pmu, state, loop;
    sim_cost handler[EXIT_REASONS_N];
    sim_cost user_out, user_device, user_in; /* to the VMM, its device, back (ioctl, run) */
    sim_cost user_timer;                     /* more, for a device that reads a clock */
    sim_cost nested_switch, nested_copy;     /* both directions; copying what seldom changes */
    uint64_t nested_user_exits; /* of a guest hypervisor, on its way to user space and back */
    sim_cost guest_irq;         /* vector to the guest's handler, its end, return */
    sim_cost ipi_notify;        /* a posted interrupt reaches a CPU that runs its guest */
    sim_cost poll_notice;       /* a polling host sees it */
    sim_cost ept_small, ept_large, ept_copy; /* allocate, clear (copy) and map 4 KiB, 2 MiB */
    sim_cost balloon_page;                   /* give one page back to the host */
    sim_cost ksm_scan, ksm_merge;            /* look at one page; merge one */
    sim_cost virtio_ring, virtio_buffer;     /* the guest adds a request; the worker takes one */
    sim_cost doorbell;                       /* of a device that was passed through */
    sim_cost guest_tpr, guest_wake; /* a TPR write without exit; the guest kernel's own wake path */
};
int hv_cost_load(struct hv_cost *c, struct machine_use *use, struct err *e) MUST_CHECK;
double hv_cycles(const struct hv_cost *c, double ps);

struct exit_how {
    enum exit_path path;
    unsigned nested; /* 0: a guest of the host; 1: a guest of a guest hypervisor */
    bool copy;       /* the host copies the seldom-changed fields at each nested entry */
    bool pmu;        /* performance counters are switched at every exit */
};
/* One exit, up to the handler's effect and after it, and the exits the host counted for it. */
struct exit_plan {
    sim_cost before[HV_PARTS_N], after[HV_PARTS_N];
    uint32_t host_exits;
};
void exit_plan(const struct hv_cost *c, enum exit_reason r, const struct exit_how *how,
               struct exit_plan *out);
sim_cost exit_sum(const sim_cost part[HV_PARTS_N]);

#endif
