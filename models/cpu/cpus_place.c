/* cpus_place.c - where a task that wakes goes: where it was if that is idle, else to an idle core,
 * else an idle thread, of the node of its memory (or where it was), else of any node; else where
 * it was.  A task that never ran and finds nothing idle takes the lightest queue.  */
#include "models/cpu/cpus_state.h"

static bool core_idle(const struct cpu *cpu)
{
    const struct cpus *c = cpu->c;
    uint32_t threads = c->cfg.threads_per_core, first = cpu->id / threads * threads;
    for (uint32_t i = first; i < first + threads && i < c->n; i++)
        if (c->cpu[i].n)
            return false;
    return true;
}

static void range(const struct cpus *c, const struct cpu_task *t, uint32_t *first, uint32_t *end)
{
    *first = t->spec.n_cpus ? t->spec.first_cpu : 0;
    *end = t->spec.n_cpus ? t->spec.first_cpu + t->spec.n_cpus : c->n;
}

static struct cpu *idle_on(struct cpus *c, const struct cpu_task *t, uint32_t node)
{
    uint32_t first, end, per_node = c->cfg.cores_per_socket * c->cfg.threads_per_core;
    struct cpu *found = NULL;
    if (!c->idle[node])
        return NULL;
    range(c, t, &first, &end);
    if (first < node * per_node)
        first = node * per_node;
    if (end > (node + 1) * per_node)
        end = (node + 1) * per_node;
    for (uint32_t i = first; i < end && i < c->n; i++) {
        if (c->cpu[i].n)
            continue;
        if (c->cfg.threads_per_core == 1 || core_idle(&c->cpu[i]))
            return &c->cpu[i];
        if (!found)
            found = &c->cpu[i];
    }
    return found;
}

static struct cpu *lightest(struct cpus *c, const struct cpu_task *t, uint32_t node)
{
    uint32_t first, end;
    range(c, t, &first, &end);
    struct cpu *best = &c->cpu[first];
    for (uint32_t i = first + 1; i < end; i++) {
        struct cpu *cpu = &c->cpu[i];
        if (cpu->load < best->load ||
            (cpu->load == best->load && cpu->node == node && best->node != node))
            best = cpu;
    }
    return best;
}

struct cpu *cpus_place(struct cpus *c, const struct cpu_task *t)
{
    struct cpu *was = t->cpu, *cpu;
    if (was && !was->n)
        return was;
    uint32_t home = t->spec.home_node;
    if (home == POLICY_NONE)
        home = was ? was->node : 0;
    if ((cpu = idle_on(c, t, home)))
        return cpu;
    for (uint32_t i = 0; i < c->nodes; i++)
        if (i != home && (cpu = idle_on(c, t, i)))
            return cpu;
    return was ? was : lightest(c, t, home);
}
