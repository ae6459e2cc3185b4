/* vcpus.c - model "vcpus": guests that overcommit a host's CPUs, each vCPU running a copy of a
 * program whose critical sections its guest's other vCPUs want too.
 *
 * How the vCPUs' slices lie to each other is luck that lasts: `restarts` starts the
 * guests afresh so many times and reports the mean.  With the hint there is much
 * less of it: `hint_time` is the share of the time that is looked at then.
 *
 * Closed: a vCPU begins its next operation when it has finished one.  With
 * "pv": "both" the same guests run twice, without the hint and with it, and
 * hint_gain is what it gains. */
#include <string.h>

#include "models/cpu/vcpus.h"
#include "models/mlaas/mlaas_bill.h"

enum pv { PV_NONE, PV_HINT, PV_BOTH };
static const char *const pvs[] = {"none", "hint", "both", NULL};
static const char *const kinds[] = {"ticket", "queued", "rwsem", "sleep", NULL};

struct section {
    const char *program, *label; /* the label names it in a sweep; nothing here reads it */
    const struct config *pv, *lock, *cpus, *infer;
    struct mlaas_config service;
    uint64_t bytes;
    uint32_t n_cpus, vms, vcpus, restarts;
    double duration_s, warmup_s, footprint, spread, busy_share, hint_time;
    bool gang, pin;
    int pv_choice, kind;
};

static const struct config_field fields[] = {
    CONFIG_STR(struct section, program, true),
    CONFIG_STR(struct section, label, false),
    CONFIG_U64(struct section, bytes, 0, 1 << 24, false),
    CONFIG_ANY(struct section, cpus, true),
    CONFIG_U32(struct section, vms, 1, 256, false),
    CONFIG_U32(struct section, vcpus, 1, 256, true),
    CONFIG_U32(struct section, restarts, 1, 1000, false),
    CONFIG_ANY(struct section, lock, false),
    CONFIG_ANY(struct section, pv, false),
    CONFIG_ANY(struct section, infer, false),
    CONFIG_BOOL(struct section, gang, false),
    CONFIG_BOOL(struct section, pin, false),
    CONFIG_F64(struct section, footprint, 0, 1, false),
    CONFIG_F64(struct section, spread, 0, 1, false),
    CONFIG_F64(struct section, busy_share, 0, 1, false),
    CONFIG_F64(struct section, warmup_s, 0, 1e4, false),
    CONFIG_F64(struct section, duration_s, 1e-3, 1e4, false),
    CONFIG_F64(struct section, hint_time, 1e-3, 1, false),
    CONFIG_END};

static int read_section(const struct config *c, struct section *s, struct err *e)
{
    *s = (struct section){.vms = 1,
                          .restarts = 1,
                          .duration_s = 1,
                          .warmup_s = 0.1,
                          .spread = 0.5,
                          .busy_share = 1,
                          .hint_time = 1,
                          .pv_choice = PV_NONE,
                          .kind = LOCK_RWSEM};
    uint64_t n = 0;
    int rc = config_fill(c, fields, s, e);
    if (!rc)
        rc = config_u64(s->cpus, 1, POLICY_CPUS_MAX, &n, e);
    if (!rc && s->pv)
        rc = config_choice(s->pv, pvs, &s->pv_choice, e);
    if (!rc && s->lock)
        rc = config_choice(s->lock, kinds, &s->kind, e);
    if (!rc)
        rc = mlaas_config(&s->service, s->infer, e);
    s->n_cpus = (uint32_t)n;
    return rc;
}

static int vcpus_check(const struct config *section, struct err *e)
{
    struct section s;
    return read_section(section, &s, e);
}

static int read_setup(const struct config *c, struct machine_use *use, struct section *s,
                      struct vcpus_setup *set, struct err *e)
{
    int rc = read_section(c, s, e);
    *set = (struct vcpus_setup){.cpus = s->n_cpus,
                                .vms = s->vms,
                                .vcpus = s->vcpus,
                                .restarts = s->restarts,
                                .gang = s->gang,
                                .pin = s->pin,
                                .footprint = s->footprint,
                                .spread = s->spread,
                                .busy_share = s->busy_share,
                                .hint_time = s->hint_time,
                                .warmup = (sim_time)(s->warmup_s * 1e9),
                                .duration = (sim_time)(s->duration_s * 1e9)};
    set->lock.kind = (enum lock_kind)s->kind;
    if (!rc)
        rc = cpus_config(&set->topology, use, e);
    if (rc)
        return rc;
    const struct cpus_config *t = &set->topology;
    uint32_t there = t->sockets * t->cores_per_socket * t->threads_per_core;
    if (s->n_cpus > there)
        return err_set(e, ERR_ERANGE,
                       "vcpus.cpus: got %u, want at most %u: machine \"%s\" has no more", s->n_cpus,
                       there, use->machine->name);
    return vcpus_program(&set->program, use, s->program, s->bytes, &set->lock, e);
}

