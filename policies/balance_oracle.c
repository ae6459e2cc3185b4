/* balance_oracle.c - a task moves if the work before it is less there, by what is truly left.
 *
 * Told how long every runnable task will still run until it blocks, it moves
 * one whose wait here, what the others on its CPU have left, is longer than its
 * wait there and what moving costs: refilling caches, and running away from its
 * memory.  Both costs are parameters, for a policy does not see the machine's.
 * Greedy: it knows the bursts under way and nothing of those that follow.
 *
 * Parameters
 *   cold_us   (50)    of refilling caches after a move, 0..1e6
 *   remote    (0.4)   slowdown away from its memory, 0..10                  */
#include <stdlib.h>

#include "policy.h"

struct oracle {
    double cold_ns, remote;
};

static int create(void **self, const struct policy_host *h)
{
    struct oracle *s = calloc(1, sizeof *s);
    if (!s) {
        h->log(h->host, "out of memory");
        return -1;
    }
    s->cold_ns = 1e3 * h->param(h->host, "cold_us", 50);
    s->remote = h->param(h->host, "remote", 0.4);
    if (s->cold_ns >= 0 && s->cold_ns <= 1e9 && s->remote >= 0 && s->remote <= 10) {
        *self = s;
        return 0;
    }
    h->log(h->host, "want cold_us 0..1000000 and remote 0..10");
    free(s);
    return -1;
}

static void destroy(void *self)
{
    free(self);
}

/* How much longer its own work takes on a node. */
static double astray(const struct oracle *s, const struct policy_balance_obs *o, uint32_t node)
{
    return o->home_node == POLICY_NONE || o->home_node == node
               ? 0
               : s->remote * (double)o->task.oracle_left_ns;
}

static int balance(void *self, const struct policy_balance_obs *o)
{
    const struct oracle *s = self;
    const double own = (double)o->task.oracle_left_ns;
    const double here = (double)o->oracle_src_ns - own + astray(s, o, o->src.node);
    const double there = (double)o->oracle_dst_ns + s->cold_ns + astray(s, o, o->dst.node);
    return there < here ? POLICY_MIGRATE : POLICY_LEAVE;
}

POLICY(.name = "balance-oracle", .summary = "moves a task to where less work is left (oracle)",
       .oracle = 1, .create = create, .destroy = destroy, .cpu_balance = balance);
