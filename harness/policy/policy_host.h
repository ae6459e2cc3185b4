/* policy_host.h - the simulator's side of struct policy_host.
 *
 * One session per trial: it gives the policy its parameters, its random
 * stream and the inference service, creates it through the guard, and keeps
 * what it logs.  Parameters are asked for in create: one that the experiment
 * gives and create did not ask for is an error that names those it asked for.
 * What is wrong with the input (an unknown parameter, a model that is not
 * there) is an error of policy_host_open; a create that fails on its own ejects the
 * policy and the trial goes on with the default.                            */
#ifndef HARNESS_POLICY_POLICY_HOST_H
#define HARNESS_POLICY_POLICY_HOST_H

#include "models/model.h"
#include "models/policy_slot.h"
#include "sim/config.h"

struct policy_session;
struct features; /* models/mlaas/features.h */

struct policy_session_want {
    uint64_t seed;                            /* of the trial */
    const char *hook;                         /* bound to that one alone; NULL: to all */
    const struct config *params;              /* an object; NULL: none given */
    const struct model_infer *infer;          /* NULL: model_open finds nothing */
    struct features *features;                /* shared with others; NULL: one of its own */
    void (*say)(void *ctx, const char *line); /* optional: every log line, at once (-v) */
    void *say_ctx;
};

/* slot: ops, label, beat and the known crash are set, nothing was asked yet. */
int policy_host_open(struct policy_session **s, struct policy_slot *slot,
                     const struct policy_session_want *want, struct err *e) MUST_CHECK;
/* Destroys the policy; writes its log lines as incidents "log" into slot->out
 * (the first SESSION_LINES, then a count).  Fails when inference failed during
 * the run: the trial then is void.  Always frees.                           */
#define SESSION_LINES 16
int policy_host_close(struct policy_session *s, struct err *e) MUST_CHECK;

#endif
