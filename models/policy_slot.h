/* policy_slot.h - a loaded policy behind its guard.
 *
 * The guard asks the policy, checks the answer, counts, and ejects: from the
 * first bad answer on, the default (first come first served, admit) answers.
 * A crash or an endless loop ends the worker process; `beat` (shared with the
 * parent) then says which decision it was, and the trial is run again with
 * eject_at set to it, so that the ejection itself is deterministic.         */
#ifndef MODELS_POLICY_SLOT_H
#define MODELS_POLICY_SLOT_H

#include <stdbool.h>
#include <stdint.h>

#include "policies/policy.h"
#include "sim/measures.h"

/* In memory shared between a worker and its parent. */
struct policy_beat {
    volatile uint64_t decision; /* the call now in progress, or the last one */
    volatile uint32_t inside;   /* 1 while the policy's code runs */
};

enum eject_kind { EJECT_NONE, EJECT_BAD_ANSWER, EJECT_CRASH, EJECT_TIMEOUT, EJECT_CREATE };

struct policy_slot {
    const struct policy_ops *ops; /* NULL: defaults only */
    void *self;
    const char *label;            /* as the experiment names this variant */
    struct policy_beat *beat;     /* NULL: nobody watches */
    uint64_t eject_at;            /* decision number known to crash or hang; UINT64_MAX: none */
    enum eject_kind eject_why;    /* for eject_at: crash or timeout */
    const char *eject_text;       /* "signal 11 (Segmentation fault)", borrowed */

    /* filled by the guard */
    uint64_t decisions, bad_answers;
    enum eject_kind ejected;
    sim_time ejected_at;
    struct measures *out;         /* where the incident goes; set by the model */
};

int policy_slot_admit(struct policy_slot *p, const struct policy_admit_obs *o);       /* verdict */
int64_t policy_slot_batch(struct policy_slot *p, const struct policy_batch_obs *o);   /* key */
void policy_slot_done(struct policy_slot *p, const struct policy_done *d);

#endif
