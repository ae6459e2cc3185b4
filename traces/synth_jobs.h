/* synth_jobs.h - jobs of a GPU cluster: when they come, what they ask for, how long they run.
 *
 * A mixture of classes; of each class the GPUs are drawn from values with weights, the duration is
 * lognormal, cut at max_s, independent of the GPUs and of who asks.
 * Arrivals are a gamma renewal process (cv 1: Poisson), stretched by a daily cosine whose rate is
 * constant in each hour.  Groups and users have Zipf popularities; a user belongs to one group.
 * Not made: habits of users, gangs of unlike tasks, failures, waits.        */
#ifndef TRACES_SYNTH_JOBS_H
#define TRACES_SYNTH_JOBS_H

#include "traces/names.h"
#include "traces/synth_rows.h"

#define SYNTH_JOB_CLASSES 8
#define SYNTH_JOB_GPUS    32
#define SYNTH_JOB_OWNERS  65536 /* users, groups */

struct synth_job_class {
    double weight; /* share of the jobs, relative */
    /* GPUs of a job: whole numbers, or a part of one below 1, and how often, relative. */
    double gpus[SYNTH_JOB_GPUS], gpus_weight[SYNTH_JOB_GPUS];
    uint32_t n_gpus;
    double median_s, sigma, max_s; /* sigma: standard deviation of the log */
};

struct synth_jobs {
    struct synth_head head;
    double rate_per_h, cv;        /* averaged over a day; of the gaps, before they are stretched */
    double amplitude, peak_h;     /* rate(t) = mean (1 + amplitude cos(2 pi (t - peak) / 24 h)) */
    double cpu_per_gpu;           /* cores */
    double mem_gib_per_gpu;       /* 0: not said */
    uint32_t users, groups;       /* 0: not said */
    double user_zipf, group_zipf; /* P(rank k) ~ k^-s; of the users: within their group */
    struct synth_job_class cls[SYNTH_JOB_CLASSES];
    uint32_t classes;
};

int synth_jobs_open(struct row_source **out, const void *params, uint64_t seed,
                    struct err *e) MUST_CHECK;
/* "group-0", .., "user-0", ..: in the order of their numbers in rows.  NULL: out of memory. */
struct trace_names *synth_jobs_names(const void *params);

#endif
