/* policy_life.h - the policies of one hook while the machine runs.
 *
 * Without a plan one policy answers from the first question to the last, and
 * this costs nothing.  A plan (from the experiment) names the versions that a
 * hook may have, and steps that load, replace, unload or roll back at times of
 * the run, for all VMs or for one.  A step takes its way through the machine:
 * who asks for it (a script, or a guest's hypercall), loading, draining the
 * decisions in flight, handing the state over, the replacement itself,
 * unloading; each costs time on a core.  Steps go one after the other.
 *
 * Where an answer is needed in the middle of something (at_once), nothing is ever in
 * flight: the new version is there as soon as it is loaded, and who asks before
 * its replacement is paid for waits for the rest of that (policy_life_now).
 *
 * While a step drains, new decisions wait (quiesce), or the old version goes
 * on to answer them.  Either way each is answered once: a ticket goes with it.
 * A version that crashes or refuses in create, or crashes in restore, never
 * answers: the old one stays.  One that is ejected later makes room for the
 * one before it, if that is still there.                                     */
#ifndef MODELS_POLICY_LIFE_H
#define MODELS_POLICY_LIFE_H

#include "models/cores.h"
#include "models/policy_slot.h"
#include "models/stack.h"

#define POLICY_VERSIONS 16 /* of one hook, over a whole run */
#define POLICY_STEPS    32
#define POLICY_VMS      4096 /* those with higher numbers share what the last one has */

enum life_what { LIFE_LOAD, LIFE_REPLACE, LIFE_UNLOAD, LIFE_ROLLBACK };
enum life_by { LIFE_BY_SCRIPT, LIFE_BY_HYPERCALL, LIFE_BY_SELECT, LIFE_BY_GUARD, LIFE_BY_EJECTION };

struct policy_step {
    sim_time at;
    enum life_what what;
    enum life_by by;
    uint32_t to; /* a version: load, replace */
    uint32_t vm; /* POLICY_NONE: all that have no binding of their own */
    bool quiesce, hand;
};

/* Of every so many decisions of a VM the baseline answers one.  When both have been known `window`
 * times, and the mean cost of the one that answers is `worse` times the baseline's and two standard
 * errors above it, the baseline takes over. */
struct policy_guard {
    uint32_t every; /* 0: there is no guard */
    uint32_t baseline, window;
    double worse;
};

#define POLICY_WINDOWS 40

struct policy_plan {
    enum policy_hook hook;
    uint32_t n, n_step;
    struct policy_slot *version[POLICY_VERSIONS]; /* the first answers from the start */
    const char *label[POLICY_VERSIONS];
    bool standing[POLICY_VERSIONS]; /* loaded before the run; the others when a step wants them */
    struct policy_step step[POLICY_STEPS]; /* in order of time */
    uint32_t n_per_vm;                     /* VMs that begin with a binding of their own */
    struct {
        uint32_t vm, version;
    } per_vm[POLICY_VERSIONS];
    struct policy_slot *select; /* asked every select_ns which of the first select_of answers */
    sim_time select_ns;
    uint32_t select_of;
    struct policy_guard guard;
    /* Latencies by window of time: the measures decision_p50.w00 .. cost_p99.w39. */
    sim_time window_from, window_ns;
    uint32_t windows;
    /* Mean cost of a VM where this version answers all the time, ns; NULL: nobody knows. */
    uint64_t (*foreseen)(void *ctx, uint32_t version, uint32_t vm);
    /* Told in the end what the first version's decisions cost each VM in the mean; may be NULL. */
    void (*learns)(void *ctx, uint32_t vm, double mean);
    /* Creates the version behind its guard, or destroys it; a failure is the trial's. */
    int (*create)(void *ctx, uint32_t version, struct err *e);
    int (*retire)(void *ctx, uint32_t version, struct err *e);
    void *ctx;
};

bool policy_plan_oracle(const struct policy_plan *plan); /* a version is one; NULL: none */

/* What a step asks of the machine. */
struct life_costs {
    sim_cost script, hypercall, load, replace, unload, page, select;
};
int life_costs(struct life_costs *k, const struct policy_step *step, uint32_t n_step, bool selects,
               const struct stack *stack, struct machine_use *use, struct err *e) MUST_CHECK;

