/* vcpu_timer.c - the deadline timer of a vCPU.
 *
 * The processor's preemption timer runs while the guest does, and ends it by an
 * exit; a halted or descheduled vCPU is served by a timer of the host.  With
 * `advance` either is set early, and the host, about to enter, waits for the
 * deadline.  By how much it is set early is learned from how early or late the
 * host came there, as KVM does (arch/x86/kvm/lapic.c): an eighth of what was
 * observed, beginning at 1000 ns, left alone within 100 cycles and beyond
 * 10000, and begun anew above 5000 ns.                                       */
#include "models/vm/vm_state.h"

enum {
    LEAD_NS = 1000,
    LEAD_MAX_NS = 5000,
    LEAD_STEP = 8,
    LEAD_GOOD_CYCLES = 100,
    LEAD_ODD_CYCLES = 10000
};

void timer_reset(struct vcpu *v)
{
    v->lead = v->vm->spec.advance ? LEAD_NS : 0;
}

static void learn(struct vcpu *v, sim_time at)
{
    bool early = at < v->hold;
    sim_time off = early ? v->hold - at : at - v->hold;
    double cycles = hv_cycles(vcpu_cost(v), (double)off * 1e3);
    if (cycles < LEAD_GOOD_CYCLES || cycles > LEAD_ODD_CYCLES)
        return;
    sim_time step = off / LEAD_STEP;
    if (!early)
        v->lead += step;
    else
        v->lead -= step < v->lead ? step : v->lead;
    if (v->lead > LEAD_MAX_NS)
        v->lead = LEAD_NS;
}

sim_cost timer_hold(struct vcpu *v, sim_cost more)
{
    sim_time at = sim_now(vcpu_sim(v)) + more / 1000;
    if (!v->expired)
        return 0;
    v->expired = false;
    learn(v, at);
    return v->hold > at ? (v->hold - at) * 1000 - more % 1000 : 0;
}

static sim_cost fire(struct vcpu *v)
{
    v->expired = v->vm->spec.advance;
    v->hold = v->deadline;
    vlapic_post(&v->lapic, v->timer_vector);
    return 0;
}

static void ran_out(void *ctx, uint64_t unused)
{
    (void)unused;
    struct vcpu *v = ctx;
    v->timer = 0;
    if (vcpu_in_guest(v) && cpu_task_on_cpu(v->task) && !v->vm->paused) {
        exit_forced(v, EXIT_TIMER_FIRE, fire);
        return;
    }
    fire(v);
    irq_arrived(v);
}

static sim_cost program(struct vcpu *v)
{
    struct sim *s = vcpu_sim(v);
    sim_time now = sim_now(s), early = v->lead;
    sim_cancel(s, v->timer);
    v->timer = 0;
    if (v->deadline <= now + early) {
        fire(v);
        return vcpu_cost(v)->handler[EXIT_TIMER_FIRE];
    }
    v->timer = sim_at(s, v->deadline - early, 0, ran_out, v, 0);
    return 0;
}

static void go_timer(struct vcpu *v)
{
    exit_begin(v, EXIT_TIMER_WRITE, program);
}

void vcpu_timer(struct vcpu *v, sim_time when, uint8_t vector, const struct vcpu_then *then)
{
    v->deadline = when;
    v->timer_vector = vector;
    vcpu_begin(v, then, VCPU_REST, go_timer);
}
