/* test_cluster_hosts.c - nodes as full machines: how fast jobs are on them, against arithmetic. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/models/cluster_bench.h"
#include "tests/models/gpu_ops.h"

#define H100 "machines/h100-server.json"
#define MS   UINT64_C(1000000)

/* ---- hosts --------------------------------------------------------------------------- */

/* A step of so many short kernels, which waits for each of its launches; or pure computing. */
#define STEP(kernels)                                                                              \
    "{'vcpus':2,'tick_hz':0,'pages':'2m','workload':{'program':'training','workers':0,"            \
    "'read_mib':0,'load_us':0,'batch_mib':0,'framework_us':500,'kernels':" kernels                 \
    ",'kernel_us':2,'jitter':0}}"
#define COMPUTE                                                                                    \
    "{'vcpus':1,'tick_hz':0,'footprint':0,'gpu':'none',"                                           \
    "'workload':{'program':'cpu','compute_us':500,'jitter':0}}"
#define ON(nodes, gpus, cpus, jobs)                                                                \
    "{'even':{'nodes':" nodes ",'gpus':" gpus "},'line':'skip-over','hosts':{'model':'host',"      \
    "'section':{'cpus':" cpus ",'duration_s':1,'warmup_s':0.1},'jobs':[" jobs "]}}"

static struct measures *hosts(const char *section, const char *stack, const struct bench_job *job,
                              size_t n)
{
    return cluster_run(&(struct cluster_bench){.section = section,
                                               .job = job,
                                               .n = n,
                                               .seed = 1,
                                               .exact = true,
                                               .profile = H100,
                                               .stack = stack},
                       NULL);
}

Test(cluster_hosts, alone_on_the_bare_machine_a_job_is_as_fast_as_it_says)
{
    static const struct bench_job job[] = {{0, 100, 1, 0, 0}};
    struct measures *m =
        hosts(ON("1", "1", "8", "{'name':'step','runs':" STEP("300") "}"), NULL, job, 1);
    cr_expect_eq(cluster_mean(m, "jct"), 100);
    cr_expect_eq(cluster_number(m, "hosts.speed"), 1);
    cr_expect_eq(cluster_number(m, "hosts.lost_alone"), 0);
    cr_expect_eq(cluster_number(m, "hosts.lost_neighbours"), 0);
    measures_free(m);
}

/* One job a node: the abstract cluster, but for what the stack takes. */
Test(cluster_hosts, a_job_a_node_is_the_abstract_run_less_the_stack)
{
    enum { JOBS = 300 };
    static const char *const stacks[] = {"native", "kvm", "lake", "malv"};
    struct bench_job *job = cluster_poisson(JOBS, 3, SIZES_EXPONENTIAL, 5), *slow;
    double alone[4];
    for (int i = 0; i < 4; i++) {
        struct measures *m = hosts(ON("8", "1", "8", "{'name':'step','runs':" STEP("300") "}"),
                                   stacks[i], job, JOBS);
        alone[i] = cluster_number(m, "step.alone");
        cr_expect_eq(cluster_number(m, "step.speed"), alone[i]);
        cr_assert_not_null(slow = calloc(JOBS, sizeof *slow));
        for (int k = 0; k < JOBS; k++) {
            slow[k] = job[k];
            slow[k].runs_s /= alone[i];
        }
        struct measures *a =
            cluster_jobs("{'even':{'nodes':8,'gpus':1},'line':'skip-over'}", NULL, slow, JOBS);
        cr_expect_float_eq(cluster_mean(m, "jct") / cluster_mean(a, "jct"), 1, 1e-6, "%s",
                           stacks[i]);
        cr_expect_float_eq(cluster_number(m, "makespan") / cluster_number(a, "makespan"), 1, 1e-6);
        free(slow);
        measures_free(a);
        measures_free(m);
    }
    cr_expect_eq(alone[0], 1);
    cr_expect_lt(alone[3], alone[1], "a hypercall for each launch: %g, %g", alone[3], alone[1]);
    free(job);
}

