/* round_robin.c - everyone in turn, for one slice.
 *
 * Who waited longest runs next; a running task keeps its CPU until its slice
 * ends or it blocks.  Equal turns for all: the trivial baseline, and close to
 * processor sharing when the slice is short.  It knows no weights, lets a task
 * that wakes wait for everyone before it, and pays a switch per slice.
 *
 * Parameters
 *   slice_ms  (4)                                                            */
#include "policy.h"
#include "sched_tasks.h"

static void pick(void *self, const struct policy_pick_obs *o, struct policy_pick *answer)
{
    struct sched *s = self;
    if (!sched_keeps(s, o, answer, s->param[0]))
        sched_answer(s, o, answer, sched_longest(o), s->param[0]);
}

POLICY(.name = "round-robin", .summary = "CPUs: everyone in turn, for one slice (baseline)",
       .create = sched_create_turns, .destroy = sched_destroy, .cpu_pick = pick);
