#include "models/mem/ahead_life.h"

#include <stdlib.h>

#include "models/policy_life.h"

struct ahead_life {
    struct sim *clock; /* of the steps */
    struct policy_life *life;
    struct policy_mem about;
    uint32_t begun[POLICY_VERSIONS]; /* loads of it that were told what it is about */
    sim_time waited;
};

static bool step_takes(void *ctx, sim_time ns, sim_fn *next, void *arg, uint64_t n)
{
    struct ahead_life *a = ctx;
    sim_after(a->clock, ns, 0, next, arg, n);
    return true;
}

static int open_life(struct ahead_life *a, const struct model_env *env, struct machine_use *use,
                     struct measures *out, struct err *e)
{
    struct policy_slot *alone = model_policy(env, POLICY_HOOK_MEM_READAHEAD);
    const struct life_env life = {.sim = a->clock,
                                  .charge = step_takes,
                                  .at_once = true,
                                  .stack = stack_find(env->stack ? env->stack : "native", e),
                                  .use = use,
                                  .out = out,
                                  .ctx = a,
                                  .e = e};
    if (!life.stack)
        return ERR_ENAME;
    return policy_life_open(&a->life, env->plan[POLICY_HOOK_MEM_READAHEAD], alone, &life, e);
}

int ahead_life_open(struct ahead_life **life, const struct model_env *env, struct machine_use *use,
                    const struct policy_mem *about, struct measures *out, struct err *e)
{
    *life = NULL;
    if (!env->plan[POLICY_HOOK_MEM_READAHEAD])
        return 0;
    struct ahead_life *a = *life = calloc(1, sizeof *a);
    if (!a || !(a->clock = sim_new(NULL)))
        return err_set(e, ERR_ENOMEM, "memory: out of memory");
    a->about = *about;
    return open_life(a, env, use, out, e);
}

void ahead_life_close(struct ahead_life *a)
{
    if (!a)
        return;
    policy_life_free(a->life);
    sim_free(a->clock);
    free(a);
}

/* Whoever answers for the first time since it was loaded learns what about. */
static void begin(struct ahead_life *a, uint32_t version, struct policy_slot *p)
{
    if (!p || a->begun[version] == policy_life_loads(a->life, version))
        return;
    a->begun[version] = policy_life_loads(a->life, version);
    (void)policy_slot_mem_begin(p, &a->about);
}

uint32_t ahead_life_ask(struct ahead_life *a, struct mem_readahead *r, const struct mem_touch *t,
                        const struct mem_source *ahead)
{
    struct policy_ticket ticket;
    sim_time wait;
    if (t->time_ns > sim_now(a->clock))
        sim_run(a->clock, t->time_ns);
    struct policy_slot *p = policy_life_now(a->life, 0, &ticket, &wait);
    a->waited += wait;
    begin(a, ticket.version, p);
    mem_readahead_under(r, p);
    const uint32_t pages = mem_readahead_ask(r, t, ahead);
    policy_life_said(a->life, 0, &ticket);
    return pages;
}

sim_time ahead_life_waited(const struct ahead_life *a)
{
    return a ? a->waited : 0;
}

int ahead_life_end(struct ahead_life *a)
{
    if (!a)
        return 0;
    const int rc = policy_life_failed(a->life);
    if (!rc)
        policy_life_report(a->life);
    return rc;
}
