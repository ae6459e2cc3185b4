/* policy_cpu.c - the guard at cpu.pick, cpu.balance. */
#include <inttypes.h>

#include "models/policy_guard.h"

/* Round robin: a running task keeps the CPU until its slice ends; then the one that waited
 * longest. */
static void round_robin(const struct policy_pick_obs *o, struct policy_pick *answer)
{
    uint32_t best = POLICY_NONE;
    answer->slice_ns = POLICY_SLICE_DEFAULT;
    if (o->why == POLICY_WOKE && o->current != POLICY_NONE) {
        uint64_t on = o->task[o->current].on_ns;
        answer->task = o->current;
        if (on + POLICY_SLICE_MIN < POLICY_SLICE_DEFAULT)
            answer->slice_ns = POLICY_SLICE_DEFAULT - on;
        return;
    }
    for (uint32_t i = 0; i < o->n; i++)
        if (i != o->current &&
            (best == POLICY_NONE || o->task[i].ready_ns < o->task[best].ready_ns))
            best = i;
    answer->task = best == POLICY_NONE ? o->current : best;
}

static bool good_pick(struct policy_slot *p, const struct policy_pick_obs *o,
                      const struct policy_pick *a)
{
    if (a->task >= o->n)
        slot_bad(p, o->at.now_ns, "cpu_pick answered task %u, want one of %u", a->task, o->n);
    else if (a->slice_ns < POLICY_SLICE_MIN || a->slice_ns > POLICY_SLICE_MAX)
        slot_bad(p, o->at.now_ns,
                 "cpu_pick answered a slice of %" PRIu64 " ns, want %" PRIu64 " to %" PRIu64,
                 a->slice_ns, POLICY_SLICE_MIN, POLICY_SLICE_MAX);
    else
        return true;
    return false;
}

void policy_slot_pick(struct policy_slot *p, const struct policy_pick_obs *o,
                      struct policy_pick *answer)
{
    *answer = (struct policy_pick){.task = POLICY_NONE};
    if (slot_asks(p) && p->ops->cpu_pick && slot_enter(p, "cpu_pick", o->at.now_ns)) {
        p->ops->cpu_pick(p->self, o, answer);
        slot_leave(p);
        p->decisions++;
        if (good_pick(p, o, answer))
            return;
    }
    round_robin(o, answer);
}

int policy_slot_balance(struct policy_slot *p, const struct policy_balance_obs *o)
{
    int evens = o->src_len > o->dst_len + 1 ? POLICY_MIGRATE : POLICY_LEAVE;
    if (!slot_asks(p) || !p->ops->cpu_balance || !slot_enter(p, "cpu_balance", o->src.now_ns))
        return evens;
    struct policy_balance_obs seen = *o;
    if (!p->ops->oracle)
        seen.task.oracle_left_ns = seen.oracle_src_ns = seen.oracle_dst_ns = 0;
    int answer = p->ops->cpu_balance(p->self, &seen);
    slot_leave(p);
    p->decisions++;
    if (answer == POLICY_LEAVE || answer == POLICY_MIGRATE)
        return answer;
    slot_bad(p, o->src.now_ns, "cpu_balance answered %d, want 0 (leave) or 1 (migrate)", answer);
    return evens;
}
