/* host.c - tenants on a machine: wiring, one run, and the same run on another stack beside it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "models/cpu/cpus_life.h"
#include "models/host/host_run.h"
#include "models/host/host_state.h"

void host_fail(struct host *h)
{
    h->failed = true;
    sim_stop(h->sim);
}

bool host_warm(const struct host *h)
{
    return sim_now(h->sim) >= h->set->warmup;
}

void tenant_over(struct tenant *vm)
{
    vm->ended = sim_now(vm->host->sim);
    if (!--vm->host->running)
        sim_stop(vm->host->sim);
}

/* ---- tenants ------------------------------------------------------------------------ */

/* Of its CPU work, how much waits for memory. */
static double bound_by_memory(const struct workload *w)
{
    double work = 0, bound = 0;
    for (size_t i = 0; i < w->n; i++)
        for (size_t k = 0; k < w->crew[i].program.n; k++) {
            const struct op *op = &w->crew[i].program.op[k];
            work += op->kind == OP_compute ? (double)op->ns : 0;
            bound += op->kind == OP_compute ? (double)op->ns * op->memory_bound : 0;
        }
    return work > 0 ? bound / work : 0;
}

static bool walks_begin(struct tenant *vm)
{
    for (size_t i = 0; i < vm->work->n; i++) {
        const struct program *p = &vm->work->crew[i].program;
        if (!(vm->walks[i] = calloc(p->n, sizeof *vm->walks[i])))
            return false;
        for (size_t k = 0; k < p->n; k++) {
            const struct memory_work w = {p->op[k].memory_bound, p->op[k].bytes, vm->host->vm,
                                          vm->set->large_pages};
            if (p->op[k].kind == OP_compute)
                vm->walks[i][k] = memory_walks(&vm->host->memory, &w);
        }
    }
    return true;
}

static bool threads_begin(struct tenant *vm)
{
    vm->n_threads = workload_threads(vm->work);
    vm->thread = calloc(vm->n_threads, sizeof *vm->thread);
    bool ok = vm->thread != NULL;
    uint32_t n = 0;
    for (size_t i = 0; ok && i < vm->work->n; i++) {
        const struct crew *crew = &vm->work->crew[i];
        for (uint32_t k = 0; ok && k < crew->threads; k++, n++)
            ok = thread_begin(&vm->thread[n], vm, crew, n, k);
        vm->main_left += crew->daemon ? 0 : crew->threads;
    }
    return ok;
}

static void requests_start(void *ctx, uint64_t unused)
{
    (void)unused;
    requests_begin(ctx);
}

static void thread_start(void *ctx, uint64_t unused)
{
    (void)unused;
    seat_ready(ctx, thread_step);
}

/* Neither tenants nor their threads start in step: what is equal would stay so for ever, and who
 * comes first would hang on how ties are broken. */
static void tenant_start(struct tenant *vm)
{
    struct host *h = vm->host;
    vm->started = rng_below(&h->starts, SIM_MS);
    for (uint32_t i = 0; i < vm->n_threads; i++)
        sim_at(h->sim, vm->started + rng_below(&h->starts, 100 * SIM_US), 0, thread_start,
               &vm->thread[i], 0);
    if (vm->work->rate_per_s > 0)
        sim_at(h->sim, vm->started, 1, requests_start, vm, 0);
    if (vm->set->window)
        sim_at(h->sim, vm->started, 1, ahead_start, vm, 0);
}

