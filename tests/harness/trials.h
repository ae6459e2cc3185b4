/* trials.h - experiments of a few trials, run and looked at by the tests of the harness. */
#ifndef TESTS_HARNESS_TRIALS_H
#define TESTS_HARNESS_TRIALS_H

#include "harness/run/experiment.h"
#include "harness/run/runner.h"
#include "results/results.h"

/* An experiment out of JSON, found to be good; edits: --set, or NULL. */
struct experiment *trials_made(const char *json, const struct experiment_edits *edits);
/* On so many workers, each policy given half a second; trials may have failed. */
struct result_set *trials_ran(const struct experiment *x, unsigned jobs);
/* Both in one. */
struct result_set *trials_of(const char *json, unsigned jobs);
bool trials_same(const struct result_set *a, const struct result_set *b); /* byte for byte */

double trials_number(const struct result_trial *t, const char *name); /* the trial did not fail */
/* The first incident of a kind; NULL: none. */
const struct measure_incident *trials_incident(const struct result_trial *t, const char *kind);
const char *trials_said(const struct result_trial *t, const char *kind); /* its text, or "" */

#endif
