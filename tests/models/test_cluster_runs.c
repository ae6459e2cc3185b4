/* test_cluster_runs.c - what preemption, failures, queues and sharing do to jobs on a cluster, and
 * that nothing gets lost. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/models/cluster_bench.h"

/* ---- preemption, checkpoints, failures ------------------------------------------------------ */

/* Pushed out at 2 after two seconds of ten; the saving and the restart are paid at 5. */
Test(cluster_runs, who_is_pushed_out_pays_for_saving_and_restart)
{
    static const struct bench_job job[] = {{0, 10, 1, 0, 0}, {2, 3, 1, 0, 0}};
    struct measures *m = cluster_jobs("{\"pool\": 1, \"line\": \"skip-over\", \"preempt\": {}, "
                                      "\"checkpoint\": {\"save_s\": 1, \"restart_s\": 2}}",
                                      "srtf", job, 2);
    cr_expect_float_eq(cluster_mean(m, "jct"), (16 + 3) / 2.0, 1e-9);
    cr_expect_eq(cluster_number(m, "preempted"), 1);
    cr_expect_eq(cluster_number(m, "gpu_useful"), 13);
    cr_expect_eq(cluster_number(m, "gpu_held"), 16);
    cr_expect_float_eq(cluster_number(m, "share.overhead"), 3 / 16.0, 1e-12);
    measures_free(m);
}

/* The periods are of preemption alone: who fits starts at once. */
Test(cluster_runs, preemption_may_wait_for_its_period)
{
    static const struct bench_job job[] = {{0, 10, 1, 0, 0}, {2, 3, 1, 0, 0}};
    cr_expect_float_eq(
        cluster_jct("{\"pool\": 1, \"line\": \"skip-over\", \"preempt\": {\"every_s\": 5}}", "srtf",
                    job, 2),
        (13 + 6) / 2.0, 1e-9);
    cr_expect_float_eq(
        cluster_jct("{\"pool\": 2, \"line\": \"skip-over\", \"preempt\": {\"every_s\": 5}}", "srtf",
                    job, 2),
        (10 + 3) / 2.0, 1e-9);
}

/* Of those with larger keys only as many leave as are needed, and the worst of them. */
Test(cluster_runs, the_best_of_those_that_could_leave_stay)
{
    static const struct bench_job job[] = {
        {0, 100, 1, 0, 0}, {0, 90, 2, 0, 0}, {0, 80, 1, 0, 0}, {1, 5, 2, 0, 0}};
    struct measures *m =
        cluster_jobs("{\"pool\": 4, \"line\": \"skip-over\", \"preempt\": {}}", "srtf", job, 4);
    /* the widest leaves; the longest, worse than it, could not have made the room alone */
    cr_expect_eq(cluster_number(m, "preempted"), 1);
    cr_expect_float_eq(cluster_mean(m, "jct"), (100 + 95 + 80 + 5) / 4.0, 1e-9);
    measures_free(m);
}

/* Daly, "A higher order estimate of the optimum checkpoint interval for restart dumps" (2006): with
 * failures once in M, saving d every t of work and restarting in r, work W takes
 * M e^(r/M) (e^((t+d)/M) - 1) W / t.  Failures also hit restarts and savings. */
Test(cluster_runs, work_under_failures_takes_what_daly_says, .timeout = 60)
{
    enum { JOBS = 40 };
    struct bench_job job[JOBS];
    const double work = 100000, t = 100, d = 10, r = 20, mtbf = 360;
    for (size_t i = 0; i < JOBS; i++)
        job[i] = (struct bench_job){.at_s = 0, .runs_s = work, .gpus = 1};
    struct measures *m =
        cluster_jobs("{\"pool\": 40, \"failures\": {\"mtbf_h\": 0.1}, \"checkpoint\": "
                     "{\"every_s\": 100, \"save_s\": 10, \"restart_s\": 20}}",
                     NULL, job, JOBS);
    const double want = mtbf * exp(r / mtbf) * (exp((t + d) / mtbf) - 1) * work / t;
    const double ours = cluster_mean(m, "jct");
    cr_expect(fabs(ours / want - 1) < 0.01, "%.0f s, want %.0f", ours, want);
    cr_expect_eq(cluster_number(m, "gpu_useful"), JOBS * work);
    measures_free(m);
}

/* ---- queues, shares, parts, elastic jobs ------------------------------------------------------
 */

