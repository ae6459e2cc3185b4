#include "models/policy_guard.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

/* create runs before the model does: there are no measures yet. */
void slot_note(struct policy_slot *p)
{
    if (!p->out || p->noted || p->ejected == EJECT_NONE)
        return;
    p->noted = true;
    measures_incident(p->out, "ejected", p->label ? p->label : "policy", p->ejected_at,
                      p->ejected_call, p->eject_note);
}

void slot_eject(struct policy_slot *p, enum eject_kind kind, sim_time now)
{
    assert(p->ejected == EJECT_NONE && kind != EJECT_NONE && p->calls > 0);
    p->ejected = kind;
    p->ejected_at = now;
    p->ejected_call = p->calls - 1;
    slot_note(p);
}

void slot_bad(struct policy_slot *p, sim_time now, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(p->eject_note, sizeof p->eject_note, fmt, ap);
    va_end(ap);
    p->bad_answers++;
    slot_eject(p, EJECT_BAD_ANSWER, now);
}

void slot_eject_known(struct policy_slot *p, const char *hook, sim_time now)
{
    const char *text = p->eject_text ? p->eject_text : "no more is known";
    if (p->eject_why == EJECT_TIMEOUT)
        snprintf(p->eject_note, sizeof p->eject_note, "%s did not return: %.120s", hook, text);
    else
        snprintf(p->eject_note, sizeof p->eject_note, "%s crashed: %.120s", hook, text);
    slot_eject(p, p->eject_why, now);
}

void policy_slot_create(struct policy_slot *p, const struct policy_host *h,
                        const char *(*why)(void *ctx), void *ctx)
{
    assert((p->calls == 0 || p->ended) && "created twice");
    p->ended = false;
    if (!p->ops || !slot_enter(p, "create", 0))
        return;
    int rc = p->ops->create(&p->self, h);
    slot_leave(p);
    if (!rc)
        return;
    const char *said = why ? why(ctx) : NULL;
    snprintf(p->eject_note, sizeof p->eject_note, "create failed: %.160s",
             said ? said : "it did not say why");
    slot_eject(p, EJECT_CREATE, 0);
}

void policy_slot_destroy(struct policy_slot *p)
{
    if (!p || !p->ops || p->ended)
        return;
    p->ended = true;
    slot_note(p);
    /* A state that create refused, or that crashed on the last attempt, is not touched. */
    if (p->ejected != EJECT_NONE && p->ejected != EJECT_BAD_ANSWER)
        return;
    bool out_already = p->ejected != EJECT_NONE;
    if (out_already && p->eject_why != EJECT_NONE && p->calls == p->eject_at)
        return; /* leaving crashed it as well: nothing more to say */
    if (!slot_enter(p, "destroy", 0))
        return;
    p->ops->destroy(p->self);
    slot_leave(p);
    p->self = NULL;
}

uint32_t policy_slot_select(struct policy_slot *p, const struct policy_select_obs *o)
{
    struct policy_candidate blind[POLICY_SELECT_MAX];
    struct policy_select_obs seen = *o;
    assert(o->n <= POLICY_SELECT_MAX);
    if (!slot_asks(p) || !p->ops->policy_select)
        return o->current;
    for (uint32_t i = 0; i < o->n && !p->ops->oracle; i++) {
        blind[i] = o->candidate[i];
        blind[i].oracle_cost_ns = 0;
        seen.candidate = blind;
    }
    if (!slot_enter(p, "policy_select", o->now_ns))
        return o->current;
    const uint32_t answer = p->ops->policy_select(p->self, &seen);
    slot_leave(p);
    p->decisions++;
    if (answer < o->n)
        return answer;
    slot_bad(p, o->now_ns, "policy_select answered candidate %u, want one of %u", answer, o->n);
    return o->current;
}

void *policy_slot_save(struct policy_slot *p, size_t *n, sim_time now)
{
    void *state = NULL;
    for (size_t want = 0, round = 0; round < 2; round++) {
        if (!slot_asks(p) || !slot_enter(p, "save", now))
            break;
        size_t got = p->ops->save(p->self, state, want);
        slot_leave(p);
        if (got > POLICY_STATE_MAX || (round && got != want)) {
            slot_bad(p, now, "save answered %zu bytes, want at most %zu and the same twice", got,
                     (size_t)POLICY_STATE_MAX);
            break;
        }
        if (round)
            return *n = got, state;
        if (!got || !(state = calloc(1, got)))
            break;
        want = got;
    }
    free(state);
    *n = 0;
    return NULL;
}

int policy_slot_restore(struct policy_slot *p, const void *state, size_t n, const char *by,
                        sim_time now)
{
    if (!slot_asks(p) || !slot_enter(p, "restore", now))
        return -1;
    int rc = p->ops->restore(p->self, state, n, by);
    slot_leave(p);
    return rc;
}

void policy_slot_report(struct policy_slot *p, struct measures *out)
{
    if (p) {
        p->out = out;
        slot_note(p);
    }
    measures_number(out, "policy_decisions", "1", BETTER_NONE, p ? (double)p->decisions : 0);
    measures_number(out, "ejected", "1", BETTER_LESS, p && p->ejected != EJECT_NONE);
}

const char *policy_hook_name(enum policy_hook hook)
{
    static const char *const name[] = {
#define X(id, text) text,
        POLICY_HOOKS(X)
#undef X
    };
    return name[hook];
}

bool policy_has_hook(const struct policy_ops *o, enum policy_hook hook)
{
    switch (hook) {
    case POLICY_HOOK_SERVE_ADMIT:
        return o->serve_admit;
    case POLICY_HOOK_SERVE_BATCH:
        return o->serve_batch;
    case POLICY_HOOK_SERVE_ROUTE:
        return o->serve_route;
    case POLICY_HOOK_SERVE_SCALE:
        return o->serve_scale;
    case POLICY_HOOK_CPU_PICK:
        return o->cpu_pick;
    case POLICY_HOOK_CPU_BALANCE:
        return o->cpu_balance;
    case POLICY_HOOK_MEM_EVICT:
        return o->mem_evict;
    case POLICY_HOOK_MEM_PLACE:
        return o->mem_place;
    case POLICY_HOOK_MEM_READAHEAD:
        return o->mem_readahead;
    case POLICY_HOOK_IO_STEER:
        return o->io_steer;
    case POLICY_HOOK_GPU_DISPATCH:
        return o->gpu_dispatch;
    case POLICY_HOOK_GPU_SHARE:
        return o->gpu_share;
    case POLICY_HOOK_CLUSTER_ORDER:
        return o->cluster_order;
    case POLICY_HOOK_CLUSTER_PLACE:
        return o->cluster_place;
    case POLICY_HOOK_CLUSTER_SHARE:
        return o->cluster_share;
    case POLICY_HOOK_POLICY_SELECT:
        return o->policy_select;
    case POLICY_HOOKS_N:
        break;
    }
    return false;
}

unsigned policy_hooks(const struct policy_ops *o)
{
    unsigned set = 0;
    for (int h = 0; h < POLICY_HOOKS_N; h++)
        set |= (unsigned)policy_has_hook(o, (enum policy_hook)h) << h;
    return set;
}
