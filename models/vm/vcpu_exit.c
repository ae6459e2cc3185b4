/* vcpu_exit.c - exits: those that the guest's operations make, and those forced on it. */
#include <string.h>

#include "models/vm/vm_state.h"

static enum exit_path path_of(const struct vm_spec *s, enum exit_reason r)
{
    if (r == EXIT_TIMER_WRITE || r == EXIT_TIMER_FIRE)
        return s->timer_path;
    return r == EXIT_IPI ? s->ipi_path : EXIT_PATH_FULL;
}

static void plan(const struct vcpu *v, enum exit_reason r, struct exit_plan *out)
{
    const struct vm_spec *s = &v->vm->spec;
    const struct exit_how how = {path_of(s, r), s->nested, s->copy, s->pmu};
    exit_plan(vcpu_cost(v), r, &how, out);
}

void exit_plan_for(struct vcpu *v, enum exit_reason r)
{
    plan(v, r, &v->plan);
    v->reason = r;
    v->n.exits[r]++;
    v->n.host_exits += v->plan.host_exits;
    v->n.exit_ps[r] += exit_sum(v->plan.before) + exit_sum(v->plan.after);
}

static void done(void *ctx, uint64_t unused)
{
    (void)unused;
    vcpu_enter(ctx);
}

void exit_finish(struct vcpu *v, sim_cost more)
{
    sim_cost *after = v->plan.after;
    v->n.exit_ps[v->reason] += more;
    after[HV_KERNEL] += more;
    after[HV_WAIT] += timer_hold(v, more);
    v->state = VCPU_EXIT;
    vcpu_work(v, after, done);
}

static void take_effect(struct vcpu *v)
{
    const struct vcpu_then *t = &v->then;
    if (t->effect)
        t->effect(t->effect_ctx ? t->effect_ctx : t->ctx, t->arg);
}

static void handled(void *ctx, uint64_t unused)
{
    (void)unused;
    struct vcpu *v = ctx;
    if (v->own)
        take_effect(v);
    if (v->vm->dead)
        return;
    sim_cost more = v->effect ? v->effect(v) : 0;
    if (v->state == VCPU_EXIT) /* not halted */
        exit_finish(v, more);
}

static void start(struct vcpu *v, enum exit_reason r, sim_cost (*effect)(struct vcpu *v), bool own)
{
    exit_plan_for(v, r);
    v->effect = effect;
    v->own = own;
    vcpu_work(v, v->plan.before, handled);
    v->state = VCPU_EXIT;
}

void exit_begin(struct vcpu *v, enum exit_reason r, sim_cost (*effect)(struct vcpu *v))
{
    start(v, r, effect, true);
}

void exit_forced(struct vcpu *v, enum exit_reason r, sim_cost (*effect)(struct vcpu *v))
{
    start(v, r, effect, false);
}

/* ---- operations that are an exit ---- */

static void go_exit(struct vcpu *v)
{
    exit_begin(v, v->reason, NULL);
}

void vcpu_exit(struct vcpu *v, enum exit_reason r, const struct vcpu_then *then)
{
    v->reason = r;
    vcpu_begin(v, then, VCPU_REST, go_exit);
}

static sim_cost send(struct vcpu *v)
{
    vcpu_interrupt(v->ipi_to, v->vector);
    return 0;
}

static void sent(void *ctx, uint64_t unused)
{
    (void)unused;
    struct vcpu *v = ctx;
    take_effect(v);
    if (v->vm->dead)
        return;
    send(v);
    vcpu_enter(v);
}

static void go_send(struct vcpu *v)
{
    exit_begin(v, EXIT_IPI, send);
}

static void go_send_virtual(struct vcpu *v)
{
    sim_cost part[HV_PARTS_N] = {[HV_COMPUTE] = vcpu_cost(v)->guest_tpr};
    vcpu_work(v, part, sent);
    v->state = VCPU_EXIT;
}

void vcpu_ipi(struct vcpu *v, struct vcpu *to, uint8_t vector, const struct vcpu_then *then)
{
    v->ipi_to = to;
    v->vector = vector;
    vcpu_begin(v, then, VCPU_REST, v->vm->spec.ipi_virtual ? go_send_virtual : go_send);
}

void vcpu_self_ipi(struct vcpu *v, uint8_t vector, const struct vcpu_then *then)
{
    v->ipi_to = v;
    v->vector = vector;
    vcpu_begin(v, then, VCPU_REST, v->vm->spec.posted ? go_send_virtual : go_send);
}
