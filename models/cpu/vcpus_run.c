/* vcpus_run.c - one host, its guests and their locks, for one stretch of time. */
#include <stdlib.h>

#include "models/cpu/cpus_life.h"
#include "models/cpu/vcpus.h"
#include "sim/rng.h"

struct host;

struct worker { /* a vCPU and the one process on it */
    struct host *h;
    struct lock_user user;
    struct lock *locks; /* of its guest */
    struct rng rng;
    uint32_t section, spun[VCPUS_SPIN_LOCKS_N]; /* of this operation */
    uint64_t ops, ops_before;
    struct carry carry;
    struct cpu_task_times before;
};

struct host {
    const struct vcpus_setup *set;
    struct lock_config lock_cfg;
    struct sim *sim;
    struct cpus *cpus;
    struct worker *worker;
    struct lock *lock;
    struct boost *boost;              /* of each guest; */
    struct boost_vcpu **vcpu;         /* its vCPUs side by side */
    uint32_t n, nth;                  /* start: with the hint and without begin alike */
    sim_time begin, warmup, duration; /* of this start */
};

static void next(struct worker *w);

static uint32_t locks_of(const struct vcpus_setup *s)
{
    return s->program.files + VCPUS_SPIN_LOCKS_N;
}

/* Every so many sections one is under a spin lock. */
static bool spins(const struct worker *w)
{
    const struct vcpus_program *p = &w->h->set->program;
    uint64_t i = w->section;
    return (i + 1) * p->spins / p->sections > i * p->spins / p->sections;
}

/* The next spin lock: whose share of the operation's is most behind. */
static uint32_t spin_lock(struct worker *w)
{
    const struct vcpus_program *p = &w->h->set->program;
    uint64_t nth = 1;
    int64_t most = INT64_MIN;
    uint32_t best = 0;
    for (int i = 0; i < VCPUS_SPIN_LOCKS_N; i++)
        nth += w->spun[i];
    for (uint32_t i = 0; i < VCPUS_SPIN_LOCKS_N; i++) {
        int64_t behind = (int64_t)(nth * p->spin[i]) - (int64_t)w->spun[i] * p->spins;
        best = behind > most ? i : best;
        most = behind > most ? behind : most;
    }
    w->spun[best]++;
    return best;
}

static void leave(void *ctx, uint64_t unused)
{
    (void)unused;
    struct worker *w = ctx;
    lock_release(&w->user);
    w->section++;
    next(w);
}

static void inside(void *ctx, uint64_t unused)
{
    (void)unused;
    struct worker *w = ctx;
    const struct vcpus_program *p = &w->h->set->program;
    sim_cost ps = spins(w) ? p->spin_inside : p->inside;
    sim_time ns = carry_ns(&w->carry, ps) + lock_owed(&w->user);
    cpu_task_run(w->user.task, ns, leave, w, 0);
}

static void enter(void *ctx, uint64_t unused)
{
    (void)unused;
    struct worker *w = ctx;
    const struct vcpus_program *p = &w->h->set->program;
    if (!p->sections) {
        next(w);
        return;
    }
    uint32_t file = (uint32_t)((uint64_t)w->section * p->files / p->sections);
    uint32_t lock = spins(w) ? p->files + spin_lock(w) : file;
    lock_acquire(&w->locks[lock], &w->user, inside, w, 0);
}

static void next(struct worker *w)
{
    const struct vcpus_setup *s = w->h->set;
    uint32_t sections = s->program.sections ? s->program.sections : 1;
    if (w->section >= sections || !s->program.sections) {
        w->ops++;
        w->section = 0;
        for (int i = 0; i < VCPUS_SPIN_LOCKS_N; i++)
            w->spun[i] = 0;
    }
    double vary = 1 + s->spread * (2 * rng_unit(&w->rng) - 1);
    sim_cost ps = (sim_cost)((double)s->program.outside / sections * vary);
    cpu_task_run(w->user.task, carry_ns(&w->carry, ps) + lock_owed(&w->user), enter, w, 0);
}

