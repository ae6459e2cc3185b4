/* kernel_model.c - model "kernel": one named operation, many times, on the microkernel, on the
 * monolithic one beside it, or by one of the two ways to the GPU. */
#include "models/kernel/kernel_model.h"

#include <stdio.h>

enum world { WORLD_UK, WORLD_MONO, WORLD_GPU };

static const struct {
    const char *name;
    enum world world;
} operations[] = {
#define X(name, world, what) {#name, WORLD_##world},
    KERNEL_OPERATIONS(X)
#undef X
};

/* ---- the section ---- */

struct section {
    const struct config *operation, *replenish, *completion, *channel, *commands, *mitigations;
    const char *label; /* a sweep over whole sections names them; nothing here reads it */
    uint64_t count;
    uint32_t message_words, clients, servers;
    double service_us, device_us, budget_us, period_us;
    bool mcs, fastpath, same_space;
};

static const struct config_field fields[] = {
    CONFIG_ANY(struct section, operation, true),
    CONFIG_STR(struct section, label, false),
    CONFIG_U64(struct section, count, 1, 1e9, false),
    CONFIG_U32(struct section, message_words, 0, UK_WORDS_MAX, false),
    CONFIG_U32(struct section, clients, 1, KERNEL_CLIENTS / 2, false),
    CONFIG_U32(struct section, servers, 1, KERNEL_CLIENTS / 2, false),
    CONFIG_F64(struct section, service_us, 0, 1e6, false),
    CONFIG_F64(struct section, device_us, 0, 1e6, false),
    CONFIG_BOOL(struct section, mcs, false),
    CONFIG_F64(struct section, budget_us, 0.1, 1e7, false),
    CONFIG_F64(struct section, period_us, 0.1, 1e7, false),
    CONFIG_ANY(struct section, replenish, false),
    CONFIG_BOOL(struct section, fastpath, false),
    CONFIG_ANY(struct section, mitigations, false),
    CONFIG_BOOL(struct section, same_space, false),
    CONFIG_ANY(struct section, completion, false),
    CONFIG_ANY(struct section, channel, false),
    CONFIG_ANY(struct section, commands, false),
    CONFIG_END,
};

#define OP(x) (1u << KERNEL_##x)
#define CALLS                                                                                      \
    (OP(call) | OP(reply) | OP(call_reply) | OP(call_fpu) | OP(reply_fpu) | OP(call_cross))
#define SIGNALS  (OP(notify) | OP(notify_cross) | OP(irq_to_driver))
#define SERVERS  (OP(page_fault) | OP(block_io) | OP(net_receive) | OP(decide))
#define BETWEEN  (CALLS | SIGNALS | SERVERS)
#define QUEUEING (OP(call_reply) | OP(call_cross) | OP(decide))
#define GPUS     (OP(lake_launch) | OP(malv_launch))

/* A setting that an operation does not look at is a mistake, and is said so. */
static const struct {
    const char *key;
    unsigned operations;
} keys[] = {
    {"message_words", CALLS},
    {"clients", QUEUEING | OP(block_io) | GPUS},
    {"servers", QUEUEING},
    {"service_us", CALLS | SERVERS},
    {"device_us", OP(block_io)},
    {"mcs", BETWEEN | OP(null) | OP(denied)},
    {"budget_us", BETWEEN},
    {"period_us", BETWEEN},
    {"replenish", BETWEEN},
    {"fastpath", CALLS},
    {"mitigations", BETWEEN | OP(null) | OP(denied)},
    {"same_space", CALLS | OP(notify) | OP(notify_cross)},
    {"completion", OP(malv_launch)},
    {"commands", GPUS},
};

static int check_keys(const struct config *c, int operation, struct err *e)
{
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        const struct config *at = config_get(c, keys[i].key);
        if (at && !(keys[i].operations >> operation & 1))
            return config_complain(at, e, "no \"%s\": operation \"%s\" does not look at it",
                                   keys[i].key, operations[operation].name);
    }
    return 0;
}

static int read_operation(const struct config *c, int *operation, struct err *e)
{
    const char *names[KERNEL_OPERATIONS_N + 1] = {0};
    for (int i = 0; i < KERNEL_OPERATIONS_N; i++)
        names[i] = operations[i].name;
    return config_choice(c, names, operation, e);
}

/* ---- GPU commands ---- */

struct command {
    const struct config *what;
    bool async;
    double gpu_us;
};
static const struct config_field command_fields[] = {
    {"do", CONFIG_T_ANY, offsetof(struct command, what), 0, 0, true},
    CONFIG_BOOL(struct command, async, false),
    CONFIG_F64(struct command, gpu_us, 0, 1e6, false),
    CONFIG_END,
};

