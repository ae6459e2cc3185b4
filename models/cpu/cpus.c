#include "models/cpu/cpus_state.h"

#include <assert.h>
#include <stdlib.h>

static void topology(struct cpus *c, struct cpu *cpu, uint32_t id)
{
    const struct cpus_config *f = &c->cfg;
    uint32_t core = id / f->threads_per_core;
    *cpu = (struct cpu){.c = c, .id = id, .core = &c->core[core]};
    cpu->node = core / f->cores_per_socket;
    cpu->since = sim_now(c->env.sim);
    c->idle[cpu->node]++;
}

struct cpus *cpus_new(const struct cpus_config *cfg, const struct cpus_env *env)
{
    struct cpus *c = calloc(1, sizeof *c);
    if (!c)
        return NULL;
    uint64_t all = (uint64_t)cfg->sockets * cfg->cores_per_socket * cfg->threads_per_core;
    assert(all > 0 && all <= POLICY_CPUS_MAX && cfg->balance_period > 0);
    c->cfg = *cfg;
    c->env = *env;
    c->n = cfg->limit && cfg->limit < all ? cfg->limit : (uint32_t)all;
    uint32_t cores = (c->n - 1) / cfg->threads_per_core + 1;
    c->nodes = (cores - 1) / cfg->cores_per_socket + 1;
    c->list_end = &c->list;
    c->began = sim_now(env->sim);
    c->cpu = calloc(c->n, sizeof *c->cpu);
    c->core = calloc(cores, sizeof *c->core);
    c->idle = calloc(c->nodes, sizeof *c->idle);
    if (!c->cpu || !c->core || !c->idle) {
        cpus_free(c);
        return NULL;
    }
    for (uint32_t i = 0; i < c->n; i++)
        topology(c, &c->cpu[i], i);
    return c;
}

void cpus_free(struct cpus *c)
{
    if (!c)
        return;
    for (size_t i = 0; i < c->n_tasks; i++) {
        sim_cancel(c->env.sim, c->task[i]->refill);
        free(c->task[i]);
    }
    for (uint32_t i = 0; c->cpu && i < c->n; i++)
        sim_cancel(c->env.sim, c->cpu[i].timer);
    sim_cancel(c->env.sim, c->balance);
    policy_life_free(c->env.pick_life);
    policy_life_free(c->env.balance_life);
    free(c->task);
    free(c->obs);
    free(c->cpu);
    free(c->core);
    free(c->idle);
    free(c);
}

uint32_t cpus_count(const struct cpus *c)
{
    return c->n;
}

uint32_t cpus_node(const struct cpus *c, uint32_t cpu)
{
    assert(cpu < c->n);
    return c->cpu[cpu].node;
}

void cpus_totals(const struct cpus *c, struct cpus_totals *out)
{
    *out = c->n_total;
    out->wall = sim_now(c->env.sim) - c->began;
    out->cpus = c->n;
    for (uint32_t i = 0; i < c->n; i++) {
        struct cpu *cpu = &c->cpu[i];
        cpu_charge(cpu);
        out->work += cpu->work;
        out->spin += cpu->spin;
        out->overhead += cpu->overhead;
        out->idle += cpu->idle;
    }
}

/* ---- time passes on a CPU ---- */

static void progress(struct cpu *cpu, struct cpu_task *t, sim_time ran)
{
    t->n.ran += ran;
    cpu->slice_left -= ran < cpu->slice_left ? ran : cpu->slice_left;
    if (t->spec.budget_ns) {
        assert(ran <= t->budget_left && "more CPU than its budget");
        t->budget_left -= ran;
    }
    if (t->wants == WANTS_SPIN) {
        t->n.spun += ran;
        cpu->spin += ran;
        return;
    }
    unsigned __int128 did = (unsigned __int128)ran * cpu->speed;
    cpu->work += ran;
    if (did > t->left)
        t->surplus += (uint64_t)(did - t->left);
    t->left -= did < t->left ? did : t->left;
}

