/* policy_io.c - the guard at io.steer. */
#include "models/policy_guard.h"

uint32_t policy_slot_steer(struct policy_slot *p, const struct policy_steer_obs *o)
{
    if (!slot_asks(p) || !p->ops->io_steer || !slot_enter(p, "io_steer", o->now_ns))
        return o->home;
    struct policy_steer_obs seen = *o;
    if (!p->ops->oracle)
        seen.oracle_latency_ns = NULL;
    uint32_t device = p->ops->io_steer(p->self, &seen);
    slot_leave(p);
    p->decisions++;
    if (device < o->n)
        return device;
    slot_bad(p, o->now_ns, "io_steer answered device %u, want one of %u", device, o->n);
    return o->home;
}

void policy_slot_io_done(struct policy_slot *p, const struct policy_io_done *d)
{
    if (!slot_asks(p) || !p->ops->io_done || !slot_enter(p, "io_done", d->now_ns))
        return;
    p->ops->io_done(p->self, d);
    slot_leave(p);
}
