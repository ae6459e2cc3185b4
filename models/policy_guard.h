/* policy_guard.h - how the guard calls into a policy; for models/policy_*.c.
 *
 *     if (!slot_asks(p) || !p->ops->hook || !slot_enter(p, "hook", now)) return DEFAULT;
 *     answer = p->ops->hook(p->self, o);
 *     slot_leave(p);
 *     if (good) return answer;
 *     slot_bad(p, now, "hook answered %u, want ..", answer); return DEFAULT;      */
#ifndef MODELS_POLICY_GUARD_H
#define MODELS_POLICY_GUARD_H

#include "models/policy_slot.h"

/* The incident is kept as a note until there are measures to put it in. */
void slot_note(struct policy_slot *p);
/* The call numbered eject_at is about to be made. */
void slot_eject_known(struct policy_slot *p, const char *hook, sim_time now);

/* There is a policy and it was not ejected. */
static inline bool slot_asks(struct policy_slot *p)
{
    if (!p || !p->ops)
        return false;
    if (p->ejected == EJECT_NONE)
        return true;
    slot_note(p);
    return false;
}

/* Numbers the call and raises the flag; false when this very call is the one that ended a
 * worker before.  The flag is up only while foreign code runs.  Inline: a replay of pages makes
 * tens of millions of calls per second. */
static inline bool slot_enter(struct policy_slot *p, const char *hook, sim_time now)
{
    uint64_t call = p->calls++;
    if (__builtin_expect(p->eject_why != EJECT_NONE && call == p->eject_at, 0)) {
        slot_eject_known(p, hook, now);
        return false;
    }
    if (p->beat) {
        p->beat->decision = call;
        p->beat->inside = 1 + p->number;
    }
    return true;
}

static inline void slot_leave(struct policy_slot *p)
{
    if (p->beat)
        p->beat->inside = 0;
}

void slot_eject(struct policy_slot *p, enum eject_kind kind, sim_time now);
/* A bad answer: counts, notes the sentence, ejects. */
void slot_bad(struct policy_slot *p, sim_time now, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

#endif