static bool populate(struct host *h, uint64_t seed)
{
    const struct vcpus_setup *s = h->set;
    uint32_t locks = locks_of(s);
    struct lock_config native = h->lock_cfg;
    native.kind = LOCK_QUEUED;
    native.hint = false;
    for (uint32_t vm = 0; vm < s->vms; vm++)
        h->boost[vm] = (struct boost){.vcpu = h->vcpu + vm * s->vcpus, .n = s->vcpus};
    for (uint32_t i = 0; i < s->vms * locks; i++) {
        native.boost = h->lock_cfg.boost = &h->boost[i / locks];
        lock_init(&h->lock[i], h->sim, i % locks >= s->program.files ? &native : &h->lock_cfg);
    }
    for (uint32_t i = 0; i < h->n; i++) {
        struct worker *w = &h->worker[i];
        uint32_t vm = i % s->vms;
        struct cpu_task_spec spec = {.name = "vcpu",
                                     .vm = vm + 1,
                                     .gang = s->gang ? vm : POLICY_NONE,
                                     .home_node = POLICY_NONE,
                                     .footprint = s->footprint};
        if (s->pin) {
            spec.first_cpu = i / s->vms % s->cpus;
            spec.n_cpus = 1;
        }
        struct cpu_task *t = cpu_task_new(h->cpus, &spec);
        if (!t)
            return false;
        *w = (struct worker){.h = h};
        w->locks = &h->lock[vm * locks];
        lock_user_init(&w->user, t);
        h->vcpu[vm * s->vcpus + i / s->vms] = &w->user.vcpu;
        rng_init_indexed(&w->rng, seed, "vcpus", "work", i);
    }
    return true;
}

static void begin(void *ctx, uint64_t unused)
{
    (void)unused;
    struct worker *w = ctx;
    next(w);
    w->ops = 0;
}

static void start(struct host *h)
{
    struct rng g;
    rng_init_indexed(&g, sim_seed(h->sim), "vcpus", "start", h->nth);
    uint32_t busy = (uint32_t)(h->set->busy_share * h->n + 0.5);
    for (uint32_t i = 0; i < busy; i++)
        sim_after(h->sim, rng_below(&g, h->begin), 0, begin, &h->worker[i], 0);
}

/* Nobody is called any more before the first of them goes. */
static void stop(struct host *h)
{
    for (uint32_t i = 0; i < h->n; i++)
        lock_user_end(&h->worker[i].user);
    for (uint32_t i = 0; i < h->n; i++)
        cpu_task_end(h->worker[i].user.task);
}

static void mark(struct host *h, struct cpus_totals *totals)
{
    cpus_totals(h->cpus, totals);
    for (uint32_t i = 0; i < h->n; i++) {
        struct worker *w = &h->worker[i];
        w->ops_before = w->ops;
        cpu_task_times(w->user.task, &w->before);
    }
    for (uint32_t i = 0; i < h->set->vms * locks_of(h->set); i++)
        h->lock[i].contended = h->lock[i].slept = h->lock[i].yields = 0;
}

/* Each adds one start's part. */
static void sum_vcpus(const struct host *h, struct vcpus_result *r)
{
    double least = 1e300, most = 0, all = 0, starts = h->set->restarts;
    double age = starts * (double)h->duration * h->n;
    for (uint32_t i = 0; i < h->n; i++) {
        const struct worker *w = &h->worker[i];
        struct cpu_task_times t;
        cpu_task_times(w->user.task, &t);
        double did = (double)(w->ops - w->ops_before), spun = (double)(t.spun - w->before.spun);
        double cold = (double)(t.cold - w->before.cold);
        all += did;
        least = did < least ? did : least;
        most = did > most ? did : most;
        r->compute += ((double)(t.ran - w->before.ran) - spun) / age;
        r->spin += spun / age;
        r->cold += cold / age;
        r->steal += ((double)(t.waited - w->before.waited) - cold) / age;
        r->idle += (double)(t.slept - w->before.slept) / age;
    }
    r->ops_per_s += all / ((double)h->duration / 1e9) / starts;
    r->least_ops += all > 0 ? least / (all / h->n) / starts : 0;
    r->most_ops += all > 0 ? most / (all / h->n) / starts : 0;
    for (uint32_t i = 0; all > 0 && i < h->set->vms * locks_of(h->set); i++) {
        r->contended += (double)h->lock[i].contended / all / starts;
        r->slept += (double)h->lock[i].slept / all / starts;
        r->yields += (double)h->lock[i].yields / all / starts;
    }
}

