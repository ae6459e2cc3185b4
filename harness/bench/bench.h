/* bench.h - malv bench: measurements of the simulator's own speed.
 *
 * A benchmark takes repeats of itself and of a calibration alternately, so
 * that a busy machine slows both, and reports rows.  Times are CPU time of
 * this thread; a row is the minimum and the median of the repeats.  Whoever
 * adds one: a file bench_NAME.c with int bench_NAME(), and a line below.     */
#ifndef HARNESS_BENCH_BENCH_H
#define HARNESS_BENCH_BENCH_H

#include <stdbool.h>
#include <stddef.h>

#include "sim/err.h"

/* name, what it measures */
#define BENCHES(X)                                                                                 \
    X(engine, "event engine: PHOLD, M/M/1, ties, queue sizes, against plain C")                    \
    X(trace, "rows/s of making, writing, reading, exporting, importing, verifying a trace")        \
    X(memory, "page-cache replay: ns/access per policy through the guard, memory by length")       \
    X(gpu, "captured kernels through the model of shared GPUs: ns/kernel, memory by length")       \
    X(infer, "every kind of network on CPU twins (and a GPU), against other people's libraries")   \
    X(replay, "ten million requests from the store through the serving model: rows/s, memory")     \
    X(cluster, "pods and jobs on a production cluster: seconds for a trial")                       \
    X(fleet, "a week of 44 million requests over 1,000 engines; code through pools: us/request")

enum { BENCH_REPEATS = 15 }; /* at most */

struct bench_row {
    char name[64];      /* "phold.1e5.ratio" */
    const char *unit;   /* "ns/event", "1" */
    double min, median; /* equal when there is only one value */
    double target;      /* at most this, by the median; 0: none stated */
    const char *note;   /* what a reader must know, or NULL */
};

struct bench {
    bool quick;        /* sizes that fit a test: seconds, not a minute */
    int repeats;       /* 1..BENCH_REPEATS */
    const char *which; /* the benchmark that runs */
    struct bench_row *row;
    size_t rows;
    bool failed; /* out of memory: sticky */
};

#define X(name, summary) int bench_##name(struct bench *b, struct err *e);
BENCHES(X)
#undef X

int bench_cluster_jobs(struct bench *b, struct err *e); /* parts of "cluster" */
int bench_cluster_hosts(struct bench *b, struct err *e);

double bench_cpu_s(void); /* CPU seconds of this thread */
/* Adds a row from n samples (sorted in place); printed by malv bench as text or JSON. */
struct bench_row *bench_add(struct bench *b, const char *unit, double *sample, int n,
                            const char *name_fmt, ...) __attribute__((format(printf, 5, 6)));
/* Adds a ratio row: the median of ours[i] / theirs[i], taken in the same moment. */
struct bench_row *bench_ratio(struct bench *b, const double *ours, const double *theirs, int n,
                              double target, const char *name_fmt, ...)
    __attribute__((format(printf, 6, 7)));

#endif