Test(cluster_runs, a_queue_at_its_quota_waits_while_others_go_on)
{
    static const struct bench_job job[] = {
        {0, 10, 2, 0, 0}, {1, 10, 1, 0, 0}, {2, 10, 1, 1, 0}, {3, 10, 1, 1, 0}};
    static const char *const quota =
        "{\"pool\": 4, \"queues\": {\"by\": \"group\", \"otherwise\": 2%s}}";
    char section[128];
    snprintf(section, sizeof section, quota, "");
    cr_expect_float_eq(cluster_jct(section, NULL, job, 4), (10 + 19 + 10 + 10) / 4.0, 1e-9);
    snprintf(section, sizeof section, quota, ", \"borrow\": true");
    /* the second borrows; the fourth finds the pool full and waits for the first */
    cr_expect_float_eq(cluster_jct(section, NULL, job, 4), (10 + 10 + 10 + 17) / 4.0, 1e-9);
}

/* Progressive filling: the one with fewer GPUs gets the next. */
Test(cluster_runs, shares_even_out_under_drf)
{
    struct bench_job job[12];
    for (uint32_t i = 0; i < 12; i++)
        job[i] = (struct bench_job){.at_s = 0, .runs_s = 10, .gpus = 1, .group = i >= 8};
    struct measures *m = cluster_jobs("{\"pool\": 6}", "drf", job, 12);
    /* three of each; then one of g1 and five of g0: all g1 done by 20, as half of g0 are */
    cr_expect_float_eq(cluster_mean(m, "jct"), 15, 1e-9);
    measures_free(m);
    /* with two groups and one GPU they take turns */
    static const struct bench_job turns[] = {
        {0, 10, 1, 0, 0}, {1, 10, 1, 0, 0}, {2, 10, 1, 0, 0}, {3, 10, 1, 1, 0}};
    m = cluster_jobs("{\"pool\": 2}", "drf", turns, 4);
    cr_expect_float_eq(cluster_mean(m, "jct"), (10 + 10 + 19 + 17) / 4.0, 1e-9);
    measures_free(m);
}

Test(cluster_runs, a_part_of_a_gpu_wants_to_be_said_of_what)
{
    static const struct bench_job job[] = {{0, 10, 1, 0, 600}, {0, 10, 1, 0, 400}};
    struct err why;
    struct cluster_bench b = {.section = "{\"pool\": 1}", .job = job, .n = 2};
    measures_free(cluster_run(&b, &why));
    cr_expect_str_eq(why.msg,
                     "cluster: job 1 of the trace asks for 0.6 of a GPU: \"fraction\" must "
                     "say of what (time, memory, mps or mig)");
    struct measures *m =
        cluster_jobs("{\"pool\": 1, \"fraction\": {\"of\": \"memory\"}}", NULL, job, 2);
    cr_expect_float_eq(cluster_mean(m, "jct"), 10, 1e-9);
    cr_expect_str_eq(cluster_said(m, "fraction"),
                     "a part of a GPU is a part of its memory; beside any others on its GPU a job "
                     "runs at the speed of one alone (assumed: there is no interference)");
    measures_free(m);
    /* MIG has 1, 2, 3, 4 or 7 of seven slices: 0.6 takes the whole GPU */
    m = cluster_jobs("{\"pool\": 1, \"fraction\": {\"of\": \"mig\"}}", NULL, job, 2);
    cr_expect_float_eq(cluster_mean(m, "jct"), 15, 1e-9);
    measures_free(m);
}

Test(cluster_runs, an_elastic_job_takes_what_there_is)
{
    static const struct bench_job job[] = {{0, 12, 4, 0, 0}, {1, 12, 4, 0, 0}};
    /* 6 of 6 GPUs: twice its four would be 8; 8 s.  The other waits, then the same. */
    cr_expect_float_eq(
        cluster_jct("{\"pool\": 6, \"elastic\": {\"least\": 0.5, \"most\": 2}}", NULL, job, 2),
        (8 + 15) / 2.0, 1e-4);
    /* resized: at 1 it shrinks to 4 (2 of 6 free), the other starts with 2 */
    struct measures *m =
        cluster_jobs("{\"pool\": 6, \"elastic\": {\"least\": 0.5, \"most\": 2, \"resize\": true}}",
                     NULL, job, 2);
    cr_expect_geq(cluster_number(m, "resized"), 2);
    cr_expect_float_eq(cluster_number(m, "gpu_held"), 96, 1e-3);
    cr_expect_float_eq(cluster_number(m, "makespan"), 16, 1e-3);
    measures_free(m);
}

/* ---- conservation ------------------------------------------------------------------------------
 */

static struct bench_job *mixed(size_t n, uint64_t seed, double rate)
{
    struct bench_job *job = cluster_poisson(n, rate, SIZES_HYPER, seed);
    struct rng r;
    rng_init(&r, seed, "test", "widths");
    for (size_t i = 0; i < n; i++) {
        job[i].gpus = 1u << rng_below(&r, 5);
        job[i].group = (uint32_t)rng_below(&r, 4);
        if (job[i].gpus == 1 && rng_below(&r, 2))
            job[i].milli = 1 + (uint32_t)rng_below(&r, 999);
    }
    return job;
}

