/* balance_linux.h - the answer of balance_linux.c, for it and for those who learn from it. */
#ifndef POLICIES_BALANCE_LINUX_H
#define POLICIES_BALANCE_LINUX_H

#include "policy.h"

#define BALANCE_WARM_NS 500000 /* sysctl_sched_migration_cost */
#define BALANCE_TRIES   1      /* cache_nice_tries of a node's domain */

/* 1: it gets nearer to its memory, -1: farther away. */
static inline int balance_nearer(const struct policy_balance_obs *o)
{
    if (o->home_node == POLICY_NONE || o->src.node == o->dst.node)
        return 0;
    return (o->dst.node == o->home_node) - (o->src.node == o->home_node);
}

static inline int balance_warm(const struct policy_balance_obs *o, double warm_ns)
{
    return o->task.cpu != POLICY_NONE && (double)o->since_ran_ns < warm_ns;
}

static inline int balance_linux_answer(const struct policy_balance_obs *o, double warm_ns,
                                       double tries)
{
    const int evens = o->src_load >= o->dst_load + 2 * (uint64_t)o->task.weight;
    if (!evens && (o->dst_idle == POLICY_BUSY || o->src_len < 2))
        return POLICY_LEAVE;
    if (balance_nearer(o) > 0 || o->failed > tries)
        return POLICY_MIGRATE;
    return balance_nearer(o) < 0 || balance_warm(o, warm_ns) ? POLICY_LEAVE : POLICY_MIGRATE;
}

#endif
