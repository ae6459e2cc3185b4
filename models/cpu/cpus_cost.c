/* cpus_cost.c - what a CPU spends before a task works again, and how fast it works then.
 *
 * Caches: a core holds CACHE_LINES; a task that runs touches its footprint, and
 * the least recently used lines go.  So a task that comes back has lost
 *     footprints of those that ran there since + its own - all there are
 * lines, between none and its footprint: LRU's stack distance, one step per task.
 * Refilling the whole of a core costs migrate_core; a task that comes from
 * another core finds nothing of its own, and across sockets pays migrate_node. */
#include <assert.h>

#include "models/cpu/cpus_state.h"

static uint32_t smt_speed(const struct cpu *cpu)
{
    uint32_t busy = cpu->core->busy;
    if (busy < 2)
        return SPEED_ONE;
    /* What two get out of a core together is all that any number gets. */
    return (uint32_t)(cpu->c->cfg.smt_speed * 2 / busy * SPEED_ONE + 0.5);
}

static uint32_t speed_of(const struct cpu *cpu, const struct cpu_task *t)
{
    uint32_t smt = smt_speed(cpu), home = t->spec.home_node;
    uint64_t far = home == POLICY_NONE || home == cpu->node ? SPEED_ONE : t->remote_speed;
    uint64_t speed = smt * far / SPEED_ONE;
    return speed ? (uint32_t)speed : 1;
}

/* A sibling that is between two tasks is looked at by the one who stopped it. */
void cpu_speeds(struct cpu *cpu)
{
    struct cpus *c = cpu->c;
    uint32_t threads = c->cfg.threads_per_core, first = cpu->id / threads * threads;
    for (uint32_t i = first; i < first + threads && i < c->n; i++) {
        struct cpu *s = &c->cpu[i];
        if (!s->cur)
            continue;
        uint32_t speed = speed_of(s, s->cur);
        if (s->speed == speed)
            continue;
        cpu_charge(s);
        s->speed = speed;
        if (s != cpu)
            cpu_arm(s);
    }
}

static int64_t lost_lines(const struct cpu *cpu, const struct cpu_task *t)
{
    if (t->ran_on->core != cpu->core)
        return t->lines;
    int64_t lost = t->lines - CACHE_LINES;
    for (const struct cpu_task *o = cpu->core->recent; o != t && lost < t->lines; o = o->older) {
        assert(o && "it ran here");
        lost += o->lines;
    }
    if (lost < t->missing)
        lost = t->missing;
    return lost < t->lines ? lost : t->lines;
}

static sim_cost refill_cost(const struct cpu *cpu, const struct cpu_task *t, int64_t lost)
{
    const struct cpus_config *f = &cpu->c->cfg;
    sim_cost full = t->ran_on->node == cpu->node ? f->migrate_core : f->migrate_node;
    return (sim_cost)((unsigned __int128)full * (uint64_t)lost / (uint64_t)CACHE_LINES);
}

static void unlink_recent(struct cpu_task *t)
{
    *(t->newer ? &t->newer->older : &t->ran_on->core->recent) = t->older;
    if (t->older)
        t->older->newer = t->newer;
}

static void most_recent(struct core *core, struct cpu_task *t)
{
    t->newer = NULL;
    t->older = core->recent;
    if (t->older)
        t->older->newer = t;
    core->recent = t;
}

static void count_move(struct cpu *cpu, struct cpu_task *t)
{
    if (!t->ran_on || t->ran_on == cpu)
        return;
    t->n.migrations++;
    cpu->c->n_total.migrations++;
    t->n.remote_migrations += t->ran_on->node != cpu->node;
}

void cpu_enter_cost(struct cpu *cpu, struct cpu_task *t)
{
    sim_time now = sim_now(cpu->c->env.sim);
    sim_cost enter = cpu->owed, refill = 0;
    cpu->owed = 0;
    if (cpu->asks_until > now)
        enter += (cpu->asks_until - now) * 1000;
    if (cpu->last && cpu->last != t) {
        enter += cpu->c->cfg.context_switch;
        cpu->c->n_total.switches++;
        t->n.switches++;
    }
    if (t->woke && t->ready_at == now)
        enter += t->wake_cost;
    count_move(cpu, t);
    if (t->ran_on) { /* what it reads for the first time is part of its work */
        t->missing = lost_lines(cpu, t);
        refill = refill_cost(cpu, t, t->missing);
        unlink_recent(t);
    }
    most_recent(cpu->core, t);
    cpu->cold_from = now + carry_ns(&cpu->carry, enter);
    cpu->work_from = cpu->cold_from + carry_ns(&cpu->carry, refill);
    t->ran_on = cpu;
    cpu->last = t;
}

void cpu_leave_cost(struct cpu *cpu, struct cpu_task *t)
{
    sim_time now = sim_now(cpu->c->env.sim);
    sim_time from = now < cpu->cold_from ? cpu->cold_from : now;
    if (from >= cpu->work_from)
        t->missing = 0;
    else
        t->missing = (int64_t)((unsigned __int128)(uint64_t)t->missing * (cpu->work_from - from) /
                               (cpu->work_from - cpu->cold_from));
}

/* The others run in proportion to their weights, none longer than until it blocks. */
static uint64_t beside(const struct cpu *cpu, const struct cpu_task *t, uint64_t own)
{
    uint64_t ns = 0;
    for (const struct cpu_task *o = cpu->first; o; o = o->next) {
        const uint64_t part = own * o->spec.weight / t->spec.weight, left = cpu_task_left(o);
        if (o != t)
            ns += o->wants == WANTS_WORK && left < part ? left : part;
    }
    return ns;
}

uint64_t cpu_foresee(struct cpu *cpu, const struct cpu_task *t)
{
    const uint32_t home = t->spec.home_node;
    uint64_t own = cpu_task_left(t);
    cpu_charge(cpu); /* who runs has less left than when it was last looked at */
    if (home != POLICY_NONE && home != cpu->node)
        own = (uint64_t)((unsigned __int128)own * SPEED_ONE / t->remote_speed);
    const uint64_t refill =
        t->ran_on ? refill_cost(cpu, t, lost_lines(cpu, t)) / 1000 : 0; /* a part of its turn */
    return own + refill + beside(cpu, t, own + refill);
}
