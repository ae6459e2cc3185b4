/* vm_state.h - what VMs and vCPUs are made of; for models/vm/ only. */
#ifndef MODELS_VM_VM_STATE_H
#define MODELS_VM_VM_STATE_H

#include "models/vm/vlapic.h"
#include "models/vm/vm.h"

enum vcpu_state {
    VCPU_REST,    /* no operation: the task sleeps */
    VCPU_COMPUTE, /* guest instructions */
    VCPU_SPIN,    /* the same, until an interrupt was served */
    VCPU_IRQ,     /* the guest's interrupt handler */
    VCPU_EXIT,    /* the host works for it */
    VCPU_POLL,    /* halted, the host polls */
    VCPU_BLOCKED, /* halted, the task sleeps */
    VCPU_WAKING,  /* halted, the task was woken */
    VCPU_PARKED   /* its VM is paused */
};

struct vcpu {
    struct vm *vm;
    struct cpu_task *task;
    uint32_t index;
    enum vcpu_state state;
    bool lost_cpu; /* preempted since it last ran guest code */
    struct vlapic lapic;
    struct halt_poll poll;
    struct carry carry;

    bool has_op;
    enum vcpu_state op; /* what the guest does between interrupts: COMPUTE, SPIN; else nothing */
    struct vcpu_then then;
    sim_time left;                  /* of an op COMPUTE */
    void (*parked)(struct vcpu *v); /* how it goes on after a pause */

    enum exit_reason reason; /* of the exit being handled */
    struct exit_plan plan;
    sim_cost (*effect)(struct vcpu *v); /* the hypervisor's own; gives what more it took */
    sim_cost more;                      /* of that exit, beside its handler */
    struct vcpu *ipi_to;
    uint8_t vector, serving; /* to send; in the guest's handler */

    bool own;            /* the guest's operation asked for this exit */
    bool expired;        /* the timer fired, early perhaps: not into the guest before `hold` */
    sim_time hold, lead; /* lead: by how much it is set early */

    sim_time halt_start, polled, wake_at, spin_from;
    sim_event step, notice; /* of polling; a notification under way */
    sim_event timer;
    sim_time deadline;
    uint8_t timer_vector;

    sim_fn *handler;
    void *handler_ctx;
    struct vcpu_counts n;
};

struct vm {
    struct hv *hv;
    struct vm_spec spec;
    bool paused, dead;
    struct vm *next, *prev;
    struct vcpu vcpu[];
};

struct hv {
    struct hv_env env;
    struct vm *first, *dead;
    sim_event reap;
};

static inline struct sim *vcpu_sim(const struct vcpu *v)
{
    return v->vm->hv->env.sim;
}
static inline const struct hv_cost *vcpu_cost(const struct vcpu *v)
{
    return v->vm->hv->env.cost;
}

/* vcpu.c */
void vcpu_moved(void *ctx, uint64_t on); /* the task got (1) or lost (0) a CPU */
void vcpu_work(struct vcpu *v, const sim_cost part[HV_PARTS_N], sim_fn *done);
void vcpu_enter(struct vcpu *v); /* about to run guest code */
void vcpu_begin(struct vcpu *v, const struct vcpu_then *then, enum vcpu_state op,
                void (*go)(struct vcpu *v));

/* vcpu_exit.c */
void exit_begin(struct vcpu *v, enum exit_reason r, sim_cost (*effect)(struct vcpu *v));
void exit_plan_for(struct vcpu *v, enum exit_reason r); /* into v->plan, and counted */
/* An exit that the guest did not ask for, from guest code. */
void exit_forced(struct vcpu *v, enum exit_reason r, sim_cost (*effect)(struct vcpu *v));
void exit_finish(struct vcpu *v, sim_cost more); /* the way back in */

/* vcpu_irq.c */
void irq_start(struct vcpu *v);   /* serves the next deliverable one */
void irq_arrived(struct vcpu *v); /* something was posted: see to it that it is noticed */

void irq_notice(struct vcpu *v); /* serves what waits, if the guest can be interrupted now */

/* vcpu_timer.c */
void timer_reset(struct vcpu *v);
/* ps the host waits for a deadline before it enters, `more` from now. */
sim_cost timer_hold(struct vcpu *v, sim_cost more);

/* vcpu_halt.c */
void halt_wake(struct vcpu *v);
void halt_preempted(struct vcpu *v);

static inline bool vcpu_in_guest(const struct vcpu *v)
{
    return v->state == VCPU_COMPUTE || v->state == VCPU_SPIN;
}

#endif
