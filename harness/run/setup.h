/* setup.h - the settings of one trial, read from its document.
 *
 * Everything is borrowed from the document (experiment_combination).        */
#ifndef HARNESS_RUN_SETUP_H
#define HARNESS_RUN_SETUP_H

#include "models/model.h"
#include "models/policy_slot.h"
#include "sim/config.h"
#include "sim/err.h"

struct policy_choice {
    const char *name, *label;         /* NULL: the default */
    const struct config *at, *params; /* where it is named; its parameters, or NULL */
};

struct setup {
    const char *name, *title;
    const struct model_ops *model;
    const struct config *section;              /* the model's own; NULL: the document has none */
    const struct config *trace;                /* NULL: the model needs none */
    const struct config *programs;             /* NULL: none */
    const struct config *machine;              /* a path, or the profile itself; NULL: none */
    const struct config *scale;                /* scale.h; NULL: the machine as it is */
    const char *stack;                         /* NULL: native */
    struct policy_choice policy[POLICY_SLOTS]; /* "policy", then "policies", 1 + hook */
    const struct config *sweep;
    uint64_t seed, trials;
    bool exact;
};

unsigned setup_tables(const struct setup *s); /* that its model takes: bits 1 << TRACE_x */
int setup_read(struct setup *s, const struct config *doc, struct err *e) MUST_CHECK;
/* "policies": {"mem.evict": ..} means {"mem": {"evict": ..}}, so that policies.mem.evict is a path
 * like any other for --set and sweeps.  Both spellings of one hook are an error. */
int setup_nest_policies(struct config *doc, struct err *e) MUST_CHECK;
/* The two keys of a document, into s->policy; NULL: not there. */
int setup_policies(struct setup *s, const struct config *policy, const struct config *policies,
                   struct err *e) MUST_CHECK;
/* model_ops.headline of the model that an experiment's text names; NULL: none. */
const char *setup_headline(const char *experiment_json);
const struct model_ops *setup_model(size_t i); /* the guest list; NULL past the end */

#endif
