#include "models/policy_guard.h"

#include <assert.h>
#include <stdarg.h>
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

void slot_eject(struct policy_slot *p, enum eject_kind kind, sim_time now)
{
    assert(p->ejected == EJECT_NONE && kind != EJECT_NONE && p->calls > 0);
    p->ejected = kind;
    p->ejected_at = now;
    p->ejected_call = p->calls - 1;
    note(p);
}

void slot_bad(struct policy_slot *p, sim_time now, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(p->eject_note, sizeof p->eject_note, fmt, ap);
    va_end(ap);
    p->bad_answers++;
    slot_eject(p, EJECT_BAD_ANSWER, now);
}

static void eject_known(struct policy_slot *p, const char *hook, sim_time now)
{
    const char *text = p->eject_text ? p->eject_text : "no more is known";
    if (p->eject_why == EJECT_TIMEOUT)
        snprintf(p->eject_note, sizeof p->eject_note, "%s did not return: %.120s", hook, text);
    else
        snprintf(p->eject_note, sizeof p->eject_note, "%s crashed: %.120s", hook, text);
    slot_eject(p, p->eject_why, now);
}

bool slot_enter(struct policy_slot *p, const char *hook, sim_time now)
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

void slot_leave(struct policy_slot *p)
{
    if (p->beat)
        p->beat->inside = 0;
}

bool slot_asks(struct policy_slot *p)
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
    if (!p->ops || !slot_enter(p, "create", 0))
        return;
    int rc = p->ops->create(&p->self, h);
    slot_leave(p);
    if (!rc)
        return;
    const char *said = why ? why(ctx) : NULL;
    snprintf(p->eject_note, sizeof p->eject_note, "create failed: %.160s",
             said ? said : "it did not say why");
    slot_eject(p, EJECT_CREATE, 0);
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
    if (!slot_enter(p, "destroy", 0))
        return;
    p->ops->destroy(p->self);
    slot_leave(p);
    p->self = NULL;
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
