/* rounds.c - the model `rounds`: a heterogeneous cluster scheduled in rounds, after Gavel. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "models/machine.h"
#include "models/mlaas/mlaas_bill.h"
#include "models/model.h"
#include "models/rounds/schedule.h"
#include "models/rounds/synth.h"

struct section {
    const struct config *gpus, *order, *infer;
    const char *reference, *label; /* label: a sweep over whole sections names them */
    double round_s, share_every_s, jobs_per_hour;
    uint64_t first, measured, workload_seed;
    bool fill, pairs, many_gpus;
};
static const struct config_field fields[] = {
    CONFIG_ANY(struct section, gpus, true),
    CONFIG_ANY(struct section, order, false),
    CONFIG_ANY(struct section, infer, false),
    CONFIG_STR(struct section, reference, false),
    CONFIG_STR(struct section, label, false),
    CONFIG_F64(struct section, round_s, 1, 1e6, false),
    CONFIG_F64(struct section, share_every_s, 0, 1e7, false),
    CONFIG_F64(struct section, jobs_per_hour, 1e-3, 1e6, true),
    CONFIG_U64(struct section, first, 0, 1e7, false),
    CONFIG_U64(struct section, measured, 1, 1e7, false),
    CONFIG_U64(struct section, workload_seed, 0, 4e9, false),
    CONFIG_BOOL(struct section, fill, false),
    CONFIG_BOOL(struct section, pairs, false),
    CONFIG_BOOL(struct section, many_gpus, false),
    CONFIG_END,
};

enum order { AS_GIVEN, SHUFFLED };
static const char *const orders[] = {"as-given", "shuffled", NULL};

struct setup {
    struct section s;
    int order;
    struct mlaas_config service;
    const char *type[RATES_TYPES_MAX];
    uint32_t gpus[RATES_TYPES_MAX], types, reference;
};

static int read_gpus(struct setup *u, struct err *e)
{
    const struct config *c = u->s.gpus;
    const size_t n = config_kind(c) == CONFIG_OBJECT ? config_count(c) : 0;
    if (!n || n > RATES_TYPES_MAX)
        return config_complain(c, e, "an object of 1 to %u types of GPUs and their numbers",
                               RATES_TYPES_MAX);
    for (; u->types < n; u->types++) {
        uint64_t v = 0;
        int rc = config_u64(config_at(c, u->types), 1, 1000000, &v, e);
        if (rc)
            return rc;
        u->type[u->types] = config_key(config_at(c, u->types));
        u->gpus[u->types] = (uint32_t)v;
    }
    return 0;
}

static int read_setup(const struct config *c, struct setup *u, struct err *e)
{
    *u = (struct setup){
        .s = {
            .round_s = 360, .share_every_s = 1920, .first = 4000, .measured = 1000, .fill = true}};
    int rc = config_fill(c, fields, &u->s, e);
    if (!rc && u->s.order)
        rc = config_choice(u->s.order, orders, &u->order, e);
    if (!rc)
        rc = mlaas_bill_config(&u->service, u->s.infer, e);
    if (!rc)
        rc = read_gpus(u, e);
    if (rc || !u->s.reference)
        return rc;
    while (u->reference < u->types && strcmp(u->s.reference, u->type[u->reference]) != 0)
        u->reference++;
    if (u->reference == u->types)
        return config_complain(config_get(c, "reference"), e, "one of the types in \"gpus\"");
    return 0;
}

/* ---- the run ---- */

struct run {
    const struct setup *setup;
    struct synth synth;
    struct sketch *jct, *slowdown;
    struct rates *rates;
    struct machine_use use; /* of the scheduler's machine */
    struct mlaas_bill bill;
    struct life_clock *life; /* NULL: one policy for ever */
    double *seconds;         /* [first + measured]: on the reference GPU, of each job that counts */
    uint64_t made, left, at_first, at_last;
    sim_time first_came, last_left;
};

static bool counts(const struct run *r, uint64_t id)
{
    return id >= r->setup->s.first && id - r->setup->s.first < r->setup->s.measured;
}

static int next_job(void *ctx, struct schedule_arrival *a, struct err *e)
{
    (void)e;
    struct run *r = ctx;
    const struct synth_job j = synth_next(&r->synth);
    *a = (struct schedule_arrival){j.arrives, j.kind, j.steps, 1};
    if (counts(r, r->made))
        r->seconds[r->made - r->setup->s.first] = j.seconds;
    if (r->made == r->setup->s.first)
        r->first_came = j.arrives;
    r->made++;
    return 1;
}