/* Two that compute on one CPU: half each while both are there. */
Test(cluster_hosts, two_on_one_cpu_get_half_each_while_both_are_there)
{
    static const struct bench_job job[] = {{0, 100, 1, 0, 0}, {40, 10, 1, 0, 0}};
    struct measures *m =
        hosts(ON("1", "2", "1", "{'name':'work','runs':" COMPUTE "}"), NULL, job, 2);
    /* the second takes 20 s; the first 40 + 20 + 50 */
    cr_expect_float_eq(cluster_mean(m, "jct"), (110 + 20) / 2.0, 0.5);
    cr_expect_float_eq(cluster_number(m, "hosts.share.steal"), 20 / 130.0, 0.01);
    cr_expect_float_eq(cluster_number(m, "hosts.lost_neighbours"), 20 / 130.0, 0.01);
    cr_expect_eq(cluster_number(m, "hosts.lost_alone"), 0);
    measures_free(m);
}

Test(cluster_hosts, where_the_time_went_adds_up)
{
    enum { JOBS = 200 };
    struct bench_job *job = cluster_poisson(JOBS, 6, SIZES_EXPONENTIAL, 3);
    for (int i = 0; i < JOBS; i++)
        job[i].group = (uint32_t)i % 2;
    struct measures *m = hosts(ON("3", "4", "3",
                                  "{'name':'work','group':'g0','runs':" COMPUTE
                                  "},{'name':'step','runs':" STEP("300") "}"),
                               "malv", job, JOBS);
    double sum = 0, hours = 0;
    for (size_t i = 0; i < m->n_number; i++)
        if (!strncmp(m->number[i].name, "hosts.share.", 12))
            sum += m->number[i].value;
    for (int i = 0; i < JOBS; i++)
        hours += job[i].runs_s / 3600;
    cr_expect_float_eq(sum, 1, 1e-4, "%g", sum);
    cr_expect_float_eq(cluster_number(m, "hosts.speed") + cluster_number(m, "hosts.lost_alone") +
                           cluster_number(m, "hosts.lost_neighbours"),
                       1, 1e-9);
    cr_expect_float_eq(cluster_number(m, "hosts.gpu_hours"), cluster_number(m, "gpu_useful") / 3600,
                       1e-9);
    /* what was done at the speed it had is the work that was brought */
    cr_expect_float_eq(
        cluster_number(m, "hosts.gpu_hours") * cluster_number(m, "hosts.speed") / hours, 1, 1e-6);
    cr_expect_gt(cluster_number(m, "hosts.share.exit"), 0);
    cr_expect_gt(cluster_number(m, "hosts.share.steal"), 0);
    measures_free(m);
    free(job);
}

/* ---- GPUs ------------------------------------------------------------------------------ */

static struct trace_op kernel(uint64_t ms, uint32_t sms, uint32_t bound)
{
    struct trace_op op = op_kernel(0, ms * MS, 1);
    op.sms = sms;
    op.bound = bound;
    return op;
}

#define TURNS(us) "'sharing':'time-slice','duration_s':1,'timeslice_us':" us

static const struct trace_op *p_kernel(void)
{
    static struct trace_op op;
    op = kernel(9, 100, TRACE_OP_BOUND_COMPUTE);
    return &op;
}
static const struct trace_op *q_kernel(void)
{
    static struct trace_op op;
    op = kernel(7, 100, TRACE_OP_BOUND_COMPUTE);
    return &op;
}

#define GPU(nodes, gpus, of, section)                                                              \
    "{'even':{'nodes':" nodes ",'gpus':" gpus "},'line':'skip-over','fraction':{'of':'" of "'},"   \
    "'hosts':{'model':'gpu','section':{" section "},"                                              \
    "'jobs':[{'name':'p','group':'g0','runs':{'program':'p'}},"                                    \
    "{'name':'q','group':['g1','g2'],'runs':{'program':'q'}}]%s}%s}"

