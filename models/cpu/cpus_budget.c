/* cpus_budget.c - scheduling contexts: budget_ns of CPU in period_ns, and no more.
 *
 * A constant bandwidth server with hard reservation (Abeni and Buttazzo, RTSS'98, as in Linux'
 * SCHED_DEADLINE): a task that wakes goes on with what is left of its budget, unless that would
 * be more than budget/period until its deadline; then it gets a new period.  A task without
 * budget is not runnable until its deadline.  In any stretch of time L it gets at most
 * L * budget / period + budget.                                                            */
#include "models/cpu/cpus_state.h"

static void new_period(struct cpu_task *t, sim_time from)
{
    t->budget_left = t->spec.budget_ns;
    t->deadline = from + t->spec.period_ns;
}

static void refill(void *ctx, uint64_t unused)
{
    (void)unused;
    struct cpu_task *t = ctx;
    t->refill = 0;
    new_period(t, sim_now(t->c->env.sim));
    task_wake(t);
    cpus_settle(t->c);
}

static void refill_later(struct cpu_task *t)
{
    t->refill = sim_at(t->c->env.sim, t->deadline, 1, refill, t, 0);
}

bool task_may_run(struct cpu_task *t)
{
    sim_time now = sim_now(t->c->env.sim);
    if (!t->spec.budget_ns)
        return true;
    if (now >= t->deadline || (unsigned __int128)t->budget_left * t->spec.period_ns >
                                  (unsigned __int128)(t->deadline - now) * t->spec.budget_ns)
        new_period(t, now);
    if (t->budget_left)
        return true;
    task_state(t, TASK_THROTTLED);
    refill_later(t);
    return false;
}

void task_throttle(struct cpu_task *t)
{
    struct cpu *cpu = t->cpu;
    if (sim_now(t->c->env.sim) >= t->deadline) { /* it ran up to its very end, or beyond */
        new_period(t, sim_now(t->c->env.sim));
        cpu->slice_left = 0; /* its deadline moved */
        return;
    }
    refill_later(t); /* first: whoever watches the task may end it, and with it this */
    cpu_stop_current(cpu, TASK_THROTTLED);
}
