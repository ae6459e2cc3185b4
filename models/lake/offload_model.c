/* offload_model.c - model "offload": one batch of inferences, on a core, through LAKE's daemon, and
 * by Micro-LAKE; and from which batch on each way to the GPU pays off. */
#include <stdio.h>

#include "models/lake/offload.h"
#include "models/model.h"

enum { BATCHES = 64 };

static const char *const names[OFFLOAD_WAYS] = {"lake", "lake_copies", "malv"};

struct setup {
    struct offload_shape shape;
    uint32_t batch, of[BATCHES], n_of; /* of: where a crossover is looked for */
};

struct section {
    const char *label; /* a sweep over whole sections names them; nothing here reads it */
    struct offload_section shape;
    const struct config *batches;
    uint32_t batch;
};
#define SHAPE(type, f, ...)                                                                        \
    {                                                                                              \
#f, type, offsetof(struct section, shape.f), __VA_ARGS__                                   \
    }
static const struct config_field fields[] = {
    CONFIG_STR(struct section, label, false),
    CONFIG_U32(struct section, batch, 1, OFFLOAD_BATCH, true),
    CONFIG_ANY(struct section, batches, false),
    SHAPE(CONFIG_T_STR, workload, 0, 0, true),
    SHAPE(CONFIG_T_ANY, launches, 0, 0, false),
    SHAPE(CONFIG_T_ANY, copy_in, 0, 0, false),
    SHAPE(CONFIG_T_ANY, copy_out, 0, 0, false),
    SHAPE(CONFIG_T_U32, block_rows, 1, 1e6, false),
    SHAPE(CONFIG_T_BOOL, lanes, 0, 0, false),
    SHAPE(CONFIG_T_U32, calls, 0, 4, false),
    SHAPE(CONFIG_T_U32, step_rows, 1, 1e6, false),
    SHAPE(CONFIG_T_U32, skip_rows, 0, 1e6, false),
    CONFIG_END,
};

static int read_batches(const struct config *list, struct setup *s, struct err *e)
{
    s->n_of = list ? (uint32_t)config_count(list) : 11;
    for (uint32_t i = 0; !list && i < s->n_of; i++)
        s->of[i] = 1u << i;
    if (list && (config_kind(list) != CONFIG_ARRAY || !s->n_of || s->n_of > BATCHES))
        return config_complain(list, e, "an array of 1..%d ascending batches", BATCHES);
    int rc = 0;
    for (uint32_t i = 0; list && !rc && i < s->n_of; i++) {
        uint64_t v = 0;
        rc = config_u64(config_at(list, i), i ? s->of[i - 1] + 1 : 1, OFFLOAD_BATCH, &v, e);
        s->of[i] = (uint32_t)v;
    }
    return rc;
}

static int read_setup(const struct config *c, struct setup *s, struct err *e)
{
    struct section in = {.shape = {.block_rows = 1}};
    int rc = config_fill(c, fields, &in, e);
    if (!rc)
        rc = offload_read(&s->shape, c, &in.shape, e);
    if (!rc)
        rc = read_batches(in.batches, s, e);
    s->batch = in.batch;
    return rc;
}

/* ---- the run ---- */

struct run {
    struct setup set;
    struct machine_use use;
    struct offload_costs costs;
    struct gpuway_config lake, malv;
    struct sim_options opt;
};

static int ready(const struct config *section, const struct machine *m, struct run *r,
                 struct err *e)
{
    if (!m)
        return err_set(e, ERR_EUSAGE, "model \"offload\" needs a \"machine\"");
    int rc = read_setup(section, &r->set, e);
    if (!rc)
        rc = machine_use_begin(&r->use, m, e);
    if (!rc)
        rc = offload_costs(&r->costs, &r->set.shape, &r->use, e);
    r->lake.kind = GPUWAY_LAKE;
    r->malv.kind = GPUWAY_MALV;
    if (!rc)
        rc = gpuway_config(&r->lake, &r->use, e);
    if (!rc && offload_has(&r->set.shape, OFFLOAD_MALV))
        rc = gpuway_config(&r->malv, &r->use, e);
    return rc;
}

