/* backfill.c - when the first of the line can start, by the predicted ends of those that run. */
#include <stdlib.h>

#include "models/cluster/cluster_state.h"

static int by_end(const void *a, const void *b)
{
    const struct end *x = a, *y = b;
    if (x->at != y->at)
        return x->at < y->at ? -1 : 1;
    return x->slot < y->slot ? -1 : x->slot > y->slot;
}

void shadow_cast(struct cluster *s, uint32_t slot, struct shadow *sh)
{
    const struct policy_job *p = &s->job[slot].seen;
    const uint64_t need = (uint64_t)p->gpus_min * p->gpu_milli;
    uint64_t free = hosts_free(s);
    uint32_t i = 0;
    *sh = (struct shadow){.slot = slot, .at = SIM_NEVER};
    for (; i < s->running; i++)
        s->ends[i] = (struct end){run_predicted_end(s, &s->job[s->ran[i]]), s->ran[i]};
    qsort(s->ends, s->running, sizeof *s->ends, by_end);
    for (i = 0; i < s->running && free < need; i++) {
        free += s->job[s->ends[i].slot].milli;
        sh->at = s->ends[i].at;
    }
    sh->extra = free > need ? free - need : 0;
}

/* It ends before the first one starts, or leaves enough beside it. */
bool shadow_lets(const struct cluster *s, struct shadow *sh, uint32_t slot, bool take)
{
    const struct job *j = &s->job[slot];
    const uint64_t need = (uint64_t)j->seen.gpus_min * j->seen.gpu_milli;
    const sim_time now = sim_now(s->sim);
    const bool known = j->predicted_ns > 0;
    const uint64_t left = j->predicted_ns > j->saved_ns ? j->predicted_ns - j->saved_ns : 0;
    if (known && sh->at - now >= left + j->overhead_ns)
        return true;
    if (need > sh->extra)
        return false;
    if (take)
        sh->extra -= need;
    return true;
}
