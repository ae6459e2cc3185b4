/* contention_model.c - model "contention": the client's shape and the policy, read, run, reported.
 */
#include "models/lake/contention.h"
#include "models/model.h"

struct section {
    const char *label; /* a sweep over whole sections names them; nothing here reads it */
    struct offload_section shape;
    const struct config *way, *backoff;
    uint32_t batch, limit, user_pages, user_sample;
    double pause_us, poll_ms, calm_us, user_start_s, user_end_s, run_s;
};
#define SHAPE(type, f, ...)                                                                        \
    {                                                                                              \
#f, type, offsetof(struct section, shape.f), __VA_ARGS__                                   \
    }
static const struct config_field fields[] = {
    CONFIG_STR(struct section, label, false),
    CONFIG_ANY(struct section, way, true),
    CONFIG_ANY(struct section, backoff, true),
    CONFIG_U32(struct section, batch, 1, OFFLOAD_BATCH, true),
    CONFIG_U32(struct section, limit, 0, 100, false),
    CONFIG_U32(struct section, user_pages, 1, 1e9, false),
    CONFIG_U32(struct section, user_sample, 1, 1000, false),
    CONFIG_F64(struct section, pause_us, 0, 1e6, false),
    CONFIG_F64(struct section, poll_ms, 0.1, 200, false),
    CONFIG_F64(struct section, calm_us, 0, 1e7, false),
    CONFIG_F64(struct section, user_start_s, 1, 1e4, false),
    CONFIG_F64(struct section, user_end_s, 1, 1e4, false),
    CONFIG_F64(struct section, run_s, 1, 1e4, false),
    SHAPE(CONFIG_T_STR, workload, 0, 0, true),
    SHAPE(CONFIG_T_ANY, launches, 0, 0, true),
    SHAPE(CONFIG_T_ANY, copy_in, 0, 0, false),
    SHAPE(CONFIG_T_ANY, copy_out, 0, 0, false),
    SHAPE(CONFIG_T_U32, block_rows, 1, 1e6, false),
    SHAPE(CONFIG_T_BOOL, lanes, 0, 0, false),
    CONFIG_END,
};

struct run {
    struct contention_setup set;
    struct offload_shape shape;
    struct machine_use use;
    struct contention_costs costs;
};

static sim_time ns(double x, double unit)
{
    return (sim_time)(x * unit + 0.5);
}

static int check(const struct config *c, const struct section *in, const struct run *r,
                 struct err *e)
{
    if (r->set.backoff != BACKOFF_LAKE && config_get(c, "limit"))
        return config_complain(config_get(c, "limit"), e,
                               "no \"limit\": only back-off \"lake\" polls");
    if (r->set.backoff != BACKOFF_LAKE && config_get(c, "poll_ms"))
        return config_complain(config_get(c, "poll_ms"), e,
                               "no \"poll_ms\": only back-off \"lake\" polls");
    if (r->set.backoff != BACKOFF_TENANTS && config_get(c, "calm_us"))
        return config_complain(config_get(c, "calm_us"), e,
                               "no \"calm_us\": only back-off \"tenants\" has it");
    if (r->set.backoff == BACKOFF_LAKE && r->set.way == OFFLOAD_MALV)
        return config_complain(config_get(c, "backoff"), e,
                               "\"none\" or \"tenants\": there is no daemon to poll through");
    if (in->user_end_s < in->user_start_s + 1)
        return config_complain(
            config_get(c, config_get(c, "user_end_s") ? "user_end_s" : "user_start_s"), e,
            "a user of at least 1 s");
    if (in->run_s < in->user_end_s + 1)
        return config_complain(config_get(c, config_get(c, "run_s") ? "run_s" : "user_end_s"), e,
                               "a run that goes on for 1 s after the user");
    return 0;
}

