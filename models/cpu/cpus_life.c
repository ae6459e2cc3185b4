/* cpus_life.c - the policies of cpu.pick and cpu.balance when they change in mid-run. */
#include "models/cpu/cpus_life.h"

#include "models/cpu/cpus_state.h"

static bool step_takes(void *ctx, sim_time ns, sim_fn *next, void *arg, uint64_t n)
{
    struct cpus *c = ctx;
    c->cpu[0].owed += ns * 1000;
    sim_after(c->env.sim, ns, 0, next, arg, n);
    return true;
}

static int open_one(struct cpus *c, enum policy_hook hook, struct policy_slot *alone,
                    const struct cpus_life_env *env, struct policy_life **l)
{
    const struct policy_plan *plan = env->model->plan[hook];
    const struct stack *stack =
        stack_find(env->model->stack ? env->model->stack : "native", env->e);
    const struct life_env life = {.sim = c->env.sim,
                                  .charge = step_takes,
                                  .at_once = true,
                                  .stack = stack,
                                  .use = env->use,
                                  .out = env->out,
                                  .ctx = c,
                                  .e = env->e};
    if (!plan)
        return 0;
    return stack ? policy_life_open(l, plan, alone, &life, env->e) : ERR_ENAME;
}

int cpus_life_begin(struct cpus *c, const struct cpus_life_env *env)
{
    struct policy_slot *const asked[] = {c->env.pick, c->env.balance};
    for (size_t i = 0; i < 2; i++)
        if (asked[i])
            asked[i]->out = env->out;
    int rc = open_one(c, POLICY_HOOK_CPU_PICK, c->env.pick, env, &c->env.pick_life);
    return rc ? rc
              : open_one(c, POLICY_HOOK_CPU_BALANCE, c->env.balance, env, &c->env.balance_life);
}

int cpus_life_end(const struct cpus *c)
{
    struct policy_life *const lives[] = {c->env.pick_life, c->env.balance_life};
    int rc = 0;
    for (size_t i = 0; i < 2 && !rc; i++)
        if (lives[i] && !(rc = policy_life_failed(lives[i])))
            policy_life_report(lives[i]);
    return rc;
}
