/* uk_core.c - a core's life: user mode, sections of kernel time, idle. */
#include <assert.h>

#include "models/kernel/uk_state.h"

void uk_charge(struct uk_core *c, enum uk_prim p)
{
    sim_cost ps = c->k->set.prims.ps[p];
    c->charged += ps;
    c->part[uk_prim_class(p)] += ps;
    c->k->stats.prim[p]++;
}

void uk_charge_words(struct uk_core *c, uint32_t words)
{
    for (uint32_t i = c->k->set.prims.registers; i < words; i++)
        uk_charge(c, UK_word);
}

sim_time uk_section_now(const struct uk_core *c)
{
    return c->since + c->waited + (c->charged + 999) / 1000;
}

static void leave_user(struct uk_core *c, sim_time now)
{
    struct uk_thread *t = c->cur;
    sim_time ran = now - c->since;
    c->times.user += ran;
    sim_cancel(c->k->sim, c->event);
    sim_cancel(c->k->sim, c->timer);
    if (t->account)
        t->account->ps[UK_C_COMPUTE] += ran * 1000;
    if (t->computing) {
        assert(ran <= t->left);
        t->left -= ran;
    }
}

void uk_enter(struct uk_core *c)
{
    sim_time now = sim_now(c->k->sim);
    assert(c->mode != MODE_KERNEL);
    if (c->mode == MODE_USER)
        leave_user(c, now);
    else
        c->times.idle += now - c->since;
    c->mode = MODE_KERNEL;
    c->since = now;
    c->charged = 0;
    for (int i = 0; i < UK_CLASSES; i++)
        c->part[i] = 0;
    c->waited = c->k->lock > now ? c->k->lock - now : 0;
    c->fast = NULL;
    c->resched = c->rotate = false;
    c->account = c->cur ? c->cur->account : NULL;
}

static bool mitigates(const struct uk_core *c, enum uk_mitigation m)
{
    return c->k->set.prims.mitigations >> m & 1;
}

/* What mitigations take on the way in from user mode, and again on the way out to it. */
static void cross(struct uk_core *c)
{
    if (mitigates(c, UK_M_skim))
        uk_charge(c, UK_vspace);
    if (mitigates(c, UK_M_ibrs))
        uk_charge(c, UK_ibrs);
}

/* What changes on the core when another thread gets it. */
static void switch_to(struct uk_core *c, struct uk_thread *next)
{
    c->k->stats.switches++;
    if (next->spec.space != c->space) {
        if (!mitigates(c, UK_M_skim))
            uk_charge(c, UK_vspace);
        c->space = next->spec.space;
    }
    if (mitigates(c, UK_M_ibpb))
        uk_charge(c, UK_ibpb);
    if (mitigates(c, UK_M_rsb))
        uk_charge(c, UK_rsb);
    if (next->spec.fpu && c->fpu != next) {
        if (c->fpu)
            uk_charge(c, c->fpu->spec.fpu_writes ? UK_fpu_save : UK_fpu_save_clean);
        uk_charge(c, UK_fpu_restore);
        c->fpu = next;
    }
    if (c->k->set.mcs)
        uk_charge(c, c->fast ? UK_mcs_fast : UK_mcs_slow);
}

static struct uk_thread *next_of(struct uk_core *c)
{
    struct uk_thread *stay = c->cur && c->cur->run == RUN_ON_CORE ? c->cur : NULL;
    struct uk_thread *next = c->fast ? c->fast : stay;
    if (next && !uk_can_run(c, next)) {
        c->fast = NULL;
        next = NULL;
    }
    if (c->fast || (next && !c->resched))
        return next;
    uk_charge(c, UK_sched);
    return uk_choose(c, next);
}

static void resume(void *ctx, uint64_t unused);

