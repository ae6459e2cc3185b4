/* mono.c - a core runs one stretch at a time: kernel work whose effect is felt at its end, user
 * work, or nothing. */
#include "models/kernel/mono.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

struct channel {
    enum mono_kind kind;
    uint64_t count;
    struct mono_task *waiter, *last; /* in order of arrival */
};

struct mono_task {
    struct mono *m;
    uint32_t core;
    mono_program *program;
    void *ctx;
    struct mono_op op;
    struct mono_task *next, *all;
};

enum after { AFTER_USER, AFTER_POST, AFTER_WAIT, AFTER_LEAVE, AFTER_IRQ, AFTER_SWITCH };

struct core {
    struct mono *m;
    uint32_t id;
    struct mono_task *cur;         /* NULL: idle */
    struct mono_task *head, *tail; /* ready */
    bool busy;                     /* a stretch is under way */
    bool user;
    bool computing; /* cur's MONO_COMPUTE was interrupted: this much of it is left in op.ns */
    sim_event event;
    enum after after;
    uint32_t irqs, irq_channel;
    sim_time since;
    struct carry carry;
    struct mono_times times;
};

struct mono {
    struct sim *sim;
    struct mono_prims prims;
    uint32_t cores, channels;
    struct core *core;
    struct channel *channel; /* from 1 */
    struct mono_task *tasks;
    sim_cost *account;
};

static const struct {
    const char *name;
    enum mono_class class;
} prims[] = {
#define X(name, class, what) {#name, MONO_C_##class},
    MONO_PRIMS(X)
#undef X
};

const char *mono_class_name(enum mono_class c)
{
    static const char *const names[] = {"trap", "ipc", "wake", "sched", "space", "irq"};
    return names[c];
}

int mono_prims_read(struct mono_prims *p, struct machine_use *use, struct err *e)
{
    int rc = 0;
    for (int i = 0; !rc && i < MONO_PRIMS_N; i++) {
        char name[64];
        snprintf(name, sizeof name, "cost.linux.%s", prims[i].name);
        rc = machine_ps(use, name, &p->ps[i], e);
    }
    return rc;
}

/* ---- stretches ---- */

static sim_cost charge(struct core *c, enum mono_prim p)
{
    sim_cost ps = c->m->prims.ps[p];
    if (c->m->account)
        c->m->account[prims[p].class] += ps;
    return ps;
}

static void ended(void *ctx, uint64_t unused);

static void begin_ns(struct core *c, sim_time ns, enum after after)
{
    sim_time now = sim_now(c->m->sim);
    assert(!c->busy && (c->cur || after == AFTER_IRQ));
    c->times.idle += now - c->since; /* nothing when it was busy until now */
    c->since = now;
    c->busy = true;
    c->user = after == AFTER_USER;
    c->after = after;
    c->event = sim_after(c->m->sim, ns, 0, ended, c, 0);
}

static void begin(struct core *c, sim_cost ps, enum after after)
{
    begin_ns(c, carry_ns(&c->carry, ps), after);
}

static void take_irq(struct core *c);

static void switch_next(struct core *c)
{
    struct mono_task *t = c->head;
    if (!t && c->irqs)
        take_irq(c);
    if (!t)
        return;
    c->head = t->next;
    c->cur = t;
    begin(c, charge(c, MONO_pick) + charge(c, MONO_switch_task) + charge(c, MONO_leave),
          AFTER_SWITCH);
}

static void reschedule(void *ctx, uint64_t unused)
{
    (void)unused;
    struct core *c = ctx;
    if (!c->busy && !c->cur)
        switch_next(c);
}

static void make_ready(struct mono *m, struct mono_task *t, const struct core *by)
{
    struct core *c = &m->core[t->core];
    t->next = NULL;
    *(c->head ? &c->tail->next : &c->head) = t;
    c->tail = t;
    if (c->cur || c->busy)
        return;
    sim_cost ps = by && by != c ? charge(c, MONO_ipi) + charge(c, MONO_idle_exit) : 0;
    sim_after(m->sim, (ps + 500) / 1000, 0, reschedule, c, 0);
}

static enum mono_prim body(const struct channel *ch, bool post)
{
    switch (ch->kind) {
    case MONO_PIPE:
        return MONO_pipe;
    case MONO_EVENTFD:
        return MONO_eventfd;
    case MONO_FUTEX:
        return MONO_futex;
    case MONO_SIGNAL:
        break;
    }
    return post ? MONO_signal_send : MONO_signal_take;
}

static void user(struct core *c)
{
    struct mono_task *t = c->cur;
    if (c->computing) {
        c->computing = false;
        begin_ns(c, t->op.ns, AFTER_USER);
        return;
    }
    t->op = (struct mono_op){.op = MONO_END};
    t->program(t->ctx, t, &t->op);
    struct channel *ch = &c->m->channel[t->op.channel];
    switch (t->op.op) {
    case MONO_COMPUTE:
        begin_ns(c, t->op.ns, AFTER_USER);
        break;
    case MONO_NULL:
        begin(c, charge(c, MONO_enter) + charge(c, MONO_leave), AFTER_LEAVE);
        break;
    case MONO_POST:
        begin(c,
              charge(c, MONO_enter) + charge(c, body(ch, true)) +
                  (ch->waiter ? charge(c, MONO_wake) : 0),
              AFTER_POST);
        break;
    case MONO_WAIT:
        begin(c, charge(c, MONO_enter) + charge(c, body(ch, false)), AFTER_WAIT);
        break;
    case MONO_END:
        c->cur = NULL;
        switch_next(c);
        break;
    }
}