static bool tenant_begin(struct tenant *vm, struct host *h, const struct vm_setup *set,
                         uint32_t number)
{
    struct device_context *context = NULL;
    *vm = (struct tenant){.host = h, .set = set, .work = &set->work, .number = number};
    snprintf(vm->name, sizeof vm->name, "%s.%u", set->name, number);
    const uint32_t nodes = cpus_node(h->cpus, cpus_count(h->cpus) - 1) + 1;
    vm->home_node = nodes > 1 ? (number - 1) % nodes : POLICY_NONE;
    vm->memory_bound = bound_by_memory(vm->work);
    vm->tick_ns = set->tick_hz ? SIM_SEC / set->tick_hz : 0;
    vm->poll = h->poll;
    if (set->halt_poll != VM_HALT_POLL_DEFAULT)
        vm->poll.cap = set->halt_poll;
    meet_begin(vm);
    vm->gpus = PROGRAM_IDS;
    vm->gpu = calloc(vm->gpus, sizeof *vm->gpu);
    if (set->part.has && (h->rc = gpu_shared_join(h->shared, &set->part, &context, h->e)))
        return false;
    for (uint32_t i = 0; vm->gpu && i < vm->gpus; i++)
        vm->gpu[i] = (struct gpu_queue){.depth = h->gpu_depth, .context = context};
    vm->latency = sketch_new(h->env->exact);
    if (!vm->gpu || !vm->latency || !walks_begin(vm) || !threads_begin(vm) || !seats_begin(vm) ||
        !hand_begin(&vm->hand, vm) || !ahead_begin(vm))
        return false;
    tenant_start(vm);
    return true;
}

static void tenant_end(struct tenant *vm)
{
    hand_end(&vm->hand); /* its jobs lie in what is freed below */
    for (uint32_t i = 0; vm->thread && i < vm->n_threads; i++)
        thread_end(&vm->thread[i]);
    for (uint32_t i = 0; vm->gpu && i < vm->gpus; i++)
        gpu_queue_free(&vm->gpu[i]);
    for (size_t i = 0; i < CREWS_MAX; i++)
        free(vm->walks[i]);
    requests_free(vm);
    ahead_end(vm);
    sketch_free(vm->latency);
    free(vm->gpu);
    free(vm->thread);
    free(vm->seat);
}

/* ---- the machine ------------------------------------------------------------------------ */

static int share_gpus(struct host *h, uint32_t copies)
{
    int rc = gpu_shared_new(&h->shared, h->sim, &h->set->gpus, &h->parts, h->e);
    for (uint32_t c = 0; c < copies; c++)
        for (size_t i = 0; i < h->set->n_vm; i++)
            for (uint32_t k = 0; !rc && h->set->vm[i].part.has && k < h->set->vm[i].count; k++)
                rc = gpu_shared_want(h->shared, &h->set->vm[i].part, h->e);
    return rc;
}

static bool begin(struct host *h, uint32_t copies)
{
    struct sim_options opt = h->env->sim;
    opt.seed = h->env->seed;
    h->cpu_config.limit = h->set->cpus;
    if (!(h->sim = sim_new(&opt)))
        return false;
    const struct cpus_env env = {.sim = h->sim,
                                 .pick = model_policy(h->env, POLICY_HOOK_CPU_PICK),
                                 .balance = model_policy(h->env, POLICY_HOOK_CPU_BALANCE),
                                 .bill = &h->bill};
    if (!(h->cpus = cpus_new(&h->cpu_config, &env)))
        return false;
    for (size_t i = 0; i < h->set->n_vm; i++)
        h->n_tenants += h->set->vm[i].count * copies;
    if (!(h->tenant = calloc(h->n_tenants, sizeof *h->tenant)))
        return false;
    if (h->drive.dies && !(h->disk = ssd_new(h->sim, &h->drive)))
        return false;
    if (h->set->parts && (h->rc = share_gpus(h, copies)))
        return false;
    rng_init(&h->starts, h->env->seed, "host", "starts");
    uint32_t n = 0;
    for (uint32_t c = 0; c < copies; c++)
        for (size_t i = 0; i < h->set->n_vm; i++)
            for (uint32_t k = 0; k < h->set->vm[i].count; k++, n++)
                if (!tenant_begin(&h->tenant[n], h, &h->set->vm[i], n + 1))
                    return false;
    h->running = h->n_tenants;
    return true;
}

static void end(struct host *h)
{
    for (uint32_t i = 0; h->tenant && i < h->n_tenants; i++)
        tenant_end(&h->tenant[i]);
    free(h->tenant);
    mlaas_bill_close(&h->bill);
    gpu_shared_free(h->shared);
    ssd_free(h->disk);
    cpus_free(h->cpus);
    sim_free(h->sim);
    machine_use_end(&h->use);
}

