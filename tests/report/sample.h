/* sample.h - a made-up result set for the tests of comparison and report:
 * plausible shapes, no simulation.  Two stacks, five policies, seeds.       */
#ifndef TESTS_REPORT_SAMPLE_H
#define TESTS_REPORT_SAMPLE_H

#include "results/results.h"

struct sample {
    unsigned seeds;   /* trials per cell */
    unsigned missing; /* trials at the end that have not run */
    bool rough;       /* an ejected policy, a failed trial, hostile names */
    bool memory;      /* a model without requests, whose time has parts; its policy is a hook's */
    bool workloads;   /* with memory: what was swept is no choice of anybody */
};
struct result_set *sample_new(const struct sample *s); /* aborts when out of memory */
/* Writes it to a new folder under /tmp; returns the folder (static), file is DIR/out.h5. */
const char *sample_file(const struct sample *s);

/* Only the journal of its first `finished` trials, as after a kill: DIR/out.h5.journal. */
const char *sample_journal(const struct sample *s, unsigned finished);

/* One number per trial: what[policy][seed] of metric "x"; one axis, "policy" a, b, ... */
struct result_set *sample_numbers(const double *what, unsigned policies, unsigned seeds,
                                  uint64_t first_seed);

#endif
