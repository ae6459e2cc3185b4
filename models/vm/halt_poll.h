/* halt_poll.h - how long the host polls for a halted vCPU before it sleeps.
 *
 * The rule of KVM's generic halt polling (Documentation/virt/kvm/halt-polling;
 * virt/kvm/kvm_main.c, kvm_vcpu_halt): the interval of a vCPU grows when a halt
 * was over soon after the polling gave up, and shrinks when a halt was longer
 * than any polling that is allowed.
 *
 *     halt <= interval                        leave it: polling met the wake-up
 *     interval > 0, halt > cap                shrink
 *     interval < cap, halt < cap              grow
 *
 * Grow: times `grow`, at least `grow_start`, at most the cap; grow 0 never
 * grows.  Shrink: divided by `shrink`, 0 to nothing; what falls below
 * grow_start is nothing.  All times in ns.                                   */
#ifndef MODELS_VM_HALT_POLL_H
#define MODELS_VM_HALT_POLL_H

#include <stdbool.h>

#include "sim/time.h"

struct halt_poll_rule {
    sim_time cap; /* halt_poll_ns; 0: no polling */
    sim_time grow_start;
    uint32_t grow, shrink;
};

struct halt_poll {
    const struct halt_poll_rule *rule; /* borrowed; it may change between halts */
    sim_time interval;                 /* of this vCPU, now */
    uint64_t attempts, hits;           /* halts polled for; of these ended while polling */
    uint64_t grown, shrunk;
    sim_time hit_ns, miss_ns; /* polled, with and without success */
};

/* How long to poll at this halt. */
sim_time halt_poll_begin(struct halt_poll *h);
/* A halt is over: it lasted halt_ns, polling included.  polled: of these, until the wake-up or
 * the end of polling; slept: the vCPU was scheduled out. */
void halt_poll_end(struct halt_poll *h, sim_time halt_ns, sim_time polled, bool slept);

#endif
