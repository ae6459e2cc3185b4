/* cluster_bench.c - see cluster_bench.h. */
#include "tests/models/cluster_bench.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "harness/base/profile.h"
#include "harness/policy/policy_host.h"
#include "harness/policy/policy_load.h"
#include "models/machine.h"
#include "tests/models/gpu_ops.h"

/* ---- jobs of an array as rows ------------------------------------------------- */

struct rows {
    struct row_source base;
    const struct cluster_bench *b;
    size_t at;
};

static int next(struct row_source *self, union trace_row *out, struct err *e)
{
    struct rows *r = (struct rows *)self;
    (void)e;
    if (r->at == r->b->n)
        return 0;
    const struct bench_job *j = &r->b->job[r->at];
    out->job = (struct trace_job){.time_ns = (uint64_t)(j->at_s * 1e9 + 0.5),
                                  .duration_ns = j->runs_s < 0 ? TRACE_TIME_NONE
                                                               : (uint64_t)(j->runs_s * 1e9 + 0.5),
                                  .gpus = j->gpus,
                                  .gpu_milli = j->milli ? j->milli : 1000,
                                  .gpu_spec = TRACE_NAME_NONE,
                                  .user = TRACE_NAME_NONE,
                                  .group = j->group,
                                  .status = TRACE_NAME_NONE,
                                  .name = TRACE_NAME_NONE,
                                  .qos = j->group, /* the same names */
                                  .wait_ns = TRACE_TIME_NONE,
                                  .row = r->at++};
    return 1;
}

static int again(struct row_source *self, struct err *e)
{
    (void)e;
    ((struct rows *)self)->at = 0;
    return 0;
}

static const char *name(const struct row_source *self, uint32_t id)
{
    static const char *const names[] = {"g0", "g1", "g2", "g3", "g4", "g5"};
    (void)self;
    return id < sizeof names / sizeof *names ? names[id] : NULL;
}

static void keep(struct row_source *self)
{
    (void)self;
}

/* ---- running --------------------------------------------------------------------- */

static struct config *parsed(const char *text)
{
    struct err e = {0};
    struct config *c = NULL;
    char *json = text ? strdup(text) : NULL;
    for (char *p = json; p && *p; p++)
        *p = *p == '\'' ? '"' : *p;
    if (text)
        cr_assert_eq(config_parse(&c, "bench", json, strlen(json), &e), 0, "%s", e.msg);
    free(json);
    return c;
}

static struct machine *machine(const char *profile)
{
    struct config *json = NULL;
    struct machine *m = NULL;
    struct err e = {0};
    if (!profile)
        return NULL;
    if (!strcmp(profile, "gpu"))
        json = gpu_machine(false);
    else
        cr_assert_eq(profile_load(&json, profile, &e), 0, "%s", e.msg);
    cr_assert_eq(machine_load(&m, json, &e), 0, "%s", e.msg);
    config_free(json);
    return m;
}

struct measures *cluster_run(const struct cluster_bench *b, struct err *why)
{
    struct err e = {0};
    struct config *section = parsed(b->section), *params = parsed(b->params);
    struct policy *p = NULL;
    struct policy_session *session = NULL;
    struct measures *out = measures_new();
    struct rows rows = {.base = {TRACE_JOBS, next, again, keep, b->n, name}, .b = b};
    if (b->policy)
        cr_assert_eq(policy_load(&p, b->policy, &e), 0, "%s", e.msg);
    struct policy_slot slot = {.ops = p ? policy_ops(p) : b->ops, .label = "test", .out = out};
    const struct policy_session_want want = {.seed = b->seed, .params = params};
    if (slot.ops)
        cr_assert_eq(policy_host_open(&session, &slot, &want, &e), 0, "%s", e.msg);
    struct machine *on = machine(b->profile);
    struct row_source *p_rows = gpu_rows(b->p, b->p ? 1 : 0),
                      *q_rows = gpu_rows(b->q, b->q ? 1 : 0);
    struct model_table program[2] = {{"p", p_rows}, {"q", q_rows}};
    const struct model_env env = {.seed = b->seed,
                                  .rows = &rows.base,
                                  .policy = slot.ops ? &slot : NULL,
                                  .exact = b->exact,
                                  .machine = on ? on : b->machine,
                                  .infer = b->infer,
                                  .stack = b->stack,
                                  .program = b->p ? program : NULL,
                                  .n_programs = b->p ? 2 : 0};
    const int rc = model_cluster.run(section, &env, out, &e);
    cr_assert(why || !rc, "%s", e.msg);
    if (why)
        *why = e;
    if (session)
        cr_assert_eq(policy_host_close(session, &e), 0, "%s", e.msg);
    policy_unload(p);
    p_rows->close(p_rows);
    q_rows->close(q_rows);
    machine_free(on);
    config_free(params);
    config_free(section);
    return out;
}

double cluster_number(const struct measures *m, const char *which)
{
    const double *v = measures_find(m, which);
    cr_assert_not_null(v, "%s", which);
    return *v;
}

double cluster_mean(const struct measures *m, const char *sketch)
{
    for (size_t i = 0; i < m->n_sketch; i++)
        if (!strcmp(m->sketch[i].name, sketch))
            return sketch_mean(m->sketch[i].sketch);
    cr_assert_fail("no %s", sketch);
    return 0;
}

const char *cluster_said(const struct measures *m, const char *kind)
{
    for (size_t i = 0; i < m->n_incident; i++)
        if (!strcmp(m->incident[i].kind, kind))
            return m->incident[i].text;
    return NULL;
}

/* ---- jobs ------------------------------------------------------------------------- */

/* Hyperexponential of squared coefficient of variation 4, with balanced means; or 0.5 with
 * probability 0.9 and 5.5 else. */
static double draw(enum bench_sizes sizes, struct rng *r)
{
    const double p = 0.5 * (1 + 0.7745966692414834); /* sqrt((4 - 1) / (4 + 1)) */
    const double u = rng_unit(r);
    switch (sizes) {
    case SIZES_EXPONENTIAL:
        return rng_exponential(r, 1);
    case SIZES_HYPER:
        return rng_exponential(r, u < p ? 1 / (2 * p) : 1 / (2 * (1 - p)));
    case SIZES_TWO:
        return u < 0.9 ? 0.5 : 5.5;
    default:
        return 1;
    }
}

struct bench_job *cluster_poisson(size_t n, double rate, enum bench_sizes sizes, uint64_t seed)
{
    struct rng gaps, lengths;
    struct bench_job *job = calloc(n, sizeof *job);
    double at = 0;
    cr_assert_not_null(job);
    rng_init(&gaps, seed, "test", "gaps");
    rng_init(&lengths, seed, "test", "lengths");
    for (size_t i = 0; i < n; i++) {
        at += rng_exponential(&gaps, 1 / rate);
        job[i] = (struct bench_job){.at_s = at, .runs_s = draw(sizes, &lengths), .gpus = 1};
    }
    return job;
}

struct measures *cluster_jobs(const char *section, const char *policy, const struct bench_job *job,
                              size_t n)
{
    return cluster_run(
        &(struct cluster_bench){
            .section = section, .job = job, .n = n, .policy = policy, .seed = 1, .exact = true},
        NULL);
}

double cluster_jct(const char *section, const char *policy, const struct bench_job *job, size_t n)
{
    struct measures *m = cluster_jobs(section, policy, job, n);
    const double mean = cluster_mean(m, "jct");
    cr_expect_eq(cluster_number(m, "completed"), (double)n);
    measures_free(m);
    return mean;
}
