/* oracle_steer.c - knows how long each replica would take; the bound for the others.
 *
 * Greedy: best for this read, which need not be best for all. */
#include "stateless.h"

static uint32_t steer(void *self, const struct policy_steer_obs *o)
{
    (void)self;
    uint32_t best = o->home;
    for (uint32_t i = 0; i < o->n; i++)
        if (!(o->tried & (UINT32_C(1) << i)) &&
            o->oracle_latency_ns[i] < o->oracle_latency_ns[best])
            best = i;
    return best;
}

POLICY(.name = "oracle-steer", .summary = "reads go where they are soonest done (knows the queues)",
       .oracle = 1, .create = stateless_create, .destroy = stateless_destroy, .io_steer = steer);
