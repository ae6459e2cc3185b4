/* vm.h - a hypervisor on the event engine: VMs and vCPUs.
 *
 * A vCPU is a task of models/cpu/cpus.h.  Its owner (a workload, a test) gives
 * it one guest operation after another, each with what to call when the guest
 * goes on behind it:
 *
 *     vcpu_compute(v, ns, &then)       guest instructions
 *     vcpu_exit(v, EXIT_x, &then)      an instruction that leaves the guest
 *     vcpu_halt(v, &then)              HLT: until an interrupt was served
 *     vcpu_spin(v, &then)              the same, in the guest, burning CPU
 *     vcpu_timer(v, when, vec, &then)  programs the deadline timer
 *     vcpu_ipi(v, to, vec, &then)      sends an interrupt to another vCPU
 *
 * then.done may give the next one.  Between two operations a vCPU rests: it
 * uses no CPU, and interrupts are served at once.  Interrupts reach a vCPU in
 * whatever state it is, exactly once (vlapic.h), and its handler is called
 * when the guest has served one: from within, no operation may be given unless
 * the vCPU rests.  Everything takes CPU time on the task; where that goes is
 * counted by reason and by part (hv_cost.h).                                 */
#ifndef MODELS_VM_VM_H
#define MODELS_VM_VM_H

#include "models/cpu/cpus.h"
#include "models/vm/halt_poll.h"
#include "models/vm/hv_cost.h"

struct hv;
struct vm;
struct vcpu;

struct hv_env {
    struct sim *sim;
    struct cpus *cpus;
    const struct hv_cost *cost; /* borrowed */
};
struct hv *hv_new(const struct hv_env *env); /* NULL: out of memory */
void hv_free(struct hv *h);                  /* and its VMs; before cpus_free */

struct vm_spec {
    uint32_t id; /* its tenant; not 0 */
    uint32_t vcpus;
    struct halt_poll_rule halt_poll;
    bool posted;      /* interrupts reach a running guest, and end, without exits */
    bool ipi_virtual; /* and guests send IPIs without */
    bool advance;     /* timers fire early by what delivering takes */
    enum exit_path timer_path, ipi_path;
    unsigned nested;           /* 1: these are guests of a guest hypervisor */
    bool copy, pmu;            /* struct exit_how */
    struct cpu_task_spec task; /* of every vCPU, but for name and vm; pinned: see pin */
    bool pin;                  /* vCPU i runs on CPU task.first_cpu + i only */
};
struct vm *vm_create(struct hv *h, const struct vm_spec *spec); /* NULL: out of memory; paused */
void vm_run(struct vm *m);                                      /* also after vm_pause */
void vm_pause(struct vm *m); /* each vCPU stops before its next guest instruction */
bool vm_paused(const struct vm *m);
void vm_destroy(struct vm *m); /* operations end without a call; m is gone */
struct vcpu *vm_vcpu(struct vm *m, uint32_t i);
const struct vm_spec *vm_spec_of(const struct vm *m);
struct vm *vcpu_vm(const struct vcpu *v);

struct vcpu_then {
    sim_fn *effect; /* when the host handles the exit; NULL: nothing to be done */
    sim_fn *done;
    void *ctx;
    uint64_t arg;
    void *effect_ctx; /* of effect; NULL: ctx */
};
void vcpu_compute(struct vcpu *v, sim_time ns, const struct vcpu_then *then);
void vcpu_exit(struct vcpu *v, enum exit_reason r, const struct vcpu_then *then);
void vcpu_halt(struct vcpu *v, const struct vcpu_then *then); /* with interrupts on */
void vcpu_spin(struct vcpu *v, const struct vcpu_then *then);
void vcpu_timer(struct vcpu *v, sim_time when, uint8_t vector, const struct vcpu_then *then);
void vcpu_ipi(struct vcpu *v, struct vcpu *to, uint8_t vector, const struct vcpu_then *then);
/* Self-IPI through the virtual x2APIC: no exit where interrupts are posted. */
void vcpu_self_ipi(struct vcpu *v, uint8_t vector, const struct vcpu_then *then);
void vcpu_mask(struct vcpu *v, bool masked); /* cli, sti; at rest only */
bool vcpu_resting(const struct vcpu *v);

/* From a device or another vCPU, at any time.  true: it will be served for itself; false: it
 * collapsed into one that waits. */
bool vcpu_interrupt(struct vcpu *v, uint8_t vector);
/* handler(ctx, vector) when the guest has served it. */
void vcpu_on_interrupt(struct vcpu *v, sim_fn *handler, void *ctx);

struct vcpu_counts {
    uint64_t exits[EXIT_REASONS_N]; /* as the guest's operations made them */
    sim_cost exit_ps[EXIT_REASONS_N];
    uint64_t host_exits; /* that the host saw: more than the guest made, where nested */
    sim_cost part[HV_PARTS_N];
    uint64_t raised, collapsed, delivered, waiting; /* interrupts */
    uint64_t halts, blocks;                         /* blocks: of these the vCPU slept */
    struct halt_poll poll;
    struct cpu_task_times task; /* task.waited: what the guest sees as steal time */
};
void vcpu_counts(const struct vcpu *v, struct vcpu_counts *out);
struct cpu_task *vcpu_task(const struct vcpu *v);

#endif