static struct measures *gpus(const char *section, const char *profile, const char *memo,
                             const char *more, const struct bench_job *job, size_t n,
                             struct err *why)
{
    char text[1024];
    snprintf(text, sizeof text, section, memo, more);
    return cluster_run(&(struct cluster_bench){.section = text,
                                               .job = job,
                                               .n = n,
                                               .seed = 1,
                                               .exact = true,
                                               .profile = profile,
                                               .p = p_kernel(),
                                               .q = q_kernel()},
                       why);
}

/* Turns of 1 ms (half of 2) and switches of 0.1 ms: each gets 1 of 2.2 ms; of 50 ms: half. */
Test(cluster_hosts, two_in_time_slices_get_half_each)
{
    static const struct bench_job job[] = {{0, 100, 1, 0, 500}, {0, 100, 1, 0, 500}};
    struct measures *m = gpus(GPU("1", "1", "time", TURNS("2000")), "gpu", "", "", job, 2, NULL);
    cr_expect_float_eq(cluster_mean(m, "jct"), 220, 2.2);
    measures_free(m);
    m = gpus(GPU("1", "1", "time", TURNS("100000")), "gpu", "", "", job, 2, NULL);
    cr_expect_float_eq(cluster_mean(m, "jct"), 200, 2);
    cr_expect_float_eq(cluster_number(m, "hosts.lost_neighbours"), 0.5, 0.005);
    cr_expect_eq(cluster_number(m, "hosts.lost_alone"), 0);
    cr_expect_str_eq(
        cluster_said(m, "hosts"),
        "each GPU is a full machine (\"bench\", stack \"native\"): a job's duration is "
        "what it takes on the bare one, alone; a part of a GPU is a part of its time");
    cr_expect_null(cluster_said(m, "fraction"));
    measures_free(m);
}

/* Turns in proportion to the part of the time that each asked for. */
Test(cluster_hosts, parts_of_time_are_lengths_of_turns)
{
    static const struct bench_job job[] = {{0, 100, 1, 0, 750}, {0, 100, 1, 0, 250}};
    struct measures *m = gpus(GPU("1", "1", "time", TURNS("4000")), "gpu", "", "", job, 2, NULL);
    /* 3 and 1 of 4.2 ms, until the first ends at 140; then the second has 2/3 left, alone */
    cr_expect_float_eq(cluster_number(m, "makespan"), 140 + 200 / 3.0, 4);
    cr_expect_float_eq(cluster_mean(m, "jct"), 140 + 100 / 3.0, 4);
    measures_free(m);
}

Test(cluster_hosts, a_gpu_of_its_own_is_nobody_elses)
{
    static const struct bench_job job[] = {{0, 100, 1, 0, 0}, {0, 100, 1, 1, 0}, {0, 100, 2, 0, 0}};
    struct measures *m = gpus(GPU("1", "4", "time", TURNS("2000")), "gpu", "", "", job, 3, NULL);
    cr_expect_eq(cluster_mean(m, "jct"), 100);
    cr_expect_eq(cluster_number(m, "hosts.speed"), 1);
    measures_free(m);
}

/* A kernel of 100 SMs takes three waves in the 42 of three slices, whoever is beside it. */
Test(cluster_hosts, a_neighbour_on_another_mig_slice_changes_nothing)
{
    static const struct bench_job job[] = {{0, 100, 1, 0, 428}, {10, 40, 1, 1, 428}};
    double makespan[2];
    for (size_t n = 1; n <= 2; n++) {
        struct measures *m = gpus(GPU("1", "1", "mig", "'sharing':'mig','duration_s':1"),
                                  "machines/a100-40gb.json", "", "", job, n, NULL);
        makespan[n - 1] = cluster_number(m, "makespan");
        cr_expect_float_eq(cluster_number(m, "hosts.lost_neighbours"), 0, 1e-9);
        cr_expect_float_eq(cluster_number(m, "p.alone"), 1.0 / 3, 0.01, "%g",
                           cluster_number(m, "p.alone"));
        measures_free(m);
    }
    cr_expect_eq(makespan[0], makespan[1]);
}