static int read_command(const struct config *c, struct gpuway_command *out, struct err *e)
{
    static const char *const names[] = {"copy_in", "launch", "copy_out", "sync", NULL};
    struct command m = {.gpu_us = 1.5};
    int what = 0, rc = config_fill(c, command_fields, &m, e);
    if (!rc)
        rc = config_choice(m.what, names, &what, e);
    if (rc)
        return rc;
    if (what != GPUWAY_LAUNCH && config_get(c, "gpu_us"))
        return config_complain(config_get(c, "gpu_us"), e, "no \"gpu_us\": only a launch has it");
    *out = (struct gpuway_command){
        .what = (enum gpuway_do)what, .async = m.async, .gpu_ns = (sim_time)(m.gpu_us * 1e3 + 0.5)};
    return 0;
}

static int read_commands(const struct config *list, struct kernel_setup *k, struct err *e)
{
    static const struct gpuway_command usual[] = {
        {.what = GPUWAY_COPY_IN, .async = true},
        {.what = GPUWAY_LAUNCH, .async = true, .gpu_ns = 1500},
        {.what = GPUWAY_COPY_OUT}};
    k->commands = list ? (uint32_t)config_count(list) : 3;
    for (uint32_t i = 0; !list && i < 3; i++)
        k->command[i] = usual[i];
    if (!list)
        return 0;
    if (config_kind(list) != CONFIG_ARRAY || !k->commands || config_count(list) > GPUWAY_COMMANDS)
        return config_complain(list, e, "an array of 1..%d commands", GPUWAY_COMMANDS);
    int rc = 0;
    for (uint32_t i = 0; !rc && i < k->commands; i++)
        rc = read_command(config_at(list, i), &k->command[i], e);
    const struct gpuway_command *last = &k->command[k->commands - 1];
    if (!rc && (last->async || last->what == GPUWAY_COPY_IN))
        rc = config_complain(config_at(list, k->commands - 1), e,
                             "a last command that waits: launch, copy_out or sync, not async");
    return rc;
}

static sim_time us(double x)
{
    return (sim_time)(x * 1e3 + 0.5);
}

static int read_mcs(const struct config *c, const struct section *s, struct kernel_setup *k,
                    struct err *e)
{
    static const char *const replenish[] = {"sporadic", "constant", NULL};
    static const char *const mcs_keys[] = {"budget_us", "period_us", "replenish"};
    int constant = 0, rc = s->replenish ? config_choice(s->replenish, replenish, &constant, e) : 0;
    for (size_t i = 0; !rc && !s->mcs && i < 3; i++)
        if (config_get(c, mcs_keys[i]))
            rc = config_complain(config_get(c, mcs_keys[i]), e, "\"mcs\": true beside it");
    if (!rc && s->budget_us > s->period_us)
        rc = config_complain(config_get(c, config_get(c, "budget_us") ? "budget_us" : "period_us"),
                             e, "a budget within the period, which is %g us", s->period_us);
    k->constant = constant;
    return rc;
}

static int read_mitigations(const struct config *list, unsigned *set, struct err *e)
{
    static const char *const names[] = {
#define X(name, what) #name,
        UK_MITIGATIONS(X)
#undef X
            NULL};
    if (!list)
        return 0;
    if (config_kind(list) != CONFIG_ARRAY)
        return config_complain(list, e, "an array of names");
    int rc = 0;
    for (size_t i = 0; !rc && i < config_count(list); i++) {
        int which = 0;
        rc = config_choice(config_at(list, i), names, &which, e);
        *set |= 1u << which;
    }
    return rc;
}

static int read_setup(const struct config *c, struct kernel_setup *k, struct err *e)
{
    static const char *const completion[] = {"poll", "interrupt", NULL};
    struct section s = {.count = 1000, .clients = 1, .servers = 1, .fastpath = true};
    s.budget_us = s.period_us = 10000;
    s.device_us = 80;
    static const char *const channel[] = {"netlink", "shared", NULL};
    int operation = 0, interrupt = 0, shared = 0, rc = config_fill(c, fields, &s, e);
    if (!rc)
        rc = read_operation(s.operation, &operation, e);
    if (!rc)
        rc = check_keys(c, operation, e);
    if (!rc && s.completion)
        rc = config_choice(s.completion, completion, &interrupt, e);
    if (!rc && s.channel)
        rc = config_choice(s.channel, channel, &shared, e);
    if (rc)
        return rc;
    *k = (struct kernel_setup){.operation = (enum kernel_operation)operation,
                               .count = s.count,
                               .words = s.message_words,
                               .clients = s.clients,
                               .servers = s.servers,
                               .service = us(s.service_us),
                               .own_service = config_get(c, "service_us") != NULL,
                               .device = us(s.device_us),
                               .budget = us(s.budget_us),
                               .period = us(s.period_us),
                               .mcs = s.mcs,
                               .fastpath = s.fastpath,
                               .same_space = s.same_space,
                               .interrupt = interrupt,
                               .shared = shared};
    rc = read_mcs(c, &s, k, e);
    if (!rc)
        rc = read_mitigations(s.mitigations, &k->mitigations, e);
    return rc ? rc : read_commands(s.commands, k, e);
}

/* ---- the probe ---- */

