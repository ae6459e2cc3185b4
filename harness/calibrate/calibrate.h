/* calibrate.h - malv calibrate: what things cost on this machine.
 *
 * A probe measures one kind of thing and adds leaves of a machine profile
 * (schema malv-machine/1).  Each leaf is the median of several repeats; its
 * note keeps the smallest and the largest.  What can't be measured here is
 * kept with the reason and leaves no number behind.
 *
 * The measuring process and its threads are pinned; repeats are short, so
 * that one interruption spoils one repeat and not the median.               */
#ifndef HARNESS_CALIBRATE_CALIBRATE_H
#define HARNESS_CALIBRATE_CALIBRATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sim/err.h"

enum { CALIBRATE_REPEATS = 15, CALIBRATE_KNOTS = 24 };

struct calibrate_row {
    char name[48]; /* dotted path of the leaf */
    const char *unit;
    char how[200];     /* the method, one clause */
    char skipped[200]; /* why there is no number; empty: there is one */
    double value, least, most;
    size_t n; /* knots of a table; 0: a scalar */
    uint64_t x[CALIBRATE_KNOTS];
    double y[CALIBRATE_KNOTS];
};

struct calibration {
    bool quick;          /* a look, not a measurement */
    int repeats;         /* 1..CALIBRATE_REPEATS */
    unsigned cpu, other; /* two CPUs to measure on; the same when there is only one */
    struct calibrate_row *row;
    size_t rows;
    bool failed; /* out of memory: sticky */
};

/* name, what it measures: one file calibrate_NAME.c each */
#define CALIBRATE_PROBES(X)                                                                        \
    X(gpu, "if asked for: launches, copies, slices, bandwidth over SMs, latency")                  \
    X(cpu, "sockets, cores, threads, caches")                                                      \
    X(kernel, "system call, wake-ups, context switch, signal, timers")                             \
    X(memory, "latency by working set, bandwidth, page faults, NUMA")                              \
    X(kvm, "exits of a guest, where /dev/kvm works")

#define X(name, what) int calibrate_##name(struct calibration *c, struct err *e) MUST_CHECK;
CALIBRATE_PROBES(X)
#undef X

uint64_t calibrate_ns(void); /* monotonic clock */
void calibrate_pin(unsigned cpu);
/* A leaf from n samples (sorted in place), in `unit`. */
struct calibrate_row *calibrate_add(struct calibration *c, const char *name, const char *unit,
                                    double *sample, int n, const char *how);
/* A leaf that is known, not measured (topology). */
void calibrate_fact(struct calibration *c, const char *name, const char *unit, double value,
                    const char *how);
void calibrate_skip(struct calibration *c, const char *name, const char *why);
/* An empty table leaf, to be filled by calibrate_knot; NULL-safe. */
struct calibrate_row *calibrate_table(struct calibration *c, const char *name, const char *unit,
                                      const char *how);
void calibrate_knot(struct calibrate_row *row, uint64_t x, double y);
double calibrate_median(double *sample, int n); /* sorts */

#endif
