/* policy_serve.c - the guard at serve.admit, serve.batch. */
#include <inttypes.h>

#include "models/policy_guard.h"

int policy_slot_admit(struct policy_slot *p, const struct policy_admit_obs *o)
{
    if (!slot_asks(p) || !p->ops->serve_admit)
        return POLICY_ADMIT;
    struct policy_admit_obs seen = *o;
    if (!p->ops->oracle)
        seen.request.oracle_output_tokens = 0;
    if (!slot_enter(p, "serve_admit", o->server.now_ns))
        return POLICY_ADMIT;
    int verdict = p->ops->serve_admit(p->self, &seen);
    slot_leave(p);
    p->decisions++;
    if (verdict == POLICY_ADMIT || verdict == POLICY_REJECT)
        return verdict;
    slot_bad(p, o->server.now_ns, "serve_admit answered %d, want 0 (admit) or 1 (reject)", verdict);
    return POLICY_ADMIT;
}

int64_t policy_slot_batch(struct policy_slot *p, const struct policy_batch_obs *o)
{
    if (!slot_asks(p) || !p->ops->serve_batch)
        return 0; /* all alike: first come, first served */
    struct policy_batch_obs seen = *o;
    if (!p->ops->oracle)
        seen.request.oracle_output_tokens = 0;
    if (!slot_enter(p, "serve_batch", o->server.now_ns))
        return 0;
    int64_t key = p->ops->serve_batch(p->self, &seen);
    slot_leave(p);
    p->decisions++;
    if (key >= -POLICY_KEY_MAX && key <= POLICY_KEY_MAX)
        return key;
    slot_bad(p, o->server.now_ns,
             "serve_batch answered key %" PRId64 ", want one within +-%" PRId64, key,
             POLICY_KEY_MAX);
    return 0;
}

void policy_slot_done(struct policy_slot *p, const struct policy_done *d)
{
    if (!slot_asks(p) || !p->ops->serve_done)
        return;
    struct policy_done seen = *d;
    if (!p->ops->oracle)
        seen.request.oracle_output_tokens = 0;
    if (!slot_enter(p, "serve_done", d->now_ns))
        return;
    p->ops->serve_done(p->self, &seen);
    slot_leave(p);
}
