/* mlaas_batch.c - batches: who joins which, and when they close. */
#include <assert.h>
#include <stdlib.h>

#include "models/mlaas/mlaas_state.h"

/* ---- tickets, seats, batches from their free lists ------------------------------------- */

#define TAKE(m, list)                                                                              \
    __extension__({                                                                                \
        __typeof__((m)->list) it = (m)->list;                                                      \
        if (it)                                                                                    \
            (m)->list = it->next;                                                                  \
        else                                                                                       \
            it = lot_new(&(m)->lot, sizeof *it);                                                   \
        it;                                                                                        \
    })
#define GIVE(m, list, it) ((it)->next = (m)->list, (m)->list = (it))
struct mlaas_ticket *mlaas_ticket_take(struct mlaas *m)
{
    return TAKE(m, spare_ticket);
}

void mlaas_batches_free(struct mlaas *m)
{
    lot_free(&m->lot);
}

/* ---- the end of a batch ------------------------------------------------------------------ */

void mlaas_ticket_leave(struct mlaas *m, struct mlaas_ticket *t)
{
    if (--t->waits_for)
        return;
    struct mlaas_ticket copy = *t;
    GIVE(m, spare_ticket, t);
    copy.done(copy.ctx, copy.arg);
}

void mlaas_batch_done(struct mlaas_batch *b)
{
    struct mlaas *m = b->m;
    struct mlaas_net *net = b->net;
    struct mlaas_seat *s = b->first;
    m->inside--;
    net->batches--;
    net->gpu_batches -= b->on_gpu;
    m->rows_inside -= b->rows;
    GIVE(m, spare_batch, b);
    mlaas_memory_idle(net);
    while (s) {
        struct mlaas_seat *next = s->next;
        struct mlaas_ticket *t = s->ticket;
        GIVE(m, spare_seat, s);
        mlaas_ticket_leave(m, t);
        s = next;
    }
}

/* ---- closing ----------------------------------------------------------------------------- */

/* From the first batch on the result depends on these constants. */
static void mark_used(struct mlaas *m, struct mlaas_net *net)
{
    struct machine_use *use = m->env.use;
    if (net->used)
        return;
    net->used = true;
    (void)!mlaas_ways(&m->ways, m->env.stack, m->ways.has_gpu, m->c.submit, use, NULL);
    if (m->c.rule == MLAAS_LAKE_RULE)
        (void)!machine_ps(use, "cost.batch_close", &m->close, NULL);
    mlaas_net_cost_use(&net->cost, use);
}

static void close_batch(void *ctx, uint64_t arg)
{
    (void)arg;
    struct mlaas_batch *b = ctx;
    struct mlaas *m = b->m;
    assert(b->at_once || b->net->open[b->group] == b);
    if (!b->at_once)
        b->net->open[b->group] = NULL;
    b->closing = b->at_once ? 0 : m->close;
    m->stats.batches++;
    mark_used(m, b->net);
    if (m->batch_rows) {
        sketch_add(m->batch_rows, (double)b->rows);
        sketch_add(m->window_wait, (double)(sim_now(m->env.sim) - b->opened) / 1e3);
    }
    mlaas_trip(b);
}

/* ---- LAKE's rule -------------------------------------------------------------------- */

/* Notes an arrival; true when it shall run on a core at once. */
static bool runs_at_once(struct mlaas *m, const struct mlaas_net *net)
{
    if (m->c.rule != MLAAS_LAKE_RULE)
        return false;
    struct arrivals *a = &m->arrivals[m->hook_group];
    const sim_time now = sim_now(m->env.sim);
    a->at[a->n++ % (MLAAS_RULE_GAPS + 1)] = now;
    if (net->tuning->window_us <= 5)
        return true;
    if (a->n <= MLAAS_RULE_GAPS)
        return false;
    const sim_time since = a->at[a->n % (MLAAS_RULE_GAPS + 1)]; /* four gaps ago */
    return mlaas_curve_at(&net->cost.cpu, 1) / 1000 < (now - since) / MLAAS_RULE_GAPS;
}

/* ---- joining ------------------------------------------------------------------------- */

static struct mlaas_batch *open_batch(struct mlaas *m, struct mlaas_net *net, bool at_once)
{
    struct mlaas_batch *b = TAKE(m, spare_batch);
    if (!b)
        return NULL;
    *b = (struct mlaas_batch){.m = m,
                              .net = net,
                              .group = m->hook_group,
                              .at_once = at_once,
                              .opened = sim_now(m->env.sim)};
    b->last = &b->first;
    m->inside++;
    net->batches++;
    if (at_once)
        return b;
    net->open[b->group] = b;
    b->timer =
        sim_after(m->env.sim, (sim_time)(net->tuning->window_us * 1e3), 0, close_batch, b, 0);
    return b;
}

static bool sit(struct mlaas *m, struct mlaas_batch *b, struct mlaas_ticket *ticket)
{
    struct mlaas_seat *s = TAKE(m, spare_seat);
    if (!s)
        return false;
    *s = (struct mlaas_seat){.ticket = ticket};
    *b->last = s;
    b->last = &s->next;
    return true;
}

static bool no_room(struct mlaas *m, uint64_t rows)
{
    if (m->rows_inside + rows <= m->c.queue_rows)
        return false;
    m->stats.overflowed += rows;
    return true;
}

bool mlaas_batch_join(struct mlaas *m, const struct mlaas_part *part, struct mlaas_ticket *ticket)
{
    const bool by_rule = runs_at_once(m, part->net), at_once = no_room(m, part->rows) || by_rule;
    struct mlaas_batch *open = at_once ? NULL : part->net->open[m->hook_group];
    struct mlaas_batch *b = open ? open : open_batch(m, part->net, at_once);
    if (!b || !sit(m, b, ticket))
        return false;
    b->rows += part->rows;
    b->store += m->hook_store;
    m->hook_store = 0;
    m->rows_inside += part->rows;
    if (at_once || b->rows >= part->net->tuning->max_batch) {
        sim_cancel(m->env.sim, b->timer);
        close_batch(b, 0);
    }
    return true;
}
