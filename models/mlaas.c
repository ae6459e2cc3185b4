/* mlaas.c - windows, batches, and the trip of one batch through the machine.
 *
 * A hook becomes a ticket; a ticket joins the open batch of its network; the
 * batch closes when it is full or its window has passed, takes its place
 * (core or GPU), and its tickets are called back in the order they came.    */
#include "models/mlaas.h"

#include <assert.h>
#include <stdlib.h>

#define POLL_EVERY (20 * SIM_MS) /* LAKE's contention poll (utcs-scea/LAKE, main_cont.c) */

struct ticket {
    sim_fn *done;
    void *ctx;
    uint64_t arg;
    struct ticket *next;
};

struct batch {
    struct mlaas *m;
    int model;
    uint32_t group;
    bool at_once; /* on a core, without waiting for company */
    uint64_t rows;
    struct ticket *first, **last;
    sim_event timer;
    sim_cost gpu_work;
    struct batch *next; /* free list */
};

struct mlaas {
    struct mlaas_config c;
    struct mlaas_env env;
    struct mlaas_costs k;
    struct carry carry;
    bool failed; /* out of memory: sticky; the run stops */
    bool in_hook;
    int hook_model; /* of the hook in progress */
    uint32_t hook_group;
    uint64_t hook_rows;
    struct batch *open[MLAAS_GROUPS];
    struct arrivals {
        sim_time at[MLAAS_RULE_GAPS + 1]; /* a ring; rule "lake" only */
        uint64_t n;
    } arrivals[MLAAS_GROUPS];
    struct batch *spare_batch;
    struct ticket *spare_ticket;
    uint64_t inside; /* batches open or running */
    sim_time polled_at;
    sim_cost polled_busy;
    double utilisation; /* as of the last poll */
    struct mlaas_stats stats;
};

/* ---- what a batch costs --------------------------------------------------------- */

static double size_ratio(const struct mlaas *m, int model)
{
    const struct model_infer *in = m->env.infer;
    return (double)in->flops(in->ctx, model) / m->k.reference_flops;
}

/* On a core everything grows with the network. */
static sim_cost cpu_cost(const struct mlaas *m, int model, uint64_t rows)
{
    return (sim_cost)((double)machine_table_at(m->k.cpu_table, rows) * size_ratio(m, model));
}

/* On the GPU the first row is latency; only what comes on top of it grows with the network. */
static sim_cost gpu_cost(const struct mlaas *m, int model, uint64_t rows)
{
    sim_cost one = machine_table_at(m->k.gpu_table, 1),
             all = machine_table_at(m->k.gpu_table, rows);
    assert(all >= one);
    double ratio = size_ratio(m, model);
    return one + (sim_cost)((double)(all - one) * (ratio > 1 ? ratio : 1));
}

/* ---- the trip --------------------------------------------------------------------- */

static void batch_done(void *ctx, uint64_t arg)
{
    (void)arg;
    struct batch *b = ctx;
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

static sim_time ns_of(struct mlaas *m, sim_cost ps)
{
    return carry_ns(&m->carry, ps);
}

static void fail(struct mlaas *m)
{
    m->failed = true;
    sim_stop(m->env.sim);
}

static void on_core(struct mlaas *m, sim_time work, sim_fn *next, struct batch *b)
{
    if (!cores_submit(m->env.cpu, work, next, b, 0))
        fail(m);
}

static void gpu_back_on_core(void *ctx, uint64_t arg)
{
    (void)arg;
    struct batch *b = ctx;
    on_core(b->m, ns_of(b->m, b->m->k.gpu.cpu_after), batch_done, b);
}

static void gpu_finished(void *ctx, uint64_t arg)
{
    (void)arg;
    struct batch *b = ctx;
    sim_after(b->m->env.sim, ns_of(b->m, b->m->k.gpu.wire_after), 0, gpu_back_on_core, b, 0);
}

static void gpu_reached(void *ctx, uint64_t arg)
{
    (void)arg;
    struct batch *b = ctx;
    struct mlaas *m = b->m;
    accel_side(m->env.gpu, b->gpu_work, ns_of(m, m->k.gpu.gpu_slice), ns_of(m, m->k.gpu.gpu_switch),
               gpu_finished, b, 0);
}

static void gpu_submitted(void *ctx, uint64_t arg)
{
    (void)arg;
    struct batch *b = ctx;
    sim_after(b->m->env.sim, ns_of(b->m, b->m->k.gpu.wire_before), 0, gpu_reached, b, 0);
}

static void core_finished(void *ctx, uint64_t arg)
{
    (void)arg;
    struct batch *b = ctx;
    sim_after(b->m->env.sim, ns_of(b->m, b->m->k.core.wire_before), 0, batch_done, b, 0);
}

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

static bool choose_gpu(struct mlaas *m, const struct batch *b)
{
    if (m->c.place == MLAAS_CORE || !m->k.has_gpu || b->at_once)
        return false;
    return m->c.place != MLAAS_AUTO || (b->rows >= m->c.gpu_rows && !gpu_contended(m));
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
    if (choose_gpu(m, b)) {
        sim_cost work = gpu_cost(m, b->model, b->rows);
        b->gpu_work = work;
        m->stats.gpu_batches++;
        m->stats.gpu_ps += work;
        m->stats.cpu_ps += m->k.gpu.cpu_before + m->k.gpu.cpu_after;
        m->stats.crossings += m->k.gpu.crossings;
        on_core(m, ns_of(m, m->k.gpu.cpu_before + closing), gpu_submitted, b);
        return;
    }
    sim_cost work = m->k.core.cpu_before + cpu_cost(m, b->model, b->rows);
    m->stats.cpu_ps += work;
    m->stats.crossings += m->k.core.crossings;
    on_core(m, ns_of(m, work + closing), core_finished, b);
}

/* ---- hooks, tickets ----------------------------------------------------------------- */

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
    return cpu_cost(m, m->hook_model, 1) / 1000 < (now - since) / MLAAS_RULE_GAPS;
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

bool mlaas_hook_end(struct mlaas *m, sim_fn *done, void *ctx, uint64_t arg)
{
    assert(m->in_hook);
    m->in_hook = false;
    if (!m->hook_rows || m->c.mode == MLAAS_FREE)
        return false;
    const bool at_once = runs_at_once(m);
    struct batch *open = at_once ? NULL : m->open[m->hook_group];
    if (open && open->model != m->hook_model) {
        sim_cancel(m->env.sim, open->timer);
        close_batch(open, 0);
        open = NULL;
    }
    struct batch *b = open ? open : open_batch(m, at_once);
    if (!b || !join(m, b, &(struct ticket){.done = done, .ctx = ctx, .arg = arg})) {
        fail(m);
        return true;
    }
    if (at_once || b->rows >= m->c.max_batch) {
        sim_cancel(m->env.sim, b->timer);
        close_batch(b, 0);
    }
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
    for (struct batch *b = m->spare_batch, *next; b; b = next) {
        next = b->next;
        free(b);
    }
    for (struct ticket *t = m->spare_ticket, *next; t; t = next) {
        next = t->next;
        free(t);
    }
    free(m);
}
