/* vcpu_timer.c - the deadline timer of a vCPU.
 *
 * The processor's preemption timer runs while the guest does, and ends it by an
 * exit; a halted or descheduled vCPU is served by a timer of the host.  With
 * `advance` either is set early by what an expiry takes until the host is
 * about to enter, where it then waits for the deadline.                      */
#include "models/vm/vm_state.h"

static sim_time lead(struct vcpu *v)
{
    const struct vm_spec *s = &v->vm->spec;
    const struct exit_how how = {s->timer_path, s->nested, s->copy, s->pmu};
    struct exit_plan fire;
    if (!s->advance)
        return 0;
    exit_plan(vcpu_cost(v), EXIT_TIMER_FIRE, &how, &fire);
    return (exit_sum(fire.before) + 999) / 1000;
}

static sim_cost fire(struct vcpu *v)
{
    if (v->vm->spec.advance)
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
    sim_time now = sim_now(s), early = lead(v);
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
