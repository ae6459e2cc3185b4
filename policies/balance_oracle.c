/* balance_oracle.c - a task moves if its burst is done sooner there, told when that is.
 *
 * What is told counts what the others on either CPU have left, cold caches and
 * memory far away, but nobody who comes later.  Greedy: each task moves to its
 * own advantage, not to everybody's, and nothing is known of the bursts that
 * follow.
 */
#include "stateless.h"

static int balance(void *self, const struct policy_balance_obs *o)
{
    (void)self;
    return o->oracle_dst_ns < o->oracle_src_ns ? POLICY_MIGRATE : POLICY_LEAVE;
}

POLICY(.name = "balance-oracle",
       .summary = "moves a task to where its burst is done sooner (oracle)", .oracle = 1,
       .create = stateless_create, .destroy = stateless_destroy, .cpu_balance = balance);
