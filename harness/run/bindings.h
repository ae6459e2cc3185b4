/* bindings.h - the policies of one trial, each behind its guard.
 *
 * Slot 0 is the experiment's "policy", which answers at every hook that has
 * none of its own; slot 1 + h is the one that "policies" binds to hook h.
 * Each has its own session, random stream and log, also when the same policy
 * stands in two of them.  Zero it first; bindings_close in the end.         */
#ifndef HARNESS_RUN_BINDINGS_H
#define HARNESS_RUN_BINDINGS_H

#include "harness/run/experiment.h"
#include "harness/run/pool.h"
#include "harness/run/setup.h"
#include "harness/run/trial.h"

struct policy;
struct policy_session;

/* What an oracle among selectors is told: mean cost of a VM under a candidate, ns; 0: unknown. */
#define FORESEEN_VMS 256
struct foreseen {
    uint64_t cost[POLICY_VERSIONS][FORESEEN_VMS];
};

struct bindings_want {
    const struct experiment *x;
    const struct setup *setup;
    const struct pool_task *task; /* calls known to end a worker */
    struct trial_tools *tools;    /* inference is opened here by the first policy */
    struct policy_beat *beat;
    uint64_t seed;
    struct measures *out;      /* where incidents go; NULL: nowhere */
    bool try;                  /* also what the run would only create later */
    struct foreseen *foreseen; /* NULL: nobody knows */
    int learn;                 /* the row of it that this run fills in; -1: none */
};

struct bindings {
    struct bindings_want want;
    struct life_plan { /* of one hook */
        struct bindings *all;
        enum policy_hook hook;
        struct policy_plan plan; /* n 0: none */
    } life[POLICY_HOOKS_N];
    struct binding {
        struct policy *policy; /* NULL: the slot is empty */
        bool opened;           /* it was created, maybe ended since */
        struct policy_slot slot;
        struct policy_session *session;
        char who[128]; /* in incidents: the label, and the hook of a bound one */
    } of[POLICY_SLOTS];
    struct features *features; /* the feature store that they share */
};

/* Loads and creates the policy of one slot, if the experiment names one there.  One that a step
 * loads in mid-run is created then. */
int bindings_open_one(struct bindings *b, unsigned slot, const struct bindings_want *want,
                      struct err *e) MUST_CHECK;
bool bindings_any(const struct bindings *b);
void bindings_show(struct bindings *b, struct model_env *env); /* .policy, .bound, .plan */
/* policy_decisions and ejected, over all of them, and an incident "oracle" for each that is one;
 * nothing without a policy. */
void bindings_report(struct bindings *b, struct measures *out);
/* Destroys them; the last lines of their logs go into the measures.  rc: how it went until now. */
int bindings_close(struct bindings *b, int rc, struct err *e) MUST_CHECK;

#endif
