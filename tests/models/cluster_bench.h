/* cluster_bench.h - jobs from an array through the model "cluster", and what comes out. */
#ifndef TESTS_MODELS_CLUSTER_BENCH_H
#define TESTS_MODELS_CLUSTER_BENCH_H

#include "models/model.h"
#include "models/policy_slot.h"
#include "sim/rng.h"
#include "traces/record.h"

/* A job: arrival and duration in seconds, GPUs. */
struct bench_job {
    double at_s, runs_s;
    uint32_t gpus;
    uint32_t group; /* its name is "g0", "g1", .. */
    uint32_t milli; /* 0: whole GPUs */
};

struct cluster_bench {
    const char *section; /* JSON of the model's section; ' stands for " */
    const struct bench_job *job;
    size_t n;
    const char *policy;           /* a shared object's name: "las"; NULL: the default */
    const char *params;           /* JSON, may be NULL */
    const struct policy_ops *ops; /* instead of `policy` */
    const struct machine *machine;
    const struct model_infer *infer;
    uint64_t seed;
    bool exact;
    /* For full machines: a profile ("gpu": gpu_ops.h's), a stack, programs "p" and "q" of a kernel
     * each. */
    const char *profile, *stack;
    const struct trace_op *p, *q;
};

/* Runs; the caller frees the result.  A failure ends the test, unless `why` is given. */
struct measures *cluster_run(const struct cluster_bench *b, struct err *why);
#define N(jobs) (sizeof(jobs) / sizeof *(jobs))
/* These jobs under a policy, with seed 1; and the mean time in the system, all completed. */
struct measures *cluster_jobs(const char *section, const char *policy, const struct bench_job *job,
                              size_t n);
double cluster_jct(const char *section, const char *policy, const struct bench_job *job, size_t n);
double cluster_number(const struct measures *m, const char *name); /* asserts that it is there */
double cluster_mean(const struct measures *m, const char *sketch);
/* The text of the first incident of the kind; NULL: none. */
const char *cluster_said(const struct measures *m, const char *kind);

/* n jobs of one GPU: Poisson, `rate` a second, durations by `draw` (mean 1 s). */
enum bench_sizes { SIZES_EXPONENTIAL, SIZES_EQUAL, SIZES_HYPER, SIZES_TWO };
struct bench_job *cluster_poisson(size_t n, double rate, enum bench_sizes sizes, uint64_t seed);

#endif
