/* uk_ipc.c - messages: by the fast path where its conditions hold, else by the slow one. */
#include <stddef.h>

#include "models/kernel/uk_state.h"

struct uk_object *uk_lookup(struct uk_core *c, struct uk_thread *t, uint32_t cap, unsigned types,
                            unsigned rights)
{
    const struct uk_capability *p = cap && cap < CAPS ? &t->cap[cap] : NULL;
    uk_charge(c, UK_cap);
    enum uk_status why = UK_OK;
    struct uk_object *o = p && p->object ? &c->k->object[p->object] : NULL;
    if (!o)
        why = UK_NO_CAP;
    else if (!(types >> o->type & 1))
        why = UK_WRONG_TYPE;
    else if ((p->rights & rights) != rights)
        why = UK_NO_RIGHT;
    if (!why) {
        t->op_badge = p->badge;
        return o;
    }
    uk_charge(c, UK_decode);
    c->k->stats.refused++;
    t->result.status = why;
    return NULL;
}

/* from's message is to's result. */
static void transfer(struct uk *k, struct uk_thread *from, struct uk_thread *to, uint64_t badge)
{
    to->result =
        (struct uk_result){.badge = badge, .label = from->op.label, .words = from->op.words};
    to->account = from->account;
    k->stats.messages++;
}

static bool waits_for_reply(const struct uk_thread *t)
{
    return t->op.op == UK_CALL || t->op.op == UK_FAULT;
}

/* `to` has a caller now; a passive one runs on the caller's scheduling context. */
static void becomes_caller(struct uk_thread *t, struct uk_thread *to)
{
    t->run = RUN_CALLING;
    to->caller = t;
    if (!to->home && t->home) {
        to->home = t->home;
        to->lent = true;
    }
}

static void give_back(struct uk_thread *t)
{
    t->caller = NULL;
    t->account = NULL;
    if (t->lent)
        t->home = NULL;
    t->lent = false;
}

static bool in_registers(const struct uk_core *c, const struct uk_thread *t)
{
    return !c->k->set.no_fastpath && !t->op.grant && t->op.words <= c->k->set.prims.registers;
}

/* Nobody on this core is more urgent than t, which is here and may be switched to at once. */
static bool may_switch(const struct uk_core *c, const struct uk_thread *t)
{
    return t->spec.core == c->id && (int)t->spec.prio >= uk_highest(c);
}

static bool call_is_fast(const struct uk_core *c, const struct uk_thread *t,
                         const struct uk_thread *to)
{
    return t->op.op == UK_CALL && to && in_registers(c, t) && may_switch(c, to) &&
           (!c->k->set.mcs || !to->home);
}

static void take_message(struct uk_core *c, struct uk_thread *from, struct uk_thread *to)
{
    uk_charge(c, UK_body);
    uk_charge_words(c, from->op.words);
    transfer(c->k, from, to, from->op_badge);
}

void uk_do_send(struct uk_core *c, struct uk_thread *t)
{
    uint32_t cap = t->op.op == UK_FAULT ? t->spec.fault_handler : t->op.cap;
    struct uk_object *o = uk_lookup(c, t, cap, 1u << UK_T_ENDPOINT,
                                    UK_WRITE | (t->op.grant ? (unsigned)UK_GRANT : 0));
    if (!o)
        return;
    struct uk_thread *to = o->receivers.head;
    if (call_is_fast(c, t, to)) {
        uk_charge(c, UK_fast_call);
        uk_list_remove(&o->receivers, to);
        transfer(c->k, t, to, t->op_badge);
        becomes_caller(t, to);
        c->k->stats.fast++;
        c->fast = to;
        return;
    }
    c->k->stats.slow++;
    uk_charge(c, UK_decode);
    if (!to) {
        uk_charge(c, UK_body);
        t->run = RUN_SENDING;
        uk_list_add(&o->senders, t);
        return;
    }
    uk_list_remove(&o->receivers, to);
    take_message(c, t, to);
    if (waits_for_reply(t))
        becomes_caller(t, to);
    uk_ready(c, to);
}

/* The notification that t would hear of at o, if it has something to say. */
static struct uk_object *signalled(const struct uk_thread *t, struct uk_object *o)
{
    if (o->type == UK_T_ENDPOINT)
        o = t->bound ? &t->k->object[t->bound] : NULL;
    return o && o->word ? o : NULL;
}

static void wait_at(struct uk_thread *t, struct uk_object *o)
{
    t->run = RUN_RECEIVING;
    t->waits_on = (uint32_t)(o - t->k->object);
    uk_list_add(&o->receivers, t);
}

static void receive(struct uk_core *c, struct uk_thread *t, struct uk_object *o)
{
    struct uk_object *n = signalled(t, o);
    if (n) {
        uk_charge(c, UK_body);
        uk_take_signal(t, n);
        return;
    }
    struct uk_thread *from = uk_list_take(&o->senders);
    if (!from) {
        wait_at(t, o);
        return;
    }
    take_message(c, from, t);
    if (waits_for_reply(from)) {
        becomes_caller(from, t);
    } else {
        from->result = (struct uk_result){0};
        uk_ready(c, from);
    }
}

static struct uk_object *where(struct uk_core *c, struct uk_thread *t)
{
    return uk_lookup(c, t, t->op.cap, 1u << UK_T_ENDPOINT | 1u << UK_T_NOTIFICATION, UK_READ);
}

void uk_do_receive(struct uk_core *c, struct uk_thread *t)
{
    struct uk_object *o = where(c, t);
    if (!o)
        return;
    uk_charge(c, UK_decode);
    receive(c, t, o);
}

static bool reply_is_fast(const struct uk_core *c, const struct uk_thread *t, struct uk_object *o)
{
    return t->caller && o->type == UK_T_ENDPOINT && !o->senders.head && !signalled(t, o) &&
           in_registers(c, t) && may_switch(c, t->caller) && (!c->k->set.mcs || t->lent);
}

static void reply_slowly(struct uk_core *c, struct uk_thread *t)
{
    struct uk_thread *caller = t->caller;
    take_message(c, t, caller);
    give_back(t);
    uk_ready(c, caller);
}

void uk_do_reply(struct uk_core *c, struct uk_thread *t)
{
    struct uk_object *o = NULL;
    if (t->op.op == UK_REPLY_RECV && !(o = where(c, t)))
        return;
    t->op_badge = 0; /* a reply goes through no capability of the replier */
    if (o && reply_is_fast(c, t, o)) {
        struct uk_thread *caller = t->caller;
        uk_charge(c, UK_fast_reply);
        transfer(c->k, t, caller, 0);
        give_back(t);
        wait_at(t, o);
        c->k->stats.fast++;
        c->fast = caller;
        return;
    }
    c->k->stats.slow++;
    uk_charge(c, UK_decode);
    if (t->caller)
        reply_slowly(c, t);
    else if (!o)
        t->result.status = UK_NO_CALLER;
    if (o)
        receive(c, t, o);
}
