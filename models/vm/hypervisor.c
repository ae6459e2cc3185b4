/* hypervisor.c - the model: settings, the run, what it reports. */
#include "models/vm/hypervisor.h"

#include <stdio.h>
#include <string.h>

#include "models/cpu/cpus_life.h"
#include "models/mlaas/mlaas_bill.h"
#include "models/model.h"

struct section {
    const struct config *operation, *fastpath, *target, *infer;
    const char *label;
    uint64_t count, warmup, nested;
    double halt_poll_us, grow_start_us, deadline_cycles, period_us, gap_us, device_us;
    uint64_t grow, shrink;
    bool tpr, posted, ipi_virtual, timer_advance, vmcs_copy, pmu;
};
static const struct config_field fields[] = {
    CONFIG_ANY(struct section, operation, true),
    CONFIG_STR(struct section, label, false), /* sweeps over whole sections name them */
    CONFIG_U64(struct section, count, 1, 1e7, false),
    CONFIG_U64(struct section, warmup, 0, 1e7, false),
    CONFIG_U64(struct section, nested, 0, 1, false),
    CONFIG_ANY(struct section, fastpath, false),
    CONFIG_ANY(struct section, target, false),
    CONFIG_ANY(struct section, infer, false),
    CONFIG_BOOL(struct section, tpr, false),
    CONFIG_BOOL(struct section, posted, false),
    CONFIG_BOOL(struct section, ipi_virtual, false),
    CONFIG_BOOL(struct section, timer_advance, false),
    CONFIG_BOOL(struct section, vmcs_copy, false),
    CONFIG_BOOL(struct section, pmu, false),
    CONFIG_F64(struct section, halt_poll_us, 0, 1e6, false),
    CONFIG_F64(struct section, grow_start_us, 0, 1e6, false),
    CONFIG_U64(struct section, grow, 0, 1000, false),
    CONFIG_U64(struct section, shrink, 0, 1000, false),
    CONFIG_F64(struct section, deadline_cycles, 0, 1e9, false),
    CONFIG_F64(struct section, period_us, 1, 1e7, false),
    CONFIG_F64(struct section, gap_us, 1, 1e7, false),
    CONFIG_F64(struct section, device_us, 0, 1e7, false),
    CONFIG_END};

static int read_operation(const struct config *c, const struct hv_operation **op, struct err *e)
{
    const char *names[64] = {0};
    int which;
    for (size_t i = 0; hv_operation_at(i); i++)
        names[i] = hv_operation_at(i)->name;
    int rc = config_choice(c, names, &which, e);
    if (!rc)
        *op = hv_operation_at((size_t)which);
    return rc;
}

static int choice(const struct config *c, const char *const *names, int *out, struct err *e)
{
    return c ? config_choice(c, names, out, e) : 0;
}

static sim_time ns_of(double us)
{
    return (sim_time)(us * 1e3 + 0.5);
}

static void fill(const struct section *s, int fastpath, struct hv_setup *q)
{
    static const enum exit_path ipi[] = {EXIT_PATH_FULL, EXIT_PATH_EARLY, EXIT_PATH_ULTRA};
    q->count = s->count;
    q->warmup = s->warmup;
    q->gap = ns_of(s->gap_us);
    q->device = ns_of(s->device_us);
    q->vm = (struct vm_spec){.id = 1,
                             .vcpus = 2,
                             .pin = true,
                             .posted = s->posted,
                             .ipi_virtual = s->ipi_virtual,
                             .advance = s->timer_advance,
                             .copy = s->vmcs_copy,
                             .pmu = s->pmu,
                             .nested = (unsigned)s->nested,
                             .ipi_path = ipi[fastpath],
                             .timer_path = fastpath ? EXIT_PATH_REENTER : EXIT_PATH_FULL};
    q->vm.halt_poll = (struct halt_poll_rule){ns_of(s->halt_poll_us), ns_of(s->grow_start_us),
                                              (uint32_t)s->grow, (uint32_t)s->shrink};
    q->vm.task = (struct cpu_task_spec){.gang = POLICY_NONE, .home_node = POLICY_NONE};
}

