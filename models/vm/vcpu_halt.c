/* vcpu_halt.c - a halted vCPU: the host polls for it, then lets it sleep. */
#include "models/vm/vm_state.h"

/* KVM looks whether others want the CPU at each turn of its loop; here this often, in ns. */
#define LOOK_EVERY (10 * SIM_US)

static void give_up(struct vcpu *v)
{
    v->polled = sim_now(vcpu_sim(v)) - v->halt_start;
    v->state = VCPU_BLOCKED;
    sim_cancel(vcpu_sim(v), v->step);
    v->step = 0;
    cpu_task_stop(v->task);
}

void halt_preempted(struct vcpu *v)
{
    give_up(v);
}

static void look(void *ctx, uint64_t unused)
{
    (void)unused;
    struct vcpu *v = ctx;
    sim_time polled = sim_now(vcpu_sim(v)) - v->halt_start;
    v->step = 0;
    if (polled >= v->poll.interval || cpu_task_contended(v->task)) {
        give_up(v);
        return;
    }
    sim_time left = v->poll.interval - polled;
    v->step = sim_after(vcpu_sim(v), left < LOOK_EVERY ? left : LOOK_EVERY, 0, look, v, 0);
}

/* What the guest hypervisor pays to halt its own vCPU, and to come back. */
static sim_cost halt_below(const struct vcpu *v)
{
    const struct vm_spec *s = &v->vm->spec;
    const struct exit_how how = {EXIT_PATH_FULL, 0, false, s->pmu};
    struct exit_plan below;
    exit_plan(vcpu_cost(v), EXIT_HLT, &how, &below);
    return exit_sum(below.before) + exit_sum(below.after);
}

static sim_cost halt_effect(struct vcpu *v)
{
    v->n.halts++;
    if (vlapic_deliverable(&v->lapic) != VLAPIC_NONE)
        return 0;
    if (v->vm->spec.nested) {
        v->plan.after[HV_NESTED] += halt_below(v);
        v->n.host_exits++;
    }
    v->halt_start = sim_now(vcpu_sim(v));
    v->polled = 0;
    v->state = VCPU_BLOCKED;
    if (halt_poll_begin(&v->poll) && !cpu_task_contended(v->task)) {
        v->state = VCPU_POLL;
        cpu_task_spin(v->task);
        look(v, 0);
    }
    return 0;
}

static void resumed(void *ctx, uint64_t unused)
{
    (void)unused;
    struct vcpu *v = ctx;
    sim_time now = sim_now(vcpu_sim(v));
    v->n.part[HV_WAKE] += (now - v->wake_at) * 1000;
    halt_poll_end(&v->poll, now - v->halt_start, v->polled, true);
    exit_finish(v, 0);
}

void halt_wake(struct vcpu *v)
{
    sim_time now = sim_now(vcpu_sim(v));
    if (v->state == VCPU_POLL) {
        sim_cancel(vcpu_sim(v), v->step);
        v->step = 0;
        halt_poll_end(&v->poll, now - v->halt_start, now - v->halt_start, false);
        exit_finish(v, vcpu_cost(v)->poll_notice);
        return;
    }
    v->n.blocks++;
    v->wake_at = now;
    v->state = VCPU_WAKING;
    cpu_task_run(v->task, 0, resumed, v, 0);
}

static void go_halt(struct vcpu *v)
{
    exit_begin(v, EXIT_HLT, halt_effect);
}

void vcpu_halt(struct vcpu *v, const struct vcpu_then *then)
{
    v->lapic.masked = false;
    vcpu_begin(v, then, VCPU_REST, go_halt);
}
