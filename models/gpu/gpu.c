/* gpu.c - the model "gpu": captured timelines on GPUs that are shared. */
#include <stdlib.h>
#include <string.h>

#include "models/gpu/run.h"

#define NEEDS "model \"gpu\" needs \"tenants\", or a trace of operations (\"trace\": ...)"

static int gpu_check(const struct config *section, struct err *e)
{
    struct gpu_setup s;
    int rc = gpu_setup_read(&s, section, e);
    if (!rc)
        gpu_setup_free(&s);
    return rc;
}

/* ---- the machine ------------------------------------------------------------------------ */

static int read_machine(struct gpu_model *m, const struct machine *machine, const char *stack,
                        struct err *e)
{
    if (!machine)
        return err_set(e, ERR_ENAME, "model \"gpu\" needs a machine profile (\"machine\": ...)");
    int rc = machine_use_begin(&m->use, machine, e);
    if (!rc)
        rc = device_params_read(&m->params, &m->use, e);
    if (!rc)
        rc = gpu_setup_slices(&m->set, &m->use, e);
    if (!rc && m->set.sharing == SHARING_DISPATCH)
        rc = dispatch_cost(&m->use, stack ? stack : "native", &m->per_command, e);
    if (!rc && m->set.events)
        rc = checkpoint_cost_read(&m->checkpoint, &m->params, &m->use, e);
    struct gpu_crossings x;
    if (!rc)
        rc = gpu_crossings_read(&x, &m->use, stack, m->set.captured_under, m->set.polls, e);
    if (!rc)
        rc = gpu_crossings_remote(&x, m->set.remote, m->set.coalesce, &m->use, e);
    if (!rc && m->set.clients)
        rc = gpu_os_time_read(&m->os, &m->use, stack, e);
    if (rc)
        return rc;
    m->params.together = m->set.together;
    if (!m->set.device_gaps) /* they are in the lags */
        m->params.gap = m->params.graph_gap = 0;
    m->plan = (struct plan_want){.to = &m->params,
                                 .launch_ns = (m->set.launch + 500) / 1000,
                                 .crossings = x,
                                 .host = m->set.host,
                                 .no_gaps = m->set.device_gaps,
                                 .depth = m->set.queue_depth == GPU_ANYONE ? m->params.queue_depth
                                                                           : m->set.queue_depth,
                                 .smallest = m->set.smallest_lags,
                                 .reach = 16};
    while (m->plan.reach < m->set.window)
        m->plan.reach *= 2;
    rescale_begin(&m->plan.rescale, &m->set.from, &m->params);
    return 0;
}

static int gpu_fits(const struct config *section, const struct machine *machine, const char *stack,
                    struct err *e)
{
    struct gpu_model m = {0};
    int rc = gpu_setup_read(&m.set, section, e);
    if (rc)
        return rc;
    rc = gpu_crossings_allow(&m.set, stack, e);
    if (!rc)
        rc = read_machine(&m, machine, stack, e);
    for (uint32_t i = 0, sms = 0, memory = 0; !rc && i < m.set.partitions; i++) {
        sms += m.set.partition[i].sms;
        memory += m.set.partition[i].memory_milli;
        if (sms > m.params.sms || memory > DEVICE_MILLI)
            rc = err_set(
                e, ERR_ERANGE,
                "gpu.partitions: got %u SMs and %u/1000 of memory, want at most %u and 1000", sms,
                memory, m.params.sms);
    }
    machine_use_end(&m.use);
    gpu_setup_free(&m.set);
    return rc;
}

/* ---- trace, programs ------------------------------------------------------------------------ */

static bool wants_requests(const struct gpu_setup *s)
{
    for (size_t i = 0; i < s->clients; i++)
        if (s->client[i].arrival == ARRIVE_TRACE)
            return true;
    return false;
}

static int gpu_trace(const struct config *section, bool given, struct err *e)
{
    struct gpu_setup s;
    int rc = gpu_setup_read(&s, section, e);
    if (rc)
        return rc;
    if (!given && !s.clients && section)
        rc = config_complain(section, e, "\"tenants\", or a trace in the experiment");
    else if (!given && !s.clients)
        rc = err_set(e, ERR_EUSAGE, NEEDS);
    else if (given != (!s.clients || wants_requests(&s)))
        rc = config_complain(config_get(section, "tenants"), e,
                             given ? "no trace beside them, or arrivals of the process \"trace\""
                                   : "a trace of requests for arrivals of the process \"trace\"");
    gpu_setup_free(&s);
    return rc;
}

static int gpu_programs(const struct config *section, const struct config *programs, struct err *e)
{
    struct gpu_setup s;
    int rc = gpu_setup_read(&s, section, e);
    if (rc)
        return rc;
    for (size_t i = 0; !rc && i < s.clients; i++)
        if (!programs || !config_get(programs, s.client[i].program))
            rc = config_complain(config_get(s.client[i].at, "program"), e,
                                 "a name in the experiment's \"programs\"");
    if (!rc && programs && !s.clients)
        rc = config_complain(programs, e, "\"tenants\" that run them");
    gpu_setup_free(&s);
    return rc;
}

static bool same_from(const struct rescale_from *a, const struct rescale_from *b)
{
    return a->sms == b->sms && a->bandwidth == b->bandwidth && a->flops == b->flops &&
           a->link == b->link && a->peer == b->peer;
}

