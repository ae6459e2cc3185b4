/* mlaas_trip.c - the trip of one batch through the machine. */
#include "models/mlaas/mlaas_state.h"

static sim_time ns_of(struct mlaas *m, sim_cost ps)
{
    return carry_ns(&m->carry, ps);
}

static void arrived(void *ctx, uint64_t arg)
{
    (void)arg;
    mlaas_batch_done(ctx);
}

static void on_core(struct mlaas *m, sim_time work, sim_fn *next, struct mlaas_batch *b)
{
    if (!cores_submit(m->env.cpu, work, next, b, 0))
        mlaas_no_memory(m);
}

static void gpu_back_on_core(void *ctx, uint64_t arg)
{
    (void)arg;
    struct mlaas_batch *b = ctx;
    on_core(b->m, ns_of(b->m, b->m->ways.gpu.cpu_after), arrived, b);
}

static void gpu_finished(void *ctx, uint64_t arg)
{
    (void)arg;
    struct mlaas_batch *b = ctx;
    sim_after(b->m->env.sim, ns_of(b->m, b->m->ways.gpu.wire_after), 0, gpu_back_on_core, b, 0);
}

/* One batch after the other, on SMs of its own. */
static void through_mailbox(struct mlaas_batch *b)
{
    struct mlaas *m = b->m;
    const sim_time now = sim_now(m->env.sim), work = ns_of(m, b->gpu_work);
    m->mailbox_until = (m->mailbox_until > now ? m->mailbox_until : now) + work;
    sim_at(m->env.sim, m->mailbox_until, 0, gpu_finished, b, 0);
}

static void gpu_reached(void *ctx, uint64_t arg)
{
    (void)arg;
    struct mlaas_batch *b = ctx;
    struct mlaas *m = b->m;
    if (m->c.submit == MLAAS_MAILBOX) {
        through_mailbox(b);
        return;
    }
    accel_side(m->env.gpu, b->gpu_work, ns_of(m, m->ways.gpu.gpu_slice),
               ns_of(m, m->ways.gpu.gpu_switch), gpu_finished, b, 0);
}

static void gpu_submitted(void *ctx, uint64_t arg)
{
    (void)arg;
    struct mlaas_batch *b = ctx;
    sim_after(b->m->env.sim, ns_of(b->m, b->m->ways.gpu.wire_before), 0, gpu_reached, b, 0);
}

static void core_finished(void *ctx, uint64_t arg)
{
    (void)arg;
    struct mlaas_batch *b = ctx;
    sim_after(b->m->env.sim, ns_of(b->m, b->m->ways.core.wire_before), 0, arrived, b, 0);
}

/* ---- work of a core without a batch -------------------------------------------------------- */

static void core_done(void *ctx, uint64_t arg)
{
    struct mlaas_ticket *t = ctx;
    struct mlaas *m = t->m;
    (void)arg;
    m->inside--;
    mlaas_ticket_leave(m, t);
}

static void nobody(void *ctx, uint64_t arg)
{
    (void)ctx, (void)arg;
}

void mlaas_trip_core(struct mlaas *m, sim_cost ps, sim_fn *done, void *ctx, uint64_t arg)
{
    struct mlaas_ticket *t = mlaas_ticket_take(m);
    if (!t) {
        mlaas_no_memory(m);
        return;
    }
    *t = (struct mlaas_ticket){
        .m = m, .done = done ? done : nobody, .ctx = ctx, .arg = arg, .waits_for = 1};
    m->inside++;
    m->stats.cpu_ps += ps;
    if (!cores_submit(m->env.cpu, ns_of(m, ps), core_done, t, 0))
        mlaas_no_memory(m);
}

/* ---- a batch ------------------------------------------------------------------------------ */

/* What it costs to have the mailbox's kernel there. */
static sim_cost wake(struct mlaas *m)
{
    const sim_time now = sim_now(m->env.sim);
    const sim_time ends = m->mailbox_until + (sim_time)(m->c.mailbox_idle_us * 1e3);
    if (m->c.submit != MLAAS_MAILBOX || (m->resident && now <= ends))
        return 0;
    m->resident = true;
    m->mailbox_until = now; /* so that those who come while it is launched do not launch it too */
    m->stats.wakes++;
    return m->ways.wake;
}

void mlaas_trip_gpu(struct mlaas_batch *b)
{
    struct mlaas *m = b->m;
    const sim_cost before = m->ways.gpu.cpu_before + b->closing + b->store + wake(m);
    b->gpu_work = mlaas_gpu_at(&m->ways, &b->net->cost, b->rows);
    m->stats.gpu_batches++;
    m->stats.gpu_ps += b->gpu_work;
    m->stats.cpu_ps += before + m->ways.gpu.cpu_after;
    m->stats.crossings += m->ways.gpu.crossings;
    on_core(m, ns_of(m, before), gpu_submitted, b);
}

static void trip_core(struct mlaas_batch *b)
{
    struct mlaas *m = b->m;
    const sim_cost work = m->ways.core.cpu_before + mlaas_curve_at(&b->net->cost.cpu, b->rows) +
                          b->closing + b->store;
    m->stats.cpu_ps += work;
    m->stats.crossings += m->ways.core.crossings;
    on_core(m, ns_of(m, work), core_finished, b);
}

void mlaas_trip_place(struct mlaas_batch *b)
{
    enum mlaas_where where = MLAAS_ABSENT;
    if (mlaas_place_on_gpu(b->m, b)) {
        where = mlaas_memory_on_gpu(b);
        b->m->stats.no_memory += where == MLAAS_ABSENT;
    }
    if (where == MLAAS_THERE)
        mlaas_trip_gpu(b);
    else if (where == MLAAS_ABSENT)
        trip_core(b);
}

void mlaas_trip(struct mlaas_batch *b)
{
    if (mlaas_memory_loaded(b))
        mlaas_trip_place(b);
}
