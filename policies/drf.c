/* drf.c - dominant resource fairness: the user with the smallest dominant share goes first.
 *
 * Ghodsi et al. (NSDI'11): progressive filling of the largest of each user's
 * shares of GPUs, processors and memory.  Nobody is pushed out; shares even out
 * as jobs end.  Where the trace names no users, groups stand for them.        */
#include "stateless.h"

static void order(void *self, const struct policy_order_obs *o, struct policy_order *answer)
{
    (void)self;
    answer->key = o->user_micro;
    answer->follows_sharing = 1;
}

POLICY(.name = "drf", .summary = "the user with the smallest dominant share first",
       .create = stateless_create, .destroy = stateless_destroy, .cluster_order = order);
