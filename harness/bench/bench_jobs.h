/* bench_jobs.h - jobs made as they are pulled, for benchmarks of clusters. */
#ifndef HARNESS_BENCH_BENCH_JOBS_H
#define HARNESS_BENCH_BENCH_JOBS_H

#include "sim/rng.h"
#include "traces/record.h"

struct bench_jobs {
    struct row_source base;
    struct rng rng;
    uint64_t n, row;
    double at_ns, gap_ns;
};
/* n of them, of 1, 4, 8 or 64 GPUs, as many a second as keep `load` of the GPUs busy.  Once. */
struct bench_jobs bench_jobs(uint64_t n, uint64_t gpus, double load);

#endif
