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

static int create(void **self, const struct policy_host *h)
{
    struct sched *s = sched_create(h);
    *self = s;
    if (!s)
        return -1;
    s->param[0] = sched_param_ms(s, "slice_ms", 4);
    if (s->param[0] > 0)
        return 0;
    sched_destroy(s);
    return -1;
}

static void pick(void *self, const struct policy_pick_obs *o, struct policy_pick *answer)
{
    struct sched *s = self;
    double slice = s->param[0], on;
    if (o->why == POLICY_WOKE && o->current != POLICY_NONE) {
        on = (double)o->task[o->current].on_ns;
        if (on < slice) {
            sched_answer(s, o, answer, o->current, slice - on);
            return;
        }
    }
    sched_answer(s, o, answer, sched_longest(o), slice);
}

POLICY(.name = "round-robin", .summary = "CPUs: everyone in turn, for one slice (baseline)",
       .create = create, .destroy = sched_destroy, .cpu_pick = pick);