/* The deadline of timer is given in cycles, as in its test; of the others by period. */
static int read_setup(const struct config *c, struct hv_setup *q, double *cycles, struct err *e)
{
    static const char *const paths[] = {"none", "fastpath", "ultra", NULL};
    static const char *const targets[] = {"guest", "halted", NULL};
    struct section s = {.count = 100,
                        .posted = true,
                        .grow = 2,
                        .grow_start_us = 10,
                        .deadline_cycles = 3000,
                        .period_us = 1000,
                        .gap_us = 100};
    int path = 0, target = 0, rc = config_fill(c, fields, &s, e);
    if (!rc)
        rc = read_operation(s.operation, &q->op, e);
    if (!rc)
        rc = choice(s.fastpath, paths, &path, e);
    if (!rc)
        rc = choice(s.target, targets, &target, e);
    if (!rc)
        rc = mlaas_bill_config(&q->infer, s.infer, e);
    if (rc)
        return rc;
    fill(&s, path, q);
    q->target_halts = target == 1;
    q->tpr = s.tpr;
    q->deadline = q->op->from_deadline ? ns_of(s.period_us) : 0;
    *cycles = strcmp(q->op->name, "timer") ? 0 : s.deadline_cycles;
    return 0;
}

/* ---- the run ---- */

static void report_vcpus(struct hv_bench *b, struct measures *out)
{
    struct vcpu_counts n[2];
    double part[HV_PARTS_N] = {0}, sum = 0, ops = (double)(b->set.warmup + b->done);
    char name[64];
    for (uint32_t i = 0; i < 2; i++)
        vcpu_counts(vm_vcpu(b->vm, i), &n[i]);
    for (int r = 0; r < EXIT_REASONS_N; r++) {
        snprintf(name, sizeof name, "exits.%s", exit_reason_name((enum exit_reason)r));
        measures_number(out, name, "1", BETTER_LESS, (double)(n[0].exits[r] + n[1].exits[r]) / ops);
    }
    measures_number(out, "exits.host", "1", BETTER_LESS,
                    (double)(n[0].host_exits + n[1].host_exits) / ops);
    for (int p = 0; p < HV_PARTS_N; p++)
        sum += part[p] = (double)(n[0].part[p] + n[1].part[p]);
    for (int p = 0; p < HV_PARTS_N; p++) {
        snprintf(name, sizeof name, "share.%s", hv_part_name((enum hv_part)p));
        measures_number(out, name, "1", BETTER_NONE, sum > 0 ? part[p] / sum : 0);
    }
    measures_number(out, "cpu_busy", "1", BETTER_LESS,
                    (double)n[0].task.ran / (double)n[0].task.age);
    measures_number(out, "halts", "1", BETTER_NONE, (double)n[0].halts / ops);
    measures_number(out, "slept", "1", BETTER_NONE, (double)n[0].blocks / ops);
    measures_number(out, "poll_hits", "1", BETTER_NONE, (double)n[0].poll.hits / ops);
    measures_number(out, "interrupts", "1", BETTER_NONE,
                    (double)(n[0].delivered + n[1].delivered) / ops);
}

static void report(struct hv_bench *b, struct measures *out)
{
    double ns = b->sum_ns / (double)b->done;
    measures_number(out, "latency_mean", "ns", BETTER_LESS, ns);
    measures_number(out, "latency_cycles", "1", BETTER_LESS, hv_cycles(&b->cost, ns * 1000));
    report_vcpus(b, out);
    measures_number(out, "events", "1", BETTER_NONE, (double)sim_fired(b->sim));
}

static bool make(struct hv_bench *b, const struct model_env *env, const struct cpus_config *cfg,
                 struct measures *out)
{
    struct sim_options opt = env->sim;
    opt.seed = env->seed;
    b->sim = sim_new(&opt);
    b->latency = measures_sketch(out, "latency", "ns", env->exact);
    if (!b->sim || !b->latency)
        return false;
    const struct cpus_env cpus = {
        .sim = b->sim, .pick = model_policy(env, POLICY_HOOK_CPU_PICK), .bill = &b->bill};
    b->cpus = cpus_new(cfg, &cpus);
    const struct hv_env hv = {b->sim, b->cpus, &b->cost};
    b->hv = b->cpus ? hv_new(&hv) : NULL;
    b->vm = b->hv ? vm_create(b->hv, &b->set.vm) : NULL;
    return b->vm && hv_bench_device(b);
}