void cpu_charge(struct cpu *cpu)
{
    sim_time now = sim_now(cpu->c->env.sim), from = cpu->since;
    struct cpu_task *t = cpu->cur;
    if (now == from)
        return;
    cpu->since = now;
    if (!t) {
        cpu->idle += now - from;
        return;
    }
    sim_time start = cpu->work_from < from ? from : cpu->work_from < now ? cpu->work_from : now;
    sim_time cold = cpu->cold_from < from ? from : cpu->cold_from < start ? cpu->cold_from : start;
    cpu->overhead += start - from;
    t->n.waited += start - from;
    t->n.cold += start - cold;
    t->n.entered += cold - from;
    progress(cpu, t, now - start);
}

static void fire(void *ctx, uint64_t unused)
{
    (void)unused;
    struct cpu *cpu = ctx;
    cpu->timer = 0;
    cpu_look(cpu);
    cpus_settle(cpu->c);
}

static sim_time time_left(const struct cpu *cpu)
{
    const struct cpu_task *t = cpu->cur;
    sim_time ns = SIM_NEVER;
    if (t->wants != WANTS_SPIN) {
        unsigned __int128 need = (t->left + cpu->speed - 1) / cpu->speed;
        ns = need < SIM_NEVER ? (sim_time)need : SIM_NEVER;
    }
    if (cpu->n > 1 && cpu->slice_left < ns)
        ns = cpu->slice_left;
    if (t->spec.budget_ns && t->budget_left < ns)
        ns = t->budget_left;
    return ns;
}

void cpu_arm(struct cpu *cpu)
{
    struct sim *s = cpu->c->env.sim;
    sim_time when = SIM_NEVER, start = sim_now(s);
    if (cpu->cur) {
        sim_time ns = time_left(cpu);
        start = start < cpu->work_from ? cpu->work_from : start;
        when = ns < SIM_NEVER - start ? start + ns : SIM_NEVER;
    }
    if (cpu->timer && cpu->timer_at == when)
        return;
    sim_cancel(s, cpu->timer);
    cpu->timer_at = when;
    cpu->timer = when == SIM_NEVER ? 0 : sim_at(s, when, 0, fire, cpu, 0);
}

/* ---- looking at a CPU again ---- */

void cpu_look(struct cpu *cpu)
{
    struct cpus *c = cpu->c;
    if (cpu->listed)
        return;
    cpu->listed = true;
    cpu->next_listed = NULL;
    *c->list_end = cpu;
    c->list_end = &cpu->next_listed;
}

/* Tells whose work is done; it may get more in the callback. */
static void complete(struct cpu *cpu)
{
    struct cpus *c = cpu->c;
    for (struct cpu_task *t = cpu->cur; t && t->wants == WANTS_WORK && !t->left; t = cpu->cur) {
        struct cpu *outer = c->here;
        t->wants = WANTS_NOTHING;
        c->here = cpu;
        if (t->done)
            t->done(t->ctx, t->arg);
        c->here = outer;
    }
}

static void look(struct cpu *cpu)
{
    cpu_charge(cpu);
    complete(cpu);
    struct cpu_task *t = cpu->cur;
    if (t && t->wants == WANTS_NOTHING)
        cpu_stop_current(cpu, t->ending ? TASK_ENDED : TASK_ASLEEP);
    else if (t && t->spec.budget_ns && !t->budget_left)
        task_throttle(t);
    if (!cpu->n && !cpu_pull(cpu)) {
        cpu_run_idle(cpu);
        return;
    }
    if (cpu->woken)
        cpu_pick(cpu, POLICY_WOKE);
    else if (!cpu->cur)
        cpu_pick(cpu, POLICY_BLOCKED);
    else if (cpu->n > 1 && !cpu->slice_left)
        cpu_pick(cpu, POLICY_SLICE_END);
    else
        cpu_arm(cpu);
}

void cpus_settle(struct cpus *c)
{
    if (c->settling)
        return;
    c->settling = true;
    for (struct cpu *cpu; (cpu = c->list);) {
        c->list = cpu->next_listed;
        if (!c->list)
            c->list_end = &c->list;
        cpu->listed = false;
        look(cpu);
    }
    c->settling = false;
    cpus_balance_later(c);
}
