/* test_cluster_host_gpus.c - nodes as hosts whose jobs share CPUs and GPUs at once. */
#include <criterion/criterion.h>
#include <stdio.h>

#include "tests/models/cluster_bench.h"

/* Kernels of 1 ms and nothing else; or a thread that computes. */
#define KERNELS                                                                                    \
    "{'vcpus':1,'tick_hz':0,'workload':{'program':'training','workers':0,'read_mib':0,"            \
    "'load_us':0,'batch_mib':0,'framework_us':0,'kernels':40,'kernel_us':1000,'jitter':0,"         \
    "'sync':'blocking'}}"
#define COMPUTE                                                                                    \
    "{'vcpus':1,'tick_hz':0,'footprint':0,'gpu':'none',"                                           \
    "'workload':{'program':'cpu','compute_us':500,'jitter':0}}"
#define ON(gpus, of, sharing, cpus)                                                                \
    "{'even':{'nodes':1,'gpus':" gpus "},'line':'skip-over','fraction':{'of':'" of "'},'hosts':{"  \
    "'model':'host','section':{'cpus':" cpus                                                       \
    ",'duration_s':2,'warmup_s':0.2,'gpus':{'sharing':'" sharing                                   \
    "'}},'jobs':[{'name':'kernels','group':'g0','runs':" KERNELS "},"                              \
    "{'name':'work','runs':" COMPUTE "}]}}"

static struct measures *run(const char *section, const struct bench_job *job, size_t n)
{
    return cluster_run(&(struct cluster_bench){.section = section,
                                               .job = job,
                                               .n = n,
                                               .seed = 1,
                                               .exact = true,
                                               .profile = "machines/h100-server.json"},
                       NULL);
}

/* Turns of 1.024 ms and switches of 0.1 ms, on either GPU. */
Test(cluster_host_gpus, those_on_one_gpu_take_turns)
{
    static const struct bench_job job[] = {
        {0, 100, 1, 0, 500}, {0, 100, 1, 0, 500}, {0, 100, 1, 0, 500}, {0, 100, 1, 0, 500}};
    const double slow = 2 * (1.024 + 0.1) / 1.024;
    struct measures *m = run(ON("2", "memory", "time-slice", "8"), job, 4);
    cr_expect_float_eq(cluster_mean(m, "jct") / 100, slow, 0.06, "%g", cluster_mean(m, "jct"));
    cr_expect_float_eq(cluster_number(m, "makespan"), cluster_mean(m, "jct"), 1e-6);
    cr_expect_gt(cluster_number(m, "hosts.share.gpu"), 0.95);
    measures_free(m);
    m = run(ON("2", "memory", "time-slice", "8"), job, 1);
    cr_expect_float_eq(cluster_mean(m, "jct"), 100, 0.01, "alone with a half");
    measures_free(m);
    static const struct bench_job apart[] = {{0, 100, 1, 0, 800}, {0, 100, 1, 0, 800}};
    m = run(ON("2", "memory", "time-slice", "8"), apart, 2);
    cr_expect_float_eq(cluster_mean(m, "jct"), 100, 0.01, "each on its own");
    measures_free(m);
}

/* Whoever computes shares the only CPU with another, and not the GPU with those who launch. */
Test(cluster_host_gpus, cpus_are_shared_beside_gpus)
{
    static const struct bench_job job[] = {
        {0, 100, 1, 0, 500}, {0, 100, 1, 1, 500}, {0, 100, 1, 1, 0}};
    struct measures *m = run(ON("2", "memory", "time-slice", "1"), job, 3);
    cr_expect_float_eq(cluster_number(m, "work.speed"), 0.5, 0.02, "%g",
                       cluster_number(m, "work.speed"));
    cr_expect_gt(cluster_number(m, "kernels.speed"), 0.9, "%g", cluster_number(m, "kernels.speed"));
    measures_free(m);
}

Test(cluster_host_gpus, parts_are_slices_or_percents)
{
    static const struct bench_job job[] = {{0, 100, 1, 0, 428}, {0, 100, 1, 0, 428}};
    struct measures *m = run(ON("1", "mig", "mig", "8"), job, 2);
    cr_expect_float_eq(cluster_mean(m, "jct") / 100, 132 / 48.0, 0.03, "%g",
                       cluster_mean(m, "jct"));
    cr_expect_float_eq(cluster_number(m, "hosts.lost_neighbours"), 0, 1e-4);
    measures_free(m);
    static const struct bench_job half[] = {{0, 100, 1, 0, 500}, {0, 100, 1, 0, 500}};
    m = run(ON("1", "mps", "mps", "8"), half, 2);
    cr_expect_float_eq(cluster_mean(m, "jct") / 100, 2, 0.02, "%g", cluster_mean(m, "jct"));
    cr_expect_float_eq(cluster_number(m, "hosts.lost_neighbours"), 0, 1e-3);
    measures_free(m);
}

/* Two GPUs with the same on each, a third with others; the same jobs in another order. */
Test(cluster_host_gpus, which_gpu_is_whose_changes_nothing)
{
    static const struct bench_job job[2][6] = {{{0, 50, 1, 0, 500},
                                                {0, 50, 1, 0, 500},
                                                {0, 50, 1, 0, 500},
                                                {0, 50, 1, 0, 500},
                                                {0, 80, 1, 1, 500},
                                                {0, 80, 1, 0, 500}},
                                               {{0, 80, 1, 0, 500},
                                                {0, 80, 1, 1, 500},
                                                {0, 50, 1, 0, 500},
                                                {0, 50, 1, 0, 500},
                                                {0, 50, 1, 0, 500},
                                                {0, 50, 1, 0, 500}}};
    double mean[2];
    for (int i = 0; i < 2; i++) {
        struct measures *m = run(ON("3", "memory", "time-slice", "8"), job[i], 6);
        mean[i] = cluster_mean(m, "jct");
        measures_free(m);
    }
    cr_expect_eq(mean[0], mean[1], "%.17g, %.17g", mean[0], mean[1]);
}
