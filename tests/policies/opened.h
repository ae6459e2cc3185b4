/* opened.h - a shipped policy behind a slot, as a model gets it. */
#ifndef TESTS_POLICIES_OPENED_H
#define TESTS_POLICIES_OPENED_H

#include "harness/policy/policy_host.h"
#include "harness/policy/policy_load.h"

struct opened {
    struct policy *policy;
    struct policy_slot slot;
    struct policy_session *session;
    struct measures *own; /* the slot's, until a model gives it another */
};

/* Without parameters, of seed 1; to be closed.  Its slot. */
struct policy_slot *opened_policy(struct opened *o, const char *name);
/* Fails the test if it was ejected. */
void opened_close(struct opened *o);

#endif