static void stop(void *ctx, uint64_t unused)
{
    (void)unused;
    sim_stop(ctx);
}

/* What a core of another machine was measured to take, where the profile says so: shown beside. */
static int report_twin(struct run *r, struct measures *out, struct err *e)
{
    char name[96];
    const struct machine_cost *t = NULL;
    snprintf(name, sizeof name, "offload.%.64s.twin", r->set.shape.workload);
    if (!machine_find(r->use.machine, name))
        return 0;
    int rc = machine_table(&r->use, name, &t, e);
    if (!rc)
        measures_number(out, "twin", "us", BETTER_NONE,
                        (double)machine_table_at(t, r->set.batch) / 1e6);
    return rc;
}

/* From the first command to the answer of the last, ns, nobody else being there; 0: no memory. */
static sim_time latency(const struct run *r, enum offload_way way, uint32_t batch)
{
    struct gpuway_command command[GPUWAY_COMMANDS];
    struct sim *sim = sim_new(&r->opt);
    struct gpuway *g = sim ? gpuway_new(sim, way == OFFLOAD_MALV ? &r->malv : &r->lake) : NULL;
    struct gpuway_call call = {.command = command, .done = stop, .ctx = sim};
    sim_time ns = 0;
    if (g) {
        call.n = offload_commands(&r->set.shape, &r->costs, way, batch, command);
        gpuway_submit(g, &call);
        sim_run(sim, SIM_NEVER);
        ns = sim_failed(sim) ? 0 : sim_now(sim);
    }
    gpuway_free(g);
    sim_free(sim);
    return ns;
}

static int report_way(const struct run *r, enum offload_way way, struct measures *out,
                      struct err *e)
{
    char name[32];
    const struct setup *s = &r->set;
    sim_time ns = latency(r, way, s->batch);
    uint32_t from = 0;
    for (uint32_t i = 0; ns && !from && i < s->n_of; i++) {
        sim_time there = latency(r, way, s->of[i]);
        if (!there)
            ns = 0;
        else if (there * 1000 <= offload_cpu(&s->shape, &r->costs, s->of[i]))
            from = s->of[i];
    }
    if (!ns)
        return err_set(e, ERR_ENOMEM, "offload: out of memory");
    measures_number(out, names[way], "us", BETTER_LESS, (double)ns / 1e3);
    snprintf(name, sizeof name, "crossover.%s", names[way]);
    measures_number(out, name, "1", BETTER_LESS, from);
    return 0;
}

static int offload_run(const struct config *section, const struct model_env *env,
                       struct measures *out, struct err *e)
{
    struct run r = {.opt = env->sim};
    int rc = ready(section, env->machine, &r, e);
    if (!rc) {
        sim_cost cpu = offload_cpu(&r.set.shape, &r.costs, r.set.batch);
        measures_number(out, "cpu", "us", BETTER_LESS, (double)cpu / 1e6);
    }
    for (int way = 0; !rc && way < OFFLOAD_WAYS; way++)
        if (offload_has(&r.set.shape, (enum offload_way)way))
            rc = report_way(&r, (enum offload_way)way, out, e);
    if (!rc)
        rc = report_twin(&r, out, e);
    if (!rc)
        machine_use_report(&r.use, out);
    machine_use_end(&r.use);
    return rc;
}

static int offload_check(const struct config *section, struct err *e)
{
    struct setup s;
    return read_setup(section, &s, e);
}

static int offload_fits(const struct config *section, const struct machine *machine,
                        const char *stack, struct err *e)
{
    (void)stack; /* all ways are taken, one after another */
    struct run r = {0};
    int rc = ready(section, machine, &r, e);
    machine_use_end(&r.use);
    return rc;
}

const struct model_ops model_offload = {
    .name = "offload",
    .summary = "a batch of inferences on a core, through LAKE's daemon, or by Micro-LAKE",
    .check = offload_check,
    .fits = offload_fits,
    .headline = "lake_copies,lake,malv,cpu",
    .run = offload_run,
};
