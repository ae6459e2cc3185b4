/* experiment.h - an experiment file (schema malv-experiment/1) as an array of trials.
 *
 * The sweep is a cartesian product, the first axis outermost; every
 * combination runs on the same seeds, so that policies are compared on equal
 * draws.  Trial i is combination i / trials, seed `seed` + i % trials.
 *
 * Everything that can be wrong is found before anything runs: the settings of
 * every combination are read and checked (experiment_check).                */
#ifndef HARNESS_RUN_EXPERIMENT_H
#define HARNESS_RUN_EXPERIMENT_H

#include "harness/run/machines.h"
#include "results/results.h"
#include "sim/config.h"
#include "sim/err.h"
#include "traces/source.h"

struct experiment_axis {
    char *path; /* "serve.max_running" */
    size_t n;
    const struct config **value; /* borrowed from doc */
    char **label;                /* how results name each value */
};

struct experiment {
    char *file, *folder, *root; /* where it stands: relative paths begin at its folder */
    struct trace_places where;  /* the same, for traces */
    struct config *doc;         /* after the edits */
    char *text;                 /* doc's canonical text */
    struct machines *machines;  /* the profiles that were read */
    const char *name, *title;   /* borrowed from doc */
    uint64_t seed, trials;      /* per combination */
    struct experiment_axis *axis;
    size_t n_axis;
    uint64_t combinations, planned; /* planned = combinations * trials */
};

/* What the command line changes. */
struct experiment_set {
    const char *path, *json;
};
struct experiment_edits {
    const struct experiment_set *set; /* --set path=value */
    size_t n_set;
    const char *seed, *trials; /* numbers as text; NULL: as in the file */
};

int experiment_load(struct experiment **x, const char *file, const struct experiment_edits *edits,
                    struct err *e) MUST_CHECK;
/* From a document already parsed (an inline one); file is where it stands.  doc stays the caller's.
 */
int experiment_from(struct experiment **x, const struct config *doc, const char *file,
                    const struct experiment_edits *edits, struct err *e) MUST_CHECK;
void experiment_free(struct experiment *x); /* NULL is fine */

/* The document of one combination: the sweep's values put in, the sweep itself gone. */
int experiment_combination(const struct experiment *x, uint64_t combination, struct config **doc,
                           struct err *e) MUST_CHECK;
/* Index, seed and factors of a trial; the rest zero. */
int experiment_trial(const struct experiment *x, uint64_t index, struct result_trial *t,
                     struct err *e) MUST_CHECK;
/* "stack=kvm policy=fifo", or "" without a sweep. */
void experiment_describe(const struct experiment *x, uint64_t combination, char *text, size_t n);

int experiment_check(const struct experiment *x, struct err *e) MUST_CHECK;

/* A path in an experiment: absolute, beside its file, or in the source tree. malloc'd; NULL and *e.
 */
char *experiment_find(const struct experiment *x, const char *relative, struct err *e);

#endif
