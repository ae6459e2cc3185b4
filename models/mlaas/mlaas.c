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
    n->m = m;
    n->model = model;
    n->bytes = in->bytes ? in->bytes(in->ctx, model) : 0;
    n->last_waiting = &n->waiting;
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

/* A policy takes hold of a network, or lets it go. */
static bool held(void *ctx, int model, bool on)
{
    struct mlaas *m = ctx;
    struct mlaas_net *n = m->c.mode == MLAAS_FREE || m->why.code ? NULL : net_of(m, model);
    if (!n)
        return true;
    if (on)
        return mlaas_memory_hold(m, n, false);
    assert(n->holders);
    n->holders--;
    mlaas_memory_idle(n);
    return true;
}

/* ---- the feature store ------------------------------------------------------------------- */

static bool know_store(struct mlaas *m)
{
    int rc = machine_ps(m->env.use, "cost.feature_put", &m->store.put, &m->why);
    if (!rc)
        rc = machine_ps(m->env.use, "cost.feature_commit", &m->store.commit, &m->why);
    if (!rc)
        rc = machine_ps(m->env.use, "cost.feature_row", &m->store.row, &m->why);
    if (rc)
        mlaas_fail(m, rc);
    return m->store.known = !rc;
}

static void stored(void *ctx, uint32_t puts, uint32_t commits, uint32_t rows)
{
    struct mlaas *m = ctx;
    m->stats.puts += puts;
    m->stats.commits += commits;
    m->stats.rows_read += rows;
    if (m->c.mode == MLAAS_FREE || m->why.code || (!m->store.known && !know_store(m)))
        return;
    m->hook_store += puts * m->store.put + commits * m->store.commit + rows * m->store.row;
    if (m->in_hook)
        return;
    mlaas_trip_core(m, m->hook_store, NULL, NULL, 0);
    m->hook_store = 0;
}

/* ---- around a hook ------------------------------------------------------------------------ */

void mlaas_hook_begin(struct mlaas *m)
{
    m->in_hook = true;
    m->n_part = 0;
    m->hook_store = 0;
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
    if (!m->n_part && !m->hook_store)
        return false;
    if (!m->n_part) {
        mlaas_trip_core(m, m->hook_store, done, ctx, arg);
        m->hook_store = 0;
        return true;
    }
    struct mlaas_ticket *t = mlaas_ticket_take(m);
    if (!t) {
        mlaas_no_memory(m);
        return true;
    }
    *t =
        (struct mlaas_ticket){.m = m, .done = done, .ctx = ctx, .arg = arg, .waits_for = m->n_part};
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
    count(out, "infer_core_no_memory", n->no_memory);
    count(out, "infer_polls", n->polls);
    count(out, "infer_mailbox_wakes", n->wakes);
    count(out, "infer_loads", n->loads);
    count(out, "infer_unloads", n->unloads);
    count(out, "infer_gpu_copies", n->copies);
    count(out, "infer_gpu_evictions", n->evictions);
    measures_number(out, "infer_host_bytes", "B", BETTER_LESS, (double)n->host_bytes);
    measures_number(out, "infer_gpu_bytes", "B", BETTER_LESS, (double)n->gpu_bytes);
    count(out, "feature_puts", n->puts);
    count(out, "feature_commits", n->commits);
    count(out, "feature_rows", n->rows_read);
    measures_number(out, "infer_batch_mean", "1", BETTER_NONE,
                    m->batch_rows ? sketch_mean(m->batch_rows) : 0);
}

/* ---- open and close ---------------------------------------------------------------- */

static void free_service(struct mlaas *m)
{
    mlaas_batches_free(m);
    for (struct mlaas_net *n = m->net, *next; n; n = next) {
        next = n->next;
        free(n);
    }
    free(m);
}

static int open_costs(struct mlaas *m, struct err *e)
{
    struct machine_use probe; /* looked up, but not used until the first batch */
    int rc = machine_use_begin(&probe, m->env.use->machine, e);
    if (!rc)
        rc = mlaas_fits(&m->c, m->env.stack, &probe, e);
    if (!rc)
        rc = mlaas_ways(&m->ways, m->env.stack, mlaas_wants_gpu(&m->c), m->c.submit, &probe, e);
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

static void listen(struct mlaas *m, struct infer_tap *tap)
{
    tap->called = heard;
    tap->stored = stored;
    tap->holds = held;
    tap->ctx = m;
}

/* What policies hold already lies in the host's memory. */
static int hold_first(struct mlaas *m, struct err *e)
{
    const struct infer_tap *tap = m->env.infer->tap;
    for (uint32_t i = 0; i < tap->n_held; i++) {
        struct mlaas_net *n = net_of(m, tap->held[i]);
        if (!n)
            return mlaas_failed(m, e);
        if (!mlaas_memory_hold(m, n, true))
            return err_set(e, ERR_ERANGE,
                           "infer.host_mib: got %g, want more: the networks that policies open "
                           "do not fit",
                           m->c.host_mib);
    }
    return 0;
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
    const bool charges = env->infer && c->mode != MLAAS_FREE;
    int rc = charges ? open_costs(m, e) : 0;
    if (!rc)
        rc = open_sketches(m, e);
    if (!rc && charges)
        rc = hold_first(m, e);
    if (rc) {
        free_service(m);
        *out = NULL;
        return rc;
    }
    if (env->infer)
        listen(m, env->infer->tap);
    return 0;
}

void mlaas_close(struct mlaas *m)
{
    if (!m)
        return;
    struct infer_tap *tap = m->env.infer ? m->env.infer->tap : NULL;
    if (tap) {
        tap->called = NULL;
        tap->stored = NULL;
        tap->holds = NULL;
    }
    free_service(m);
}