static void post(struct core *c, struct channel *ch)
{
    struct mono_task *t = ch->waiter;
    if (!t) {
        ch->count++;
        return;
    }
    ch->waiter = t->next;
    make_ready(c->m, t, c);
}

static void wait_on(struct core *c, struct channel *ch)
{
    struct mono_task *t = c->cur;
    if (ch->count) {
        ch->count--;
        begin(c, charge(c, MONO_leave), AFTER_LEAVE);
        return;
    }
    t->next = NULL;
    *(ch->waiter ? &ch->last->next : &ch->waiter) = t;
    ch->last = t;
    c->cur = NULL;
    switch_next(c);
}

static void take_irq(struct core *c)
{
    c->irqs--;
    bool wakes = c->m->channel[c->irq_channel].waiter != NULL;
    begin(c, charge(c, MONO_irq) + charge(c, MONO_softirq) + (wakes ? charge(c, MONO_wake) : 0),
          AFTER_IRQ);
}

static void ended(void *ctx, uint64_t unused)
{
    (void)unused;
    struct core *c = ctx;
    sim_time now = sim_now(c->m->sim);
    *(c->user ? &c->times.user : &c->times.kernel) += now - c->since;
    c->since = now;
    c->busy = false;
    if (c->after == AFTER_POST)
        post(c, &c->m->channel[c->cur->op.channel]);
    else if (c->after == AFTER_IRQ)
        post(c, &c->m->channel[c->irq_channel]);
    if (c->after == AFTER_POST)
        begin(c, charge(c, MONO_leave), AFTER_LEAVE);
    else if (c->after == AFTER_WAIT)
        wait_on(c, &c->m->channel[c->cur->op.channel]);
    else if (c->irqs)
        take_irq(c);
    else if (c->cur)
        user(c);
    else
        switch_next(c);
}

/* ---- making ---- */

struct mono *mono_new(struct sim *s, const struct mono_prims *p, uint32_t cores)
{
    struct mono *m = calloc(1, sizeof *m);
    if (!m)
        return NULL;
    *m = (struct mono){.sim = s, .prims = *p, .cores = cores};
    m->core = calloc(cores, sizeof *m->core);
    m->channel = calloc(1, sizeof *m->channel);
    if (!m->core || !m->channel) {
        mono_free(m);
        return NULL;
    }
    for (uint32_t i = 0; i < cores; i++) {
        m->core[i].m = m;
        m->core[i].id = i;
        m->core[i].since = sim_now(s);
    }
    return m;
}

void mono_free(struct mono *m)
{
    if (!m)
        return;
    for (struct mono_task *t; (t = m->tasks);) {
        m->tasks = t->all;
        free(t);
    }
    free(m->channel);
    free(m->core);
    free(m);
}

uint32_t mono_channel(struct mono *m, enum mono_kind kind)
{
    struct channel *grown = realloc(m->channel, (m->channels + 2) * sizeof *grown);
    if (!grown) {
        sim_fail(m->sim);
        return 0;
    }
    m->channel = grown;
    m->channel[++m->channels] = (struct channel){.kind = kind};
    return m->channels;
}

struct mono_task *mono_task(struct mono *m, uint32_t core, mono_program *program, void *ctx)
{
    assert(core < m->cores);
    struct mono_task *t = calloc(1, sizeof *t);
    if (!t) {
        sim_fail(m->sim);
        return NULL;
    }
    *t = (struct mono_task){.m = m, .core = core, .program = program, .ctx = ctx, .all = m->tasks};
    m->tasks = t;
    make_ready(m, t, NULL);
    return t;
}

static void interrupt_user(struct core *c)
{
    sim_time now = sim_now(c->m->sim), ran = now - c->since;
    sim_cancel(c->m->sim, c->event);
    c->times.user += ran;
    c->cur->op.ns -= ran;
    c->since = now;
    c->busy = false;
    c->computing = true;
}

void mono_irq(struct mono *m, uint32_t core, uint32_t channel)
{
    struct core *c = &m->core[core];
    c->irqs++;
    c->irq_channel = channel;
    if (c->busy && c->user)
        interrupt_user(c);
    if (!c->busy)
        take_irq(c);
}

void mono_account(struct mono *m, sim_cost account[MONO_CLASSES])
{
    m->account = account;
}

struct mono_times mono_times(const struct mono *m)
{
    struct mono_times sum = {0};
    sim_time now = sim_now(m->sim);
    for (uint32_t i = 0; i < m->cores; i++) {
        const struct core *c = &m->core[i];
        sim_time lasted = now - c->since;
        sum.user += c->times.user + (c->busy && c->user ? lasted : 0);
        sum.kernel += c->times.kernel + (c->busy && !c->user ? lasted : 0);
        sum.idle += c->times.idle + (c->busy ? 0 : lasted);
    }
    return sum;
}
