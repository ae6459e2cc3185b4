/* boost.h - whom a host lets run instead of a vCPU that spins.
 *
 * A spin lock's waiter traps after a while (WFE, PAUSE), and the host, which does not know who
 * holds the lock, gives the turn to the guest's vCPUs that wait for a CPU, one after the other.
 * That costs more than the spinner's slice: who runs where that vCPU waits loses its CPU too,
 * wherever it is, in the middle of a critical section as likely as not.
 *
 *   - a vCPU that itself gave way in a spin is passed over every other time;
 *   - if no vCPU waits, the spinner goes on.
 *
 * Source: Linux 5.5, virt/kvm/kvm_main.c (kvm_vcpu_on_spin, kvm_vcpu_eligible_for_directed_yield)
 * and kernel/sched/core.c (yield_to).  KVM also passes over vCPUs that were preempted in user mode;
 * here all count as being in the kernel.                                                        */
#ifndef MODELS_CPU_BOOST_H
#define MODELS_CPU_BOOST_H

#include "models/cpu/cpus.h"

struct boost_vcpu {
    struct cpu_task *task;
    bool gave_way, eligible; /* in a spin, and did not run since; may be next */
};

struct boost { /* of one guest */
    struct boost_vcpu **vcpu;
    uint32_t n, last; /* last: whom it boosted */
};

/* `me` has spun for long, on a CPU.  Whether somebody got its turn. */
bool boost_spins(struct boost *b, struct boost_vcpu *me);
void boost_runs(struct boost_vcpu *v); /* it is on a CPU again */

#endif