static int read_run(const struct config *c, struct run *r, struct err *e)
{
    static const char *const ways[] = {"lake", "malv", NULL};
    static const char *const backoffs[] = {"none", "lake", "tenants", NULL};
    struct section in = {
        .shape = {.block_rows = 1}, .limit = 70, .user_pages = 128, .user_sample = 128};
    in.pause_us = 200;
    in.poll_ms = 20;
    in.calm_us = 20000;
    in.user_start_s = 10;
    in.user_end_s = 21.4;
    in.run_s = 30;
    int way = 0, backoff = 0, rc = config_fill(c, fields, &in, e);
    if (!rc)
        rc = config_choice(in.way, ways, &way, e);
    if (!rc)
        rc = config_choice(in.backoff, backoffs, &backoff, e);
    if (!rc)
        rc = offload_read(&r->shape, c, &in.shape, e);
    r->set = (struct contention_setup){.way = way ? OFFLOAD_MALV : OFFLOAD_COPIES,
                                       .backoff = (enum contention_backoff)backoff,
                                       .batch = in.batch,
                                       .pause = ns(in.pause_us, 1e3),
                                       .poll = ns(in.poll_ms, 1e6),
                                       .calm = ns(in.calm_us, 1e3),
                                       .limit = in.limit,
                                       .user_start = ns(in.user_start_s, 1e9),
                                       .user_end = ns(in.user_end_s, 1e9),
                                       .end = ns(in.run_s, 1e9),
                                       .user_pages = in.user_pages,
                                       .user_sample = in.user_sample};
    return rc ? rc : check(c, &in, r, e);
}

/* ---- costs ---- */

static void stop(void *ctx, uint64_t unused)
{
    (void)unused;
    sim_stop(ctx);
}

/* The commands on their own; 0: out of memory. */
static sim_time alone(const struct gpuway_config *way, const struct gpuway_command *command,
                      uint32_t n)
{
    struct sim *sim = sim_new(NULL);
    struct gpuway *g = sim ? gpuway_new(sim, way) : NULL;
    struct gpuway_call call = {.command = command, .n = n, .done = stop, .ctx = sim};
    sim_time t = 0;
    if (g) {
        gpuway_submit(g, &call);
        sim_run(sim, SIM_NEVER);
        t = sim_failed(sim) ? 0 : sim_now(sim);
    }
    gpuway_free(g);
    sim_free(sim);
    return t;
}

/* A batch's way to the GPU and back: what of its latency is not the GPU's work. */
static int split(struct run *r, const struct gpuway_config *way, const struct offload_costs *k,
                 struct err *e)
{
    struct gpuway_command c[GPUWAY_COMMANDS];
    struct contention_costs *to = &r->costs;
    const uint32_t n = offload_commands(&r->shape, k, r->set.way, r->set.batch, c);
    const sim_time all = alone(way, c, n);
    sim_time work = 0;
    for (uint32_t i = 0; i < n; i++)
        work += c[i].what == GPUWAY_LAUNCH ? c[i].gpu_ns : 0;
    sim_cost back = way->kind == GPUWAY_LAKE ? way->copy + c[n - 1].extra + way->channel
                                             : way->writes + way->poll;
    to->gpu = work * 1000;
    to->after = back / 1000;
    if (!all)
        return err_set(e, ERR_ENOMEM, "contention: out of memory");
    to->before = all > work + to->after ? all - work - to->after : 0;
    return 0;
}

static int poll_cost(struct run *r, const struct gpuway_config *way, struct err *e)
{
    sim_cost nvml = 0, window = 0;
    int rc = machine_ps(&r->use, "contention.nvml", &nvml, e);
    if (!rc)
        rc = machine_ps(&r->use, "contention.window", &window, e);
    if (rc)
        return rc;
    const struct gpuway_command c[2] = {{.what = GPUWAY_CALL, .extra = nvml},
                                        {.what = GPUWAY_CALL, .extra = nvml}};
    r->costs.window = window / 1000;
    r->costs.ask = alone(way, c, 2);
    return r->costs.ask ? 0 : err_set(e, ERR_ENOMEM, "contention: out of memory");
}