void kernel_timer_start(struct kernel_timer *t, const struct kernel_probe *p)
{
    t->start = sim_now(p->sim);
    t->account = (struct uk_account){0};
}

void kernel_timer_stop(struct kernel_timer *t, struct kernel_probe *p)
{
    if (t->done++ < KERNEL_WARMUP)
        return;
    sim_time ns = sim_now(p->sim) - t->start;
    sketch_add(p->sketch, (double)ns);
    p->total_ns += (double)ns;
    p->n++;
    for (int i = 0; i < UK_CLASSES; i++)
        p->part[i] += t->account.ps[i];
}

void kernel_share(struct kernel_run *r, const char *name, double ps)
{
    char key[48];
    snprintf(key, sizeof key, "share.%s", name);
    if (ps > 0)
        measures_number(r->out, key, "1", BETTER_NONE, ps / (r->probe.total_ns * 1e3));
}

/* ---- the run ---- */

static int run_world(struct kernel_run *r)
{
    switch (operations[r->set->operation].world) {
    case WORLD_UK:
        return kernel_run_uk(r);
    case WORLD_MONO:
        return kernel_run_mono(r);
    case WORLD_GPU:
        break;
    }
    return kernel_run_gpu(r);
}

static int measure(struct kernel_run *r, const struct model_env *env)
{
    struct sim_options opt = env->sim;
    opt.seed = env->seed;
    r->sim = r->probe.sim = sim_new(&opt);
    r->probe.sketch = measures_sketch(r->out, "latency", "ns", env->exact);
    int rc = r->sim && r->probe.sketch ? run_world(r) : ERR_ENOMEM;
    if (!rc && (sim_failed(r->sim) || sketch_failed(r->probe.sketch)))
        rc = ERR_ENOMEM;
    if (!rc) {
        double mean = r->probe.total_ns / (double)r->probe.n;
        measures_number(r->out, "latency_mean", "ns", BETTER_LESS, mean);
        measures_number(r->out, "latency_p99", "ns", BETTER_LESS,
                        sketch_quantile(r->probe.sketch, 0.99));
        measures_number(r->out, "operations", "1", BETTER_NONE, (double)r->probe.n);
        machine_use_report(r->use, r->out);
    }
    sim_free(r->sim);
    return rc == ERR_ENOMEM ? err_set(r->e, rc, "kernel: out of memory") : rc;
}

static int kernel_check(const struct config *section, struct err *e)
{
    struct kernel_setup set;
    return read_setup(section, &set, e);
}

static int check_budget(const struct kernel_run *r, const struct uk_prims *p)
{
    double have = (double)r->set->budget / 1e3;
    double least = 2 * (double)uk_reserve(p, kernel_cores(r->set)) / 1e3;
    if (!r->set->mcs || have >= least)
        return 0;
    return err_set(r->e, ERR_ERANGE,
                   "kernel: got a budget of %g us, want at least %g us: twice the longest way "
                   "through the kernel of this machine",
                   have, least);
}

/* Asks the profile for everything the run will ask for. */
static int ask(struct kernel_run *r)
{
    struct uk_prims uk;
    struct mono_prims mono;
    struct gpuway_config gpu;
    int rc;
    switch (operations[r->set->operation].world) {
    case WORLD_UK:
        rc = uk_prims_read(&uk, r->set->mitigations, r->use, r->e);
        if (!rc)
            rc = kernel_service(r);
        return rc ? rc : check_budget(r, &uk);
    case WORLD_MONO:
        return mono_prims_read(&mono, r->use, r->e);
    case WORLD_GPU:
        break;
    }
    return kernel_gpuway(r, &gpu);
}

static int with_machine(const struct config *section, const struct machine *machine,
                        int (*then)(struct kernel_run *, const struct model_env *),
                        const struct model_env *env, struct measures *out, struct err *e)
{
    struct kernel_setup set;
    struct machine_use use;
    int rc = read_setup(section, &set, e);
    if (!rc && !machine)
        rc = err_set(e, ERR_ENAME, "model \"kernel\" needs a machine (\"machine\": ...)");
    if (!rc)
        rc = machine_use_begin(&use, machine, e);
    if (rc)
        return rc;
    struct kernel_run r = {.set = &set, .use = &use, .out = out, .e = e};
    rc = then ? then(&r, env) : ask(&r);
    machine_use_end(&use);
    return rc;
}

static int kernel_fits(const struct config *section, const struct machine *machine,
                       const char *stack, struct err *e)
{
    (void)stack; /* the operation says which kernel */
    return with_machine(section, machine, NULL, NULL, NULL, e);
}

static int kernel_run(const struct config *section, const struct model_env *env,
                      struct measures *out, struct err *e)
{
    return with_machine(section, env->machine, measure, env, out, e);
}

const struct model_ops model_kernel = {
    .name = "kernel",
    .summary = "operations of a microkernel, of a monolithic one, and of two ways to the GPU",
    .check = kernel_check,
    .fits = kernel_fits,
    .headline = "latency_mean,latency_p99,cycles_mean",
    .run = kernel_run,
};
