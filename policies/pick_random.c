/* pick_random.c - any runnable task, for one slice: the trivial baseline at cpu.pick.
 *
 * A running task keeps its CPU until its slice ends or it blocks.
 *
 * Parameters
 *   slice_ms  (4)                                                            */
#include "policy.h"
#include "sched_tasks.h"

static void pick(void *self, const struct policy_pick_obs *o, struct policy_pick *answer)
{
    struct sched *s = self;
    if (!sched_keeps(s, o, answer, s->param[0]))
        sched_answer(s, o, answer, (uint32_t)(s->h->random(s->h->host) % o->n), s->param[0]);
}

POLICY(.name = "pick-random", .summary = "CPUs: any runnable task, for a slice",
       .create = sched_create_turns, .destroy = sched_destroy, .cpu_pick = pick);
