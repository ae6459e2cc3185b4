/* mlaas.c - the service: opening and closing, hooks. */
#include "models/mlaas/mlaas.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "models/mlaas/mlaas_state.h"

void mlaas_fail(struct mlaas *m, int rc)
{
    assert(rc && m->why.code == rc);
    (void)rc;
    sim_stop(m->env.sim);
}

void mlaas_no_memory(struct mlaas *m)
{
    mlaas_fail(m, err_set(&m->why, ERR_ENOMEM, "inference service: out of memory"));
}

/* ---- networks ------------------------------------------------------------------------- */

static const struct mlaas_tuning *tuning_of(const struct mlaas *m, const char *name)
{
    for (uint32_t i = 0; name && i < m->c.n_of; i++)
        if (!strcmp(m->c.of[i].name, name))
            return &m->c.of[i];
    return &m->c.all;
}

static struct mlaas_net *new_net(struct mlaas *m, int model)
{
    const struct model_infer *in = m->env.infer;
    struct mlaas_net *n = calloc(1, sizeof *n);
    if (!n) {
        mlaas_no_memory(m);
        return NULL;
    }
    n->model = model;
    n->tuning = tuning_of(m, in->name ? in->name(in->ctx, model) : NULL);
    int rc =
        mlaas_net_cost(&n->cost, in->kind ? in->kind(in->ctx, model) : NULL,
                       in->flops(in->ctx, model), m->ways.has_gpu, m->env.use->machine, &m->why);
    if (rc) {
        free(n);
        mlaas_fail(m, rc);
        return NULL;
    }
    n->crossover = mlaas_crossover(&m->ways, &n->cost);
    *m->last_net = n;
    m->last_net = &n->next;
    return n;
}

static struct mlaas_net *net_of(struct mlaas *m, int model)
{
    for (struct mlaas_net *n = m->net; n; n = n->next)
        if (n->model == model)
            return n;
    return new_net(m, model);
}

/* ---- hooks ------------------------------------------------------------------------------ */

static void ask(struct mlaas *m, int model, uint32_t rows)
{
    uint32_t i = 0;
    while (i < m->n_part && m->part[i].net->model != model)
        i++;
    if (i == MLAAS_PARTS) {
        mlaas_fail(m,
                   err_set(&m->why, ERR_EFAIL,
                           "inference service: one hook asked more than %d networks", MLAAS_PARTS));
        return;
    }
    if (i == m->n_part) {
        struct mlaas_net *net = net_of(m, model);
        if (!net)
            return;
        m->part[m->n_part++] = (struct mlaas_part){.net = net};
    }
    m->part[i].rows += rows;
}

static void heard(void *ctx, int model, uint32_t rows)
{
    struct mlaas *m = ctx;
    m->stats.calls++;
    m->stats.rows += rows;
    /* create() may warm up a network: before time begins, so free */
    if (m->in_hook && m->c.mode != MLAAS_FREE && !m->why.code)
        ask(m, model, rows);
}

void mlaas_hook_begin(struct mlaas *m)
{
    m->in_hook = true;
    m->n_part = 0;
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
    if (!m->n_part)
        return false;
    struct mlaas_ticket *t = mlaas_ticket_take(m);
    if (!t) {
        mlaas_no_memory(m);
        return true;
    }
    *t = (struct mlaas_ticket){.done = done, .ctx = ctx, .arg = arg, .waits_for = m->n_part};
    for (uint32_t i = 0; i < m->n_part; i++)
        if (!mlaas_batch_join(m, &m->part[i], t)) {
            mlaas_no_memory(m);
            return true;
        }
    return true;
}

bool mlaas_full(struct mlaas *m)
{
    const bool full = m->c.when_full == MLAAS_FULL_DEFAULT && m->rows_inside >= m->c.queue_rows;
    m->stats.overflowed += full;
    return full;
}

int mlaas_failed(const struct mlaas *m, struct err *e)
{
    return m->why.code ? err_set(e, m->why.code, "%s", m->why.msg) : 0;
}

bool mlaas_idle(const struct mlaas *m)
{
    return m->inside == 0;
}

void mlaas_stats(const struct mlaas *m, struct mlaas_stats *out)
{
    *out = m->stats;
}

/* ---- measures -------------------------------------------------------------------------- */

static void count(struct measures *out, const char *name, uint64_t v)
{
    measures_number(out, name, "1", BETTER_NONE, (double)v);
}

void mlaas_report(const struct mlaas *m, struct measures *out)
{
    const struct mlaas_stats *n = &m->stats;
    const uint64_t core = n->batches - n->gpu_batches;
    count(out, "infer_rows", n->rows);
    count(out, "infer_batches", n->batches);
    count(out, "infer_gpu_batches", n->gpu_batches);
    count(out, "infer_core_batches", core);
    count(out, "infer_core_small", n->small);
    count(out, "infer_core_backoff", n->backoffs);
    count(out, "infer_overflow", n->overflowed);
    count(out, "infer_polls", n->polls);
    measures_number(out, "infer_batch_mean", "1", BETTER_NONE,
                    m->batch_rows ? sketch_mean(m->batch_rows) : 0);
}

/* ---- open and close ---------------------------------------------------------------- */

static int open_costs(struct mlaas *m, struct err *e)
{
    struct machine_use probe; /* looked up, but not used until the first batch */
    int rc = machine_use_begin(&probe, m->env.use->machine, e);
    if (!rc)
        rc = mlaas_fits(&m->c, m->env.stack, &probe, e);
    if (!rc)
        rc = mlaas_ways(&m->ways, m->env.stack, mlaas_wants_gpu(&m->c), &probe, e);
    if (!rc && m->c.rule == MLAAS_LAKE_RULE)
        rc = machine_ps(&probe, "cost.batch_close", &m->close, e);
    machine_use_end(&probe);
    return rc;
}

static int open_sketches(struct mlaas *m, struct err *e)
{
    if (!m->env.out)
        return 0;
    m->batch_rows = measures_sketch(m->env.out, "infer_batch_rows", "1", false);
    m->window_wait = measures_sketch(m->env.out, "infer_window_wait", "us", false);
    return m->batch_rows && m->window_wait
               ? 0
               : err_set(e, ERR_ENOMEM, "inference service: out of memory");
}

int mlaas_open(struct mlaas **out, const struct mlaas_config *c, const struct mlaas_env *env,
               struct err *e)
{
    struct mlaas *m = *out = calloc(1, sizeof *m);
    if (!m)
        return err_set(e, ERR_ENOMEM, "inference service: out of memory");
    m->c = *c;
    m->env = *env;
    m->last_net = &m->net;
    int rc = env->infer && c->mode != MLAAS_FREE ? open_costs(m, e) : 0;
    if (!rc)
        rc = open_sketches(m, e);
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
    for (struct mlaas_net *n = m->net, *next; n; n = next) {
        next = n->next;
        free(n);
    }
    free(m);
}
