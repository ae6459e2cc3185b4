/* cluster.c - jobs of a trace on a cluster: wiring, life cycle. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "models/cluster/cluster_state.h"

#define TOLD 8

void cluster_fail(struct cluster *s, int rc)
{
    if (!s->rc)
        s->rc = rc;
    sim_stop(s->sim);
}

int cluster_no_memory(struct cluster *s)
{
    const int rc = err_set(s->e, ERR_ENOMEM, "cluster: out of memory");
    s->rc = s->rc ? s->rc : rc;
    if (s->sim)
        sim_stop(s->sim);
    return rc;
}

void cluster_wake(struct cluster *s)
{
    if (s->passing)
        return;
    s->passing = true;
    sim_after(s->sim, 0, -1, scheduler_pass, s, 0);
}

void cluster_complain(struct cluster *s, uint64_t count, const char *kind, const char *fmt, ...)
{
    char line[240];
    va_list ap;
    if (count >= TOLD)
        return;
    va_start(ap, fmt);
    vsnprintf(line, sizeof line, fmt, ap);
    va_end(ap);
    measures_incident(s->out, kind, "cluster", sim_now(s->sim), 0, line);
}

static int open_parts(struct cluster *s)
{
    struct sim_options opt = s->env->sim;
    opt.seed = s->env->seed;
    s->spare = NOBODY;
    s->sim = sim_new(&opt);
    if (!s->sim || !report_begin(s))
        return cluster_no_memory(s);
    rng_init(&s->guessing, s->env->seed, "cluster", "predicted");
    s->order = model_policy(s->env, POLICY_HOOK_CLUSTER_ORDER);
    if (s->order) {
        s->order->out = s->out;
        s->ejected = s->order->ejected != EJECT_NONE;
    }
    int rc = scheduler_open(s);
    return rc ? rc : hosts_open(s);
}

static void close_parts(struct cluster *s)
{
    scheduler_close(s);
    hosts_close(s);
    line_free(s);
    jobs_free(s);
    sim_free(s->sim);
}

static int simulate(struct cluster *s)
{
    int rc = jobs_pull(s);
    if (rc < 0)
        return rc;
    failures_begin(s);
    sim_run(s->sim, SIM_NEVER);
    rc = s->rc ? s->rc : scheduler_failed(s);
    if (rc)
        return rc;
    if (sim_failed(s->sim) || sketch_failed(s->jct) || sketch_failed(s->wait))
        return err_set(s->e, ERR_ENOMEM, "cluster: out of memory");
    run_levels(s);
    report_end(s);
    return s->out->failed ? err_set(s->e, ERR_ENOMEM, "cluster: out of memory") : 0;
}

static int check(const struct config *section, struct err *e)
{
    struct cluster_config c;
    int rc = cluster_config(&c, section, e);
    return rc || !c.full.model ? rc : full_check(&c.full, e);
}

static int programs(const struct config *section, const struct config *programs, struct err *e)
{
    struct cluster_config c;
    int rc = cluster_config(&c, section, e);
    if (!rc && c.full.model == FULL_GPU)
        rc = full_programs(&c.full, programs, e);
    else if (!rc && programs)
        rc = config_complain(programs, e, "\"hosts\" of the model \"gpu\" that run them");
    return rc;
}

static int fits(const struct config *section, const struct machine *machine, const char *stack,
                struct err *e)
{
    struct cluster_config c;
    int rc = cluster_config(&c, section, e);
    if (!rc && c.full.model)
        rc = full_fits(&c.full, machine, stack, e);
    return rc ? rc : scheduler_fits(&c, machine, stack, e);
}

static int run(const struct config *section, const struct model_env *env, struct measures *out,
               struct err *e)
{
    struct cluster s = {.env = env, .out = out, .e = e};
    int rc = cluster_config(&s.c, section, e);
    if (!rc && (!env->rows || env->rows->table != TRACE_JOBS))
        rc = err_set(e, ERR_EUSAGE, "model \"cluster\" needs a trace of jobs (\"trace\": ...)");
    if (rc)
        return rc;
    rc = open_parts(&s);
    if (!rc)
        rc = simulate(&s);
    close_parts(&s);
    return rc;
}

static const char *mute(const struct config *section, enum policy_hook hook, bool oracle)
{
    struct cluster_config c;
    struct err ignored = {0};
    (void)oracle;
    if (hook != POLICY_HOOK_CLUSTER_PLACE || cluster_config(&c, section, &ignored) || !c.pool)
        return NULL;
    return "none: a \"pool\" has no places (\"even\" and \"nodes\" have)";
}

const struct model_ops model_cluster = {
    .name = "cluster",
    .summary = "jobs of a trace on a cluster of GPUs, ordered and placed by policies",
    .check = check,
    .fits = fits,
    .stacks = true,
    .programs = programs,
    .rows = 1u << TRACE_JOBS,
    .needs_rows = true,
    .nodes = true,
    .hooks = 1u << POLICY_HOOK_CLUSTER_ORDER | 1u << POLICY_HOOK_CLUSTER_PLACE,
    .lives = 1u << POLICY_HOOK_CLUSTER_ORDER | 1u << POLICY_HOOK_CLUSTER_PLACE,
    .lives_one = 1u << POLICY_HOOK_CLUSTER_ORDER | 1u << POLICY_HOOK_CLUSTER_PLACE,
    .mute = mute,
    .headline = "jct.mean,wait.mean,jct.p99,slowdown,makespan,gpu_util",
    .run = run,
};
