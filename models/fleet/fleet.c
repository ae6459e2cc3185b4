/* fleet.c - many serving engines behind a router: life cycle. */
#include <assert.h>
#include <stdlib.h>

#include "models/fleet/fleet_state.h"
#include "models/fleet/fleet_table.h"

void fleet_fail(struct fleet *f, int rc)
{
    if (!f->rc)
        f->rc = rc;
    sim_stop(f->sim);
}

static bool grow_slots(struct fleet *f)
{
    const uint32_t slots = f->slots ? 2 * f->slots : 1024;
    struct seq *seq = realloc(f->seq, slots * sizeof *seq);
    if (seq)
        f->seq = seq;
    uint32_t *spare = realloc(f->spare, slots * sizeof *spare);
    if (spare)
        f->spare = spare;
    if (!seq || !spare)
        return false;
    for (uint32_t i = slots; i-- > f->slots;) { /* low numbers first */
        f->spare[f->n_spare++] = i;
        f->seq[i].reuse = (struct reuse_seq){0};
        f->seq[i].leaving = false;
    }
    f->slots = slots;
    return true;
}

bool fleet_slot(struct fleet *f, uint32_t *slot)
{
    if (!f->n_spare && !grow_slots(f)) {
        fleet_fail(f, err_set(f->e, ERR_ENOMEM, "fleet: out of memory"));
        return false;
    }
    *slot = f->spare[--f->n_spare];
    return true;
}

void fleet_release(struct fleet *f, uint32_t slot)
{
    assert(f->n_spare < f->slots && f->n.in_system);
    reuse_seq_end(&f->seq[slot].reuse);
    f->spare[f->n_spare++] = slot;
    f->n.in_system--;
}

static int check(const struct config *section, struct err *e)
{
    struct fleet_config c;
    return fleet_config(&c, section, e);
}

/* Every table that a pool names is there; a sweep's other sections may name more. */
static int tables(const struct config *section, const struct config *given, struct err *e)
{
    struct fleet_config c;
    int rc = fleet_config(&c, section, e);
    for (uint32_t i = 0; !rc && i < c.pools; i++) {
        const char *name = fleet_table_name(c.pool[i].cost);
        if (name && (!given || !config_get(given, name)))
            rc = config_complain(config_get(c.pool[i].cost, "table"), e, "a name of \"tables\"");
    }
    return rc;
}

/* Everything that a run would look up in the machine profile, looked up. */
static int fits(const struct config *section, const struct machine *machine, const char *stack,
                struct err *e)
{
    struct model_env env = {.machine = machine, .stack = stack};
    struct fleet f = {.env = &env, .e = e};
    int rc = fleet_config(&f.c, section, e);
    if (!rc)
        rc = fleet_infer_fits(&f.c, machine, stack, e);
    if (!rc)
        rc = fleet_costs_fit(&f, e);
    return rc;
}

static int open_parts(struct fleet *f)
{
    struct sim_options opt = f->env->sim;
    opt.seed = f->env->seed;
    f->sim = sim_new(&opt);
    f->route = model_policy(f->env, POLICY_HOOK_SERVE_ROUTE);
    f->scale = model_policy(f->env, POLICY_HOOK_SERVE_SCALE);
    f->admit = model_policy(f->env, POLICY_HOOK_SERVE_ADMIT);
    f->batch = model_policy(f->env, POLICY_HOOK_SERVE_BATCH);
    if (f->batch && f->batch->ops && !policy_has_hook(f->batch->ops, POLICY_HOOK_SERVE_BATCH))
        f->batch = NULL; /* the experiment's one policy is another hook's: queues need no keys */
    struct policy_slot *const asked[] = {f->route, f->scale, f->admit, f->batch};
    for (size_t i = 0; i < 4; i++)
        if (asked[i])
            asked[i]->out = f->out;
    if (!f->sim || !grow_slots(f) || !fleet_report_begin(f))
        return err_set(f->e, ERR_ENOMEM, "fleet: out of memory");
    int rc = fleet_ahead_open(f);
    if (!rc)
        rc = fleet_open(f, f->e);
    return rc ? rc : fleet_infer_open(f);
}

static int simulate(struct fleet *f)
{
    int rc = fleet_intake_begin(f);
    if (rc < 0)
        return rc;
    fleet_scale_begin(f);
    if (f->c.fails && !fleet_failures_begin(f))
        return err_set(f->e, ERR_ENOMEM, "fleet: out of memory");
    sim_run(f->sim, SIM_NEVER);
    rc = f->rc ? f->rc : fleet_infer_failed(f);
    if (rc)
        return rc;
    if (sim_failed(f->sim))
        return err_set(f->e, ERR_ENOMEM, "fleet: out of memory");
    assert(f->n.completed + f->n.rejected + f->n.impossible + f->n.lost == f->n.requests &&
           !f->n.in_system);
    assert(fleet_prefix_sound(f) && "a block was lost");
    fleet_report_end(f);
    return f->out->failed ? err_set(f->e, ERR_ENOMEM, "fleet: out of memory") : 0;
}

static int run(const struct config *section, const struct model_env *env, struct measures *out,
               struct err *e)
{
    struct fleet f = {.env = env, .out = out, .e = e};
    int rc = env->requests ? 0
                           : err_set(e, ERR_EUSAGE,
                                     "model \"fleet\" needs a trace of requests (\"trace\": ...)");
    if (!rc)
        rc = fleet_config(&f.c, section, e);
    if (!rc)
        rc = open_parts(&f);
    if (!rc)
        rc = simulate(&f);
    fleet_infer_close(&f);
    fleet_close(&f);
    sim_free(f.sim);
    request_parts_free(&f.parts);
    free(f.seq);
    free(f.spare);
    return rc;
}

static const char *mute(const struct config *section, enum policy_hook hook, bool oracle)
{
    struct fleet_config c;
    struct err ignored = {0};
    bool scales = false;
    (void)oracle;
    if (hook != POLICY_HOOK_SERVE_SCALE || fleet_config(&c, section, &ignored))
        return NULL;
    for (uint32_t i = 0; i < c.pools; i++)
        scales |= c.pool[i].scale.on;
    return scales ? NULL : "none: no pool has \"scale\"";
}

const struct model_ops model_fleet = {
    .name = "fleet",
    .summary = "many LLM serving engines behind a router: pools, transfers, autoscaling",
    .check = check,
    .fits = fits,
    .stacks = true,
    .needs_requests = true,
    .tables = tables,
    .hooks = 1u << POLICY_HOOK_SERVE_ADMIT | 1u << POLICY_HOOK_SERVE_BATCH |
             1u << POLICY_HOOK_SERVE_ROUTE | 1u << POLICY_HOOK_SERVE_SCALE,
    .lives = 1u << POLICY_HOOK_SERVE_ADMIT | 1u << POLICY_HOOK_SERVE_ROUTE |
             1u << POLICY_HOOK_SERVE_SCALE,
    .lives_one = 1u << POLICY_HOOK_SERVE_ADMIT | 1u << POLICY_HOOK_SERVE_SCALE,
    .mute = mute,
    .headline = "goodput,ttft.mean,ttft.p99,tpot.mean,tpot.p99,e2e.mean,engine_hours",
    .run = run,
};
