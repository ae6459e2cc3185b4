/* cpus_balance.c - which waiting tasks may move, asked in a fixed order: a CPU that falls idle asks
 * about those that wait on the CPUs after it on its node, then on the others; every period the
 * lightest CPU of each node, then of all, asks about those of the heaviest. */
#include "models/cpu/cpus_state.h"
#include "models/mlaas/mlaas_bill.h"

static bool waits(const struct cpu_task *t)
{
    return t->cpu->cur && t->cpu->cur != t; /* without cur, it is about to run there */
}

static uint32_t astray(const struct cpu *src)
{
    uint32_t n = 0;
    for (const struct cpu_task *t = src->first; t; t = t->next)
        n += t->spec.home_node != POLICY_NONE && t->spec.home_node != src->node;
    return n;
}

static int answer(struct cpus_env *env, const struct policy_balance_obs *o, sim_cost *ps)
{
    struct policy_slot *p = env->balance;
    struct policy_ticket t;
    sim_time wait = 0;
    if (env->balance_life)
        p = policy_life_now(env->balance_life, 0, &t, &wait);
    if (env->bill)
        mlaas_bill_begin(env->bill);
    const int verdict = policy_slot_balance(p, o);
    *ps = wait * 1000 + (env->bill ? mlaas_bill_end(env->bill) : 0);
    if (env->balance_life)
        policy_life_said(env->balance_life, 0, &t);
    return verdict;
}

/* What the answer costs is the time of the CPU that wants work: before the next task begins. */
static int ask(struct cpu *dst, const struct policy_balance_obs *o)
{
    sim_cost ps;
    const int verdict = answer(&dst->c->env, o, &ps);
    const sim_time now = sim_now(dst->c->env.sim);
    if (!ps)
        return verdict;
    if (dst->cur)
        dst->owed += ps;
    else
        dst->asks_until =
            (dst->asks_until > now ? dst->asks_until : now) + carry_ns(&dst->carry, ps);
    return verdict;
}

static bool may_move(struct cpu *dst, const struct cpu_task *t, enum policy_idle idle)
{
    struct cpu *src = t->cpu;
    struct policy_balance_obs o = {.dst_idle = idle, .src_len = src->n, .dst_len = dst->n};
    cpu_observe_task(src, t, &o.task);
    cpu_observe(src, &o.src);
    cpu_observe(dst, &o.dst);
    o.src_load = src->load;
    o.dst_load = dst->load;
    o.since_ran_ns = t->ran_on ? o.src.now_ns - t->left_at : o.src.now_ns;
    o.home_node = t->spec.home_node;
    o.failed = dst->failed;
    o.src_astray = astray(src);
    if (policy_slot_oracle(cpus_asked(dst->c->env.balance, dst->c->env.balance_life))) {
        o.task.oracle_left_ns = cpu_task_left(t);
        o.oracle_src_ns = cpu_foresee(src, t);
        o.oracle_dst_ns = cpu_foresee(dst, t);
    }
    return ask(dst, &o) == POLICY_MIGRATE;
}

/* Moves the first that may. */
static struct cpu_task *pull_from(struct cpu *dst, struct cpu *src, enum policy_idle idle)
{
    if (!src->cur || src->n < 2)
        return NULL;
    for (struct cpu_task *t = src->first; t; t = t->next) {
        if (!waits(t) || !cpu_allows(dst, t) || !may_move(dst, t, idle))
            continue;
        queue_remove(t);
        queue_add(dst, t);
        dst->failed = 0;
        return t;
    }
    return NULL;
}

bool cpu_pull(struct cpu *dst)
{
    struct cpus *c = dst->c;
    if (!c->waiting)
        return false;
    c->n_total.balances++;
    for (int near = 1; near >= 0; near--)
        for (uint32_t k = 1; k < c->n; k++) {
            struct cpu *src = &c->cpu[(dst->id + k) % c->n];
            if ((src->node == dst->node) == near && pull_from(dst, src, POLICY_NEWLY_IDLE))
                return true;
        }
    dst->failed++;
    return false;
}

struct domain {
    struct cpu *first;
    uint32_t n;
};

static bool even_once(struct domain d)
{
    struct cpu *light = d.first, *heavy = NULL;
    for (uint32_t i = 0; i < d.n; i++) {
        struct cpu *cpu = &d.first[i];
        if (cpu->load < light->load)
            light = cpu;
        if (cpu->n > 1 && cpu->cur && (!heavy || cpu->load > heavy->load))
            heavy = cpu;
    }
    if (!heavy || heavy == light || heavy->load <= light->load)
        return false;
    struct cpu_task *t = pull_from(light, heavy, light->n ? POLICY_BUSY : POLICY_IDLE);
    if (t) {
        light->woken = t;
        cpu_look(light);
        return true;
    }
    light->failed++;
    return false;
}

static void even(struct cpus *c, struct domain d)
{
    c->n_total.balances++;
    for (uint32_t i = 0; i < d.n && c->waiting && even_once(d); i++)
        ;
}

static void balance(void *ctx, uint64_t unused)
{
    (void)unused;
    struct cpus *c = ctx;
    uint32_t per_node = c->cfg.cores_per_socket * c->cfg.threads_per_core;
    c->balance = 0;
    for (uint32_t first = 0; first < c->n; first += per_node)
        even(c, (struct domain){&c->cpu[first], c->n - first < per_node ? c->n - first : per_node});
    if (c->nodes > 1)
        even(c, (struct domain){c->cpu, c->n});
    cpus_settle(c);
}

void cpus_balance_later(struct cpus *c)
{
    if (c->waiting && !c->balance && c->n > 1)
        c->balance = sim_after(c->env.sim, c->cfg.balance_period, -1, balance, c, 0);
}
