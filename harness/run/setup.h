/* setup.h - the settings of one trial, read from its document.
 *
 * Everything is borrowed from the document (experiment_combination).        */
#ifndef HARNESS_RUN_SETUP_H
#define HARNESS_RUN_SETUP_H

#include "models/model.h"
#include "models/policy_life.h"
#include "models/policy_slot.h"
#include "sim/config.h"
#include "sim/err.h"

struct policy_choice {
    const char *name, *label;         /* NULL: the default */
    const struct config *at, *params; /* where it is named; its parameters, or NULL */
};

/* "policies": {"serve.batch": {"candidates": [..], "swap": [..]}}: a hook whose policy changes. */
struct life_setup {
    const struct config *at;        /* NULL: it does not */
    uint32_t n, n_step;             /* versions; steps */
    unsigned slot[POLICY_VERSIONS]; /* where their choices stand in setup.policy */
    bool standing[POLICY_VERSIONS];
    struct policy_step step[POLICY_STEPS];
    uint32_t candidates; /* the first of the versions */
    unsigned select;     /* the selector's slot; 0: none */
    double select_ms;
    struct policy_guard guard;
    double watch_from_ms, watch_width_ms;
    uint32_t windows, n_per_vm;
    uint32_t per_vm[POLICY_VERSIONS], per_vm_version[POLICY_VERSIONS];
};

struct setup {
    const char *name, *title;
    const struct model_ops *model;
    const struct config *section;  /* the model's own; NULL: the document has none */
    const struct config *trace;    /* NULL: the model needs none */
    const struct config *nodes;    /* a trace section of the cluster's machines; NULL: none */
    const struct config *programs; /* trace sections of operations by name; NULL: none */
    const struct config *tables;   /* trace sections of costs by name; NULL: none */
    const struct config *machine;  /* a path, or the profile itself; NULL: none */
    const struct config *scale;    /* scale.h; NULL: the machine as it is */
    const char *stack;             /* NULL: native */
    /* "policy"; then "policies", 1 + hook; then the other versions of extra_hook[]. */
    struct policy_choice policy[POLICY_SLOTS];
    unsigned n_extra;
    enum policy_hook extra_hook[POLICY_EXTRAS];
    struct life_setup life[POLICY_HOOKS_N];
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
/* The hook that a slot is bound to alone; POLICY_HOOKS_N: to all. */
enum policy_hook setup_slot_hook(const struct setup *s, unsigned slot);
/* setup_policy.c, setup_life.c: a policy's name or its object; a hook's whole life. */
int setup_choice(struct policy_choice *c, const struct config *at, struct err *e) MUST_CHECK;
int setup_life(struct setup *s, enum policy_hook hook, const struct config *at,
               struct err *e) MUST_CHECK;
/* One candidate alone answers at this hook, from the first question to the last. */
void setup_life_fix(struct setup *s, enum policy_hook hook, uint32_t candidate);
/* model_ops.headline of the model that an experiment's text names; NULL: none. */
const char *setup_headline(const char *experiment_json);
const struct model_ops *setup_model(size_t i); /* the guest list; NULL past the end */

#endif
