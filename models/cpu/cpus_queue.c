/* cpus_queue.c - run queues, and asking which of a queue runs. */
#include <assert.h>

#include "models/cpu/cpus_state.h"
#include "models/mlaas/mlaas_bill.h"

void task_state(struct cpu_task *t, enum task_state state)
{
    sim_time now = sim_now(t->c->env.sim), d = now - t->since;
    switch (t->state) {
    case TASK_ASLEEP:
        t->n.slept += d;
        break;
    case TASK_THROTTLED:
        t->n.throttled += d;
        t->n.waited += d;
        break;
    case TASK_READY:
        t->n.waited += d;
        break;
    case TASK_ON: /* counted by its CPU */
    case TASK_ENDED:
        break;
    }
    t->since = now;
    t->state = state;
}

void queue_add(struct cpu *cpu, struct cpu_task *t)
{
    struct cpu_task *before = NULL, *after = cpu->first;
    for (; after && after->id < t->id; after = after->next)
        before = after;
    t->prev = before;
    t->next = after;
    *(before ? &before->next : &cpu->first) = t;
    if (after)
        after->prev = t;
    t->cpu = cpu;
    cpu->load += t->spec.weight;
    cpu->c->waiting++;
    if (!cpu->n++)
        cpu->c->idle[cpu->node]--;
}

void queue_remove(struct cpu_task *t)
{
    struct cpu *cpu = t->cpu;
    assert(cpu->n > 0 && cpu->cur != t);
    *(t->prev ? &t->prev->next : &cpu->first) = t->next;
    if (t->next)
        t->next->prev = t->prev;
    t->next = t->prev = NULL;
    if (cpu->woken == t)
        cpu->woken = NULL;
    cpu->load -= t->spec.weight;
    cpu->c->waiting--;
    if (!--cpu->n)
        cpu->c->idle[cpu->node]++;
}

static void moved(struct cpu_task *t, uint64_t on)
{
    if (t->moved)
        t->moved(t->moved_ctx, on);
}

/* The CPU is free afterwards; only the core's `busy` still counts it. */
static void leave(struct cpu *cpu, enum task_state to)
{
    struct cpu_task *t = cpu->cur;
    sim_time now = sim_now(cpu->c->env.sim);
    cpu_leave_cost(cpu, t);
    cpu->cur = NULL;
    cpu->c->waiting++;
    t->left_at = now;
    task_state(t, to);
    if (to == TASK_READY) {
        t->ready_at = now;
        t->n.preemptions++;
        return;
    }
    queue_remove(t);
    if (to == TASK_ENDED)
        t->ended = now;
}

void cpu_stop_current(struct cpu *cpu, enum task_state to)
{
    struct cpu_task *t = cpu->cur;
    leave(cpu, to);
    moved(t, 0);
}

void cpu_run_idle(struct cpu *cpu)
{
    if (cpu->speed) {
        cpu->speed = 0;
        cpu->core->busy--;
        cpu_speeds(cpu);
    }
    cpu_arm(cpu);
}

static void enter(struct cpu *cpu, struct cpu_task *t)
{
    cpu_enter_cost(cpu, t);
    task_state(t, TASK_ON);
    cpu->cur = t;
    cpu->c->waiting--;
    t->ran_then = t->n.ran;
    t->woke = false;
    if (!cpu->speed)
        cpu->core->busy++;
    cpu_speeds(cpu);
}

void cpu_observe_task(const struct cpu *cpu, const struct cpu_task *t, struct policy_task *o)
{
    *o = (struct policy_task){.id = t->id,
                              .vm = t->spec.vm,
                              .cpu = t->ran_on ? t->ran_on->id : POLICY_NONE,
                              .weight = t->spec.weight,
                              .prio = t->spec.prio,
                              .gang = t->spec.gang,
                              .ran_ns = t->n.ran,
                              .on_ns = t == cpu->cur ? t->n.ran - t->ran_then : 0,
                              .ready_ns = t->ready_at,
                              .budget_ns = t->spec.budget_ns,
                              .period_ns = t->spec.period_ns,
                              .deadline_ns = t->spec.budget_ns ? t->deadline : 0};
}

uint64_t cpu_task_left(const struct cpu_task *t)
{
    return t->wants == WANTS_WORK ? (uint64_t)((t->left + SPEED_ONE - 1) / SPEED_ONE) : 0;
}

void cpu_observe(const struct cpu *cpu, struct policy_cpu *o)
{
    *o = (struct policy_cpu){.now_ns = sim_now(cpu->c->env.sim),
                             .cpu = cpu->id,
                             .node = cpu->node,
                             .cpus = cpu->c->n,
                             .nodes = cpu->c->nodes};
}

/* What the answer costs, and the step that it waits for, is time of the CPU. */
static void answers(struct cpu *cpu, const struct policy_pick_obs *o, struct policy_pick *answer)
{
    const struct cpus_env *env = &cpu->c->env;
    struct policy_slot *p = env->pick;
    struct policy_ticket t;
    sim_time wait = 0;
    if (env->pick_life)
        p = policy_life_now(env->pick_life, 0, &t, &wait);
    if (env->bill)
        mlaas_bill_begin(env->bill);
    policy_slot_pick(p, o, answer);
    if (env->bill)
        cpu->owed += mlaas_bill_end(env->bill);
    if (!env->pick_life)
        return;
    cpu->owed += wait * 1000;
    policy_life_said(env->pick_life, 0, &t);
}

static struct cpu_task *ask(struct cpu *cpu, enum policy_why why, sim_time *slice)
{
    struct cpus *c = cpu->c;
    struct policy_pick_obs o = {.why = why, .current = POLICY_NONE, .woken = POLICY_NONE};
    struct policy_pick answer;
    const bool oracle = policy_slot_oracle(cpus_asked(c->env.pick, c->env.pick_life));
    cpu_observe(cpu, &o.at);
    for (struct cpu_task *t = cpu->first; t; t = t->next) {
        if (t == cpu->cur)
            o.current = o.n;
        if (t == cpu->woken)
            o.woken = o.n;
        cpu_observe_task(cpu, t, &c->obs[o.n]);
        if (oracle)
            c->obs[o.n].oracle_left_ns = cpu_task_left(t);
        o.n++;
    }
    o.task = c->obs;
    answers(cpu, &o, &answer);
    *slice = answer.slice_ns;
    struct cpu_task *t = cpu->first;
    while (answer.task--)
        t = t->next;
    return t;
}

void cpu_pick(struct cpu *cpu, enum policy_why why)
{
    struct cpu_task *old = cpu->cur, *t = ask(cpu, why, &cpu->slice_left);
    cpu->woken = NULL;
    if (t != old) {
        if (old)
            leave(cpu, TASK_READY);
        enter(cpu, t);
    }
    cpu_arm(cpu);
    if (t == old)
        return;
    if (old)
        moved(old, 0);
    moved(t, 1);
}