static void finish(struct hv_bench *b)
{
    vdev_free(b->dev);
    hv_free(b->hv);
    cpus_free(b->cpus);
    sim_free(b->sim);
}

static int costs(struct hv_bench *b, double cycles, struct machine_use *use,
                 struct cpus_config *cfg, struct err *e)
{
    int rc = hv_cost_load(&b->cost, use, e);
    if (!rc)
        rc = cpus_config(cfg, use, e);
    if (rc)
        return rc;
    cfg->limit = 2;
    if (b->set.op->reads_clock)
        b->cost.user_device += b->cost.user_timer;
    b->cost.handler[EXIT_EPT] += b->cost.ept_small;
    if (cycles > 0)
        b->set.deadline = (sim_time)(cycles / b->cost.clock * 1e9 + 0.5);
    if ((uint64_t)cfg->sockets * cfg->cores_per_socket * cfg->threads_per_core < 2)
        return err_set(e, ERR_ERANGE, "machine \"%s\": cpu: want at least 2 CPUs",
                       use->machine->name);
    return 0;
}

static int hypervisor_check(const struct config *section, struct err *e)
{
    struct hv_setup set = {0};
    double cycles;
    return read_setup(section, &set, &cycles, e);
}

static int hypervisor_fits(const struct config *section, const struct machine *machine,
                           const char *stack, struct err *e)
{
    (void)stack;
    struct hv_bench b = {0};
    struct machine_use use;
    struct cpus_config cfg;
    double cycles;
    if (!machine)
        return err_set(e, ERR_ENAME,
                       "model \"hypervisor\" needs a machine profile (\"machine\": ...)");
    int rc = read_setup(section, &b.set, &cycles, e);
    if (!rc)
        rc = machine_use_begin(&use, machine, e);
    if (rc)
        return rc;
    rc = costs(&b, cycles, &use, &cfg, e);
    machine_use_end(&use);
    return rc;
}

/* cfg, costs and the bill are there. */
static int simulate(struct hv_bench *b, const struct cpus_config *cfg,
                    const struct cpus_life_env *env)
{
    struct measures *out = env->out;
    if (!make(b, env->model, cfg, out))
        return err_set(env->e, ERR_ENOMEM, "hypervisor: out of memory");
    int rc = cpus_life_begin(b->cpus, env);
    if (rc)
        return rc;
    hv_bench_start(b);
    sim_run(b->sim, SIM_NEVER);
    if (sim_failed(b->sim) || sketch_failed(b->latency))
        return err_set(env->e, ERR_ENOMEM, "hypervisor: out of memory");
    rc = mlaas_bill_check(&b->bill, env->e);
    rc = rc ? rc : cpus_life_end(b->cpus);
    if (rc)
        return rc;
    report(b, out);
    mlaas_bill_report(&b->bill, out);
    machine_use_report(env->use, out);
    return 0;
}

static int hypervisor_run(const struct config *section, const struct model_env *env,
                          struct measures *out, struct err *e)
{
    struct hv_bench b = {0};
    struct machine_use use;
    struct cpus_config cfg;
    double cycles;
    int rc = read_setup(section, &b.set, &cycles, e);
    if (!rc)
        rc = machine_use_begin(&use, env->machine, e);
    if (rc)
        return rc;
    rc = costs(&b, cycles, &use, &cfg, e);
    if (!rc)
        rc = mlaas_bill_open(&b.bill, &b.set.infer, env->stack, &use, env->infer, e);
    if (!rc) {
        rc = simulate(&b, &cfg, &(struct cpus_life_env){env, &use, out, e});
        finish(&b);
        mlaas_bill_close(&b.bill);
    }
    machine_use_end(&use);
    return rc;
}

const struct model_ops model_hypervisor = {
    .name = "hypervisor",
    .summary = "one operation of a guest: its exits, interrupts, timers, halts, nested or not",
    .check = hypervisor_check,
    .fits = hypervisor_fits,
    .hooks = 1u << POLICY_HOOK_CPU_PICK, /* its vCPUs are pinned: none moves */
    .lives = 1u << POLICY_HOOK_CPU_PICK,
    .lives_one = 1u << POLICY_HOOK_CPU_PICK,
    .headline = "latency_mean,latency_cycles,exits.host",
    .run = hypervisor_run,
};
