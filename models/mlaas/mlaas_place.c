/* mlaas_place.c - a core or the GPU? */
#include "models/mlaas/mlaas_state.h"

/* ---- back-off --------------------------------------------------------------------------- */

static void poll(struct mlaas *m, sim_time now)
{
    const struct accel *gpu = m->env.gpu;
    const sim_cost busy = accel_busy(gpu);
    const double util = (double)(busy - m->polled_busy) / 1e3 / (double)(now - m->polled_at);
    const double limit = m->backed_off ? m->c.gpu_return : m->c.gpu_limit;
    m->backed_off = accel_tenant_seen(gpu) && util > limit;
    m->polled_at = now;
    m->polled_busy = busy;
    m->stats.polls++;
    mlaas_trip_core(m, m->ways.poll, NULL, NULL, 0);
}

/* LAKE's rule, looked at no more often than LAKE polls. */
static bool lake_says_no(struct mlaas *m)
{
    const sim_time now = sim_now(m->env.sim);
    if (now - m->polled_at >= (sim_time)(m->c.poll_ms * 1e6))
        poll(m, now);
    return m->backed_off;
}

static bool tenants_want_it(struct mlaas *m)
{
    const sim_time now = sim_now(m->env.sim);
    if (!m->env.wants_gpu || !m->env.wants_gpu(m->env.ctx))
        return now < m->wanted_till;
    m->wanted_till = now + (sim_time)(m->c.calm_us * 1e3);
    return true;
}

static bool backs_off(struct mlaas *m)
{
    switch (m->c.backoff) {
    case MLAAS_BACKOFF_LAKE:
        return lake_says_no(m);
    case MLAAS_BACKOFF_TENANTS:
        return tenants_want_it(m);
    case MLAAS_BACKOFF_NONE:
        break;
    }
    return false;
}

/* ---- the choice --------------------------------------------------------------------------- */

static bool large_enough(const struct mlaas_batch *b)
{
    const struct mlaas_tuning *t = b->net->tuning;
    if (t->place == MLAAS_AUTO)
        return b->rows >= t->gpu_rows;
    return t->place != MLAAS_TABLE || (b->net->crossover && b->rows >= b->net->crossover);
}

bool mlaas_place_on_gpu(struct mlaas *m, const struct mlaas_batch *b)
{
    if (b->net->tuning->place == MLAAS_CORE || !m->ways.has_gpu || b->at_once)
        return false;
    if (!large_enough(b)) {
        m->stats.small++;
        return false;
    }
    if (!backs_off(m))
        return true;
    m->stats.backoffs++;
    return false;
}
