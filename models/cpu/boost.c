#include "models/cpu/boost.h"

static bool may_be_next(struct boost_vcpu *v)
{
    if (!cpu_task_waits(v->task))
        return false;
    if (!v->gave_way)
        return true;
    v->eligible = !v->eligible;
    return !v->eligible; /* it was */
}

bool boost_spins(struct boost *b, struct boost_vcpu *me)
{
    for (uint32_t i = 1; i <= b->n; i++) {
        uint32_t at = (b->last + i) % b->n;
        struct boost_vcpu *v = b->vcpu[at];
        if (v == me || !may_be_next(v))
            continue;
        b->last = at;
        me->gave_way = true;
        cpu_task_yield_to(me->task, v->task);
        return true;
    }
    return false;
}

void boost_runs(struct boost_vcpu *v)
{
    v->gave_way = v->eligible = false;
}