static const char *const sections[] = {
    "{\"pool\": 40, \"fraction\": {\"of\": \"time\"}}",
    "{\"pool\": 40, \"fraction\": {\"of\": \"time\"}, \"line\": \"backfill\", \"predicted\": "
    "{\"from\": \"user\", \"factor\": 2}}",
    "{\"pool\": 40, \"fraction\": {\"of\": \"time\"}, \"line\": \"skip-over\", \"preempt\": {}, "
    "\"checkpoint\": {\"save_s\": 0.01, \"restart_s\": 0.1}}",
    "{\"pool\": 40, \"fraction\": {\"of\": \"mps\"}, \"failures\": {\"mtbf_h\": 0.01, "
    "\"repair_s\": "
    "5}, \"checkpoint\": {\"every_s\": 0.5, \"save_s\": 0.02, \"restart_s\": 0.1}}",
    "{\"even\": {\"nodes\": 5, \"gpus\": 8}, \"fraction\": {\"of\": \"memory\"}, \"line\": "
    "\"skip-over\", \"preempt\": {\"every_s\": 1}, \"failures\": {\"mtbf_h\": 0.02, \"repair_s\": "
    "3}, \"checkpoint\": {\"every_s\": 0.5, \"restart_s\": 0.05}}",
    "{\"even\": {\"nodes\": 5, \"gpus\": 8}, \"fraction\": {\"of\": \"mig\"}, \"line\": "
    "\"skip-over\", \"elastic\": {\"least\": 0.5, \"most\": 3, \"resize\": true}, \"queues\": "
    "{\"by\": \"group\", \"otherwise\": 12, \"borrow\": true}}",
    "{\"even\": {\"nodes\": 5, \"gpus\": 8}, \"fraction\": {\"of\": \"memory\", \"interference\": "
    "[1, 0.9, 0.7], \"source\": \"made up\"}, \"failures\": {\"mtbf_h\": 0.02}}",
};
static const char *const policies[] = {NULL,   "job-fifo", "job-random",    "sjf-oracle",
                                       "srtf", "tiresias", "gandiva-slice", "las",
                                       "drf"};

/* Work, overhead, lost, down and idle are all there is; what was held is what jobs had; without
 * loss, and at full speed, the work is exactly what was brought. */
static void conserved(const char *section, const char *policy, uint64_t seed)
{
    enum { JOBS = 1500 };
    struct bench_job *job = mixed(JOBS, seed, 4);
    struct measures *m = cluster_run(
        &(struct cluster_bench){
            .section = section, .job = job, .n = JOBS, .policy = policy, .seed = seed},
        NULL);
    const double sum = cluster_number(m, "share.work") + cluster_number(m, "share.overhead") +
                       cluster_number(m, "share.lost") + cluster_number(m, "share.down") +
                       cluster_number(m, "share.idle") + cluster_number(m, "share.unended");
    double brought = 0;
    for (size_t i = 0; i < JOBS; i++)
        brought += floor(job[i].runs_s * 1e9 + 0.5) / 1e9 * job[i].gpus *
                   (job[i].milli ? job[i].milli : 1000) / 1000;
    cr_expect_eq(cluster_number(m, "completed"), JOBS, "%s %s", section, policy);
    cr_expect_eq(cluster_number(m, "livelock"), 0);
    cr_expect_float_eq(sum, 1, 1e-9, "%s: %.12f", section, sum);
    cr_expect_float_eq(cluster_number(m, "share.unended"), 0, 1e-12);
    cr_expect_geq(cluster_number(m, "share.idle"), 0);
    if (!strstr(section, "mig") && !strstr(section, "mps") && !strstr(section, "interference"))
        cr_expect_float_eq(cluster_number(m, "gpu_useful") / brought, 1, 1e-9, "%s %s", section,
                           policy);
    measures_free(m);
    free(job);
}

Test(cluster_runs, gpu_seconds_are_conserved, .timeout = 120)
{
    for (size_t i = 0; i < N(sections); i++)
        for (size_t k = 0; k < N(policies); k++)
            conserved(sections[i], policies[k], 1 + i);
}

/* ---- starvation
 * ---------------------------------------------------------------------------------- */

/* A job of all four GPUs at 1; then narrow ones, three at any time, for a hundred times as long as
 * any runs. */
static double wide_waits(const char *section, const char *policy, const char *params)
{
    enum { NARROW = 600 };
    struct bench_job job[NARROW + 1] = {{.at_s = 0, .runs_s = 4, .gpus = 1}};
    job[1] = (struct bench_job){.at_s = 1, .runs_s = 4, .gpus = 4};
    for (size_t i = 2; i <= NARROW; i++)
        job[i] = (struct bench_job){.at_s = 1.5 * (double)(i - 1), .runs_s = 4, .gpus = 1};
    struct measures *m = cluster_run(&(struct cluster_bench){.section = section,
                                                             .job = job,
                                                             .n = NARROW + 1,
                                                             .policy = policy,
                                                             .params = params,
                                                             .exact = true},
                                     NULL);
    cr_expect_eq(cluster_number(m, "completed"), NARROW + 1);
    const double most = cluster_number(m, "wait_max");
    measures_free(m);
    return most;
}