/* Program of client i: that of an earlier one that is the same, or loaded. */
static int load_program(struct gpu_model *m, size_t i)
{
    const struct gpu_client_setup *c = &m->set.client[i];
    for (size_t k = 0; k < i; k++)
        if (!strcmp(m->set.client[k].program, c->program) &&
            same_from(&m->set.client[k].from, &c->from)) {
            m->of[i] = m->of[k];
            return 0;
        }
    struct plan_want want = m->plan;
    rescale_begin(&want.rescale, &c->from, &m->params);
    m->of[i] = (uint32_t)m->programs;
    for (size_t k = 0; k < m->env->n_programs; k++)
        if (!strcmp(m->env->program[k].name, c->program))
            return gpu_program_load(&m->program[m->programs++], c->program, m->env->program[k].rows,
                                    &want, m->e);
    return config_complain(config_get(c->at, "program"), m->e,
                           "a name in the experiment's \"programs\"");
}

static int load_programs(struct gpu_model *m)
{
    m->program = calloc(m->set.clients + 1, sizeof *m->program);
    m->of = calloc(m->set.clients + 1, sizeof *m->of);
    int rc = m->program && m->of ? 0 : err_set(m->e, ERR_ENOMEM, "gpu: out of memory");
    for (size_t i = 0; !rc && i < m->set.clients; i++)
        rc = load_program(m, i);
    return rc;
}

/* ---- runs --------------------------------------------------------------------------------- */

/* The score of tenant i on a GPU of its own. */
static int run_alone(struct gpu_model *m, size_t i, struct score *alone)
{
    struct gpu_run r;
    int rc = gpu_run_begin(&r, m, i, m->e);
    if (!rc)
        rc = gpu_run_go(&r);
    if (!rc) {
        *alone = r.score[i];
        r.score[i].latency = r.score[i].service = NULL;
    }
    gpu_run_end(&r);
    return rc;
}

static int run_together(struct gpu_model *m, const struct score *alone)
{
    struct gpu_run r;
    int rc = gpu_run_begin(&r, m, GPU_ALL, m->e);
    if (!rc)
        rc = gpu_run_go(&r);
    if (!rc)
        gpu_report_run(&r, alone);
    gpu_run_end(&r);
    return rc;
}

static int run_all(struct gpu_model *m)
{
    const size_t n = m->set.normalize ? m->set.clients : 0;
    struct score *alone = calloc(n + 1, sizeof *alone);
    int rc = alone ? 0 : err_set(m->e, ERR_ENOMEM, "gpu: out of memory");
    for (size_t i = 0; !rc && i < n; i++)
        rc = run_alone(m, i, &alone[i]);
    if (!rc)
        rc = run_together(m, n ? alone : NULL);
    for (size_t i = 0; alone && i < n; i++) {
        sketch_free(alone[i].latency);
        sketch_free(alone[i].service);
    }
    free(alone);
    return rc;
}

static void policies_to(const struct model_env *env, struct measures *out)
{
    struct policy_slot *a = model_policy(env, POLICY_HOOK_GPU_DISPATCH);
    struct policy_slot *b = model_policy(env, POLICY_HOOK_GPU_SHARE);
    if (a)
        a->out = out;
    if (b)
        b->out = out;
}

static int gpu_run(const struct config *section, const struct model_env *env, struct measures *out,
                   struct err *e)
{
    struct gpu_model m = {.env = env, .out = out, .e = e};
    int rc = gpu_setup_read(&m.set, section, e);
    if (rc)
        return rc;
    policies_to(env, out);
    if (!m.set.clients && (!env->rows || env->rows->table != TRACE_OPS))
        rc = err_set(e, ERR_EUSAGE, NEEDS);
    if (!rc)
        rc = read_machine(&m, env->machine, env->stack, e);
    if (!rc)
        rc = load_programs(&m);
    if (!rc)
        rc = run_all(&m);
    if (!rc)
        machine_use_report(&m.use, out);
    machine_use_end(&m.use);
    for (size_t i = 0; i < m.programs; i++)
        gpu_program_free(&m.program[i]);
    free(m.program);
    free(m.of);
    gpu_setup_free(&m.set);
    if (!rc && out->failed)
        rc = err_set(e, ERR_ENOMEM, "gpu: out of memory");
    return rc;
}

static const char *mute(const struct config *section, enum policy_hook hook, bool oracle)
{
    struct gpu_setup s;
    struct err ignored = {0};
    (void)oracle;
    if (gpu_setup_read(&s, section, &ignored))
        return NULL;
    const enum gpu_sharing how = s.sharing;
    gpu_setup_free(&s);
    if (hook == POLICY_HOOK_GPU_DISPATCH && how != SHARING_DISPATCH)
        return "none: nobody dispatches but with \"sharing\" \"dispatch\"";
    if (hook == POLICY_HOOK_GPU_SHARE && how != SHARING_TIME_SLICE && how != SHARING_MPS)
        return "none: parts are given only with \"sharing\" \"time-slice\" or \"mps\"";
    return NULL;
}

const struct model_ops model_gpu = {
    .name = "gpu",
    .summary = "captured kernel timelines, replayed on GPUs that tenants share",
    .check = gpu_check,
    .fits = gpu_fits,
    .stacks = true,
    .rows = 1u << TRACE_OPS | 1u << TRACE_REQUESTS,
    .trace = gpu_trace,
    .programs = gpu_programs,
    .hooks = 1u << POLICY_HOOK_GPU_DISPATCH | 1u << POLICY_HOOK_GPU_SHARE,
    .lives = 1u << POLICY_HOOK_GPU_DISPATCH | 1u << POLICY_HOOK_GPU_SHARE,
    .lives_one = 1u << POLICY_HOOK_GPU_DISPATCH | 1u << POLICY_HOOK_GPU_SHARE,
    .mute = mute,
    .headline = "latency.p99,latency.mean,throughput,normalized,span_error,start_error_p99,span",
    .run = gpu_run,
};
