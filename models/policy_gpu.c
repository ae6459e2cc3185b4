/* policy_gpu.c - the guard at gpu.dispatch, gpu.share. */
#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "models/policy_guard.h"

/* First come, first served, whole. */
static void longest_waiting(const struct policy_dispatch_obs *o, struct policy_dispatch *answer)
{
    uint32_t best = POLICY_NONE;
    for (uint32_t i = 0; i < o->n; i++)
        if (o->tenant[i].waiting &&
            (best == POLICY_NONE || o->tenant[i].ready_ns < o->tenant[best].ready_ns))
            best = i;
    *answer = (struct policy_dispatch){.tenant = best, .preempt = POLICY_NONE};
}

static bool anything_runs(const struct policy_dispatch_obs *o)
{
    for (uint32_t i = 0; i < o->n; i++)
        if (o->tenant[i].running)
            return true;
    return false;
}

static bool good_preempt(struct policy_slot *p, const struct policy_dispatch_obs *o,
                         const struct policy_dispatch *a)
{
    uint32_t who = a->preempt;
    if (who == POLICY_NONE)
        return true;
    if (who >= o->n)
        slot_bad(p, o->now_ns, "gpu_dispatch preempts tenant %u, want one of %u", who, o->n);
    else if (!o->tenant[who].running || who == a->tenant)
        slot_bad(p, o->now_ns, "gpu_dispatch preempts tenant %u, which %s", who,
                 who == a->tenant ? "it dispatches" : "has nothing running");
    else
        return true;
    return false;
}

static bool good_wait(struct policy_slot *p, const struct policy_dispatch_obs *o,
                      const struct policy_dispatch *a)
{
    if (a->again_ns && a->again_ns < POLICY_AGAIN_MIN)
        slot_bad(p, o->now_ns, "gpu_dispatch wants to be asked after %" PRIu64 " ns, want %u",
                 a->again_ns, POLICY_AGAIN_MIN);
    else if (!a->again_ns && !anything_runs(o))
        slot_bad(p, o->now_ns, "gpu_dispatch leaves the GPU idle while commands wait");
    else
        return true;
    return false;
}

static bool good_command(struct policy_slot *p, const struct policy_dispatch_obs *o,
                         const struct policy_dispatch *a)
{
    if (a->tenant >= o->n)
        slot_bad(p, o->now_ns, "gpu_dispatch answered tenant %u, want one of %u", a->tenant, o->n);
    else if (!o->tenant[a->tenant].waiting)
        slot_bad(p, o->now_ns, "gpu_dispatch answered tenant %u, which has nothing waiting",
                 a->tenant);
    else if (a->sms > o->sms)
        slot_bad(p, o->now_ns, "gpu_dispatch answered %u SMs, want at most %u", a->sms, o->sms);
    else if (a->piece_ns && a->piece_ns < POLICY_PIECE_MIN)
        slot_bad(p, o->now_ns, "gpu_dispatch answered pieces of %" PRIu64 " ns, want %u",
                 a->piece_ns, POLICY_PIECE_MIN);
    else
        return true;
    return false;
}

void policy_slot_dispatch(struct policy_slot *p, const struct policy_dispatch_obs *o,
                          struct policy_dispatch *answer)
{
    *answer = (struct policy_dispatch){.tenant = POLICY_NONE, .preempt = POLICY_NONE};
    if (slot_asks(p) && p->ops->gpu_dispatch && slot_enter(p, "gpu_dispatch", o->now_ns)) {
        p->ops->gpu_dispatch(p->self, o, answer);
        slot_leave(p);
        p->decisions++;
        bool waits = answer->tenant == POLICY_NONE;
        if (good_preempt(p, o, answer) &&
            (waits ? good_wait(p, o, answer) : good_command(p, o, answer)))
            return;
    }
    longest_waiting(o, answer);
}

void policy_slot_share(struct policy_slot *p, const struct policy_share_obs *o, uint32_t *milli)
{
    uint32_t answer[POLICY_GPU_TENANTS_MAX];
    assert(o->n <= POLICY_GPU_TENANTS_MAX);
    if (!slot_asks(p) || !p->ops->gpu_share || !slot_enter(p, "gpu_share", o->now_ns))
        return;
    memcpy(answer, milli, o->n * sizeof *milli);
    p->ops->gpu_share(p->self, o, answer);
    slot_leave(p);
    p->decisions++;
    for (uint32_t i = 0; i < o->n; i++)
        if (answer[i] < 1 || answer[i] > POLICY_MILLI) {
            slot_bad(p, o->now_ns, "gpu_share gave tenant %u a part of %u, want 1 to %u", i,
                     answer[i], POLICY_MILLI);
            return;
        }
    memcpy(milli, answer, o->n * sizeof *milli);
}
