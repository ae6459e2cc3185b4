/* vcpu.c - guest operations, one after another. */
#include <assert.h>

#include "models/vm/vm_state.h"

/* ---- work on the task ---- */

static sim_time spent(struct vcpu *v, const sim_cost part[HV_PARTS_N])
{
    for (int p = 0; p < HV_PARTS_N; p++)
        v->n.part[p] += part[p];
    return carry_ns(&v->carry, exit_sum(part));
}

/* Whatever the guest was computing stays in v->left. */
void vcpu_work(struct vcpu *v, const sim_cost part[HV_PARTS_N], sim_fn *done)
{
    sim_time ns = spent(v, part);
    if (v->state == VCPU_COMPUTE) {
        sim_time left = cpu_task_instead(v->task, ns, done, v, 0);
        v->n.part[HV_COMPUTE] += (v->left - left) * 1000;
        v->left = left;
        return;
    }
    if (v->state == VCPU_SPIN)
        v->n.part[HV_WAIT] += (sim_now(vcpu_sim(v)) - v->spin_from) * 1000;
    cpu_task_run(v->task, ns, done, v, 0);
}

/* ---- operations ---- */

static void finish(struct vcpu *v)
{
    struct vcpu_then then = v->then;
    v->state = VCPU_REST;
    v->has_op = false;
    if (then.done)
        then.done(then.ctx, then.arg);
    if (!v->vm->dead && v->state == VCPU_REST)
        irq_notice(v);
}

static void computed(void *ctx, uint64_t unused)
{
    (void)unused;
    struct vcpu *v = ctx;
    v->n.part[HV_COMPUTE] += v->left * 1000;
    v->left = 0;
    v->state = VCPU_REST;
    vcpu_enter(v);
}

void vcpu_enter(struct vcpu *v)
{
    v->lost_cpu = false;
    if (v->vm->paused) {
        v->state = VCPU_PARKED;
        v->parked = vcpu_enter;
        return;
    }
    if (vlapic_deliverable(&v->lapic) != VLAPIC_NONE) {
        irq_start(v);
    } else if (v->op == VCPU_COMPUTE && v->left) {
        v->state = VCPU_COMPUTE;
        cpu_task_run(v->task, v->left, computed, v, 0);
    } else if (v->op == VCPU_SPIN) {
        v->state = VCPU_SPIN;
        v->spin_from = sim_now(vcpu_sim(v));
        cpu_task_spin(v->task);
    } else {
        finish(v);
    }
}

/* The operation is set; go() starts it, now or when the VM runs again. */
void vcpu_begin(struct vcpu *v, const struct vcpu_then *then, enum vcpu_state op,
                void (*go)(struct vcpu *v))
{
    assert(!v->vm->dead && !v->has_op && v->state == VCPU_REST && "one operation at a time");
    v->has_op = true;
    v->op = op;
    v->then = *then;
    v->parked = go;
    v->state = VCPU_PARKED;
    if (!v->vm->paused)
        go(v);
}

void vcpu_compute(struct vcpu *v, sim_time ns, const struct vcpu_then *then)
{
    v->left = ns;
    vcpu_begin(v, then, VCPU_COMPUTE, vcpu_enter);
}

void vcpu_spin(struct vcpu *v, const struct vcpu_then *then)
{
    vcpu_begin(v, then, VCPU_SPIN, vcpu_enter);
}

/* ---- around the task ---- */

void vcpu_moved(void *ctx, uint64_t on)
{
    struct vcpu *v = ctx;
    if (v->vm->dead)
        return;
    if (!on) {
        v->lost_cpu |= vcpu_in_guest(v);
        if (v->state == VCPU_POLL)
            halt_preempted(v);
        return;
    }
    if (!vcpu_in_guest(v))
        return;
    if (v->lost_cpu) /* it was preempted by an exit, and enters again */
        exit_forced(v, EXIT_EXTINT, NULL);
    else
        irq_notice(v);
}

void vcpu_mask(struct vcpu *v, bool masked)
{
    assert(v->state == VCPU_REST && !v->has_op);
    v->lapic.masked = masked;
    irq_notice(v);
}

bool vcpu_resting(const struct vcpu *v)
{
    return v->state == VCPU_REST && !v->has_op;
}

struct vm *vcpu_vm(const struct vcpu *v)
{
    return v->vm;
}

struct cpu_task *vcpu_task(const struct vcpu *v)
{
    return v->task;
}

void vcpu_counts(const struct vcpu *v, struct vcpu_counts *out)
{
    *out = v->n;
    out->raised = v->lapic.raised;
    out->collapsed = v->lapic.collapsed;
    out->delivered = v->lapic.delivered;
    out->waiting = vlapic_count(&v->lapic);
    out->poll = v->poll;
    cpu_task_times(v->task, &out->task);
}
