#include "models/policy_slot.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>

/* The incident is kept as a note until there are measures to put it in:
 * create runs before the model does. */
static void note(struct policy_slot *p)
{
    if (!p->out || p->noted || p->ejected == EJECT_NONE)
        return;
    p->noted = true;
    measures_incident(p->out, "ejected", p->label ? p->label : "policy", p->ejected_at,
                      p->ejected_call, p->eject_note);
}

static void eject(struct policy_slot *p, enum eject_kind kind, sim_time now)
{
    assert(p->ejected == EJECT_NONE && kind != EJECT_NONE && p->calls > 0);
    p->ejected = kind;
    p->ejected_at = now;
    p->ejected_call = p->calls - 1;
    note(p);
}

static void eject_known(struct policy_slot *p, const char *hook, sim_time now)
{
    const char *text = p->eject_text ? p->eject_text : "no more is known";
    if (p->eject_why == EJECT_TIMEOUT)
        snprintf(p->eject_note, sizeof p->eject_note, "%s did not return: %.120s", hook, text);
    else
        snprintf(p->eject_note, sizeof p->eject_note, "%s crashed: %.120s", hook, text);
    eject(p, p->eject_why, now);
}

/* Numbers the call and raises the flag; false when this very call is the one
 * that ended a worker before.  The flag is up only while foreign code runs. */
static bool enter(struct policy_slot *p, const char *hook, sim_time now)
{
    uint64_t call = p->calls++;
    if (p->eject_why != EJECT_NONE && call == p->eject_at) {
        eject_known(p, hook, now);
        return false;
    }
    if (p->beat) {
        p->beat->decision = call;
        p->beat->inside = 1;
    }
    return true;
}

static void leave(struct policy_slot *p)
{
    if (p->beat)
        p->beat->inside = 0;
}

static bool asked(struct policy_slot *p)
{
    if (!p || !p->ops)
        return false;
    note(p);
    return p->ejected == EJECT_NONE;
}

void policy_slot_create(struct policy_slot *p, const struct policy_host *h,
                        const char *(*why)(void *ctx), void *ctx)
{
    assert(p->calls == 0 && "created twice");
    if (!p->ops || !enter(p, "create", 0))
        return;
    int rc = p->ops->create(&p->self, h);
    leave(p);
    if (!rc)
        return;
    const char *said = why ? why(ctx) : NULL;
    snprintf(p->eject_note, sizeof p->eject_note, "create failed: %.160s",
             said ? said : "it did not say why");
    eject(p, EJECT_CREATE, 0);
}

void policy_slot_destroy(struct policy_slot *p)
{
    if (!p || !p->ops)
        return;
    note(p);
    /* A state that create refused, or that crashed on the last attempt, is not touched. */
    if (p->ejected != EJECT_NONE && p->ejected != EJECT_BAD_ANSWER)
        return;
    bool out_already = p->ejected != EJECT_NONE;
    if (out_already && p->eject_why != EJECT_NONE && p->calls == p->eject_at)
        return; /* leaving crashed it as well: nothing more to say */
    if (!enter(p, "destroy", 0))
        return;
    p->ops->destroy(p->self);
    leave(p);
    p->self = NULL;
}

int policy_slot_admit(struct policy_slot *p, const struct policy_admit_obs *o)
{
    if (!asked(p) || !p->ops->serve_admit)
        return POLICY_ADMIT;
    struct policy_admit_obs seen = *o;
    if (!p->ops->oracle)
        seen.request.oracle_output_tokens = 0;
    if (!enter(p, "serve_admit", o->server.now_ns))
        return POLICY_ADMIT;
    int verdict = p->ops->serve_admit(p->self, &seen);
    leave(p);
    p->decisions++;
    if (verdict == POLICY_ADMIT || verdict == POLICY_REJECT)
        return verdict;
    p->bad_answers++;
    snprintf(p->eject_note, sizeof p->eject_note,
             "serve_admit answered %d, want 0 (admit) or 1 (reject)", verdict);
    eject(p, EJECT_BAD_ANSWER, o->server.now_ns);
    return POLICY_ADMIT;
}

int64_t policy_slot_batch(struct policy_slot *p, const struct policy_batch_obs *o)
{
    if (!asked(p) || !p->ops->serve_batch)
        return 0; /* all alike: first come, first served */
    struct policy_batch_obs seen = *o;
    if (!p->ops->oracle)
        seen.request.oracle_output_tokens = 0;
    if (!enter(p, "serve_batch", o->server.now_ns))
        return 0;
    int64_t key = p->ops->serve_batch(p->self, &seen);
    leave(p);
    p->decisions++;
    if (key >= -POLICY_KEY_MAX && key <= POLICY_KEY_MAX)
        return key;
    p->bad_answers++;
    snprintf(p->eject_note, sizeof p->eject_note,
             "serve_batch answered key %" PRId64 ", want one within +-%" PRId64, key,
             POLICY_KEY_MAX);
    eject(p, EJECT_BAD_ANSWER, o->server.now_ns);
    return 0;
}

void policy_slot_done(struct policy_slot *p, const struct policy_done *d)
{
    if (!asked(p) || !p->ops->serve_done)
        return;
    struct policy_done seen = *d;
    if (!p->ops->oracle)
        seen.request.oracle_output_tokens = 0;
    if (!enter(p, "serve_done", d->now_ns))
        return;
    p->ops->serve_done(p->self, &seen);
    leave(p);
}

void policy_slot_report(struct policy_slot *p, struct measures *out)
{
    if (p) {
        p->out = out;
        note(p);
    }
    measures_number(out, "policy_decisions", "1", BETTER_NONE, p ? (double)p->decisions : 0);
    measures_number(out, "ejected", "1", BETTER_LESS, p && p->ejected != EJECT_NONE);
}
