/* test_cluster_lifetimes.c - placing by true lifetimes: beside every placement there is, tried one
 * by one on clusters small enough, and beside what practice does where lifetimes matter. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "policies/node_fit.h"
#include "sim/rng.h"
#include "tests/models/cluster_bench.h"
#include "tests/models/fleet_rig.h"

/* ---- all placements ----------------------------------------------------------------- */

enum { BEFORE = 8, DECISIONS = 6 };

/* The first jobs go anywhere, so that nodes are in all states; the next as scripted, or as a policy
 * says. */
static struct {
    uint32_t answer[DECISIONS], options[DECISIONS]; /* of each question: which, of how many */
    uint32_t asked;
    const struct policy_ops *ops; /* NULL: the script */
    void *self;
} script;

static int create(void **self, const struct policy_host *h)
{
    *self = (void *)(uintptr_t)h;
    return 0;
}
static void destroy(void *self)
{
    (void)self;
}

/* The answer'th node that fits, of so many. */
static uint32_t nth(const struct policy_seat_obs *o, uint32_t answer, struct policy_seat *seat)
{
    uint32_t options = 0;
    for (uint32_t i = 0; i < o->n; i++)
        if (node_fits(&o->node[i], &o->job) && options++ == answer)
            *seat = (struct policy_seat){i, node_gpus_best(&o->node[i], &o->job)};
    return options;
}

static uint32_t as_scripted(void *self, const struct policy_seat_obs *o, struct policy_seat *seat)
{
    (void)self;
    const uint32_t options = nth(o, 0, seat);
    if (!options)
        return 0;
    const uint64_t id = o->job.id;
    if (id <= BEFORE)
        return nth(o, (uint32_t)(id * 2654435761u >> 7) % options, seat) > 0;
    if (script.ops)
        return script.ops->cluster_place(script.self, o, seat);
    cr_assert_lt(script.asked, DECISIONS);
    script.options[script.asked] = options;
    return nth(o, script.answer[script.asked++], seat) > 0;
}

static const struct policy_ops scripted = {.name = "scripted",
                                           .oracle = 1,
                                           .create = create,
                                           .destroy = destroy,
                                           .cluster_place = as_scripted};

static double run_with(const struct policy_ops *ops, const struct bench_job *job, size_t n)
{
    const struct cluster_bench b = {
        .section = "{\"even\":{\"nodes\":3,\"gpus\":4},\"line\":\"skip-over\",\"spread\":1}",
        .job = job,
        .n = n,
        .ops = ops,
        .seed = 1};
    struct measures *m = cluster_run(&b, NULL);
    cr_assert_eq(cluster_number(m, "completed"), (double)n);
    cr_assert_eq(cluster_number(m, "ejected"), 0);
    const double jct = cluster_mean(m, "jct");
    measures_free(m);
    return jct;
}

/* The next script in turn; false: that was the last. */
static bool advance(void)
{
    while (script.asked && script.answer[script.asked - 1] + 1 == script.options[script.asked - 1])
        script.answer[--script.asked] = 0;
    if (!script.asked)
        return false;
    script.answer[script.asked - 1]++;
    return true;
}

static double optimum(const struct bench_job *job, size_t n)
{
    double best = 1e300;
    memset(&script, 0, sizeof script);
    do {
        script.asked = 0;
        const double jct = run_with(&scripted, job, n);
        best = jct < best ? jct : best;
    } while (advance());
    return best;
}

static double under(const char *name, const struct bench_job *job, size_t n)
{
    struct hired h;
    fleet_hire(&h, name);
    script.ops = h.slot.ops;
    script.self = h.slot.self;
    const double jct = run_with(&scripted, job, n);
    fleet_dismiss(&h);
    return jct;
}

/* Jobs of one GPU, a third of them long, and one in `wide` that wants a whole node; to be freed. */
static struct bench_job *mixed(size_t n, uint32_t wide, uint32_t gpus, double gap, uint64_t seed)
{
    struct bench_job *job = calloc(n, sizeof *job);
    struct rng r;
    double at = 0;
    cr_assert(job);
    rng_init(&r, seed, "test", "lifetimes");
    for (size_t i = 0; i < n; i++) {
        const bool whole = rng_below(&r, wide) == 0, lives = rng_below(&r, 3) == 0;
        const double mean = whole ? 1800 : lives ? 20000 : 600;
        job[i] = (struct bench_job){at, rng_exponential(&r, mean), whole ? gpus : 1, 0, 0};
        at += rng_exponential(&r, gap);
    }
    return job;
}

