/* test_cluster_queue.c - a pool of GPUs under Poisson arrivals is a textbook queue: FIFO, shortest
 * first, round robin, least attained service and shortest remaining time beside their formulas.
 *
 * Times are in mean service times.  Each mean is held to about twice the error (95 %) that so many
 * jobs at that load leave it, and to what a quantum's length adds.             */
#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>

#include "tests/models/cluster_bench.h"
#include "tests/sanitized.h"

enum { JOBS = 150000, FEW = 40000 }; /* few: each is asked about a hundred times */
enum { SEEDS = SANITIZED ? 1 : 2 };

struct want {
    const char *section, *policy, *params;
    enum bench_sizes sizes;
    double rate; /* arrivals per mean service time */
    double mean; /* of the time in the system */
    double within;
    size_t jobs; /* 0: JOBS */
};

static void expect_mean(const struct want *w)
{
    const size_t jobs = w->jobs ? w->jobs : JOBS;
    double sum = 0;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct bench_job *job = cluster_poisson(jobs, w->rate, w->sizes, seed);
        struct measures *m = cluster_run(&(struct cluster_bench){.section = w->section,
                                                                 .job = job,
                                                                 .n = jobs,
                                                                 .policy = w->policy,
                                                                 .params = w->params,
                                                                 .seed = seed},
                                         NULL);
        cr_expect_eq(cluster_number(m, "completed"), (double)jobs);
        cr_expect_eq(cluster_number(m, "ejected"), 0);
        sum += cluster_mean(m, "jct");
        measures_free(m);
        free(job);
    }
    const double ours = sum / SEEDS;
    cr_expect(fabs(ours / w->mean - 1) < w->within, "%s: mean %.4f, want %.4f", w->policy, ours,
              w->mean);
}

/* ---- formulas ----------------------------------------------------------------------- */

/* Integral by Simpson's rule. */
static double integral(double (*f)(double x, double rate), double rate, double from, double to)
{
    enum { STEPS = 4000 };
    const double h = (to - from) / STEPS;
    double sum = f(from, rate) + f(to, rate);
    for (int i = 1; i < STEPS; i++)
        sum += (i % 2 ? 4 : 2) * f(from + i * h, rate);
    return sum * h / 3;
}

/* Probability that all k servers are busy: Erlang's C formula. */
static double erlang_c(unsigned k, double a)
{
    double term = 1, sum = 1;
    for (unsigned i = 1; i < k; i++)
        sum += term *= a / i;
    const double last = term * a / k / (1 - a / k);
    return last / (sum + last);
}

/* Exponential sizes of mean 1: the load of those up to x, and the moments of min(S, x). */
static double load_below(double x, double rate)
{
    return rate * (1 - exp(-x) * (1 + x));
}
static double cut1(double x)
{
    return 1 - exp(-x);
}
static double cut2(double x)
{
    return 2 * (1 - exp(-x) * (1 + x));
}

/* Shortest job first, not preempted: Phipps, "Machine repair as a priority waiting-line problem"
 * (1956).  E[S^2] is 2. */
static double sjf_of(double x, double rate)
{
    const double free = 1 - load_below(x, rate);
    return exp(-x) * (rate * 2 / 2 / (free * free) + x);
}

/* Shortest remaining time: Schrage and Miller, "The queue M/G/1 with the shortest remaining
 * processing time discipline" (1966).  The residence is integrated in the same steps. */
static double srpt_residence(double t, double rate)
{
    return 1 / (1 - load_below(t, rate));
}
static double srpt_of(double x, double rate)
{
    const double free = 1 - load_below(x, rate);
    const double below2 = cut2(x) - x * x * exp(-x); /* of S^2, sizes up to x */
    const double wait = rate * (below2 + x * x * exp(-x)) / 2 / (free * free);
    return exp(-x) * (wait + integral(srpt_residence, rate, 0, x));
}

/* Least attained service (foreground-background): Kleinrock, "Queueing Systems II" (1976), 4.7. */
static double las_of(double x, double rate)
{
    const double free = 1 - rate * cut1(x);
    return exp(-x) * (x / free + rate * cut2(x) / 2 / (free * free));
}

/* ---- beside them ---------------------------------------------------------------------- */

Test(cluster_queue, fifo_is_pollaczek_khinchine, .timeout = 120)
{
    /* 1 + rate E[S^2] / 2 / (1 - rho); E[S^2] = 1 + scv */
    const struct want wants[] = {
        {"{\"pool\": 1}", "job-fifo", NULL, SIZES_EXPONENTIAL, 0.7, 1 + 0.7 / 0.3, 0.03, JOBS},
        {"{\"pool\": 1}", "job-fifo", NULL, SIZES_EQUAL, 0.8, 1 + 0.8 / 2 / 0.2, 0.03, JOBS},
        {"{\"pool\": 1}", "job-fifo", NULL, SIZES_TWO, 0.6,
         1 + 0.6 * (0.9 * 0.25 + 0.1 * 5.5 * 5.5) / 2 / 0.4, 0.03, JOBS},
    };
    for (size_t i = 0; i < sizeof wants / sizeof *wants; i++)
        expect_mean(&wants[i]);
}

