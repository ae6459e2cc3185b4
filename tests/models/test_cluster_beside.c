/* test_cluster_beside.c - neighbours on a GPU, by a table of speeds: what they slow, and what they
 * do not save. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tests/models/cluster_bench.h"

/* Side by side at 0.8 from 2 on; alone again when the other ends. */
Test(cluster_beside, neighbours_on_a_gpu_slow_each_other_while_they_are_there)
{
    static const struct bench_job job[] = {{0, 10, 1, 0, 500}, {2, 4, 1, 0, 500}};
    struct measures *m =
        cluster_jobs("{\"even\": {\"nodes\": 1, \"gpus\": 1}, \"fraction\": {\"of\": "
                     "\"memory\", \"interference\": [1, 0.8], \"source\": \"made up\"}}",
                     NULL, job, 2);
    cr_expect_str_eq(cluster_said(m, "fraction"),
                     "a part of a GPU is a part of its memory; beside 0, 1, .. others on its GPU a "
                     "job runs at 1, 0.8 (made up)");
    /* the second takes 4 / 0.8 = 5 s; the first does 2 + 4 + 4 */
    cr_expect_float_eq(cluster_mean(m, "jct"), (11 + 5) / 2.0, 1e-6);
    measures_free(m);
}

/* Mean of the `top` largest. */
static double mean_of_largest(const struct measures *m, const char *name, size_t top, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < m->n_sketch; i++)
        for (size_t k = 0; k < top && !strcmp(m->sketch[i].name, name); k++)
            sum += sketch_quantile(m->sketch[i].sketch, 1 - ((double)k + 0.5) / (double)n);
    return sum / (double)top;
}

/* The same beside short neighbours, which come and go several times between two savings and slow
 * nobody to speak of: a change of speed saves nothing. */
Test(cluster_beside, neighbours_that_change_save_nothing, .timeout = 60)
{
    enum { LONG = 40, SHORT = 40000 };
    struct bench_job *job = calloc(LONG + SHORT, sizeof *job);
    const double work = 20000, t = 100, d = 10, r = 20, mtbf = 360;
    for (size_t i = 0; i < LONG; i++)
        job[i] = (struct bench_job){.runs_s = work, .gpus = 1, .milli = 600};
    for (size_t i = 0; i < SHORT; i++)
        job[LONG + i] =
            (struct bench_job){.at_s = 1 + 0.75 * (double)i, .runs_s = 20, .gpus = 1, .milli = 400};
    struct measures *m = cluster_jobs(
        "{'even': {'nodes': 40, 'gpus': 1}, 'line': 'skip-over', 'fraction': {'of': 'memory', "
        "'interference': [1, 0.999], 'source': 'made up'}, 'failures': {'mtbf_h': 0.1}, "
        "'checkpoint': {'every_s': 100, 'save_s': 10, 'restart_s': 20}}",
        NULL, job, LONG + SHORT);
    const double want = mtbf * exp(r / mtbf) * (exp((t + d) / mtbf) - 1) * work / t;
    const double ours = mean_of_largest(m, "jct", LONG, LONG + SHORT);
    cr_expect_eq(cluster_number(m, "completed"), LONG + SHORT);
    cr_expect(fabs(ours / want - 1) < 0.04, "%.0f s, want %.0f", ours, want);
    measures_free(m);
    free(job);
}
