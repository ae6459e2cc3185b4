#include "models/life_clock.h"

#include <stdlib.h>

struct life_clock {
    struct sim *sim; /* of the steps */
    struct policy_life *life;
    struct life_clock_env env;
    struct policy_mem about;
    struct policy_ticket ticket;
    uint32_t begun[POLICY_VERSIONS]; /* loads of it that were told what it is about */
    sim_time waited;
    struct err *e;
    bool failed;
};

static bool step_takes(void *ctx, sim_time ns, sim_fn *next, void *arg, uint64_t n)
{
    struct life_clock *c = ctx;
    sim_after(c->sim, ns, 0, next, arg, n);
    return true;
}

static size_t tells(void *ctx)
{
    const struct life_clock *c = ctx;
    return c->env.tells ? c->env.tells(c->env.ctx) : 0;
}

static void changed(void *ctx, uint32_t vm)
{
    const struct life_clock *c = ctx;
    if (c->env.changed)
        c->env.changed(c->env.ctx, vm);
}

static int open_life(struct life_clock *c, enum policy_hook hook, struct err *e)
{
    const struct model_env *env = c->env.model;
    const struct life_env life = {.sim = c->sim,
                                  .charge = step_takes,
                                  .at_once = true,
                                  .stack = stack_find(env->stack ? env->stack : "native", e),
                                  .use = c->env.use,
                                  .out = c->env.out,
                                  .tells = tells,
                                  .changed = changed,
                                  .ctx = c,
                                  .e = e};
    if (!life.stack)
        return ERR_ENAME;
    return policy_life_open(&c->life, env->plan[hook], model_policy(env, hook), &life, e);
}

int life_clock_open(struct life_clock **clock, enum policy_hook hook,
                    const struct life_clock_env *env, struct err *e)
{
    *clock = NULL;
    if (!env->model->plan[hook])
        return 0;
    struct life_clock *c = *clock = calloc(1, sizeof *c);
    if (!c || !(c->sim = sim_new(NULL)))
        return err_set(e, ERR_ENOMEM, "%s: out of memory", policy_hook_name(hook));
    c->env = *env;
    c->e = e;
    if (env->about)
        c->about = *env->about;
    return open_life(c, hook, e);
}

void life_clock_close(struct life_clock *c)
{
    if (!c)
        return;
    policy_life_free(c->life);
    sim_free(c->sim);
    free(c);
}

void life_clock_at(struct life_clock *c, sim_time now)
{
    if (c && now > sim_now(c->sim))
        sim_run(c->sim, now);
}

bool life_clock_begun(struct life_clock *c, uint32_t version)
{
    const bool told = c->begun[version] == policy_life_loads(c->life, version);
    c->begun[version] = policy_life_loads(c->life, version);
    return told;
}

struct policy_slot *life_clock_ask(struct life_clock *c, sim_time *wait)
{
    struct policy_slot *p = policy_life_now(c->life, 0, &c->ticket, wait);
    c->waited += *wait;
    if (p && c->env.about && !life_clock_begun(c, c->ticket.version))
        (void)policy_slot_mem_begin(p, &c->about);
    return p;
}

void life_clock_said(struct life_clock *c)
{
    policy_life_said(c->life, 0, &c->ticket);
}

struct policy_slot *life_clock_slot(const struct life_clock *c)
{
    return policy_life_slot(c->life, 0);
}

uint32_t life_clock_version(const struct life_clock *c)
{
    return life_clock_slot(c) ? policy_life_version(c->life, 0) : POLICY_NONE;
}

sim_time life_clock_waited(const struct life_clock *c)
{
    return c ? c->waited : 0;
}

void life_clock_fail(struct life_clock *c)
{
    c->failed = true;
}

int life_clock_end(struct life_clock *c)
{
    if (!c)
        return 0;
    int rc = policy_life_failed(c->life);
    if (!rc && c->failed)
        rc = err_set(c->e, ERR_ENOMEM, "policies: out of memory");
    if (!rc)
        policy_life_report(c->life);
    return rc;
}