static int read_costs(struct run *r, struct err *e)
{
    struct gpuway_config way = {.kind = r->set.way == OFFLOAD_MALV ? GPUWAY_MALV : GPUWAY_LAKE};
    struct offload_costs k;
    sim_cost slice = 0, change = 0, create = 0, wake = 0, user = 0, gap = 0, copy = 0;
    int rc = gpuway_config(&way, &r->use, e);
    if (!rc)
        rc = offload_costs(&k, &r->shape, &r->use, e);
    if (!rc && way.kind == GPUWAY_LAKE)
        rc = machine_ps(&r->use, "gpu.timeslice", &slice, e);
    if (!rc)
        rc = machine_ps(&r->use, "gpu.context_switch", &change, e);
    if (!rc)
        rc = machine_ps(&r->use, "gpu.context_create", &create, e);
    if (!rc)
        rc = machine_ps(&r->use, "cost.wake", &wake, e);
    if (!rc)
        rc = machine_ps(&r->use, "contention.user_kernel", &user, e);
    if (!rc)
        rc = machine_ps(&r->use, "contention.user_gap", &gap, e);
    if (!rc)
        rc = machine_ps(&r->use, "contention.user_copy", &copy, e);
    if (!rc && create / 1000 > 200 * SIM_MS)
        rc = err_set(e, ERR_ERANGE,
                     "machine \"%s\": \"gpu.context_create\" is %g ms, want at most 200",
                     r->use.machine->name, (double)create / 1e9);
    if (rc)
        return rc;
    r->costs = (struct contention_costs){.core = offload_cpu(&r->shape, &k, r->set.batch) / 1000,
                                         .slice = slice / 1000,
                                         .switching = change / 1000,
                                         .create = create / 1000,
                                         .window = 100 * SIM_MS,
                                         .user_kernel = user / 1000,
                                         .user_kernel_ps = user,
                                         .user_gap = gap / 1000,
                                         .user_copy = copy / 1000};
    r->set.pause += wake / 1000;
    rc = split(r, &way, &k, e);
    return rc || r->set.backoff != BACKOFF_LAKE ? rc : poll_cost(r, &way, e);
}

static int ready(const struct config *section, const struct machine *m, struct run *r,
                 struct err *e)
{
    if (!m)
        return err_set(e, ERR_EUSAGE, "model \"contention\" needs a \"machine\"");
    int rc = read_run(section, r, e);
    if (!rc)
        rc = machine_use_begin(&r->use, m, e);
    return rc ? rc : read_costs(r, e);
}

/* ---- the run ---- */

static void report(const struct run *r, const struct contention_result *x, struct measures *out)
{
    const double user_alone =
        r->set.user_pages / ((double)(r->costs.user_kernel + r->costs.user_gap) / 1e9);
    measures_number(out, "rate.alone", "1/s", BETTER_MORE, x->rate[PHASE_ALONE]);
    measures_number(out, "rate.both", "1/s", BETTER_MORE, x->rate[PHASE_BOTH]);
    measures_number(out, "rate.after", "1/s", BETTER_MORE, x->rate[PHASE_AFTER]);
    measures_number(out, "kept", "1", BETTER_MORE, x->rate[PHASE_BOTH] / x->rate[PHASE_ALONE]);
    measures_number(out, "user.pages", "1/s", BETTER_MORE, x->pages);
    measures_number(out, "user.kept", "1", BETTER_MORE, x->pages / user_alone);
    measures_number(out, "user.early", "1", BETTER_MORE, x->early);
    if (x->reacted) {
        measures_number(out, "reaction", "ms", BETTER_LESS, (double)x->reaction / 1e6);
        measures_number(out, "reaction.logged", "ms", BETTER_LESS, (double)x->logged / 1e6);
    }
    if (x->returned)
        measures_number(out, "back", "ms", BETTER_LESS, (double)x->back / 1e6);
    measures_number(out, "gpu_util", "1", BETTER_NONE, x->utilisation);
}

static int contention_model_run(const struct config *section, const struct model_env *env,
                                struct measures *out, struct err *e)
{
    struct run r = {0};
    struct contention_result x = {0};
    struct sim_options opt = env->sim;
    struct rng phase;
    int rc = ready(section, env->machine, &r, e);
    if (!rc) {
        rng_init(&phase, env->seed, "contention", "user");
        r.set.user_start += rng_below(&phase, r.set.poll);
        opt.seed = env->seed;
        struct measure_series *kernel = measures_series(out, "kernel", "1/s");
        contention_run(&r.set, &r.costs, &opt, kernel, measures_series(out, "user", "1/s"), &x);
        report(&r, &x, out);
        machine_use_report(&r.use, out);
        if (x.failed)
            rc = err_set(e, ERR_ENOMEM, "contention: out of memory");
    }
    machine_use_end(&r.use);
    return rc;
}

static int contention_check(const struct config *section, struct err *e)
{
    struct run r;
    return read_run(section, &r, e);
}

static int contention_fits(const struct config *section, const struct machine *machine,
                           const char *stack, struct err *e)
{
    (void)stack; /* the way says which */
    struct run r = {0};
    int rc = ready(section, machine, &r, e);
    machine_use_end(&r.use);
    return rc;
}

const struct model_ops model_contention = {
    .name = "contention",
    .summary = "the kernel's inferences and a user's process want one GPU; who backs off, and when",
    .check = contention_check,
    .fits = contention_fits,
    .headline = "user.kept,kept,reaction,rate.alone",
    .run = contention_model_run,
};