void uk_leave(struct uk_core *c)
{
    struct uk *k = c->k;
    struct uk_thread *next = next_of(c);
    if (next && next != c->cur)
        switch_to(c, next);
    if (!next) {
        c->space = 0;
    } else {
        uk_charge(c, UK_exit);
        cross(c);
    }
    assert(c->charged <= k->longest);
    sim_time end = c->since + c->waited + carry_ns(&c->carry, c->charged);
    struct uk_account *a = c->account ? c->account : next ? next->account : NULL;
    for (int i = 0; a && i < UK_CLASSES; i++)
        a->ps[i] += c->part[i];
    if (a)
        a->ps[UK_C_LOCK] += c->waited * 1000;
    if (k->set.mcs)
        uk_settle(c, next, end);
    if (next)
        next->run = RUN_ON_CORE;
    c->cur = next;
    if (k->set.cores > 1)
        k->lock = end;
    c->event = sim_at(k->sim, end, 0, resume, c, 0);
}

static void carry_out(struct uk_core *c, struct uk_thread *t)
{
    t->result = (struct uk_result){0};
    uk_enter(c);
    if (t->op.op != UK_END) {
        uk_charge(c, UK_entry);
        cross(c);
    }
    switch (t->op.op) {
    case UK_CALL:
    case UK_SEND:
    case UK_FAULT:
        uk_do_send(c, t);
        break;
    case UK_RECV:
        uk_do_receive(c, t);
        break;
    case UK_REPLY:
    case UK_REPLY_RECV:
        uk_do_reply(c, t);
        break;
    case UK_SIGNAL:
        uk_do_signal(c, t);
        break;
    case UK_ACK:
        uk_do_ack(c, t);
        break;
    case UK_END:
        t->run = RUN_ENDED;
        c->fpu = c->fpu == t ? NULL : c->fpu;
        break;
    case UK_NULL:
    case UK_COMPUTE:
        break;
    }
    uk_leave(c);
}

static void computed(void *ctx, uint64_t unused);

/* cur is in user mode: it goes on computing, or says what it wants next. */
static void user(struct uk_core *c)
{
    struct uk_thread *t = c->cur;
    if (!t->computing) {
        t->op = (struct uk_op){.op = UK_END};
        t->spec.program(t->spec.ctx, t, &t->result, &t->op);
        if (t->op.op != UK_COMPUTE) {
            carry_out(c, t);
            return;
        }
        t->computing = true;
        t->left = t->op.ns;
        t->result = (struct uk_result){0};
    }
    c->event = sim_after(c->k->sim, t->left, 0, computed, c, 0);
    uk_timer(c);
}

static void computed(void *ctx, uint64_t unused)
{
    (void)unused;
    struct uk_core *c = ctx;
    sim_time now = sim_now(c->k->sim);
    leave_user(c, now);
    assert(!c->cur->left);
    c->since = now;
    c->cur->computing = false;
    user(c);
}

static bool pending(const struct uk_core *c)
{
    return c->irqs || c->ipi || c->tick;
}

static void resume(void *ctx, uint64_t unused)
{
    (void)unused;
    struct uk_core *c = ctx;
    sim_time now = sim_now(c->k->sim);
    c->times.lock += c->waited;
    c->times.kernel += now - c->since - c->waited;
    c->since = now;
    c->mode = c->cur ? MODE_USER : MODE_IDLE;
    if (pending(c))
        uk_interrupt(c);
    else if (c->cur)
        user(c);
}

void uk_interrupt(struct uk_core *c)
{
    if (c->mode == MODE_KERNEL || !pending(c))
        return;
    bool from_user = c->mode == MODE_USER;
    uk_enter(c);
    if (from_user)
        cross(c);
    c->account = NULL; /* whoever gets to run because of it */
    c->resched = true;
    if (c->tick) {
        uk_charge(c, UK_irq);
        c->rotate = true;
    }
    if (c->ipi)
        uk_charge(c, UK_ipi_recv);
    c->tick = c->ipi = false;
    if (c->irqs)
        uk_take_irq(c);
    uk_leave(c);
}