/* The best of all placements knows the jobs to come as well. */
Test(cluster_lifetimes, no_placement_is_better_than_the_best_of_all)
{
    enum { JOBS = BEFORE + DECISIONS, CASES = 40 };
    double best = 0, oracle = 0, fit = 0;
    unsigned reached = 0;
    for (uint64_t seed = 1; seed <= CASES; seed++) {
        struct bench_job *job = mixed(JOBS, 3, 4, 400, seed);
        const double least = optimum(job, JOBS);
        const double told = under("lifetime-oracle", job, JOBS);
        const double usual = under("best-fit", job, JOBS);
        cr_expect_leq(least, told * (1 + 1e-12), "case %d", (int)seed);
        cr_expect_leq(least, usual * (1 + 1e-12), "case %d", (int)seed);
        reached += told <= least * (1 + 1e-12);
        best += least;
        oracle += told;
        fit += usual;
        free(job);
    }
    cr_log_info("optimum %g s, oracle %g s (reached in %u of %d), best fit %g s", best / CASES,
                oracle / CASES, reached, CASES, fit / CASES);
    cr_expect_lt(oracle, fit);
    cr_expect_gt(reached, CASES / 2);
}

/* ---- where lifetimes matter ------------------------------------------------------------- */

#define NODES "{\"even\":{\"nodes\":16,\"gpus\":8},\"line\":\"skip-over\",\"spread\":1}"

static double mean_wait(const char *policy, double gap)
{
    enum { JOBS = 4000, SEEDS = 3 };
    double wait = 0;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct bench_job *job = mixed(JOBS, 10, 8, gap, seed);
        struct measures *m = cluster_jobs(NODES, policy, job, JOBS);
        wait += cluster_mean(m, "wait") / SEEDS;
        cr_expect_eq(cluster_number(m, "completed"), (double)JOBS);
        measures_free(m);
        free(job);
    }
    return wait;
}

/* One job in ten wants a whole node of sixteen, of eight GPUs each. */
Test(cluster_lifetimes, jobs_that_leave_together_leave_nodes_whole)
{
    static const char *const practice[] = {"gpu-packing", "best-fit", "fgd"};
    static const double gap[] = {75, 65};
    for (size_t g = 0; g < sizeof gap / sizeof *gap; g++) {
        const double oracle = mean_wait("lifetime-oracle", gap[g]);
        const double random = mean_wait("random-place", gap[g]);
        cr_log_info("a job every %g s: random %g s, oracle %g s", gap[g], random, oracle);
        for (size_t p = 0; p < sizeof practice / sizeof *practice; p++) {
            const double wait = mean_wait(practice[p], gap[g]);
            cr_log_info("%s %g s", practice[p], wait);
            cr_expect_lt(wait, random, "%s", practice[p]);
            cr_expect_lt(oracle, 0.9 * wait, "%s", practice[p]);
        }
    }
}

/* ---- one answer --------------------------------------------------------------------------- */

static const uint64_t *told;
static uint64_t was[2];
static uint32_t notes(void *self, const struct policy_seat_obs *o, struct policy_seat *seat)
{
    (void)self;
    told = o->oracle_ends_ns;
    was[0] = told ? told[0] : 0;
    was[1] = told ? told[1] : 0;
    for (uint32_t i = 0; i < o->n; i++)
        if (node_fits(&o->node[i], &o->job)) {
            *seat = (struct policy_seat){i, node_gpus_best(&o->node[i], &o->job)};
            return 1;
        }
    return 0;
}

/* The last of three: the first ends at 100 s on node 0, the second at 63 s, there too. */
Test(cluster_lifetimes, what_is_told_is_when_the_last_job_of_a_node_ends)
{
    static const struct bench_job job[] = {{0, 100, 1, 0, 0}, {3, 60, 1, 0, 0}, {5, 10, 2, 0, 0}};
    struct policy_ops ops = {
        .name = "notes", .oracle = 1, .create = create, .destroy = destroy, .cluster_place = notes};
    run_with(&ops, job, 3);
    cr_expect_not_null(told);
    cr_expect_eq(was[0], UINT64_C(100000000000));
    cr_expect_eq(was[1], 0);
    ops.oracle = 0;
    run_with(&ops, job, 3);
    cr_expect_null(told);
}
