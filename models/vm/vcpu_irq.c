/* vcpu_irq.c - interrupts: posted from anywhere, served by the guest. */
#include "models/vm/vm_state.h"

/* ---- served ---- */

static void ended(void *ctx, uint64_t vector)
{
    struct vcpu *v = ctx;
    vlapic_eoi(&v->lapic);
    if (v->op == VCPU_SPIN)
        v->op = VCPU_REST; /* that is what it spun for */
    if (!v->has_op)
        v->state = VCPU_REST;
    if (v->handler)
        v->handler(v->handler_ctx, vector);
    if (v->vm->dead)
        return;
    if (v->has_op && v->state == VCPU_IRQ)
        vcpu_enter(v);
    else if (v->state == VCPU_REST)
        irq_notice(v);
}

static void end_exit(void *ctx, uint64_t unused)
{
    (void)unused;
    struct vcpu *v = ctx;
    ended(v, v->serving);
}

static void served(void *ctx, uint64_t unused)
{
    (void)unused;
    struct vcpu *v = ctx;
    if (v->vm->spec.posted) {
        ended(v, v->serving);
        return;
    }
    exit_plan_for(v, EXIT_EOI);
    for (int p = 0; p < HV_PARTS_N; p++)
        v->plan.before[p] += v->plan.after[p];
    vcpu_work(v, v->plan.before, end_exit);
}

void irq_start(struct vcpu *v)
{
    sim_cost part[HV_PARTS_N] = {[HV_COMPUTE] = vcpu_cost(v)->guest_irq};
    v->serving = (uint8_t)vlapic_accept(&v->lapic);
    if (v->serving == v->timer_vector) /* it fired early, and the host was past its wait */
        part[HV_WAIT] = timer_hold(v, 0);
    vcpu_work(v, part, served);
    v->state = VCPU_IRQ;
}

/* ---- noticed ---- */

void irq_notice(struct vcpu *v)
{
    if (v->vm->paused || vlapic_deliverable(&v->lapic) == VLAPIC_NONE)
        return;
    if (v->state == VCPU_REST)
        irq_start(v);
    else if (!vcpu_in_guest(v) || !cpu_task_on_cpu(v->task))
        return; /* on its way in, it looks by itself */
    else if (v->vm->spec.posted)
        irq_start(v);
    else
        exit_forced(v, EXIT_EXTINT, NULL);
}

static void notified(void *ctx, uint64_t unused)
{
    (void)unused;
    struct vcpu *v = ctx;
    v->notice = 0;
    irq_notice(v);
}

void irq_arrived(struct vcpu *v)
{
    if (v->state == VCPU_POLL || v->state == VCPU_BLOCKED) {
        if (vlapic_deliverable(&v->lapic) != VLAPIC_NONE)
            halt_wake(v);
    } else if ((v->state == VCPU_REST || vcpu_in_guest(v)) && !v->notice) {
        sim_time ns = carry_ns(&v->carry, vcpu_cost(v)->ipi_notify);
        v->notice = sim_after(vcpu_sim(v), ns, 0, notified, v, 0);
    }
}

bool vcpu_interrupt(struct vcpu *v, uint8_t vector)
{
    bool fresh = vlapic_post(&v->lapic, vector);
    if (fresh && !v->vm->dead)
        irq_arrived(v);
    return fresh;
}

void vcpu_on_interrupt(struct vcpu *v, sim_fn *handler, void *ctx)
{
    v->handler = handler;
    v->handler_ctx = ctx;
}
