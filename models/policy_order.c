/* policy_order.c - the guard at cluster.order. */
#include <inttypes.h>

#include "models/policy_guard.h"

static bool good_again(struct policy_slot *p, const struct policy_order_obs *o,
                       const struct policy_order *a)
{
    const uint64_t now = o->cluster.now_ns, had = o->job.service_ns;
    if (a->at_service_ns && a->at_service_ns < had + POLICY_ORDER_MIN)
        slot_bad(p, now,
                 "cluster_order wants to be asked at a service of %" PRIu64
                 " ns, want %u more than the %" PRIu64 " that it had",
                 a->at_service_ns, POLICY_ORDER_MIN, had);
    else if (a->after_ns && a->after_ns < POLICY_ORDER_MIN)
        slot_bad(p, now, "cluster_order wants to be asked after %" PRIu64 " ns, want %u",
                 a->after_ns, POLICY_ORDER_MIN);
    else if (a->follows_sharing > 1)
        slot_bad(p, now, "cluster_order answered follows_sharing %u, want 0 or 1",
                 a->follows_sharing);
    else
        return true;
    return false;
}

void policy_slot_order(struct policy_slot *p, const struct policy_order_obs *o,
                       struct policy_order *answer)
{
    *answer = (struct policy_order){0};
    if (!slot_asks(p) || !p->ops->cluster_order)
        return;
    struct policy_order_obs seen = *o;
    if (!p->ops->oracle)
        seen.job.oracle_ns = 0;
    if (!slot_enter(p, "cluster_order", o->cluster.now_ns))
        return;
    p->ops->cluster_order(p->self, &seen, answer);
    slot_leave(p);
    p->decisions++;
    if (answer->key < -POLICY_KEY_MAX || answer->key > POLICY_KEY_MAX)
        slot_bad(p, o->cluster.now_ns,
                 "cluster_order answered key %" PRId64 ", want one within +-%" PRId64, answer->key,
                 POLICY_KEY_MAX);
    else if (good_again(p, o, answer))
        return;
    *answer = (struct policy_order){0};
}

void policy_slot_job_done(struct policy_slot *p, const struct policy_job_done *d)
{
    if (!slot_asks(p) || !p->ops->cluster_done || !slot_enter(p, "cluster_done", d->now_ns))
        return;
    p->ops->cluster_done(p->self, d);
    slot_leave(p);
}