int host_run(const struct host_run *r, struct host_result *out, struct err *e)
{
    struct host h = {.env = r->env, .set = r->set, .e = e};
    *out = (struct host_result){0};
    int rc = host_costs(&h, r->stack);
    if (!rc)
        rc = mlaas_bill_open(&h.bill, &r->set->infer, r->stack, &h.use, r->env->infer, e);
    if (!rc && !begin(&h, r->copies))
        rc = h.rc, h.failed = true;
    if (!rc && !h.failed && r->out)
        rc = cpus_life_begin(h.cpus, &(struct cpus_life_env){r->env, &h.use, r->out, e});
    if (!rc && !h.failed) {
        sim_run(h.sim, r->set->duration);
        h.failed = h.failed || sim_failed(h.sim);
        rc = mlaas_bill_check(&h.bill, e);
        rc = rc ? rc : cpus_life_end(h.cpus);
        host_result(&h, out);
        if (r->out)
            host_report(&h, r->out);
    }
    end(&h);
    return !rc && h.failed ? err_set(e, ERR_ENOMEM, "host: out of memory") : rc;
}

/* ---- the model ---------------------------------------------------------------------------- */

static int check(const struct config *section, struct err *e)
{
    struct host_setup s;
    int rc = host_setup_read(&s, section, e);
    const char *want = rc ? NULL : setup_gpus_wanted(&s, s.baseline);
    if (!rc && s.baseline && !stack_find(s.baseline, NULL))
        rc = config_complain(config_get(config_get(section, "baseline"), "stack"), e,
                             "one of " STACK_NAMES);
    if (!rc && want)
        rc = config_complain(config_get(config_get(section, "gpus"), "sharing"), e,
                             "\"%s\", for the baseline's stack is %s", want, s.baseline);
    host_setup_free(&s);
    return rc;
}

static int fits(const struct config *section, const struct machine *machine, const char *stack,
                struct err *e)
{
    struct host_setup s;
    if (!machine)
        return err_set(e, ERR_ENAME, "model \"host\" needs a machine profile (\"machine\": ...)");
    int rc = host_setup_read(&s, section, e);
    const struct model_env env = {.machine = machine};
    struct host h = {.env = &env, .set = &s, .e = e};
    if (!rc)
        rc = host_costs(&h, stack);
    machine_use_end(&h.use);
    host_setup_free(&s);
    return rc;
}

static int run(const struct config *section, const struct model_env *env, struct measures *out,
               struct err *e)
{
    struct host_setup s;
    struct host_result here, there;
    int rc = host_setup_read(&s, section, e);
    if (rc)
        return rc;
    const struct host_run r = {env, &s, env->stack, s.copies, out};
    rc = host_run(&r, &here, e);
    if (!rc && s.baseline) {
        struct model_env quiet = *env; /* the defaults schedule there, and nobody draws it */
        quiet.policy = NULL;
        memset(quiet.bound, 0, sizeof quiet.bound);
        memset(quiet.plan, 0, sizeof quiet.plan);
        quiet.sim.spans = NULL;
        const struct host_run b = {&quiet, &s, s.baseline, s.baseline_copies, NULL};
        rc = host_run(&b, &there, e);
        if (!rc)
            host_compare(&here, &there, out);
    }
    host_setup_free(&s);
    return rc;
}

const struct model_ops model_host = {
    .name = "host",
    .summary = "tenants with workloads on one machine: where their time goes, stack by stack",
    .check = check,
    .fits = fits,
    .stacks = true,
    .hooks = 1U << POLICY_HOOK_CPU_PICK | 1U << POLICY_HOOK_CPU_BALANCE,
    .lives = 1U << POLICY_HOOK_CPU_PICK | 1U << POLICY_HOOK_CPU_BALANCE,
    .lives_one = 1U << POLICY_HOOK_CPU_PICK | 1U << POLICY_HOOK_CPU_BALANCE,
    .headline = "throughput,operation.mean,operation.p99,normalized,steal,exits,cpu_util",
    .run = run,
};
