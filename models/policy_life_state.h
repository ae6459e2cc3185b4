/* policy_life_state.h - the inside of policy_life*.c. */
#ifndef MODELS_POLICY_LIFE_STATE_H
#define MODELS_POLICY_LIFE_STATE_H

#include "models/policy_life.h"

#define LIFE_NOBODY UINT32_MAX /* no version: the default answers */

struct life_binding {
    uint32_t now, before; /* versions; LIFE_NOBODY */
    bool fell;            /* `now` was ejected, and a step is on its way */
};

struct life_vm {
    struct life_binding own; /* with .bound */
    bool bound, seen;
    uint64_t in_flight;
    uint64_t answered[POLICY_VERSIONS + 1]; /* by version; the last: by the default */
};

struct life_held {
    sim_fn *again;
    void *ctx;
    uint64_t arg;
    uint32_t vm;
};

struct life_counts {
    uint64_t asked, answered, twice, held;
    uint64_t steps, replaced, undone, refused;
    sim_time held_most; /* how long the first one of a step waited, at most */
    sim_cost cpu;
};

struct life_job { /* the step under way */
    struct policy_step step;
    uint32_t from, to;
    sim_time since, holds_since;
    bool holding, draining;
    uint64_t in_flight; /* of those that are to drain */
    void *state;        /* what the old version saved */
    size_t bytes;
};

struct policy_life {
    const struct policy_plan *plan;
    struct policy_slot *alone;
    struct life_env env;
    struct life_costs k;
    struct carry carry;
    struct life_binding all; /* VMs without a binding of their own */
    struct life_vm *vm;      /* [vms] */
    uint32_t vms;
    bool loaded[POLICY_VERSIONS];
    struct policy_step *waiting; /* steps that are due, in order */
    size_t n_waiting, cap_waiting;
    bool busy;
    struct life_job job;
    struct life_held *held;
    size_t n_held, cap_held;
    struct life_counts n;
    int rc;
};

struct life_vm *life_vm(struct policy_life *l, uint32_t vm); /* NULL: out of memory, said */
struct life_binding *life_binding(struct policy_life *l, uint32_t vm);
bool life_concerns(const struct policy_life *l, uint32_t vm); /* the step under way is about it */
const char *life_label(const struct policy_life *l, uint32_t version);
void life_fail(struct policy_life *l, int rc);
/* A step that is due joins the queue. */
void life_due(struct policy_life *l, const struct policy_step *step);
void life_drained(struct policy_life *l); /* what was in flight has ended */
void life_say(struct policy_life *l, const char *kind, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

#endif
