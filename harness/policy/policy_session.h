/* policy_session.h - the inside of a session, shared by policy_host.c, policy_models.c and
 * policy_store.c only. */
#ifndef HARNESS_POLICY_POLICY_SESSION_H
#define HARNESS_POLICY_POLICY_SESSION_H

#include "harness/policy/policy_host.h"
#include "sim/rng.h"

enum { SESSION_ASKED = 64, SESSION_MODELS = 16 };

struct session_model { /* a handle */
    int net;           /* of want.infer; -1: closed */
    uint32_t n_in, n_out;
    bool own;   /* a fork, trained by this policy alone */
    bool fresh; /* it has learned something since it was renewed */
};

struct policy_session {
    struct policy_host face; /* what the policy sees; its .host is this session */
    struct policy_slot *slot;
    struct policy_session_want want;
    struct features *own_features; /* where the caller brought none */
    struct rng random;
    struct err wrong_input, wrong_infer; /* the first of each */
    char *asked[SESSION_ASKED];
    size_t n_asked;
    struct session_model model[SESSION_MODELS];
    int n_model;
    char *line[SESSION_LINES];
    uint64_t at_call[SESSION_LINES];
    uint64_t n_line;
};

const char *session_who(const struct policy_session *s);
/* A line of the host's own in the policy's log. */
void session_say(struct policy_session *s, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* policy_models.c */
void session_models(struct policy_host *face);
void session_models_close(struct policy_session *s);
/* The handle's network; NULL: no such handle. */
const struct session_model *session_model(const struct policy_session *s, int model);
/* policy_store.c */
void session_store(struct policy_host *face);

#endif
