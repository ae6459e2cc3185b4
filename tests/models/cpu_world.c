#include "sim/rng.h"
#include "tests/models/cpu_world.h"

#include <criterion/criterion.h>
#include <dlfcn.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

struct cpus_config cpu_free_config(uint32_t sockets, uint32_t cores, uint32_t threads)
{
    return (struct cpus_config){.sockets = sockets,
                                .cores_per_socket = cores,
                                .threads_per_core = threads,
                                .remote_slowdown = 1,
                                .smt_speed = 1,
                                .balance_period = 4 * SIM_MS};
}

static struct {
    const char *name;
    double value;
} set[8];
static size_t n_set;

void cpu_policy_param(const char *name, double value)
{
    set[n_set].name = name;
    set[n_set++].value = value;
}

static double param(void *host, const char *name, double otherwise)
{
    (void)host;
    for (size_t i = 0; i < n_set; i++)
        if (!strcmp(set[i].name, name))
            return set[i].value;
    return otherwise;
}

static void said(void *host, const char *line)
{
    (void)host;
    cr_log_info("%s", line);
}

static uint64_t drawn(void *host)
{
    static struct rng r;
    static bool begun;
    (void)host;
    if (!begun)
        rng_init(&r, 1, "test", "policy");
    begun = true;
    return rng_u64(&r);
}

static const struct policy_host host = {.log = said, .param = param, .random = drawn};

const struct policy_ops *cpu_policy(const char *file)
{
    char path[128];
    snprintf(path, sizeof path, BUILD "/policies/%s.so", file);
    void *so = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    cr_assert(so, "%s", dlerror());
    const struct policy_ops *ops = dlsym(so, POLICY_SYMBOL);
    cr_assert(ops, "%s exports no %s", path, POLICY_SYMBOL);
    return ops;
}

void cpu_policy_create(struct policy_slot *p)
{
    policy_slot_create(p, &host, NULL, NULL);
}

void cpu_world_open(struct cpu_world *w, const struct cpus_config *cfg,
                    const struct policy_ops *pick, const struct policy_ops *balance, uint64_t seed,
                    bool shuffle)
{
    struct sim_options opt = {.seed = seed, .shuffle_ties = shuffle, .shuffle_seed = seed};
    *w = (struct cpu_world){.sim = sim_new(&opt)};
    w->pick.ops = pick;
    w->balance.ops = balance;
    policy_slot_create(&w->pick, &host, NULL, NULL);
    if (balance)
        policy_slot_create(&w->balance, &host, NULL, NULL);
    struct cpus_env env = {.sim = w->sim, .pick = &w->pick, .balance = &w->balance};
    w->cpus = cpus_new(cfg, &env);
    cr_assert(w->sim && w->cpus);
    cr_assert_eq(w->pick.ejected, EJECT_NONE, "%s", w->pick.eject_note);
}

void cpu_world_close(struct cpu_world *w)
{
    cr_expect_eq(w->pick.bad_answers + w->balance.bad_answers, 0, "%s %s", w->pick.eject_note,
                 w->balance.eject_note);
    policy_slot_destroy(&w->pick);
    policy_slot_destroy(&w->balance);
    cpus_free(w->cpus);
    sim_free(w->sim);
}

static void again(void *ctx, uint64_t unused)
{
    (void)unused;
    struct busy *b = ctx;
    b->last = sim_now(b->w->sim);
    if (++b->did != b->times)
        cpu_task_run(b->task, b->stretch, again, b, 0);
}

void busy_start(struct busy *b, struct cpu_world *w, const struct cpu_task_spec *spec)
{
    b->w = w;
    b->did = 0;
    if (!b->task)
        b->task = cpu_task_new(w->cpus, spec);
    cpu_task_run(b->task, b->stretch, again, b, 0);
}

sim_time busy_ran(const struct busy *b)
{
    struct cpu_task_times t;
    cpu_task_times(b->task, &t);
    return t.ran;
}

void cpu_world_conserved(const struct cpu_world *w, struct cpu_task *const *task, size_t n,
                         uint64_t seed)
{
    struct cpus_totals all;
    sim_time ran = 0, spun = 0;
    cpus_totals(w->cpus, &all);
    cr_assert_eq(all.work + all.spin + all.overhead + all.idle, all.wall * all.cpus,
                 "seed %" PRIu64, seed);
    for (size_t i = 0; i < n; i++) {
        struct cpu_task_times t;
        cpu_task_times(task[i], &t);
        cr_assert_eq(t.ran + t.waited + t.slept, t.age, "seed %" PRIu64 ", task %zu", seed, i);
        cr_assert_leq(t.cold + t.throttled, t.waited, "seed %" PRIu64 ", task %zu", seed, i);
        ran += t.ran;
        spun += t.spun;
    }
    cr_assert_eq(ran, all.work + all.spin, "seed %" PRIu64, seed);
    cr_assert_eq(spun, all.spin, "seed %" PRIu64, seed);
}
