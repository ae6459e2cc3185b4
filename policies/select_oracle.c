/* select_oracle.c - the candidate that serves this VM best when it answers all the time.
 *
 * It is told by runs made before: the best fixed choice per VM, known in
 * advance.  A bound for selectors that have to find out.                     */
#include "stateless.h"

static uint32_t choose(void *self, const struct policy_select_obs *o)
{
    uint32_t best = o->current;
    (void)self;
    for (uint32_t i = 0; i < o->n; i++) {
        const uint64_t cost = o->candidate[i].oracle_cost_ns;
        if (cost && (best == POLICY_NONE || cost < o->candidate[best].oracle_cost_ns))
            best = i;
    }
    return best;
}

POLICY(.name = "select-oracle", .summary = "per VM: the best fixed candidate, known in advance",
       .oracle = 1, .create = stateless_create, .destroy = stateless_destroy,
       .policy_select = choose);
