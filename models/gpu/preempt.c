/* preempt.c - model "preempt": how long an urgent kernel waits for a device that is busy.
 *
 * A best-effort context keeps `in_flight` commands of `command_us` submitted.
 * At random moments an urgent request comes: its data are prepared for `hint_us`, then its
 * kernel may run.  The device is asked for at the beginning of the preparation:
 *
 *   pending  level 1: nothing more is submitted; what was, runs
 *   queued   level 2: the running command ends, the others are held (device_hold)
 *   running  level 3: the running command is stopped and saved (device_preempt)
 *   slice    nobody is asked: the urgent context has a long time slice, the other
 *            a short one; a kernel that spins until the data are there brings it on
 *
 * Measured: from when the data are there, until nothing else runs (quiet) and
 * until the urgent kernel runs (latency).                                     */
#include <stdlib.h>

#include "models/gpu/device.h"
#include "models/model.h"
#include "sim/rng.h"

enum how { HOW_PENDING, HOW_QUEUED, HOW_RUNNING, HOW_SLICE };
static const char *const hows[] = {"pending", "queued", "running", "slice", NULL};

struct section {
    const struct config *how;
    const char *label; /* a sweep over whole sections names them; nothing here reads it */
    uint64_t in_flight, requests;
    double command_us, hint_us, urgent_us, every_us, slice_us, urgent_slice_us;
};

static const struct config_field fields[] = {
    CONFIG_ANY(struct section, how, true),
    CONFIG_STR(struct section, label, false),
    CONFIG_U64(struct section, in_flight, 1, 10000, false),
    CONFIG_U64(struct section, requests, 1, 10000000, false),
    CONFIG_F64(struct section, command_us, 0.1, 1e7, false),
    CONFIG_F64(struct section, hint_us, 0, 1e7, false),
    CONFIG_F64(struct section, urgent_us, 0.1, 1e7, false),
    CONFIG_F64(struct section, every_us, 1, 1e9, false),
    CONFIG_F64(struct section, slice_us, 1, 1e7, false),
    CONFIG_F64(struct section, urgent_slice_us, 1, 1e7, false),
    CONFIG_END,
};

struct preempt {
    enum how how;
    struct section set;
    struct sim *sim;
    struct device *d;
    struct device_context *be, *urgent;
    struct device_stream *be_stream, *urgent_stream;
    struct rng gaps;
    struct sketch *latency, *quiet;
    sim_time hint, ready, quiet_at;
    uint64_t done;
    bool closed, is_ready, is_quiet; /* closed: nothing more is submitted to the busy context */
};

static int read_section(const struct config *c, struct preempt *m, struct err *e)
{
    int how = 0;
    m->set = (struct section){.in_flight = 8,
                              .requests = 2000,
                              .command_us = 500,
                              .urgent_us = 50,
                              .every_us = 20000,
                              .slice_us = 1000,
                              .urgent_slice_us = 1000000};
    int rc = config_fill(c, fields, &m->set, e);
    if (!rc)
        rc = config_choice(m->set.how, hows, &how, e);
    m->how = (enum how)how;
    m->hint = (sim_time)(m->set.hint_us * 1e3 + 0.5);
    return rc;
}

static sim_cost ps_of(double us)
{
    return (sim_cost)(us * 1e6 + 0.5);
}

/* ---- the busy context ---- */

static void fed(void *ctx, uint64_t unused);

static void feed(struct preempt *m)
{
    const struct device_work w = {.alone = ps_of(m->set.command_us)};
    const struct device_call call = {.done = fed, .ctx = m};
    while (!m->closed && device_queued(m->be_stream) < m->set.in_flight)
        device_submit(m->be_stream, &w, &call);
}

static void now_quiet(struct preempt *m);

static void fed(void *ctx, uint64_t unused)
{
    (void)unused;
    struct preempt *m = ctx;
    feed(m);
    if (m->closed && m->how == HOW_PENDING && !device_queued(m->be_stream))
        now_quiet(m);
}

/* ---- the urgent one ---- */

static void ask(void *ctx, uint64_t unused);

static void urgent_done(void *ctx, uint64_t unused)
{
    (void)unused;
    struct preempt *m = ctx;
    const sim_time began = device_began(m->urgent_stream);
    sketch_add(m->latency, (double)(began - m->ready) / 1e3);
    sketch_add(m->quiet, m->quiet_at > m->ready ? (double)(m->quiet_at - m->ready) / 1e3 : 0);
    if (++m->done == m->set.requests) {
        sim_stop(m->sim);
        return;
    }
    if (m->how == HOW_QUEUED || m->how == HOW_RUNNING)
        device_resume(m->be);
    m->closed = false;
    feed(m);
    sim_after(m->sim, (sim_time)(rng_exponential(&m->gaps, m->set.every_us) * 1e3), 0, ask, m, 0);
}

static void run_urgent(struct preempt *m)
{
    const struct device_work w = {.alone = ps_of(m->set.urgent_us)};
    const struct device_call call = {.done = urgent_done, .ctx = m};
    if (m->is_ready && m->is_quiet)
        device_submit(m->urgent_stream, &w, &call);
}

static void now_quiet(struct preempt *m)
{
    m->quiet_at = sim_now(m->sim);
    m->is_quiet = true;
    run_urgent(m);
}

static void stopped(void *ctx, uint64_t unused)
{
    (void)unused;
    now_quiet(ctx);
}

static void data_ready(void *ctx, uint64_t unused)
{
    (void)unused;
    struct preempt *m = ctx;
    m->ready = sim_now(m->sim);
    m->is_ready = true;
    run_urgent(m);
}