/* One GPU on the first node, two on the other; only the first node's CPU is shared. */
Test(cluster_hosts, the_slowest_member_of_a_gang_sets_its_pace)
{
    static const struct bench_job job[] = {{0, 1000, 1, 0, 0}, {0, 100, 3, 0, 0}};
    struct measures *m =
        hosts(ON("2", "2", "1", "{'name':'work','each':'seat','runs':" COMPUTE "}"), NULL, job, 2);
    cr_expect_float_eq(cluster_mean(m, "jct"), (1100 + 200) / 2.0, 5);
    measures_free(m);
}

/* ---- what must not matter ---------------------------------------------------------------- */

static struct bench_job *parts(size_t n, uint64_t seed)
{
    struct bench_job *job = cluster_poisson(n, 1.5, SIZES_EXPONENTIAL, seed);
    struct rng r;
    rng_init(&r, seed, "test", "parts");
    for (size_t i = 0; i < n; i++) {
        job[i].gpus = rng_below(&r, 5) ? 1 : 2;
        job[i].group = (uint32_t)rng_below(&r, 2);
        job[i].milli = job[i].gpus > 1 ? 0 : 250 * (1 + (uint32_t)rng_below(&r, 3));
    }
    return job;
}

static bool of_memo(const char *name)
{
    return !strcmp(name, "hosts.simulated") || !strcmp(name, "hosts.events");
}

static void expect_same(const struct measures *a, const struct measures *b)
{
    cr_assert_eq(a->n_number, b->n_number);
    for (size_t i = 0; i < a->n_number; i++)
        if (!of_memo(a->number[i].name))
            cr_expect_eq(a->number[i].value, b->number[i].value, "%s: %.17g, %.17g",
                         a->number[i].name, a->number[i].value, b->number[i].value);
    cr_assert_eq(a->n_incident, b->n_incident);
    for (size_t i = 0; i < a->n_incident; i++)
        cr_expect_str_eq(a->incident[i].text, b->incident[i].text);
}

#define MIXED GPU("2", "2", "time", TURNS("2000"))
#define PUSHED                                                                                     \
    ",'preempt':{},'checkpoint':{'every_s':1,'save_s':0.1,'restart_s':0.1},"                       \
    "'failures':{'mtbf_h':0.02,'repair_s':3}"

Test(cluster_hosts, what_is_kept_changes_no_result, .timeout = 60)
{
    enum { JOBS = 120 };
    static const char *const memo[] = {"", ",'memo':0", ",'memo':2"};
    struct bench_job *job = parts(JOBS, 4);
    struct measures *m[3];
    for (int i = 0; i < 3; i++)
        m[i] = gpus(MIXED, "gpu", memo[i], PUSHED, job, JOBS, NULL);
    expect_same(m[0], m[1]);
    expect_same(m[0], m[2]);
    cr_expect_lt(cluster_number(m[0], "hosts.simulated"), cluster_number(m[0], "hosts.asked") / 4,
                 "%g of %g", cluster_number(m[0], "hosts.simulated"),
                 cluster_number(m[0], "hosts.asked"));
    cr_expect_gt(cluster_number(m[1], "hosts.simulated"), cluster_number(m[1], "hosts.asked") - 1);
    cr_expect_eq(cluster_number(m[0], "completed"), JOBS);
    for (int i = 0; i < 3; i++)
        measures_free(m[i]);
    free(job);
}

