/* balance_linux.c - the questions that Linux asks before it moves a task.
 *
 * Moving must even the weights out; a task that ran a moment ago keeps its CPU,
 * for its caches are warm; one whose memory is on the other node is welcome
 * there and one that would leave its memory stays.  After some attempts in a
 * row that moved nothing the queues matter more than that.  These are the
 * features of can_migrate_task that MLLB (APSys'20) taught a network; this is
 * the heuristic that it imitates.  A wrong idea of how long caches stay warm
 * leaves CPUs idle beside a queue.
 *
 * Source: kernel/sched/fair.c (can_migrate_task, task_hot,
 * migrate_degrades_locality).
 *
 * Parameters
 *   migration_cost_ms  (0.5)   caches count as warm for so long
 *   nice_tries         (1)     failed attempts before warm ones move all the same */
#include <stdlib.h>

#include "balance_linux.h"

struct linux_balance {
    double warm_ns, tries;
};

static int create(void **self, const struct policy_host *h)
{
    struct linux_balance *b = calloc(1, sizeof *b);
    if (!b) {
        h->log(h->host, "out of memory");
        return -1;
    }
    b->warm_ns = 1e6 * h->param(h->host, "migration_cost_ms", BALANCE_WARM_NS / 1e6);
    b->tries = h->param(h->host, "nice_tries", BALANCE_TRIES);
    if (b->warm_ns >= 0 && b->warm_ns <= 1e12 && b->tries >= 0 && b->tries <= 1e6) {
        *self = b;
        return 0;
    }
    h->log(h->host, "want migration_cost_ms 0..1000000 and nice_tries 0..1000000");
    free(b);
    return -1;
}

static void destroy(void *self)
{
    free(self);
}

static int balance(void *self, const struct policy_balance_obs *o)
{
    const struct linux_balance *b = self;
    return balance_linux_answer(o, b->warm_ns, b->tries);
}

POLICY(.name = "balance-linux", .summary = "moves a task as Linux does: warm caches, near memory",
       .create = create, .destroy = destroy, .cpu_balance = balance);