static void sum_cpus(const struct host *h, const struct cpus_totals *was, struct vcpus_result *r)
{
    struct cpus_totals now;
    cpus_totals(h->cpus, &now);
    double all = (double)(now.wall - was->wall) * (double)now.cpus * h->set->restarts;
    double s = (double)h->duration / 1e9 * h->set->restarts;
    r->pcpu_work += (double)(now.work - was->work) / all;
    r->pcpu_spin += (double)(now.spin - was->spin) / all;
    r->pcpu_overhead += (double)(now.overhead - was->overhead) / all;
    r->pcpu_idle += (double)(now.idle - was->idle) / all;
    r->switches_per_s += (double)(now.switches - was->switches) / s;
}

/* One start of the guests. */
static bool run(struct host *h, bool hint, struct vcpus_result *r)
{
    struct cpus_totals was;
    uint64_t fired = sim_fired(h->sim);
    double time = hint ? h->set->hint_time : 1;
    h->warmup = (sim_time)(time * (double)h->set->warmup);
    h->duration = (sim_time)(time * (double)h->set->duration);
    h->begin = h->warmup < 50 * SIM_MS ? h->warmup + 1 : 50 * SIM_MS;
    sim_time measured = sim_now(h->sim) + h->begin + h->warmup;
    h->lock_cfg.hint = hint;
    if (!populate(h, sim_seed(h->sim)))
        return false;
    start(h);
    sim_run(h->sim, measured);
    mark(h, &was);
    sim_run(h->sim, measured + h->duration);
    r->events += sim_fired(h->sim) - fired;
    sum_vcpus(h, r);
    sum_cpus(h, &was, r);
    stop(h);
    return !sim_failed(h->sim);
}

static int build(struct host *h, const struct model_env *env, const struct vcpus_told *told,
                 struct err *e)
{
    const struct vcpus_setup *s = h->set;
    struct sim_options opt = env->sim;
    struct cpus_config cfg = s->topology;
    opt.seed = env->seed;
    cfg.limit = s->cpus;
    h->n = s->vms * s->vcpus;
    h->lock_cfg = s->lock;
    h->sim = sim_new(&opt);
    struct cpus_env ce = {.sim = h->sim,
                          .pick = model_policy(env, POLICY_HOOK_CPU_PICK),
                          .balance = model_policy(env, POLICY_HOOK_CPU_BALANCE),
                          .bill = told->bill};
    h->cpus = h->sim ? cpus_new(&cfg, &ce) : NULL;
    h->worker = calloc(h->n, sizeof *h->worker);
    h->lock = calloc((size_t)s->vms * locks_of(s), sizeof *h->lock);
    h->boost = calloc(s->vms, sizeof *h->boost);
    h->vcpu = calloc(h->n, sizeof *h->vcpu);
    const struct cpus_life_env life = {env, told->use, told->out, e};
    return h->cpus && h->worker && h->lock && h->boost && h->vcpu
               ? cpus_life_begin(h->cpus, &life)
               : err_set(e, ERR_ENOMEM, "vcpus: out of memory");
}

int vcpus_simulate(const struct vcpus_setup *s, const struct model_env *env,
                   const struct vcpus_told *told, const bool runs[2], struct vcpus_result out[2],
                   struct err *e)
{
    struct host h = {.set = s};
    bool ok = true;
    int rc = build(&h, env, told, e);
    for (int hint = 0; hint < 2; hint++)
        for (h.nth = 0; !rc && ok && runs[hint] && h.nth < s->restarts; h.nth++)
            ok = run(&h, hint, &out[hint]);
    if (!rc && !ok)
        rc = err_set(e, ERR_ENOMEM, "vcpus: out of memory");
    if (!rc)
        rc = cpus_life_end(h.cpus);
    cpus_free(h.cpus);
    sim_free(h.sim);
    free(h.worker);
    free(h.lock);
    free(h.boost);
    free(h.vcpu);
    return rc;
}
