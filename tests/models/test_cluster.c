/* test_cluster.c - jobs on a cluster: who starts when, what it costs, and what is said when
 * something cannot be. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/models/cluster_bench.h"

/* ---- lines ---------------------------------------------------------------------- */

/* Four GPUs.  The wide one comes second: behind it all wait (strict), or the narrow ones pass. */
static const struct bench_job lines[] = {
    {0, 10, 2, 0, 0}, {1, 10, 4, 0, 0}, {2, 5, 1, 0, 0}, {3, 20, 1, 0, 0}};

Test(cluster, a_strict_line_waits_behind_its_first)
{
    /* ends: 10, 20, 25, 40 */
    cr_expect_float_eq(cluster_jct("{\"pool\": 4}", NULL, lines, 4), (10 + 19 + 23 + 37) / 4.0,
                       1e-9);
}

Test(cluster, whoever_fits_skips_over)
{
    /* ends: 10, 33, 7, 23: the wide one waits for the last of the narrow ones */
    cr_expect_float_eq(cluster_jct("{\"pool\": 4, \"line\": \"skip-over\"}", NULL, lines, 4),
                       (10 + 32 + 5 + 20) / 4.0, 1e-9);
}

Test(cluster, backfill_passes_only_who_delays_nobody)
{
    /* the third ends before 10, when the wide one can start; the fourth would not */
    static const char *const section =
        "{\"pool\": 4, \"line\": \"backfill\", \"predicted\": {\"from\": \"truth\"}}";
    cr_expect_float_eq(cluster_jct(section, NULL, lines, 4), (10 + 19 + 5 + 37) / 4.0, 1e-9);
    struct measures *m = cluster_jobs(section, NULL, lines, 4);
    cr_expect_eq(cluster_number(m, "backfilled"), 1);
    measures_free(m);
}

/* Reserved for three of four: one GPU beside it is free for as long as anybody likes. */
Test(cluster, backfill_uses_what_is_left_beside_the_reservation)
{
    static const struct bench_job job[] = {{0, 10, 2, 0, 0}, {1, 10, 3, 0, 0}, {3, 20, 1, 0, 0}};
    cr_expect_float_eq(
        cluster_jct("{\"pool\": 4, \"line\": \"backfill\", \"predicted\": {\"from\": "
                    "\"truth\"}}",
                    NULL, job, 3),
        (10 + 19 + 20) / 3.0, 1e-9);
}

Test(cluster, without_predictions_nobody_may_pass_beyond_the_spare_gpus)
{
    cr_expect_float_eq(cluster_jct("{\"pool\": 4, \"line\": \"backfill\"}", NULL, lines, 4),
                       (10 + 19 + 23 + 37) / 4.0, 1e-9);
}

Test(cluster, users_estimates_are_between_the_truth_and_a_multiple)
{
    struct bench_job *job = cluster_poisson(2000, 3.5, SIZES_EXPONENTIAL, 7);
    const double known =
        cluster_jct("{\"pool\": 4, \"line\": \"backfill\", \"predicted\": {\"from\": "
                    "\"truth\"}}",
                    NULL, job, 2000);
    const double fifo = cluster_jct("{\"pool\": 4}", NULL, job, 2000);
    const double guessed =
        cluster_jct("{\"pool\": 4, \"line\": \"backfill\", \"predicted\": {\"from\": "
                    "\"user\", \"factor\": 5}}",
                    NULL, job, 2000);
    cr_expect_float_eq(known, fifo, 1e-9, "jobs of one GPU never leave a gap to fill");
    cr_expect_float_eq(guessed, fifo, 1e-9);
    free(job);
}

/* ---- the start of time, and nothing at all -------------------------------------------- */

Test(cluster, a_job_at_time_0_that_takes_no_time)
{
    static const struct bench_job job[] = {{0, 0, 1, 0, 0}, {0, 3, 1, 0, 0}, {0, 0, 0, 0, 0}};
    struct measures *m = cluster_jobs("{\"pool\": 1}", NULL, job, 3);
    cr_expect_eq(cluster_number(m, "completed"), 3);
    cr_expect_eq(cluster_number(m, "makespan"), 3);
    cr_expect_float_eq(cluster_mean(m, "jct"), 1, 1e-9);
    measures_free(m);
}

Test(cluster, no_jobs_are_no_trouble)
{
    struct measures *m = cluster_jobs("{\"pool\": 1}", NULL, NULL, 0);
    cr_expect_eq(cluster_number(m, "completed"), 0);
    cr_expect_eq(cluster_number(m, "livelock"), 0);
    measures_free(m);
}

/* ---- what cannot be ---------------------------------------------------------------------- */

Test(cluster, a_job_that_can_never_run_is_said_and_stalls_nobody)
{
    static const struct bench_job job[] = {
        {0, 5, 2, 0, 0}, {1, 5, 9, 0, 0}, {2, 5, 4, 0, 0}, {3, -1, 1, 0, 0}, {4, 5, 1, 0, 0}};
    struct measures *m = cluster_jobs("{\"pool\": 4}", NULL, job, N(job));
    cr_expect_eq(cluster_number(m, "completed"), 3);
    cr_expect_eq(cluster_number(m, "infeasible"), 2);
    cr_expect_eq(cluster_number(m, "livelock"), 0);
    cr_expect_str_eq(cluster_said(m, "infeasible"), "job 2 of the trace asks for 9 GPUs, more than "
                                                    "there ever are for it: left out");
    cr_expect_str_eq(cluster_said(m, "unsaid"),
                     "job 4 of the trace does not say how long it runs: left out");
    measures_free(m);
    m = cluster_jobs("{\"even\": {\"nodes\": 2, \"gpus\": 4}, \"spread\": 1}", NULL, job, N(job));
    cr_expect_eq(cluster_number(m, "completed"), 3);
    cr_expect_eq(cluster_number(m, "infeasible"), 2);
    measures_free(m);
}

