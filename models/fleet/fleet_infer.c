/* fleet_infer.c - what the inference behind the router's and the scaler's policies costs, and the
 * lives of these policies.
 *
 * Each is a thread on a core of the experiment's machine, its own: routing and
 * admission take their turn on one (fleet_route.c), scaling on the other.
 * Without a machine inference is counted and free.                           */
#include "models/fleet/fleet_state.h"

int fleet_infer_fits(const struct fleet_config *c, const struct machine *machine, const char *stack,
                     struct err *e)
{
    return mlaas_bill_fits(&c->service, c->infer, "fleet", machine, stack, e);
}

static struct desk *new_desk(struct fleet *f, const struct desk_calls *calls)
{
    const struct desk_calls bound = {calls->ask, calls->answered, f};
    return desk_new(f->sim, &f->bill, &bound);
}

static int open_life(struct fleet *f, enum policy_hook hook, struct policy_slot *first,
                     struct policy_life **l)
{
    const struct life_env life = {.sim = f->sim,
                                  .cpu = f->life_core,
                                  .at_once = hook == POLICY_HOOK_SERVE_ADMIT,
                                  .stack = f->bill.stack,
                                  .use = &f->use,
                                  .out = f->out,
                                  .e = f->e};
    return policy_life_open(l, f->env->plan[hook], first, &life, f->e);
}

static int open_lives(struct fleet *f)
{
    f->routed_by = f->route;
    int rc = open_life(f, POLICY_HOOK_SERVE_ROUTE, f->route, &f->routes);
    rc = rc ? rc : open_life(f, POLICY_HOOK_SERVE_SCALE, f->scale, &f->scales);
    rc = rc ? rc : open_life(f, POLICY_HOOK_SERVE_ADMIT, f->admit, &f->admits);
    f->admits_all = !f->env->plan[POLICY_HOOK_SERVE_ADMIT] &&
                    !(f->admit && f->admit->ops && f->admit->ops->serve_admit);
    return rc;
}

int fleet_infer_open(struct fleet *f)
{
    const struct model_env *env = f->env;
    int rc = fleet_infer_fits(&f->c, env->machine, env->stack, f->e);
    if (!rc && env->machine && !f->uses_machine)
        rc = machine_use_begin(&f->use, env->machine, f->e);
    if (!rc)
        rc = mlaas_bill_open(&f->bill, &f->c.service, env->stack, env->machine ? &f->use : NULL,
                             env->infer, f->e);
    if (rc)
        return rc;
    f->router = new_desk(f, &fleet_route_calls);
    f->scaler = new_desk(f, &fleet_scale_calls);
    f->life_core = cores_new(f->sim, 1);
    return f->router && f->scaler && f->life_core
               ? open_lives(f)
               : err_set(f->e, ERR_ENOMEM, "fleet: out of memory");
}

int fleet_infer_failed(const struct fleet *f)
{
    const struct policy_life *const lives[] = {f->routes, f->scales, f->admits};
    int rc = 0;
    for (size_t i = 0; i < 3 && !rc; i++)
        rc = policy_life_failed(lives[i]);
    return rc ? rc : mlaas_bill_check(&f->bill, f->e);
}

void fleet_infer_close(struct fleet *f)
{
    mlaas_bill_close(&f->bill);
    desk_free(f->router);
    desk_free(f->scaler);
    policy_life_free(f->routes);
    policy_life_free(f->scales);
    policy_life_free(f->admits);
    if (f->life_core)
        cores_free(f->life_core);
}

void fleet_infer_report(const struct fleet *f)
{
    const sim_time span = f->n.last_done - f->n.first_arrival;
    policy_life_report(f->routes);
    policy_life_report(f->scales);
    policy_life_report(f->admits);
    mlaas_bill_report(&f->bill, f->out);
    desk_report(f->router, "router", span, f->out);
    desk_report(f->scaler, "scaler", span, f->out);
    if (f->bill.calls && !f->bill.n_nets)
        measures_incident(f->out, "inference", "fleet", 0, 0,
                          "assumed: the inference of routers and scalers takes no time: nothing "
                          "says on which machine they run, or that it is charged");
}