struct life_env {
    struct sim *sim;
    struct cores *cpu; /* NULL: `charge` is asked */
    /* Work of so many ns for the machine, then next(arg, n); false: out of memory. */
    bool (*charge)(void *ctx, sim_time ns, sim_fn *next, void *arg, uint64_t n);
    bool at_once; /* policy_life_now only */
    const struct stack *stack;
    struct machine_use *use;
    struct measures *out;
    void (*begins)(void *ctx); /* a step is about to take time of a core; NULL: nobody minds */
    /* Bytes that a newcomer is told of the state of the machine, handed over like that of its
     * predecessor; NULL: none. */
    size_t (*tells)(void *ctx);
    /* Another version answers from now on, for this VM; POLICY_NONE: for those without a binding of
     * their own.  NULL: nothing that was answered goes stale. */
    void (*changed)(void *ctx, uint32_t vm);
    void *ctx;
    struct err *e;
};

/* One decision; zero it before the first question, but for its size. */
struct policy_ticket {
    enum { TICKET_NEW, TICKET_HELD, TICKET_OPEN, TICKET_DONE } state;
    uint32_t version; /* that answers it: policy_life_of */
    sim_time asked;
    double size; /* of what is asked about, for selectors: tokens, bytes */
};

struct policy_life;
/* plan NULL: `alone` (may be NULL too) answers for ever. */
int policy_life_open(struct policy_life **l, const struct policy_plan *plan,
                     struct policy_slot *alone, const struct life_env *env,
                     struct err *e) MUST_CHECK;
void policy_life_free(struct policy_life *l);

struct policy_slot *policy_life_slot(const struct policy_life *l, uint32_t vm); /* answers now */
uint32_t policy_life_version(const struct policy_life *l, uint32_t vm);
struct policy_slot *policy_life_of(const struct policy_life *l, uint32_t version);
/* How often it was created so far. */
uint32_t policy_life_loads(const struct policy_life *l, uint32_t version);
bool policy_life_any(const struct policy_life *l);  /* there is a policy, or will be */
bool policy_life_busy(const struct policy_life *l); /* a step is under way */

/* A decision is asked for.  false: it waits for a step; again(ctx, arg) comes when it may be asked
 * for, with the same ticket.  true: ask policy_life_of the ticket's version, and say so when its
 * answer takes effect.
 */
bool policy_life_ask(struct policy_life *l, uint32_t vm, struct policy_ticket *t, sim_fn *again,
                     void *ctx, uint64_t arg);
void policy_life_answered(struct policy_life *l, uint32_t vm, struct policy_ticket *t);
/* Both in one, for who goes on at once: whom to ask now, and then that the answer was given. *wait:
 * ns that the decision waits for a step.  With a plan only. */
struct policy_slot *policy_life_now(struct policy_life *l, uint32_t vm, struct policy_ticket *t,
                                    sim_time *wait);
/* at_once: ns that a decision asked for now would wait; it does if it is not 0. */
sim_time policy_life_stall(struct policy_life *l);
void policy_life_said(struct policy_life *l, uint32_t vm, struct policy_ticket *t);
/* Who asked is gone, with a question that was asked for or is under way, or with none. */
void policy_life_gone(struct policy_life *l, uint32_t vm, struct policy_ticket *t);
/* What came of it, when that is known: the latency of the request or read. */
void policy_life_done(struct policy_life *l, uint32_t vm, const struct policy_ticket *t,
                      sim_time cost);
/* Whether somebody else answers by now than the version that answered once. */
bool policy_life_stale(const struct policy_life *l, uint32_t vm, uint32_t version);
double policy_life_mean(const struct policy_life *l, uint32_t vm, uint32_t version); /* cost, ns */
/* After a question or a feedback: an ejected version makes room for the one before it. */
void policy_life_watch(struct policy_life *l, uint32_t vm);

int policy_life_failed(const struct policy_life *l); /* a code; its sentence is in env.e */
void policy_life_report(struct policy_life *l);      /* nothing without a plan */

#endif