Test(cluster_queue, many_gpus_are_erlang_c, .timeout = 120)
{
    const double a = 12; /* of 16 */
    expect_mean(&(struct want){"{\"pool\": 16}", "job-fifo", NULL, SIZES_EXPONENTIAL, a,
                               1 + erlang_c(16, a) / (16 - a), 0.01, JOBS});
}

/* A policy that writes down how long each group waited. */
static double waits[2], done[2];
static int create(void **self, const struct policy_host *h)
{
    (void)h;
    *self = NULL;
    return 0;
}
static void destroy(void *self)
{
    (void)self;
}
static void by_priority(void *self, const struct policy_order_obs *o, struct policy_order *answer)
{
    (void)self;
    answer->key = -o->job.prio;
}
static void note(void *self, const struct policy_job_done *d)
{
    (void)self;
    waits[d->job.group] += (double)(d->now_ns - d->job.arrived_ns - d->job.ran_ns) / 1e9;
    done[d->job.group]++;
}
static const struct policy_ops watching = {.abi = POLICY_ABI,
                                           .name = "watching",
                                           .create = create,
                                           .destroy = destroy,
                                           .cluster_order = by_priority,
                                           .cluster_done = note};

/* Two classes of priority on many GPUs: Cobham, "Priority assignment in waiting line problems"
 * (1954): W of class p is C / (k mu) / ((1 - s_{p-1}) (1 - s_p)). */
Test(cluster_queue, priorities_are_cobhams, .timeout = 120)
{
    const double k = 4, rho = 0.8, first = 0.3;
    const double w0 = erlang_c(4, k * rho) / k;
    const double high = w0 / (1 - rho * first), low = high / (1 - rho);
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct bench_job *job = cluster_poisson(JOBS, k * rho, SIZES_EXPONENTIAL, seed);
        struct rng r;
        rng_init(&r, seed, "test", "classes");
        for (size_t i = 0; i < JOBS; i++)
            job[i].group = rng_unit(&r) < first ? 0 : 1;
        struct measures *m = cluster_run(
            &(struct cluster_bench){.section =
                                        "{\"pool\": 4, \"priority\": {\"qos\": {\"g0\": 1}}}",
                                    .job = job,
                                    .n = JOBS,
                                    .ops = &watching,
                                    .seed = seed},
            NULL);
        measures_free(m);
        free(job);
    }
    cr_expect(fabs(waits[0] / done[0] / high - 1) < 0.03, "%g, want %g", waits[0] / done[0], high);
    cr_expect(fabs(waits[1] / done[1] / low - 1) < 0.03, "%g, want %g", waits[1] / done[1], low);
}

Test(cluster_queue, shortest_first_is_phipps, .timeout = 120)
{
    expect_mean(&(struct want){"{\"pool\": 1}", "sjf-oracle", NULL, SIZES_EXPONENTIAL, 0.8,
                               integral(sjf_of, 0.8, 0, 60), 0.02, JOBS});
}

Test(cluster_queue, shortest_remaining_is_schrage_and_miller, .timeout = 120)
{
    expect_mean(&(struct want){"{\"pool\": 1, \"line\": \"skip-over\", \"preempt\": {}}", "srtf",
                               "{\"precision\": 0.05}", SIZES_EXPONENTIAL, 0.7,
                               integral(srpt_of, 0.7, 0, 40), 0.03, FEW});
}

/* Whatever the sizes, E[S] / (1 - rho); two GPUs share like one twice as fast while both are
 * wanted: M/M/2-PS has the mean of M/M/2. */
Test(cluster_queue, short_slices_share_the_processor, .timeout = 120)
{
    static const char *const section = "{\"pool\": 1, \"line\": \"skip-over\", \"preempt\": {}}";
    expect_mean(&(struct want){section, "gandiva-slice", "{\"quantum_s\": 0.05}", SIZES_EXPONENTIAL,
                               0.6, 1 / 0.4, 0.04, FEW});
    expect_mean(&(struct want){section, "gandiva-slice", "{\"quantum_s\": 0.05}", SIZES_TWO, 0.6,
                               1 / 0.4, 0.04, FEW});
    expect_mean(&(struct want){"{\"pool\": 2, \"line\": \"skip-over\", \"preempt\": {}}",
                               "gandiva-slice", "{\"quantum_s\": 0.05}", SIZES_EXPONENTIAL, 1.2,
                               1 + erlang_c(2, 1.2) / 0.8, 0.03, FEW});
}

Test(cluster_queue, least_attained_service_is_kleinrocks, .timeout = 120)
{
    expect_mean(&(struct want){"{\"pool\": 1, \"line\": \"skip-over\", \"preempt\": {}}", "las",
                               "{\"quantum_s\": 0.02}", SIZES_EXPONENTIAL, 0.6,
                               integral(las_of, 0.6, 0, 40), 0.04, FEW});
}