static int with_machine(const struct config *c, const struct machine *m, struct machine_use *use,
                        struct section *s, struct vcpus_setup *set, struct err *e)
{
    if (!m)
        return err_set(e, ERR_EUSAGE, "model \"vcpus\" needs a \"machine\"");
    int rc = machine_use_begin(use, m, e);
    return rc ? rc : read_setup(c, use, s, set, e);
}

static int vcpus_fits(const struct config *section, const struct machine *machine,
                      const char *stack, struct err *e)
{
    (void)stack;
    struct machine_use use = {0};
    struct section s;
    struct vcpus_setup set;
    int rc = with_machine(section, machine, &use, &s, &set, e);
    machine_use_end(&use);
    return rc;
}

static void report(const struct vcpus_result *r, struct measures *out)
{
    measures_number(out, "ops_per_s", "1/s", BETTER_MORE, r->ops_per_s);
    measures_number(out, "ops_least", "1", BETTER_MORE, r->least_ops);
    measures_number(out, "ops_most", "1", BETTER_LESS, r->most_ops);
    measures_number(out, "share.compute", "1", BETTER_MORE, r->compute);
    measures_number(out, "share.lock", "1", BETTER_LESS, r->spin);
    measures_number(out, "share.steal", "1", BETTER_LESS, r->steal);
    measures_number(out, "share.migrate", "1", BETTER_LESS, r->cold);
    measures_number(out, "share.idle", "1", BETTER_NONE, r->idle);
    measures_number(out, "cpu_work", "1", BETTER_MORE, r->pcpu_work);
    measures_number(out, "cpu_spin", "1", BETTER_LESS, r->pcpu_spin);
    measures_number(out, "cpu_overhead", "1", BETTER_LESS, r->pcpu_overhead);
    measures_number(out, "cpu_idle", "1", BETTER_NONE, r->pcpu_idle);
    measures_number(out, "switches_per_s", "1/s", BETTER_LESS, r->switches_per_s);
    measures_number(out, "contended_per_op", "1", BETTER_NONE, r->contended);
    measures_number(out, "sleeps_per_op", "1", BETTER_NONE, r->slept);
    measures_number(out, "yields_per_op", "1", BETTER_NONE, r->yields);
    measures_number(out, "events", "1", BETTER_NONE, (double)r->events);
}

static int vcpus_run(const struct config *section, const struct model_env *env,
                     struct measures *out, struct err *e)
{
    struct machine_use use = {0};
    struct section s;
    struct vcpus_setup set;
    struct vcpus_result r[2] = {{0}};
    int rc = with_machine(section, env->machine, &use, &s, &set, e);
    if (!rc) {
        bool runs[2] = {s.pv_choice != PV_HINT, s.pv_choice != PV_NONE};
        struct mlaas_bill bill;
        rc = mlaas_bill_open(&bill, &s.service, env->stack, &use, env->infer, e);
        rc =
            rc ? rc : vcpus_simulate(&set, env, &(struct vcpus_told){&bill, &use, out}, runs, r, e);
        rc = rc ? rc : mlaas_bill_check(&bill, e);
        mlaas_bill_report(&bill, out);
        mlaas_bill_close(&bill);
    }
    if (!rc) {
        report(&r[s.pv_choice != PV_NONE], out);
        if (s.pv_choice == PV_BOTH) {
            measures_number(out, "ops_per_s_plain", "1/s", BETTER_MORE, r[0].ops_per_s);
            measures_number(out, "hint_gain", "1", BETTER_NONE, r[1].ops_per_s / r[0].ops_per_s);
            measures_number(out, "lock_plain", "1", BETTER_NONE, r[0].spin);
        }
        policy_slot_report(model_policy(env, POLICY_HOOK_CPU_BALANCE), out);
        policy_slot_report(model_policy(env, POLICY_HOOK_CPU_PICK), out);
        machine_use_report(&use, out);
    }
    machine_use_end(&use);
    return rc;
}

static const char *mute(const struct config *c, enum policy_hook hook, bool oracle)
{
    struct section s;
    struct err ignored = {0};
    (void)oracle;
    if (hook != POLICY_HOOK_CPU_BALANCE || read_section(c, &s, &ignored))
        return NULL;
    return s.pin           ? "none: with \"pin\" no vCPU moves"
           : s.n_cpus == 1 ? "none: with one CPU nothing can move"
                           : NULL;
}

const struct model_ops model_vcpus = {
    .name = "vcpus",
    .summary = "guests that overcommit a host's CPUs and wait for each other's locks",
    .check = vcpus_check,
    .fits = vcpus_fits,
    .hooks = 1u << POLICY_HOOK_CPU_PICK | 1u << POLICY_HOOK_CPU_BALANCE,
    .lives = 1u << POLICY_HOOK_CPU_PICK | 1u << POLICY_HOOK_CPU_BALANCE,
    .lives_one = 1u << POLICY_HOOK_CPU_PICK | 1u << POLICY_HOOK_CPU_BALANCE,
    .mute = mute,
    .headline = "ops_per_s,hint_gain,share.lock,share.steal,ops_least",
    .run = vcpus_run,
};
