/* policy_exercise_select.c - VMs whose candidates do well or badly. */
#include "harness/policy/policy_exercise.h"

#define CANDIDATES 4

void exercise_select(struct exercise *x, uint32_t steps)
{
    static const char *const label[CANDIDATES] = {"a", "b", "c", "d"};
    for (uint32_t i = 0; i < steps; i++) {
        struct policy_candidate c[CANDIDATES];
        struct policy_select_obs o = {.vm = exercise_size(x, 64), .period = i, .candidate = c};
        o.n = x->small ? 1 : 1 + exercise_below(x, CANDIDATES);
        for (uint32_t k = 0; k < o.n; k++) {
            c[k] = (struct policy_candidate){.label = label[k],
                                             .answered = exercise_below(x, 100),
                                             .done = exercise_below(x, 3),
                                             .oracle_cost_ns = 1 + exercise_below(x, 1u << 30)};
            c[k].cost_ns = c[k].done * (1 + exercise_below(x, 1u << 30));
        }
        exercise_wait(x, 1000000000);
        o.now_ns = x->now_ns;
        o.hook = POLICY_HOOK_SERVE_BATCH;
        o.current = exercise_below(x, 10) ? exercise_below(x, o.n) : POLICY_NONE;
        o.context[0] = (float)exercise_size(x, 1000);
        o.context[1] = (float)exercise_size(x, 4096);
        o.context[2] = (float)exercise_below(x, 300) / 100;
        exercise_answer(x, policy_slot_select(x->slot, &o));
    }
}
