/* host_report.c - counts into measures. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "models/host/host_run.h"
#include "models/host/host_state.h"

/* ---- one result ------------------------------------------------------------------------ */

static void check_seat(const struct seat *seat, struct host_result *r)
{
    const struct vm_setup *set = seat->vm->set;
    struct cpu_task_times t;
    cpu_task_times(seat->task, &t);
    r->unaccounted += t.ran + t.waited + t.slept != t.age;
    r->over_budget += set->period && t.ran > (t.age / set->period + 2) * set->budget;
}

static void add_tenant(const struct tenant *vm, struct host_result *r)
{
    ledger_merge(&r->ledger, &vm->ledger);
    r->operations += vm->warm_steps;
    if (vm->ended) {
        r->end_to_end += (double)(vm->ended - vm->started) / 1e9;
        r->finished++;
    }
    r->raised += vm->raised;
    r->delivered += vm->delivered;
    for (uint32_t i = 0; i < vm->n_threads; i++) {
        r->pending += vm->thread[i].signalled;
        r->inside += vm->thread[i].batch ? vm->thread[i].batched : 0;
    }
    for (uint32_t i = 0; i < vm->n_seats; i++)
        check_seat(&vm->seat[i], r);
    r->arrived += vm->arrived;
    r->replied += vm->replied;
    r->inside += vm->inside;
    r->jobs += vm->hand.came;
    r->jobs_done += vm->hand.did;
    for (const struct hand_job *j = vm->hand.first; j; j = j->next)
        r->jobs_left++;
}

void host_result(struct host *h, struct host_result *r)
{
    r->tenants = h->n_tenants;
    for (uint32_t i = 0; i < h->n_tenants; i++)
        add_tenant(&h->tenant[i], r);
    if (r->finished)
        r->end_to_end /= r->finished;
    cpus_totals(h->cpus, &r->cpus);
    r->fingerprint = sim_fingerprint(h->sim);
}

/* ---- tenants ------------------------------------------------------------------------------- */

static void named(struct measures *out, const char *of, const char *what, const char *unit,
                  enum better better, double v)
{
    char name[96];
    snprintf(name, sizeof name, "%s.%s", of, what);
    measures_number(out, name, unit, better, v);
}

struct seats_time {
    double ran, stolen, spun;
    uint64_t migrations;
};

static struct seats_time seats_time(const struct tenant *vm)
{
    struct seats_time s = {0};
    for (uint32_t i = 0; i < vm->n_seats; i++) {
        struct cpu_task_times t;
        cpu_task_times(vm->seat[i].task, &t);
        s.ran += (double)t.ran / 1e9;
        s.spun += (double)t.spun / 1e9;
        s.stolen += (double)(t.waited - t.cold - t.entered) / 1e9;
        s.migrations += t.migrations;
    }
    return s;
}

static void report_ahead(const struct tenant *vm, struct measures *out)
{
    const struct ahead *a = &vm->ahead;
    named(out, vm->name, "ahead_batches", "1", BETTER_NONE, (double)a->batches);
    named(out, vm->name, "ahead_waited", "1", BETTER_LESS, (double)a->waited);
    named(out, vm->name, "ahead_memory", "B", BETTER_LESS,
          (double)(a->most * a->op->count * a->op->bytes));
}

static void report_tenant(struct tenant *vm, struct measures *out)
{
    const struct host *h = vm->host;
    const sim_time to = vm->ended ? vm->ended : sim_now(h->sim);
    const sim_time from = vm->started > h->set->warmup ? vm->started : h->set->warmup;
    const double s = to > from ? (double)(to - from) / 1e9 : 0;
    const struct seats_time t = seats_time(vm);
    named(out, vm->name, "throughput", "ops/s", BETTER_MORE,
          s > 0 ? (double)vm->warm_steps / s : 0);
    named(out, vm->name, "op_mean", "ms", BETTER_LESS, sketch_mean(vm->latency));
    named(out, vm->name, "op_p50", "ms", BETTER_LESS, sketch_quantile(vm->latency, 0.5));
    named(out, vm->name, "op_p99", "ms", BETTER_LESS, sketch_quantile(vm->latency, 0.99));
    named(out, vm->name, "steal", "s", BETTER_LESS, t.stolen);
    named(out, vm->name, "cpu", "s", BETTER_NONE, t.ran);
    named(out, vm->name, "migrations", "1", BETTER_NONE, (double)t.migrations);
    if (vm->gathered)
        named(out, vm->name, "batch_copied", "B", BETTER_NONE, (double)vm->gathered);
    if (vm->mapped)
        named(out, vm->name, "batch_mapped", "B", BETTER_NONE, (double)vm->mapped);
    if (vm->set->window)
        report_ahead(vm, out);
    if (vm->copied)
        named(out, vm->name, "staged_copied", "B", BETTER_NONE, (double)vm->copied);
    if (vm->pinned)
        named(out, vm->name, "staged_pinned", "B", BETTER_NONE, (double)vm->pinned);
    for (int c = 0; c < LEDGER_N; c++) {
        char what[32];
        snprintf(what, sizeof what, "share_%s", ledger_name((enum ledger_category)c));
        named(out, vm->name, what, "1", BETTER_NONE,
              vm->ledger.total ? (double)vm->ledger.ns[c] / (double)vm->ledger.total : 0);
    }
}

/* ---- the machine ------------------------------------------------------------------------------
 */

static const char *const path_names[] = {
#define X(name) #name,
    TENANT_PATHS(X)
#undef X
};

