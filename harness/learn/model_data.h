/* model_data.h - a trace named on the command line, as training rows.
 *
 * The text is a trace section ({"synth": {..}}), synth:PRESET, a .json file
 * holding a section, a canonical .h5, or a published file (its format is
 * recognised); data: paths as in experiments.                               */
#ifndef HARNESS_LEARN_MODEL_DATA_H
#define HARNESS_LEARN_MODEL_DATA_H

#include <stdbool.h>

#include "harness/learn/train_rows.h"
#include "traces/record.h"

struct model_data {
    struct train_rows rows;
    char *text;  /* as given */
    char *about; /* where the rows came from: JSON */
    bool absent; /* a data: file that is not on this machine */
};

/* At most `most` rows.  optional: an absent data: file is no error. */
int model_data_load(struct model_data *d, const char *text, uint64_t seed, size_t most,
                    bool optional, struct err *e) MUST_CHECK;
/* The rows of a table other than requests, to be closed: a section, synth:PRESET or a canonical
 * .h5.  most 0: all.  *about: malloc'd JSON, as above. */
int model_data_rows(struct row_source **from, const char *text, enum trace_table table,
                    uint64_t seed, size_t most, char **about, struct err *e) MUST_CHECK;
void model_data_free(struct model_data *d);

#endif
