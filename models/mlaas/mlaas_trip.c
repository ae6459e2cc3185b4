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

static void gpu_reached(void *ctx, uint64_t arg)
{
    (void)arg;
    struct mlaas_batch *b = ctx;
    struct mlaas *m = b->m;
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

void mlaas_trip(struct mlaas_batch *b, sim_cost closing)
{
    struct mlaas *m = b->m;
    if (mlaas_place_on_gpu(m, b)) {
        sim_cost work = mlaas_curve_at(&b->net->cost.gpu, b->rows);
        b->gpu_work = work;
        m->stats.gpu_batches++;
        m->stats.gpu_ps += work;
        m->stats.cpu_ps += m->ways.gpu.cpu_before + m->ways.gpu.cpu_after;
        m->stats.crossings += m->ways.gpu.crossings;
        on_core(m, ns_of(m, m->ways.gpu.cpu_before + closing), gpu_submitted, b);
        return;
    }
    sim_cost work = m->ways.core.cpu_before + mlaas_curve_at(&b->net->cost.cpu, b->rows);
    m->stats.cpu_ps += work;
    m->stats.crossings += m->ways.core.crossings;
    on_core(m, ns_of(m, work + closing), core_finished, b);
}