/* It runs: the device is ours, to be kept until the data are there. */
static void spin(void *ctx, uint64_t unused)
{
    (void)unused;
    struct preempt *m = ctx;
    const sim_time now = sim_now(m->sim);
    m->quiet_at = now;
    if (m->is_ready)
        return;
    const struct device_work w = {.alone = (m->ready - now) * 1000};
    device_submit(m->urgent_stream, &w, NULL);
}

/* By time slices alone the kernels queue up behind the one that spins. */
static void ask_by_slice(struct preempt *m)
{
    const struct device_work w = {.alone = 1000};
    m->is_quiet = true;
    device_submit(m->urgent_stream, &w, &(struct device_call){.begun = spin, .ctx = m});
}

static void ask(void *ctx, uint64_t unused)
{
    (void)unused;
    struct preempt *m = ctx;
    const struct device_call call = {.done = stopped, .ctx = m};
    m->is_ready = m->is_quiet = false;
    m->ready = sim_now(m->sim) + m->hint;
    m->closed = m->how != HOW_SLICE;
    sim_at(m->sim, m->ready, 0, data_ready, m, 0);
    if (m->how == HOW_SLICE)
        ask_by_slice(m);
    else if (m->how == HOW_QUEUED)
        device_hold(m->be, &call);
    else if (m->how == HOW_RUNNING)
        device_preempt(m->be, &call);
}

/* ---- the run ---- */

static int make(struct preempt *m, const struct device_params *p, struct err *e)
{
    const bool slice = m->how == HOW_SLICE;
    int rc = device_new(&m->d, m->sim, p, e);
    if (rc)
        return rc;
    const struct device_context_want be = {.timeslice =
                                               slice ? (sim_time)(m->set.slice_us * 1e3) : 0};
    const struct device_context_want urgent = {
        .timeslice = slice ? (sim_time)(m->set.urgent_slice_us * 1e3) : 0, .prio = 1};
    m->be = device_context(m->d, &be, e);
    m->urgent = m->be ? device_context(m->d, &urgent, e) : NULL;
    m->be_stream = m->urgent ? device_stream(m->be, 0, e) : NULL;
    m->urgent_stream = m->be_stream ? device_stream(m->urgent, 0, e) : NULL;
    return m->urgent_stream ? 0 : e->code;
}

static void report(const struct preempt *m, struct measures *out)
{
    struct device_use be, all;
    const double wall = (double)sim_now(m->sim) * 1e3;
    device_context_used(m->be, &be);
    device_used(m->d, &all);
    measures_number(out, "command", "us", BETTER_NONE, m->set.command_us);
    measures_number(out, "requests", "1", BETTER_NONE, (double)m->done);
    measures_number(out, "best_effort", "1", BETTER_MORE,
                    (double)be.kernels * m->set.command_us * 1e6 / wall);
    measures_number(out, "busy", "1", BETTER_NONE, (double)all.busy / wall);
    measures_number(out, "switching", "1", BETTER_LESS, (double)all.switching / wall);
    measures_number(out, "preemptions", "1", BETTER_NONE, (double)all.preempted);
}

static int simulate(struct preempt *m, const struct device_params *p, const struct model_env *env,
                    struct measures *out, struct err *e)
{
    struct sim_options opt = env->sim;
    opt.seed = env->seed;
    m->sim = sim_new(&opt);
    m->latency = measures_sketch(out, "latency", "us", env->exact);
    m->quiet = measures_sketch(out, "quiet", "us", env->exact);
    int rc = m->sim && m->latency && m->quiet ? make(m, p, e)
                                              : err_set(e, ERR_ENOMEM, "preempt: out of memory");
    if (!rc) {
        rng_init(&m->gaps, env->seed, "preempt", "requests");
        feed(m);
        sim_after(m->sim, (sim_time)(m->set.every_us * 1e3), 0, ask, m, 0);
        sim_run(m->sim, SIM_NEVER);
        report(m, out);
        if (sim_failed(m->sim) || sketch_failed(m->latency) || sketch_failed(m->quiet))
            rc = err_set(e, ERR_ENOMEM, "preempt: out of memory");
    }
    device_free(m->d);
    sim_free(m->sim);
    return rc;
}

static int preempt_check(const struct config *section, struct err *e)
{
    struct preempt m;
    return read_section(section, &m, e);
}

static int begin(const struct config *section, const struct machine *machine, struct preempt *m,
                 struct machine_use *use, struct device_params *p, struct err *e)
{
    if (!machine)
        return err_set(e, ERR_EUSAGE, "model \"preempt\" needs a \"machine\"");
    int rc = read_section(section, m, e);
    if (!rc)
        rc = machine_use_begin(use, machine, e);
    return rc ? rc : device_params_read(p, use, e);
}

static int preempt_fits(const struct config *section, const struct machine *machine,
                        const char *stack, struct err *e)
{
    (void)stack;
    struct preempt m;
    struct machine_use use = {0};
    struct device_params p;
    int rc = begin(section, machine, &m, &use, &p, e);
    machine_use_end(&use);
    return rc;
}

static int preempt_run(const struct config *section, const struct model_env *env,
                       struct measures *out, struct err *e)
{
    struct preempt m = {0};
    struct machine_use use = {0};
    struct device_params p;
    int rc = begin(section, env->machine, &m, &use, &p, e);
    if (!rc)
        rc = simulate(&m, &p, env, out, e);
    if (!rc)
        machine_use_report(&use, out);
    machine_use_end(&use);
    return rc;
}

const struct model_ops model_preempt = {
    .name = "preempt",
    .summary = "how long an urgent kernel waits for a busy GPU, by level of preemption",
    .check = preempt_check,
    .fits = preempt_fits,
    .headline = "latency.p99,latency.mean,quiet.p99,best_effort",
    .run = preempt_run,
};
