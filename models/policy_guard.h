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

/* There is a policy and it was not ejected. */
bool slot_asks(struct policy_slot *p);
/* Numbers the call and raises the flag; false when this very call is the one that ended a
 * worker before.  The flag is up only while foreign code runs. */
bool slot_enter(struct policy_slot *p, const char *hook, sim_time now);
void slot_leave(struct policy_slot *p);
void slot_eject(struct policy_slot *p, enum eject_kind kind, sim_time now);
/* A bad answer: counts, notes the sentence, ejects. */
void slot_bad(struct policy_slot *p, sim_time now, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

#endif