Test(cluster_runs, who_promises_that_none_starves_keeps_it)
{
    static const char *const pushes = "{\"pool\": 4, \"line\": \"skip-over\", \"preempt\": {}}";
    cr_expect_lt(wide_waits("{\"pool\": 4}", "job-fifo", NULL), 20);
    cr_expect_lt(wide_waits("{\"pool\": 4, \"line\": \"backfill\", \"predicted\": {\"from\": "
                            "\"truth\"}}",
                            "job-fifo", NULL),
                 20);
    cr_expect_lt(wide_waits(pushes, "gandiva-slice", "{\"quantum_s\": 1}"), 60);
    /* and those who do not, do not */
    cr_expect_gt(wide_waits("{\"pool\": 4, \"line\": \"skip-over\"}", "job-fifo", NULL), 500);
    cr_expect_gt(wide_waits(pushes, "tiresias", NULL), 500);
}

/* One that has sunk to the last queue, beside more short ones than the GPU can do. */
static double sunk_waits(const char *params)
{
    enum { SHORT = 600 };
    struct bench_job job[SHORT + 1] = {{.at_s = 0, .runs_s = 20, .gpus = 1}};
    for (size_t i = 1; i <= SHORT; i++)
        job[i] = (struct bench_job){.at_s = 3 + 0.95 * (double)i, .runs_s = 1, .gpus = 1};
    struct measures *m = cluster_run(
        &(struct cluster_bench){.section =
                                    "{\"pool\": 1, \"line\": \"skip-over\", \"preempt\": {}}",
                                .job = job,
                                .n = SHORT + 1,
                                .policy = "tiresias",
                                .params = params,
                                .exact = true},
        NULL);
    cr_expect_eq(cluster_number(m, "completed"), SHORT + 1);
    const double most = cluster_number(m, "wait_max");
    measures_free(m);
    return most;
}

Test(cluster_runs, who_is_promoted_does_not_starve)
{
    cr_expect_gt(sunk_waits("{\"limits_s\": \"2\"}"), 500);
    cr_expect_lt(sunk_waits("{\"limits_s\": \"2\", \"promote\": 4}"), 200);
}

/* ---- policies that go wrong in the middle
 * ---------------------------------------------------------- */

static int make(void **self, const struct policy_host *h)
{
    (void)h;
    *self = NULL;
    return 0;
}
static void unmake(void *self)
{
    (void)self;
}

static uint64_t asked;
static void turns_bad(void *self, const struct policy_order_obs *o, struct policy_order *answer)
{
    (void)self;
    answer->key = ++asked == 300 ? POLICY_KEY_MAX + 1 : -(int64_t)o->job.id;
}
static const struct policy_ops bad = {.abi = POLICY_ABI,
                                      .name = "bad",
                                      .create = make,
                                      .destroy = unmake,
                                      .cluster_order = turns_bad};

Test(cluster_runs, an_ejected_policy_leaves_an_order_of_arrival)
{
    struct bench_job *job = mixed(2000, 5, 6);
    asked = 0;
    struct measures *m = cluster_run(
        &(struct cluster_bench){.section = "{\"pool\": 40, \"fraction\": {\"of\": \"time\"}}",
                                .job = job,
                                .n = 2000,
                                .ops = &bad},
        NULL);
    cr_expect_eq(cluster_number(m, "completed"), 2000);
    cr_expect_eq(cluster_number(m, "ejected"), 1);
    cr_expect_eq(asked, 300);
    measures_free(m);
    free(job);
}

/* ---- the same again
 * -------------------------------------------------------------------------------- */

Test(cluster_runs, a_run_is_a_function_of_its_inputs)
{
    for (size_t i = 0; i < N(sections); i++) {
        struct bench_job *job = mixed(800, 9, 4);
        struct measures *m[2];
        for (int k = 0; k < 2; k++)
            m[k] = cluster_run(
                &(struct cluster_bench){
                    .section = sections[i], .job = job, .n = 800, .policy = "tiresias", .seed = 9},
                NULL);
        cr_assert_eq(m[0]->n_number, m[1]->n_number);
        for (size_t k = 0; k < m[0]->n_number; k++)
            cr_expect_eq(m[0]->number[k].value, m[1]->number[k].value, "%s", m[0]->number[k].name);
        measures_free(m[0]);
        measures_free(m[1]);
        free(job);
    }
}
