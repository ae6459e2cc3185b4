/* scheduler.c - the one who decides: keys of jobs, and passes over those that wait.
 *
 * It is a thread on a core of the experiment's machine, its own, and does one
 * thing at a time: keys in the order in which they are wanted, and a pass as soon
 * as anything has changed.  A pass decides on what it
 * saw when it began; a job that it starts holds its GPUs from then on and begins
 * when the inference behind its place, and that before it in the pass, is done.
 * Without a machine inference is counted and free.                             */
#include <stdio.h>

#include "models/cluster/cluster_state.h"

#define A_PASS UINT64_MAX /* instead of a slot */

static void ask(void *ctx, uint64_t slot, uint64_t id)
{
    struct cluster *s = ctx;
    if (slot == A_PASS)
        pass_run(s);
    else
        order_turn(s, (uint32_t)slot, id);
}

static void answered(void *ctx, uint64_t slot, uint64_t id)
{
    if (slot != A_PASS)
        order_answered(ctx, (uint32_t)slot, id);
}

void scheduler_pass(void *ctx, uint64_t unused)
{
    struct cluster *s = ctx;
    (void)unused;
    if (!desk_put_first(s->desk, A_PASS, 0))
        cluster_no_memory(s);
}

int scheduler_fits(const struct cluster_config *c, const struct machine *machine, const char *stack,
                   struct err *e)
{
    return mlaas_bill_fits(&c->service, c->infer, "cluster", machine, stack, e);
}

/* Who found no place may find one now. */
static void placer_changed(void *ctx, uint32_t vm)
{
    (void)vm;
    cluster_wake(ctx);
}

static int open_lives(struct cluster *s)
{
    struct life_env life = {.sim = s->sim,
                            .cpu = s->life_core,
                            .stack = s->bill.stack,
                            .use = &s->use,
                            .out = s->out,
                            .changed = order_changed,
                            .ctx = s,
                            .e = s->e};
    int rc =
        policy_life_open(&s->life, s->env->plan[POLICY_HOOK_CLUSTER_ORDER], s->order, &life, s->e);
    life.at_once = true;
    life.changed = placer_changed;
    return rc ? rc
              : policy_life_open(&s->placing, s->env->plan[POLICY_HOOK_CLUSTER_PLACE],
                                 model_policy(s->env, POLICY_HOOK_CLUSTER_PLACE), &life, s->e);
}

/* The pass goes on when the step that is under way is over. */
struct policy_slot *scheduler_placer(struct cluster *s, struct policy_ticket *t)
{
    mlaas_bill_wait(&s->bill, policy_life_stall(s->placing));
    *t = (struct policy_ticket){.size = 1};
    policy_life_ask(s->placing, 0, t, NULL, NULL, 0);
    return policy_life_of(s->placing, t->version);
}

void scheduler_placed(struct cluster *s, struct policy_ticket *t)
{
    policy_life_answered(s->placing, 0, t);
    policy_life_watch(s->placing, 0);
}

int scheduler_failed(const struct cluster *s)
{
    int rc = policy_life_failed(s->life);
    rc = rc ? rc : policy_life_failed(s->placing);
    return rc ? rc : mlaas_bill_check(&s->bill, s->e);
}

int scheduler_open(struct cluster *s)
{
    const struct model_env *env = s->env;
    const struct desk_calls calls = {ask, answered, s};
    int rc = scheduler_fits(&s->c, env->machine, env->stack, s->e);
    if (!rc && env->machine)
        rc = machine_use_begin(&s->use, env->machine, s->e);
    if (!rc)
        rc = mlaas_bill_open(&s->bill, &s->c.service, env->stack, env->machine ? &s->use : NULL,
                             env->infer, s->e);
    if (rc)
        return rc;
    s->desk = desk_new(s->sim, &s->bill, &calls);
    s->life_core = cores_new(s->sim, 1);
    return s->desk && s->life_core ? open_lives(s) : cluster_no_memory(s);
}

void scheduler_close(struct cluster *s)
{
    mlaas_bill_close(&s->bill);
    desk_free(s->desk);
    policy_life_free(s->life);
    policy_life_free(s->placing);
    if (s->life_core)
        cores_free(s->life_core);
    machine_use_end(&s->use);
}

static void say(const struct cluster *s)
{
    const char *stack = s->env->stack ? s->env->stack : "native";
    char line[240];
    if (s->env->machine && s->c.service.mode != MLAAS_FREE)
        snprintf(line, sizeof line,
                 "the scheduler's inference is charged: to a core of its own of machine \"%.60s\", "
                 "stack \"%.20s\"%s",
                 s->env->machine->name, stack,
                 s->c.service.mode == MLAAS_ASYNC ? "; nothing waits for it" : "");
    else
        snprintf(line, sizeof line,
                 "assumed: the scheduler's inference runs on a machine that is no part of the "
                 "cluster, in no time: microseconds beside jobs of minutes");
    measures_incident(s->out, "inference", "cluster", 0, 0, line);
}

void scheduler_report(const struct cluster *s)
{
    const struct mlaas_bill *b = &s->bill;
    policy_life_report(s->life);
    policy_life_report(s->placing);
    measures_number(s->out, "infer_calls", "1", BETTER_NONE, (double)b->calls);
    measures_number(s->out, "infer_cpu_time", "s", BETTER_LESS, (double)b->cpu_ps / 1e12);
    measures_number(s->out, "infer_gpu_time", "s", BETTER_LESS, (double)b->gpu_ps / 1e12);
    if (b->calls)
        say(s);
    if (b->n_nets) {
        measures_number(s->out, "infer_wait_time", "s", BETTER_LESS, (double)b->waited_ps / 1e12);
        desk_report(s->desk, "scheduler", sim_now(s->sim) - s->n.first_arrival, s->out);
    }
    if (!b->n_nets && !s->env->plan[POLICY_HOOK_CLUSTER_ORDER] &&
        !s->env->plan[POLICY_HOOK_CLUSTER_PLACE])
        return;
    machine_use_report(&s->use, s->out);
}