static int job_left(void *ctx, uint64_t id, uint32_t kind, sim_time arrived, sim_time left)
{
    (void)kind;
    struct run *r = ctx;
    if (!counts(r, id))
        return 0;
    const double s = (double)(left - arrived) / 1e9;
    sketch_add(r->jct, s / 3600);
    sketch_add(r->slowdown, s / r->seconds[id - r->setup->s.first]);
    r->last_left = left > r->last_left ? left : r->last_left;
    return ++r->left == r->setup->s.measured;
}

static void say_stuck(const struct schedule_stats *st, struct measures *out)
{
    char text[160];
    snprintf(text, sizeof text,
             "job %llu and those after it can never run: no type has GPUs enough and a rate for "
             "them, or the policy gives them no part",
             (unsigned long long)st->stuck_job);
    measures_incident(out, "warning", "rounds", st->end, 0, text);
}

/* More than twice as many jobs as GPUs at some time: a queue that the run is too short to judge. */
static void say_full(const struct run *r, const struct schedule_stats *st, struct measures *out)
{
    uint64_t gpus = 0;
    for (uint32_t t = 0; t < r->setup->types; t++)
        gpus += r->setup->gpus[t];
    if (st->most_jobs <= 2 * gpus)
        return;
    char text[200];
    snprintf(text, sizeof text,
             "%llu jobs at once for %llu GPUs: at or above saturation, where completion times grow "
             "with the length of the run and small differences weigh much",
             (unsigned long long)st->most_jobs, (unsigned long long)gpus);
    measures_incident(out, "warning", "rounds", st->end, 0, text);
}

static void report(const struct run *r, const struct schedule_stats *st, struct measures *out)
{
    const double span = (double)st->end / 1e9;
    measures_number(out, "jct_mean", "h", BETTER_LESS, sketch_mean(r->jct));
    measures_number(out, "jct_p99", "h", BETTER_LESS, sketch_quantile(r->jct, 0.99));
    measures_number(out, "slowdown_mean", "1", BETTER_LESS, sketch_mean(r->slowdown));
    measures_number(out, "makespan", "h", BETTER_LESS, (double)r->last_left / 3.6e12);
    for (uint32_t t = 0; t < r->setup->types; t++) {
        char name[96];
        snprintf(name, sizeof name, "util.%.80s", r->setup->type[t]);
        measures_number(out, name, "1", BETTER_NONE,
                        span > 0 ? st->busy_s[t] / span / r->setup->gpus[t] : 0);
    }
    measures_number(out, "jobs", "1", BETTER_NONE, (double)r->left);
    measures_number(out, "most_jobs", "1", BETTER_LESS, (double)st->most_jobs);
    measures_number(out, "rounds", "1", BETTER_NONE, (double)st->rounds);
    measures_number(out, "shares", "1", BETTER_NONE, (double)st->shares);
    measures_number(out, "moves", "1", BETTER_LESS, (double)st->moves);
    measures_number(out, "paired", "1", BETTER_NONE, (double)st->pair_rounds);
    if (st->stuck)
        say_stuck(st, out);
    say_full(r, st, out);
}

static void describe(struct schedule_set *set, const struct setup *u, const struct model_env *env,
                     struct run *r)
{
    *set = (struct schedule_set){.rates = r->rates,
                                 .round = (sim_time)(u->s.round_s * 1e9 + 0.5),
                                 .share_every = (sim_time)(u->s.share_every_s * 1e9 + 0.5),
                                 .fill = u->s.fill,
                                 .pairs = u->s.pairs,
                                 .shuffle = u->order == SHUFFLED,
                                 .order = u->s.workload_seed + 5,
                                 .policy = model_policy(env, POLICY_HOOK_CLUSTER_SHARE),
                                 .life = r->life,
                                 .bill = &r->bill,
                                 .next = next_job,
                                 .left = job_left,
                                 .ctx = r};
    memcpy(set->gpus, u->gpus, sizeof set->gpus);
}

static int open_bill(struct run *r, const struct setup *u, const struct model_env *env,
                     struct err *e)
{
    int rc = env->machine ? machine_use_begin(&r->use, env->machine, e) : 0;
    return rc ? rc
              : mlaas_bill_open(&r->bill, &u->service, env->stack, env->machine ? &r->use : NULL,
                                env->infer, e);
}

