/* mlaas_batch.c - batches: who joins which, and when they close. */
#include <assert.h>
#include <stdlib.h>

#include "models/mlaas/mlaas_state.h"

void mlaas_batch_done(struct batch *b)
{
    struct mlaas *m = b->m;
    struct ticket *t = b->first;
    b->next = m->spare_batch;
    m->spare_batch = b;
    m->inside--;
    while (t) {
        struct ticket *next = t->next, copy = *t;
        t->next = m->spare_ticket;
        m->spare_ticket = t;
        copy.done(copy.ctx, copy.arg);
        t = next;
    }
}

static void close_batch(void *ctx, uint64_t arg)
{
    (void)arg;
    struct batch *b = ctx;
    struct mlaas *m = b->m;
    assert(b->at_once || m->open[b->group] == b);
    if (!b->at_once)
        m->open[b->group] = NULL;
    const sim_cost closing = b->at_once ? 0 : m->k.close;
    m->stats.cpu_ps += closing;
    if (!m->stats.batches++) /* from now on the result depends on these constants */
        (void)!mlaas_costs(&m->k, &m->c, m->env.stack, m->env.use, NULL);
    mlaas_trip(b, closing);
}

/* ---- LAKE's rule -------------------------------------------------------------------- */

/* Notes an arrival; true when it shall run on a core at once. */
static bool runs_at_once(struct mlaas *m)
{
    if (m->c.rule != MLAAS_LAKE_RULE)
        return false;
    struct arrivals *a = &m->arrivals[m->hook_group];
    const sim_time now = sim_now(m->env.sim);
    a->at[a->n++ % (MLAAS_RULE_GAPS + 1)] = now;
    if (m->c.window_us <= 5)
        return true;
    if (a->n <= MLAAS_RULE_GAPS)
        return false;
    const sim_time since = a->at[a->n % (MLAAS_RULE_GAPS + 1)]; /* four gaps ago */
    return mlaas_cost_cpu(m, m->hook_model, 1) / 1000 < (now - since) / MLAAS_RULE_GAPS;
}

static struct batch *open_batch(struct mlaas *m, bool at_once)
{
    struct batch *b = m->spare_batch;
    if (b)
        m->spare_batch = b->next;
    else if (!(b = malloc(sizeof *b)))
        return NULL;
    *b = (struct batch){.m = m, .model = m->hook_model, .group = m->hook_group, .at_once = at_once};
    b->last = &b->first;
    m->inside++;
    if (at_once)
        return b;
    m->open[b->group] = b;
    b->timer = sim_after(m->env.sim, (sim_time)(m->c.window_us * 1e3), 0, close_batch, b, 0);
    return b;
}

static bool join(struct mlaas *m, struct batch *b, const struct ticket *want)
{
    struct ticket *t = m->spare_ticket;
    if (t)
        m->spare_ticket = t->next;
    else if (!(t = malloc(sizeof *t)))
        return false;
    *t = *want;
    *b->last = t;
    b->last = &t->next;
    b->rows += m->hook_rows;
    return true;
}

bool mlaas_batch_join(struct mlaas *m, const struct ticket *want)
{
    const bool at_once = runs_at_once(m);
    struct batch *open = at_once ? NULL : m->open[m->hook_group];
    if (open && open->model != m->hook_model) {
        sim_cancel(m->env.sim, open->timer);
        close_batch(open, 0);
        open = NULL;
    }
    struct batch *b = open ? open : open_batch(m, at_once);
    if (!b || !join(m, b, want))
        return false;
    if (at_once || b->rows >= m->c.max_batch) {
        sim_cancel(m->env.sim, b->timer);
        close_batch(b, 0);
    }
    return true;
}

void mlaas_batches_free(struct mlaas *m)
{
    for (struct batch *b = m->spare_batch, *next; b; b = next) {
        next = b->next;
        free(b);
    }
    for (struct ticket *t = m->spare_ticket, *next; t; t = next) {
        next = t->next;
        free(t);
    }
}
