/* A small host for tests of models/vm: CPUs that cost nothing unless a test says so, primitives
 * of round numbers (1 GHz: a cycle is a nanosecond), one VM, and vCPUs that note what happens. */
#ifndef TESTS_VM_WORLD_H
#define TESTS_VM_WORLD_H

#include "models/vm/vm.h"
#include "tests/models/cpu_world.h"

struct vm_world {
    struct cpu_world cpu;
    struct hv_cost cost;
    struct hv *hv;
    struct vm *vm;
};
/* cycles of the primitives, in ns; sums are easy to tell apart */
enum {
    W_HARDWARE = 200000,
    W_STATE = 10000,
    W_LOOP = 4000,
    W_HANDLER = 800,
    W_IRQ = 60000,
    W_NOTIFY = 500
};
void vm_world_open(struct vm_world *w, const struct cpus_config *cfg, const struct vm_spec *spec);
/* The same, with ties shuffled by the seed. */
void vm_world_open_shuffled(struct vm_world *w, const struct cpus_config *cfg, uint64_t seed);
void vm_world_close(struct vm_world *w);
struct vm_spec vm_plain_spec(uint32_t vcpus); /* posted, full exits, no polling, pinned */
sim_time vm_now(const struct vm_world *w);
/* CPU time handed out, interrupts, and each vCPU's own sums; msg names the case. */
void vm_world_conserved(const struct vm_world *w, struct vm *const *vm, size_t n, uint64_t seed);

/* Runs one operation to its end and gives how long it took, ns. */
sim_time vm_exit_takes(struct vm_world *w, struct vcpu *v, enum exit_reason r);

#endif