static void report_exits(const struct host *h, struct measures *out)
{
    uint64_t all = 0;
    for (int p = 0; p < PATHS_N; p++) {
        uint64_t n = 0;
        for (uint32_t i = 0; i < h->n_tenants; i++)
            n += h->tenant[i].exits[p];
        all += n;
        if (n)
            named(out, "exits", path_names[p], "1", BETTER_LESS, (double)n);
    }
    measures_number(out, "exits", "1", BETTER_LESS, (double)all);
}

static void report_cpus(const struct host_result *r, struct measures *out)
{
    const double all = (double)r->cpus.wall * (double)r->cpus.cpus;
    const double of = all > 0 ? 1 / all : 0;
    measures_number(out, "cpu_util", "1", BETTER_NONE, 1 - (double)r->cpus.idle * of);
    measures_number(out, "cpu_spin", "1", BETTER_LESS, (double)r->cpus.spin * of);
    measures_number(out, "cpu_overhead", "1", BETTER_LESS, (double)r->cpus.overhead * of);
    measures_number(out, "switches", "1", BETTER_LESS, (double)r->cpus.switches);
    measures_number(out, "wakeups", "1", BETTER_NONE, (double)r->cpus.wakeups);
    measures_number(out, "migrations", "1", BETTER_LESS, (double)r->cpus.migrations);
}

/* CPU time of the OS for an operation, from the beginning of the run on; us. */
static void report_os(const struct host *h, uint64_t switching, struct measures *out)
{
    uint64_t done = 0;
    for (uint32_t i = 0; i < h->n_tenants; i++)
        done += h->tenant[i].steps;
    measures_number(out, "os_cpu", "us", BETTER_LESS,
                    done ? (double)(h->os_ns + switching) / 1e3 / (double)done : 0);
}

void host_report(struct host *h, struct measures *out)
{
    struct host_result r = {0};
    double steal = 0, gpu = 0;
    host_result(h, &r);
    struct sketch *all = measures_sketch(out, "operation", "ms", h->env->exact);
    for (uint32_t i = 0; i < h->n_tenants; i++) {
        struct tenant *vm = &h->tenant[i];
        if (all && sketch_merge(all, vm->latency))
            h->failed = true;
        steal += seats_time(vm).stolen;
        for (uint32_t k = 0; k < vm->gpus; k++)
            gpu += (double)vm->gpu[k].busy / 1e9;
    }
    const double s = (double)(r.cpus.wall - h->set->warmup) / 1e9;
    measures_number(out, "throughput", "ops/s", BETTER_MORE, s > 0 ? (double)r.operations / s : 0);
    if (r.finished == r.tenants)
        measures_number(out, "end_to_end", "s", BETTER_LESS, r.end_to_end);
    ledger_report(&r.ledger, out);
    measures_number(out, "steal", "s", BETTER_LESS, steal);
    measures_number(out, "gpu_busy", "s", BETTER_NONE, gpu);
    report_os(h, r.cpus.overhead, out);
    report_exits(h, out);
    report_cpus(&r, out);
    for (uint32_t i = 0; i < h->n_tenants; i++)
        report_tenant(&h->tenant[i], out);
    measures_number(out, "events", "1", BETTER_NONE, (double)sim_fired(h->sim));
    mlaas_bill_report(&h->bill, out);
    policy_slot_report(model_policy(h->env, POLICY_HOOK_CPU_BALANCE), out);
    policy_slot_report(model_policy(h->env, POLICY_HOOK_CPU_PICK), out);
    machine_use_report(&h->use, out);
    h->failed = h->failed || !all || out->failed;
}

/* ---- beside another stack ---------------------------------------------------------------------
 */

/* What a difference comes from: the hypervisor itself, sharing CPUs with others, or what follows
 * from either while waiting. */
static const char *cause(enum ledger_category c)
{
    switch (c) {
    case LEDGER_kernel:
    case LEDGER_ipc:
    case LEDGER_exit:
        return "over.crossings";
    case LEDGER_walk:
        return "over.walks";
    case LEDGER_steal:
    case LEDGER_lock:
    case LEDGER_migrate:
    case LEDGER_wake:
    case LEDGER_host:
        return "over.sharing";
    default:
        return "over.waiting";
    }
}

void host_compare(const struct host_result *here, const struct host_result *there,
                  struct measures *out)
{
    static const char *const causes[] = {"over.crossings", "over.walks", "over.sharing",
                                         "over.waiting"};
    const double a = (double)here->ledger.operations, b = (double)there->ledger.operations;
    if (a < 1 || b < 1)
        return;
    const double base = (double)there->ledger.total / b;
    measures_number(out, "normalized", "1", BETTER_LESS, (double)here->ledger.total / a / base);
    if (here->finished == here->tenants && there->finished == there->tenants)
        measures_number(out, "normalized_end_to_end", "1", BETTER_LESS,
                        here->end_to_end / there->end_to_end);
    double by[4] = {0};
    for (int c = 0; c < LEDGER_N; c++) {
        const double more =
            ((double)here->ledger.ns[c] / a - (double)there->ledger.ns[c] / b) / base;
        named(out, "over", ledger_name((enum ledger_category)c), "1", BETTER_LESS, more);
        for (int k = 0; k < 4; k++)
            by[k] += strcmp(causes[k], cause((enum ledger_category)c)) ? 0 : more;
    }
    for (int k = 0; k < 4; k++)
        measures_number(out, causes[k], "1", BETTER_LESS, by[k]);
}
