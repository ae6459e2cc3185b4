/* ssd_die.c - one die: what it does next, and what waited for it. */
#include <stdlib.h>
#include <string.h>

#include "models/blk/ssd_state.h"

sim_cost ssd_die_cost(const struct ssd *d, bool program, uint64_t bytes)
{
    return program ? d->p.program : machine_table_at(d->p.read, bytes);
}

/* ---- lines ------------------------------------------------------------------ */

static struct ssd_op *op_take(struct ssd *d)
{
    struct ssd_op *op = d->spare;
    if (op)
        d->spare = op->next;
    else
        op = malloc(sizeof *op);
    return op;
}

static void line_add(struct ssd_line *l, struct ssd_op *op)
{
    op->next = NULL;
    *l->last = op;
    l->last = &op->next;
}

static struct ssd_op *line_take(struct ssd_line *l)
{
    struct ssd_op *op = l->first;
    if (!(l->first = op->next))
        l->last = &l->first;
    return op;
}

/* What the die has done by now, by cause. */
static void did_by_now(const struct ssd_die *q, uint64_t did[SSD_CAUSES])
{
    memcpy(did, q->did, sizeof q->did);
    if (q->busy)
        did[q->cause] += sim_now(q->d->sim) - q->since;
}

bool ssd_die_add(struct ssd *d, uint64_t die, struct ssd_io *io, uint64_t bytes)
{
    struct ssd_die *q = &d->die[die];
    struct ssd_op *op = op_take(d);
    if (!op) {
        sim_fail(d->sim);
        return false;
    }
    *op = (struct ssd_op){.io = io, .bytes = bytes, .order = d->order++};
    did_by_now(q, op->seen);
    q->queued_ns += ssd_die_cost(d, !io, bytes) / 1000;
    line_add(io ? &q->reads : &q->programs, op);
    ssd_die_kick(q);
    return true;
}

uint64_t ssd_die_backlog(const struct ssd_die *q)
{
    return q->queued_ns + (q->busy ? q->until - sim_now(q->d->sim) : 0);
}

/* ---- what next --------------------------------------------------------------- */

/* The one that came first, but a program lets `overtake` reads pass. */
static struct ssd_op *pick(struct ssd_die *q)
{
    struct ssd_op *r = q->reads.first, *w = q->free ? q->programs.first : NULL;
    if (!r || !w)
        return r ? line_take(&q->reads) : w ? line_take(&q->programs) : NULL;
    if (r->order < w->order)
        return line_take(&q->reads);
    if (w->passed >= q->d->p.overtake)
        return line_take(&q->programs);
    w->passed++;
    return line_take(&q->reads);
}

static void finished(void *ctx, uint64_t arg);

static void occupy(struct ssd_die *q, enum ssd_part cause, sim_time ns)
{
    q->busy = true;
    q->cause = cause;
    q->since = sim_now(q->d->sim);
    q->until = q->since + ns;
    sim_at(q->d->sim, q->until, 0, finished, q, 0);
}

static void serve(struct ssd_die *q, struct ssd_op *op)
{
    struct ssd *d = q->d;
    const sim_cost ps = ssd_die_cost(d, !op->io, op->bytes);
    q->queued_ns -= ps / 1000;
    q->at = op;
    q->own_turn = q->collecting;
    for (int i = 0; i < SSD_CAUSES; i++) /* from here on: what it waited for */
        op->seen[i] = q->did[i] - op->seen[i];
    if (!op->io)
        q->free--;
    occupy(q, op->io ? SSD_read : SSD_program, ssd_ns(d, ps));
}

/* One step of turning a block over: a move, or the erase at the end. */
static void collect(struct ssd_die *q)
{
    struct ssd *d = q->d;
    q->own_turn = false;
    q->erasing = q->moves == 0;
    d->n.moves += !q->erasing;
    d->n.erases += q->erasing;
    if (!q->erasing)
        q->moves--;
    const sim_cost move = ssd_die_cost(d, false, d->p.stripe) + d->p.program;
    occupy(q, SSD_gc, ssd_ns(d, q->erasing ? d->p.erase : move));
}

static void collected(struct ssd_die *q)
{
    const struct ssd_params *p = &q->d->p;
    if (!q->erasing)
        return;
    q->free += p->block - p->valid;
    q->moves = p->valid;
    q->collecting = q->free < p->gc_high;
}

void ssd_die_kick(struct ssd_die *q)
{
    struct ssd *d = q->d;
    if (q->busy)
        return;
    if (q->flushes < d->flushes) {
        q->flushes++;
        d->n.flushes++;
        occupy(q, SSD_flush, ssd_ns(d, d->p.flush_time));
        return;
    }
    if (d->p.gc_low && !q->collecting && q->free <= d->p.gc_low)
        q->collecting = q->own_turn = true;
    struct ssd_op *op = q->collecting && q->own_turn ? NULL : pick(q);
    if (op)
        serve(q, op);
    else if (q->collecting)
        collect(q);
}

static void finished(void *ctx, uint64_t arg)
{
    (void)arg;
    struct ssd_die *q = ctx;
    struct ssd *d = q->d;
    struct ssd_op *op = q->at;
    q->did[q->cause] += q->until - q->since;
    d->n.busy[q->cause] += q->until - q->since;
    q->busy = false;
    q->at = NULL;
    if (q->cause == SSD_gc)
        collected(q);
    if (op && op->io)
        ssd_piece_read(d, op);
    else if (op)
        ssd_programmed(d);
    if (op) {
        op->next = d->spare;
        d->spare = op;
    }
    ssd_die_kick(q);
}
