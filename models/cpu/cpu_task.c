#include <assert.h>
#include <stdlib.h>

#include "models/cpu/cpus_state.h"

static bool room_for_one(struct cpus *c)
{
    if (c->n_tasks < c->cap_tasks)
        return true;
    size_t cap = c->cap_tasks ? 2 * c->cap_tasks : 16;
    struct cpu_task **task = realloc(c->task, cap * sizeof *task);
    if (!task)
        return false;
    c->task = task;
    struct policy_task *obs = realloc(c->obs, cap * sizeof *obs);
    if (!obs)
        return false;
    c->obs = obs;
    c->cap_tasks = cap;
    return true;
}

static void check_spec(const struct cpus *c, const struct cpu_task_spec *s)
{
    assert(!s->n_cpus || (s->first_cpu < c->n && s->n_cpus <= c->n - s->first_cpu));
    assert(s->memory_bound >= 0 && s->memory_bound <= 1);
    assert(s->footprint >= 0 && s->footprint <= 1);
    assert(!s->budget_ns == !s->period_ns && s->budget_ns <= s->period_ns);
    assert(s->home_node == POLICY_NONE || s->home_node < c->nodes);
    (void)c, (void)s;
}

struct cpu_task *cpu_task_new(struct cpus *c, const struct cpu_task_spec *spec)
{
    check_spec(c, spec);
    if (c->n_tasks == POLICY_TASKS_MAX || !room_for_one(c))
        return NULL;
    struct cpu_task *t = calloc(1, sizeof *t);
    if (!t)
        return NULL;
    t->c = c;
    t->spec = *spec;
    t->spec.weight += spec->weight ? 0 : 1024;
    t->id = (uint32_t)c->n_tasks;
    t->born = t->since = sim_now(c->env.sim);
    t->lines = (int64_t)(spec->footprint * (double)CACHE_LINES + 0.5);
    double slower = 1 + spec->memory_bound * (c->cfg.remote_slowdown - 1);
    t->remote_speed = (uint32_t)(SPEED_ONE / slower + 0.5);
    c->task[c->n_tasks++] = t;
    return t;
}

void task_wake(struct cpu_task *t)
{
    struct cpus *c = t->c;
    struct cpu *cpu = cpus_place(c, t);
    task_state(t, TASK_READY);
    t->ready_at = sim_now(c->env.sim);
    t->woke = true;
    t->wake_cost = cpu == c->here ? c->cfg.wake_same : c->cfg.wake_cross;
    queue_add(cpu, t);
    cpu->woken = t;
    cpu_look(cpu);
}

static void want(struct cpu_task *t, enum task_wants wants)
{
    if (t->state == TASK_ON) {
        cpu_charge(t->cpu);
        if (t->cpu != t->c->here) /* which is looked at as it is */
            cpu_look(t->cpu);
    }
    t->wants = wants;
    if (t->state != TASK_ASLEEP)
        return;
    t->n.wakeups++;
    t->c->n_total.wakeups++;
    if (task_may_run(t))
        task_wake(t);
}

void cpu_task_run(struct cpu_task *t, sim_time ns, sim_fn *done, void *ctx, uint64_t arg)
{
    assert(t->wants != WANTS_WORK && !t->ending && "it has work");
    want(t, WANTS_WORK); /* a spin is counted before there is work to progress */
    unsigned __int128 left = (unsigned __int128)ns * SPEED_ONE;
    uint64_t credit = left < t->surplus ? (uint64_t)left : t->surplus;
    t->left = left - credit;
    t->surplus -= credit;
    t->done = done;
    t->ctx = ctx;
    t->arg = arg;
    cpus_settle(t->c);
}

sim_time cpu_task_instead(struct cpu_task *t, sim_time ns, sim_fn *done, void *ctx, uint64_t arg)
{
    assert(t->wants == WANTS_WORK && !t->ending && "nothing to take back");
    if (t->state == TASK_ON)
        cpu_charge(t->cpu);
    sim_time left = (sim_time)((t->left + SPEED_ONE - 1) / SPEED_ONE);
    t->surplus += left * SPEED_ONE - (uint64_t)t->left; /* of the last ns, this much is done */
    t->left = 0;
    t->wants = WANTS_NOTHING;
    cpu_task_run(t, ns, done, ctx, arg);
    return left;
}

void cpu_task_spin(struct cpu_task *t)
{
    assert(t->wants != WANTS_WORK && !t->ending && "it has work");
    want(t, WANTS_SPIN);
    cpus_settle(t->c);
}

/* From whatever it does; wants nothing any more. */
static void halt(struct cpu_task *t, enum task_state to)
{
    t->wants = WANTS_NOTHING;
    if (t->state == TASK_ON) {
        cpu_look(t->cpu); /* takes it off */
    } else {
        if (t->state == TASK_READY)
            queue_remove(t);
        sim_cancel(t->c->env.sim, t->refill);
        t->refill = 0;
        task_state(t, to);
    }
    cpus_settle(t->c);
}

void cpu_task_stop(struct cpu_task *t)
{
    assert(t->wants != WANTS_WORK && "only a spin is stopped");
    if (t->wants == WANTS_NOTHING)
        return;
    if (t->state == TASK_ON)
        cpu_charge(t->cpu);
    halt(t, TASK_ASLEEP);
}

static void end_slice(struct cpu *cpu)
{
    cpu_charge(cpu);
    cpu->slice_left = 0;
    cpu_look(cpu);
}

void cpu_task_yield(struct cpu_task *t)
{
    if (t->state != TASK_ON)
        return;
    end_slice(t->cpu);
    cpus_settle(t->c);
}

void cpu_task_yield_to(struct cpu_task *t, struct cpu_task *to)
{
    if (t->state != TASK_ON)
        return;
    end_slice(t->cpu);
    if (to->state == TASK_READY && to->cpu != t->cpu && to->cpu->cur)
        end_slice(to->cpu);
    cpus_settle(t->c);
}

bool cpu_task_waits(const struct cpu_task *t)
{
    return t->state == TASK_READY;
}

void cpu_task_end(struct cpu_task *t)
{
    if (t->ending)
        return;
    t->ending = true;
    if (t->state == TASK_ON)
        cpu_charge(t->cpu);
    t->ended = sim_now(t->c->env.sim);
    halt(t, TASK_ENDED);
}

bool cpu_task_contended(const struct cpu_task *t)
{
    return t->state == TASK_ON && t->cpu->n > 1;
}

bool cpu_task_on_cpu(const struct cpu_task *t)
{
    return t->state == TASK_ON;
}

uint32_t cpu_task_cpu(const struct cpu_task *t)
{
    return t->ran_on ? t->ran_on->id : POLICY_NONE;
}

void cpu_task_watch(struct cpu_task *t, sim_fn *moved, void *ctx)
{
    t->moved = moved;
    t->moved_ctx = ctx;
}

void cpu_task_times(const struct cpu_task *t, struct cpu_task_times *out)
{
    sim_time now = sim_now(t->c->env.sim), d;
    if (t->state == TASK_ON)
        cpu_charge(t->cpu);
    *out = t->n;
    d = now - t->since;
    out->age = (t->state == TASK_ENDED ? t->ended : now) - t->born;
    out->slept += t->state == TASK_ASLEEP ? d : 0;
    out->waited += t->state == TASK_READY || t->state == TASK_THROTTLED ? d : 0;
    out->throttled += t->state == TASK_THROTTLED ? d : 0;
}