static int open_life(struct run *r, const struct model_env *env, struct measures *out,
                     struct err *e)
{
    const struct life_clock_env life = {.model = env, .use = &r->use, .out = out};
    return life_clock_open(&r->life, POLICY_HOOK_CLUSTER_SHARE, &life, e);
}

static void report_bill(const struct run *r, struct measures *out)
{
    mlaas_bill_report(&r->bill, out);
    if (r->use.machine && (r->bill.n_nets || r->life))
        machine_use_report(&r->use, out);
    if (!r->bill.n_nets && r->bill.calls)
        measures_incident(out, "inference", "rounds", 0, 0,
                          "assumed: the scheduler's inference runs on a machine that is no part of "
                          "the cluster, in no time: rounds of minutes");
}

static int run_all(struct run *r, const struct setup *u, const struct model_env *env,
                   struct measures *out, struct err *e)
{
    struct schedule_set set;
    struct schedule_stats stats;
    int rc = rates_read(&r->rates, env->table[0].rows, u->type, u->types, e);
    if (!rc)
        rc = synth_init(&r->synth, r->rates, u->reference, u->s.jobs_per_hour, u->s.many_gpus,
                        u->s.workload_seed, e);
    if (rc)
        return err_wrap(e, rc, "tables.%s", env->table[0].name);
    r->seconds = calloc(u->s.measured, sizeof *r->seconds);
    if (!r->seconds || !r->jct || !r->slowdown)
        return err_set(e, ERR_ENOMEM, "rounds: out of memory");
    rc = open_life(r, env, out, e);
    if (rc)
        return rc;
    describe(&set, u, env, r);
    if (set.policy)
        set.policy->out = out;
    rc = schedule_run(&set, &stats, e);
    if (!rc && (sketch_failed(r->jct) || sketch_failed(r->slowdown)))
        rc = err_set(e, ERR_ENOMEM, "rounds: out of memory");
    rc = rc ? rc : mlaas_bill_check(&r->bill, e);
    rc = rc ? rc : life_clock_end(r->life);
    if (!rc) {
        report(r, &stats, out);
        report_bill(r, out);
        policy_slot_report(set.policy, out);
    }
    return rc;
}

static int rounds_run(const struct config *section, const struct model_env *env,
                      struct measures *out, struct err *e)
{
    struct setup u;
    int rc = read_setup(section, &u, e);
    if (rc)
        return rc;
    struct run r = {.setup = &u,
                    .jct = measures_sketch(out, "jct", "h", env->exact),
                    .slowdown = measures_sketch(out, "slowdown", "1", env->exact)};
    rc = open_bill(&r, &u, env, e);
    rc = rc ? rc : run_all(&r, &u, env, out, e);
    life_clock_close(r.life);
    mlaas_bill_close(&r.bill);
    machine_use_end(&r.use);
    rates_free(r.rates);
    free(r.seconds);
    return rc;
}

static int rounds_check(const struct config *section, struct err *e)
{
    struct setup u;
    return read_setup(section, &u, e);
}

static int rounds_fits(const struct config *section, const struct machine *machine,
                       const char *stack, struct err *e)
{
    struct setup u;
    int rc = read_setup(section, &u, e);
    return rc ? rc : mlaas_bill_fits(&u.service, u.s.infer, "rounds", machine, stack, e);
}

static int rounds_tables(const struct config *section, const struct config *tables, struct err *e)
{
    if (!tables)
        return config_complain(section, e, "\"tables\" beside it: one of rates of jobs");
    if (config_count(tables) != 1)
        return config_complain(tables, e, "one table, of rates of jobs");
    return 0;
}

const struct model_ops model_rounds = {
    .name = "rounds",
    .summary = "a cluster of several types of GPUs scheduled in rounds: Gavel's mechanism",
    .check = rounds_check,
    .fits = rounds_fits,
    .stacks = true,
    .tables = rounds_tables,
    .hooks = 1u << POLICY_HOOK_CLUSTER_SHARE,
    .lives = 1u << POLICY_HOOK_CLUSTER_SHARE,
    .lives_one = 1u << POLICY_HOOK_CLUSTER_SHARE,
    .headline = "jct_mean,jct_p99,slowdown_mean,makespan",
    .run = rounds_run,
};
