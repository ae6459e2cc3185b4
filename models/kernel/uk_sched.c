/* uk_sched.c - ready queues, choosing who runs, budgets and the timer. */
#include <assert.h>

#include "models/kernel/uk_state.h"

/* ---- lists ---- */

static void link_between(struct uk_list *l, struct uk_thread *t, struct uk_thread *prev,
                         struct uk_thread *next)
{
    t->prev = prev;
    t->next = next;
    *(prev ? &prev->next : &l->head) = t;
    *(next ? &next->prev : &l->tail) = t;
}

void uk_list_add(struct uk_list *l, struct uk_thread *t)
{
    link_between(l, t, l->tail, NULL);
}

void uk_list_remove(struct uk_list *l, struct uk_thread *t)
{
    *(t->prev ? &t->prev->next : &l->head) = t->next;
    *(t->next ? &t->next->prev : &l->tail) = t->prev;
    t->prev = t->next = NULL;
}

struct uk_thread *uk_list_take(struct uk_list *l)
{
    struct uk_thread *t = l->head;
    if (t)
        uk_list_remove(l, t);
    return t;
}

/* ---- ready queues ---- */

int uk_highest(const struct uk_core *c)
{
    for (int w = PRIOS / 64 - 1; w >= 0; w--)
        if (c->bits[w])
            return w * 64 + 63 - __builtin_clzll(c->bits[w]);
    return -1;
}

static void put(struct uk_core *c, struct uk_thread *t, bool first)
{
    uint32_t p = t->spec.prio;
    t->run = RUN_READY;
    link_between(&c->ready[p], t, first ? NULL : c->ready[p].tail, first ? c->ready[p].head : NULL);
    c->bits[p / 64] |= UINT64_C(1) << (p % 64);
}

static struct uk_thread *take(struct uk_core *c, int prio)
{
    struct uk_thread *t = uk_list_take(&c->ready[prio]);
    if (!c->ready[prio].head)
        c->bits[prio / 64] &= ~(UINT64_C(1) << (prio % 64));
    return t;
}

static void ipi_arrives(void *ctx, uint64_t unused)
{
    (void)unused;
    struct uk_core *c = ctx;
    c->ipi = true;
    uk_interrupt(c);
}

void uk_ready(struct uk_core *by, struct uk_thread *t)
{
    struct uk *k = t->k;
    struct uk_core *c = &k->core[t->spec.core];
    put(c, t, false);
    bool urgent = !c->cur || c->cur->run != RUN_ON_CORE || c->cur->spec.prio < t->spec.prio;
    if (!urgent)
        return;
    if (by == c) {
        c->resched = true;
    } else if (by) {
        uk_charge(by, UK_ipi_send);
        k->stats.ipis++;
        k->stats.prim[UK_ipi_wire]++;
        sim_cost wire = k->set.prims.ps[UK_ipi_wire];
        if (t->account)
            t->account->ps[UK_C_WAKE] += wire;
        sim_at(k->sim, uk_section_now(by) + (wire + 500) / 1000, 0, ipi_arrives, c, 0);
    } else {
        c->tick = true;
        uk_interrupt(c);
    }
}

/* ---- budgets ---- */

static void released(void *ctx, uint64_t unused)
{
    (void)unused;
    struct uk_thread *t = ctx;
    assert(t->run == RUN_STARVED);
    uk_ready(NULL, t);
}

/* Until there is enough to get somewhere. */
static void starve(struct uk_thread *t, sim_time now)
{
    struct uk *k = t->k;
    t->run = RUN_STARVED;
    k->stats.starved++;
    if (t->home)
        sim_at(k->sim, sc_when(&t->home->sc, now, 2 * k->reserve), 0, released, t, 0);
}

bool uk_can_run(struct uk_core *c, struct uk_thread *t)
{
    struct uk *k = c->k;
    sim_time now = uk_section_now(c);
    if (!k->set.mcs)
        return true;
    if (t->home && t->home == c->home) { /* it is being charged; what is left when this ends? */
        sim_time end = now + k->way_out / 1000 + 1;
        if (t->home->sc.available >= end - c->stretch + k->reserve)
            return true;
        t->run = RUN_STARVED;
        c->starving = t;
        return false;
    }
    if (t->home)
        sc_advance(&t->home->sc, now);
    if (t->home && t->home->sc.available >= k->reserve)
        return true;
    starve(t, now);
    return false;
}

void uk_settle(struct uk_core *c, struct uk_thread *next, sim_time end)
{
    struct uk *k = c->k;
    struct uk_thread *home = next ? next->home : NULL, *was = c->home;
    if (was && (was != home || c->starving)) {
        sc_charge(&was->sc, c->stretch, end - c->stretch);
        if (k->charged)
            k->charged(k->charged_ctx, was, c->stretch, end - c->stretch);
        c->stretch = end;
    }
    if (home != was)
        c->stretch = end;
    c->home = home;
    if (c->starving) {
        sc_advance(&c->starving->home->sc, end);
        starve(c->starving, end);
    }
    c->starving = NULL;
}

static void ticks(void *ctx, uint64_t unused)
{
    (void)unused;
    struct uk_core *c = ctx;
    c->tick = true;
    uk_interrupt(c);
}

void uk_timer(struct uk_core *c)
{
    struct uk *k = c->k;
    c->timer = 0;
    if (k->set.mcs) {
        sim_time used = sim_now(k->sim) - c->stretch;
        sim_time left = c->home->sc.available - used - k->reserve;
        if (left < c->cur->left)
            c->timer = sim_after(k->sim, left, 0, ticks, c, 0);
    } else if (k->set.slice && c->cur->left > k->set.slice) {
        c->timer = sim_after(k->sim, k->set.slice, 0, ticks, c, 0);
    }
}

/* ---- choosing ---- */

struct uk_thread *uk_choose(struct uk_core *c, struct uk_thread *keep)
{
    for (;;) {
        int top = uk_highest(c), mine = keep ? (int)keep->spec.prio : -1;
        if (keep && (top < mine || (top == mine && !c->rotate)))
            return keep;
        if (top < 0)
            return NULL;
        struct uk_thread *t = take(c, top);
        if (!uk_can_run(c, t))
            continue;
        if (keep) {
            put(c, keep, top > mine);
            c->k->stats.preemptions++;
        }
        return t;
    }
}
