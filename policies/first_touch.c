/* first_touch.c - a page stays on the tier where it was first touched.
 *
 * What a host does without a policy, with the period's cost of asking: the
 * yardstick of every policy that moves pages.                               */
#include "stateless.h"

static void place(void *self, const struct policy_place_obs *o, uint32_t *tier)
{
    (void)self, (void)o, (void)tier; /* it comes filled with where everything is */
}

POLICY(.name = "first-touch", .summary = "tiers: pages stay where they were first touched",
       .create = stateless_create, .destroy = stateless_destroy, .mem_place = place);
