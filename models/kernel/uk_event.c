/* uk_event.c - notifications, and interrupts, which become notifications. */
#include <assert.h>
#include <stddef.h>

#include "models/kernel/uk_state.h"

void uk_take_signal(struct uk_thread *t, struct uk_object *o)
{
    t->result = (struct uk_result){.badge = o->word, .signal = true};
    t->account = o->account;
    o->word = 0;
    o->account = NULL;
}

static void notify(struct uk_core *c, struct uk_object *o, uint64_t badge, struct uk_account *a)
{
    uk_charge(c, UK_body);
    o->word |= badge;
    o->account = a;
    c->k->stats.signals++;
    struct uk_thread *t = uk_list_take(&o->receivers);
    if (!t && o->bound && o->bound->run == RUN_RECEIVING) {
        t = o->bound;
        uk_list_remove(&c->k->object[t->waits_on].receivers, t);
    }
    if (!t)
        return;
    uk_take_signal(t, o);
    uk_ready(c, t);
}

void uk_do_signal(struct uk_core *c, struct uk_thread *t)
{
    struct uk_object *o = uk_lookup(c, t, t->op.cap, 1u << UK_T_NOTIFICATION, UK_WRITE);
    if (!o)
        return;
    uk_charge(c, UK_decode);
    notify(c, o, t->op_badge, t->account);
}

/* ---- interrupts ---- */

static void comes_up(void *ctx, uint64_t unused)
{
    (void)unused;
    uk_interrupt(ctx);
}

/* by: the core in whose section it happens; NULL: none. */
static void line_up(struct uk *k, struct uk_object *o, const struct uk_core *by)
{
    struct uk_core *c = &k->core[o->core];
    if (!o->waiting || o->masked)
        return;
    c->irqs++;
    if (!by)
        uk_interrupt(c);
    else if (by != c)
        sim_at(k->sim, uk_section_now(by), 0, comes_up, c, 0);
}

void uk_irq_raise(struct uk *k, uint32_t irq, struct uk_account *account)
{
    struct uk_object *o = &k->object[irq];
    assert(o->type == UK_T_IRQ);
    k->stats.raised++;
    o->account = account;
    if (!o->waiting++)
        line_up(k, o, NULL);
}

void uk_take_irq(struct uk_core *c)
{
    struct uk *k = c->k;
    for (uint32_t i = 1; i <= k->n_object; i++) {
        struct uk_object *o = &k->object[i];
        if (o->type != UK_T_IRQ || o->core != c->id || o->masked || !o->waiting)
            continue;
        uk_charge(c, UK_irq);
        o->masked = true;
        o->waiting--;
        c->irqs--;
        k->stats.delivered++;
        c->account = o->account;
        notify(c, &k->object[o->target], o->badge, o->account);
        return;
    }
    assert(0 && "a pending interrupt has a line");
}

void uk_do_ack(struct uk_core *c, struct uk_thread *t)
{
    struct uk_object *o = uk_lookup(c, t, t->op.cap, 1u << UK_T_IRQ, UK_WRITE);
    if (!o)
        return;
    uk_charge(c, UK_decode);
    if (!o->masked)
        return;
    o->masked = false;
    line_up(c->k, o, c);
}
