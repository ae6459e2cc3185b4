/* policy_life_state.h - the inside of policy_life*.c. */
#ifndef MODELS_POLICY_LIFE_STATE_H
#define MODELS_POLICY_LIFE_STATE_H

#include "models/policy_life.h"

#define LIFE_NOBODY UINT32_MAX /* no version: the default answers */

struct life_binding {
    uint32_t now, before; /* versions; LIFE_NOBODY */
    bool fell;            /* `now` was ejected, and a step is on its way */
};

struct life_sum {
    uint64_t n;
    double sum, sq;
};

struct life_period { /* of a VM, between two questions to the selector */
    uint64_t asked;
    double size, size_sq;
    struct {
        uint64_t answered, done, cost;
    } of[POLICY_VERSIONS];
};

struct life_guard {
    uint64_t asked;
    struct life_sum ours, base;
    bool fallen;
};

struct life_window {
    struct sketch *decision, *cost;
};

struct life_vm {
    struct life_binding own; /* with .bound */
    bool bound, seen;
    uint64_t in_flight;
    uint64_t answered[POLICY_VERSIONS + 1]; /* by version; the last: by the default */
    struct life_sum all[POLICY_VERSIONS];
    struct life_period period;
    struct life_guard guard;
};

struct life_held {
    sim_fn *again;
    void *ctx;
    uint64_t arg;
    uint32_t vm;
};

struct life_counts {
    uint64_t asked, answered, twice, held;
    uint64_t steps, replaced, undone, refused, selected, switched, judged, said;
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
    uint32_t loads[POLICY_VERSIONS];
    struct policy_step *waiting; /* steps that are due, in order */
    size_t n_waiting, cap_waiting;
    bool busy;
    sim_time stalls_until; /* at_once: who asks before waits */
    struct life_job job;
    struct life_held *held;
    size_t n_held, cap_held;
    struct life_counts n;
    struct life_window window[POLICY_WINDOWS];
    bool armed; /* the end of a period is booked */
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
sim_time life_charge(struct policy_life *l, sim_cost ps, sim_fn *next); /* ns that it takes */
/* policy_life_learn.c */
void life_asked(struct policy_life *l, struct life_vm *v, const struct policy_ticket *t);
uint32_t life_choose(struct policy_life *l, struct life_vm *v, uint32_t now); /* or the baseline */
void life_window_answer(struct policy_life *l, const struct policy_ticket *t);
bool life_windows_open(struct policy_life *l);
void life_windows_close(struct policy_life *l);
void life_windows_report(struct policy_life *l);
void life_say(struct policy_life *l, const char *kind, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

#endif