Test(cluster, a_quota_of_its_own_makes_a_job_infeasible_unless_it_may_borrow)
{
    static const struct bench_job job[] = {{0, 5, 3, 0, 0}, {0, 5, 3, 1, 0}};
    struct measures *m =
        cluster_jobs("{\"pool\": 8, \"queues\": {\"by\": \"group\", \"quota\": {\"g0\": 2}, "
                     "\"otherwise\": 4}}",
                     NULL, job, 2);
    cr_expect_eq(cluster_number(m, "infeasible"), 1);
    measures_free(m);
    m = cluster_jobs(
        "{\"pool\": 8, \"queues\": {\"by\": \"group\", \"quota\": {\"g0\": 2}, \"otherwise\": 4, "
        "\"borrow\": true}}",
        NULL, job, 2);
    cr_expect_eq(cluster_number(m, "completed"), 2);
    cr_expect_eq(cluster_number(m, "borrowed"), 1);
    measures_free(m);
}

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

/* Never now. */
static uint32_t nowhere(void *self, const struct policy_seat_obs *o, struct policy_seat *seat)
{
    (void)self, (void)o, (void)seat;
    return 0;
}
static const struct policy_ops refuses = {.abi = POLICY_ABI,
                                          .name = "refuses",
                                          .create = make,
                                          .destroy = unmake,
                                          .cluster_place = nowhere};

Test(cluster, work_that_nobody_will_ever_start_is_a_livelock)
{
    static const struct bench_job job[] = {{0, 5, 1, 0, 0}, {9, 5, 1, 0, 0}};
    struct measures *m =
        cluster_run(&(struct cluster_bench){.section = "{\"even\": {\"nodes\": 1, \"gpus\": 2}}",
                                            .job = job,
                                            .n = 2,
                                            .ops = &refuses},
                    NULL);
    cr_expect_eq(cluster_number(m, "livelock"), 1);
    cr_expect_eq(cluster_number(m, "unfinished"), 2);
    cr_expect_str_eq(cluster_said(m, "livelock"),
                     "2 jobs wait, 2 GPUs are free, nothing runs or will happen, and none of them "
                     "is ever started: their times are missing from all means");
    measures_free(m);
}

/* A GPU fails every 36 s; a job of an hour never saves.  Its odds are e^-100. */
Test(cluster, failures_that_let_nothing_end_are_a_livelock, .timeout = 60)
{
    static const struct bench_job job[] = {{0, 3600, 1, 0, 0}};
    struct measures *m =
        cluster_jobs("{\"pool\": 1, \"failures\": {\"mtbf_h\": 0.01}}", NULL, job, 1);
    cr_expect_eq(cluster_number(m, "livelock"), 1);
    cr_expect_eq(cluster_number(m, "completed"), 0);
    cr_expect_not_null(strstr(cluster_said(m, "livelock"),
                              "stopped before anything of theirs was saved: the run was ended"));
    measures_free(m);
}

Test(cluster, load_near_and_above_saturation_is_said_with_what_it_does)
{
    static const struct {
        double rate;
        const char *text;
    } cases[] = {{0.5, NULL}, {0.95, "knows its mean wait to within"}, {1.4, "no steady state"}};
    for (size_t i = 0; i < N(cases); i++) {
        struct bench_job *job = cluster_poisson(20000, cases[i].rate, SIZES_EXPONENTIAL, 3);
        struct measures *m = cluster_jobs("{\"pool\": 1}", NULL, job, 20000);
        const char *said = cluster_said(m, "saturated");
        cr_expect(fabs(cluster_number(m, "load") / cases[i].rate - 1) < 0.05);
        cr_expect(cases[i].text ? said && strstr(said, cases[i].text) : !said);
        measures_free(m);
        free(job);
    }
}

/* What wait_error says is what the mean waits of many runs do: half of them lie within 0.34 of it,
 * since it is 1.96 standard deviations. */
Test(cluster, the_error_that_is_said_is_that_of_repeated_runs, .timeout = 120)
{
    enum { RUNS = 60, JOBS = 20000 };
    double wait[RUNS], said = 0, mean = 0, var = 0;
    for (uint64_t k = 0; k < RUNS; k++) {
        struct bench_job *job = cluster_poisson(JOBS, 0.9, SIZES_EXPONENTIAL, 100 + k);
        struct measures *m = cluster_jobs("{\"pool\": 1}", NULL, job, JOBS);
        wait[k] = cluster_mean(m, "wait");
        said += cluster_number(m, "wait_error") / RUNS;
        mean += wait[k] / RUNS;
        measures_free(m);
        free(job);
    }
    for (size_t k = 0; k < RUNS; k++)
        var += (wait[k] - mean) * (wait[k] - mean) / (RUNS - 1);
    const double seen = 1.96 * sqrt(var) / mean;
    cr_expect(seen > said / 1.5 && seen < said * 1.5, "seen %.3f, said %.3f", seen, said);
}
