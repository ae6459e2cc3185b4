/* mlaas_place.c - a core or the GPU? */
#include "models/mlaas/mlaas_state.h"

#define POLL_EVERY (20 * SIM_MS) /* LAKE's contention poll (utcs-scea/LAKE, main_cont.c) */

/* LAKE's rule, polled no more often than LAKE polls. */
static bool gpu_contended(struct mlaas *m)
{
    sim_time now = sim_now(m->env.sim);
    if (now - m->polled_at >= POLL_EVERY) {
        sim_cost busy = accel_busy(m->env.gpu);
        m->utilisation = (double)(busy - m->polled_busy) / 1e3 / (double)(now - m->polled_at);
        m->polled_at = now;
        m->polled_busy = busy;
    }
    return m->utilisation > m->c.gpu_limit;
}

bool mlaas_place_on_gpu(struct mlaas *m, const struct batch *b)
{
    if (m->c.place == MLAAS_CORE || !m->k.has_gpu || b->at_once)
        return false;
    return m->c.place != MLAAS_AUTO || (b->rows >= m->c.gpu_rows && !gpu_contended(m));
}
