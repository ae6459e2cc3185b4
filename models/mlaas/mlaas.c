/* mlaas.c - the service: opening and closing, hooks. */
#include <assert.h>
#include <stdlib.h>

#include "models/mlaas/mlaas_state.h"

void mlaas_fail(struct mlaas *m)
{
    m->failed = true;
    sim_stop(m->env.sim);
}

static void heard(void *ctx, int model, uint32_t rows)
{
    struct mlaas *m = ctx;
    m->stats.calls++;
    m->stats.rows += rows;
    if (!m->in_hook) /* create() may warm up a network: before time begins, so free */
        return;
    m->hook_model = model;
    m->hook_rows += rows;
}

void mlaas_hook_begin(struct mlaas *m)
{
    m->in_hook = true;
    m->hook_rows = 0;
    m->hook_group = 0;
}

void mlaas_hook_group(struct mlaas *m, uint32_t group)
{
    assert(m->in_hook && group < MLAAS_GROUPS);
    m->hook_group = group;
}

bool mlaas_hook_end(struct mlaas *m, sim_fn *done, void *ctx, uint64_t arg)
{
    assert(m->in_hook);
    m->in_hook = false;
    if (!m->hook_rows || m->c.mode == MLAAS_FREE)
        return false;
    if (!mlaas_batch_join(m, &(struct ticket){.done = done, .ctx = ctx, .arg = arg}))
        mlaas_fail(m);
    return true;
}

bool mlaas_failed(const struct mlaas *m)
{
    return m->failed;
}

bool mlaas_idle(const struct mlaas *m)
{
    return m->inside == 0;
}

void mlaas_stats(const struct mlaas *m, struct mlaas_stats *out)
{
    *out = m->stats;
}

/* ---- open and close ---------------------------------------------------------------- */

int mlaas_open(struct mlaas **out, const struct mlaas_config *c, const struct mlaas_env *env,
               struct err *e)
{
    struct mlaas *m = *out = calloc(1, sizeof *m);
    if (!m)
        return err_set(e, ERR_ENOMEM, "inference service: out of memory");
    m->c = *c;
    m->env = *env;
    struct machine_use probe; /* looked up, but not used until the first batch */
    int rc = machine_use_begin(&probe, env->use->machine, e);
    if (!rc && env->infer && c->mode != MLAAS_FREE)
        rc = mlaas_costs(&m->k, c, env->stack, &probe, e);
    machine_use_end(&probe);
    if (rc) {
        free(m);
        *out = NULL;
        return rc;
    }
    if (env->infer)
        *env->infer->tap = (struct infer_tap){heard, m};
    return 0;
}

void mlaas_close(struct mlaas *m)
{
    if (!m)
        return;
    if (m->env.infer)
        *m->env.infer->tap = (struct infer_tap){NULL, NULL};
    mlaas_batches_free(m);
    free(m);
}
