/* balance_even.c - a waiting task moves if that evens the weights out.
 *
 * It looks at nothing else: not at caches, not at memory.  The trivial baseline
 * of balancing: no CPU is idle while a task waits, and tasks wander.        */
#include "stateless.h"

static int balance(void *self, const struct policy_balance_obs *o)
{
    (void)self;
    return o->src_load >= o->dst_load + 2 * (uint64_t)o->task.weight ||
                   (o->dst_idle != POLICY_BUSY && o->src_len > 1)
               ? POLICY_MIGRATE
               : POLICY_LEAVE;
}

POLICY(.name = "balance-even", .summary = "moves a waiting task if that evens the queues out",
       .create = stateless_create, .destroy = stateless_destroy, .cpu_balance = balance);