/* Three at once, in any order: the same end for each. */
Test(cluster_hosts, who_came_first_changes_nothing)
{
    static const uint32_t group[6][3] = {{0, 1, 0}, {0, 0, 1}, {1, 0, 0}};
    double mean = 0, makespan = 0;
    for (int i = 0; i < 3; i++) {
        struct bench_job job[3];
        for (int k = 0; k < 3; k++)
            job[k] = (struct bench_job){.at_s = 0,
                                        .runs_s = group[i][k] ? 50 : 80,
                                        .gpus = 1,
                                        .group = group[i][k],
                                        .milli = 250};
        struct measures *m = gpus(MIXED, "gpu", "", "", job, 3, NULL);
        cr_expect(!i || cluster_mean(m, "jct") == mean);
        cr_expect(!i || cluster_number(m, "makespan") == makespan);
        mean = cluster_mean(m, "jct");
        makespan = cluster_number(m, "makespan");
        measures_free(m);
    }
}

/* Work, overhead, lost, down and idle are all there is. */
Test(cluster_hosts, gpu_seconds_are_conserved)
{
    enum { JOBS = 200 };
    struct bench_job *job = parts(JOBS, 8);
    struct measures *m = gpus(MIXED, "gpu", "", PUSHED, job, JOBS, NULL);
    const double sum = cluster_number(m, "share.work") + cluster_number(m, "share.overhead") +
                       cluster_number(m, "share.lost") + cluster_number(m, "share.down") +
                       cluster_number(m, "share.idle");
    cr_expect_float_eq(sum, 1, 1e-9, "%.12f", sum);
    cr_expect_eq(cluster_number(m, "completed"), JOBS);
    cr_expect_float_eq(cluster_number(m, "hosts.gpu_hours") * 3600,
                       cluster_number(m, "gpu_useful") + cluster_number(m, "share.lost") /
                                                             cluster_number(m, "share.work") *
                                                             cluster_number(m, "gpu_useful"),
                       1e-6);
    measures_free(m);
    free(job);
}

/* Twice its GPUs on one CPU: each of them half as fast. */
Test(cluster_hosts, an_elastic_job_keeps_its_pace)
{
    static const struct bench_job job[] = {{0, 120, 1, 0, 0}};
    struct measures *m = hosts("{'even':{'nodes':1,'gpus':2},'elastic':{'most':2},'hosts':{'model':"
                               "'host','section':{'cpus':1,'duration_s':1},'jobs':[{'name':'work',"
                               "'runs':" COMPUTE "}]}}",
                               NULL, job, 1);
    cr_expect_float_eq(cluster_mean(m, "jct"), 120, 1.5);
    measures_free(m);
}

/* ---- what goes wrong ------------------------------------------------------------------------ */

static void refuses(const char *section, const struct bench_job *job, size_t n, const char *want)
{
    struct err why = {0};
    measures_free(gpus(section, "gpu", "", "", job, n, &why));
    cr_expect_str_eq(why.msg, want, "%s", why.msg);
}

Test(cluster_hosts, what_cannot_be_run_is_said)
{
    static const struct bench_job job[] = {{0, 100, 1, 0, 500}, {1, 100, 1, 1, 500}};
    static const struct bench_job stranger[] = {{0, 100, 3, 5, 0}};
    refuses(GPU("1", "4", "time", TURNS("2000")), stranger, 1,
            "cluster.hosts.jobs: job 1 of the trace (3 GPUs) is none of them, want one without "
            "conditions at the end");
    refuses(GPU("1", "1", "memory", "'sharing':'exclusive','duration_s':1"), job, 2,
            "cluster.hosts: a machine with 1 p (0.5 of a GPU), 1 q (0.5 of a GPU): hosts: "
            "tenants[1]: got an object, want a \"device\" of its own: \"sharing\" is exclusive");
    refuses(GPU("1", "1", "memory", "'duration_s':0.005"), job, 1,
            "cluster.hosts: a machine with 1 p (0.5 of a GPU): no operation of p ended within the "
            "time that it is looked at, want a longer \"duration_s\"");
}
