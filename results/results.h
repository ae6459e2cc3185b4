/* results.h - what a whole experiment produced, on disk and in memory.
 *
 * File: HDF5, schema "malv-results/1".  One writer.  The bytes depend only on
 * the inputs: no wall clock, host or backend inside (those go to the run
 * record beside it, OUT.run.json).  While trials finish they are appended to
 * a journal (OUT.h5.journal: framed, checksummed, synced), and the HDF5 file
 * is written from it in trial order and renamed into place, so a kill -9 at
 * any moment loses no finished trial.  results_load reads either.           */
#ifndef RESULTS_RESULTS_H
#define RESULTS_RESULTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sim/buf.h"
#include "sim/err.h"
#include "sim/measures.h"

#define RESULTS_SCHEMA "malv-results/1"

/* One axis of the sweep that this trial sits on: "host.stack" = "kvm". */
struct result_factor {
    char *path;  /* dotted path in the experiment */
    char *value; /* as JSON text without quotes around strings */
};

struct result_trial {
    uint64_t index, seed;
    struct result_factor *factor; /* [n_factor], same order in every trial */
    size_t n_factor;
    bool failed;
    char *why;                 /* sentence, when failed */
    struct measures *measures; /* empty when failed */
};

struct result_set {
    char *name, *title;
    char *experiment_json; /* canonical text after --set, sweeps unexpanded */
    char *machine_json;    /* "" when none */
    char *trace_json;      /* digest, source, licence, counts */
    char *version;
    uint64_t planned;           /* trials the experiment has */
    struct result_trial *trial; /* ascending by index; finished ones only */
    size_t n_trial;
};

/* Reads OUT.h5 or, where only OUT.h5.journal is there yet, the trials finished so far. */
int results_load(struct result_set **rs, const char *path, struct err *e) MUST_CHECK;
/* Is PATH a results file, of any version? */
bool results_are(const char *path);
int results_write(const struct result_set *rs, const char *path,
                  struct err *e) MUST_CHECK; /* atomic */
void results_free(struct result_set *rs);    /* NULL is fine */

/* Building one: a set with all texts (borrowed, copied), then trials in any order.
 * results_add takes over the trial's memory, also when it fails.             */
struct result_set *results_new(const char *name, const char *title, const char *experiment_json,
                               const char *machine_json, const char *trace_json,
                               const char *version, uint64_t planned);
int results_add(struct result_set *rs, struct result_trial *t, struct err *e) MUST_CHECK;
const struct result_trial *results_trial(const struct result_set *rs, uint64_t index); /* or NULL */
void result_trial_clear(struct result_trial *t);

/* Packed forms: what workers send and the journal keeps. */
void results_pack_head(const struct result_set *rs, struct buf *b); /* all but the trials */
int results_unpack_head(struct result_set **rs, struct buf *b, struct err *e) MUST_CHECK;
void result_trial_pack(const struct result_trial *t, struct buf *b);
int result_trial_unpack(struct result_trial *t, struct buf *b, struct err *e) MUST_CHECK;

#endif
