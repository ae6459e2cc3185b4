/* setup.h - the settings of one trial, read from its document.
 *
 * Everything is borrowed from the document (experiment_combination).        */
#ifndef HARNESS_RUN_SETUP_H
#define HARNESS_RUN_SETUP_H

#include "models/model.h"
#include "sim/config.h"
#include "sim/err.h"

struct setup {
    const char *name, *title;
    const struct model_ops *model;
    const struct config *section;            /* the model's own; NULL: the document has none */
    const struct config *trace;              /* NULL: the model needs none */
    const struct config *machine;            /* a path, or the profile itself; NULL: none */
    const char *stack;                       /* NULL: native */
    const char *policy, *label;              /* NULL: the defaults */
    const struct config *policy_at, *params; /* where it is named; its parameters, or NULL */
    const struct config *sweep;
    uint64_t seed, trials;
    bool exact;
};

int setup_read(struct setup *s, const struct config *doc, struct err *e) MUST_CHECK;
const struct model_ops *setup_model(size_t i); /* the guest list; NULL past the end */

#endif
