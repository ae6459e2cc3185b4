#include "models/mlaas/mlaas_bill.h"

#include <string.h>

/* ---- settings ---------------------------------------------------------------------- */

static int refuse(const struct config *at, const char *const *keys, struct err *e)
{
    for (size_t i = 0; keys[i]; i++) {
        const struct config *c = config_get(at, keys[i]);
        if (c)
            return config_complain(c, e, "it left out: here every question is answered by itself");
    }
    return 0;
}

int mlaas_bill_config(struct mlaas_config *c, const struct config *section, struct err *e)
{
    static const char *const batches[] = {"window_us", "max_batch", NULL};
    static const char *const service[] = {
        "rule",        "queue_rows",      "when_full", "backoff", "gpu_limit",
        "gpu_return",  "poll_ms",         "calm_us",   "gpu_mib", "host_mib",
        "memory_full", "mailbox_idle_us", NULL};
    int rc = mlaas_config(c, section, e);
    if (rc || !section)
        return rc;
    const struct config *models = config_get(section, "models");
    rc = refuse(section, batches, e);
    if (!rc)
        rc = refuse(section, service, e);
    for (size_t i = 0; !rc && models && i < config_count(models); i++)
        rc = refuse(config_at(models, i), batches, e);
    return rc;
}

int mlaas_bill_fits(const struct mlaas_config *c, const struct config *section, const char *model,
                    const struct machine *machine, const char *stack, struct err *e)
{
    const struct stack *s = stack_find(stack ? stack : "native", e);
    struct machine_use use;
    if (!s)
        return ERR_ENAME;
    if (!section || c->mode == MLAAS_FREE)
        return 0;
    if (!machine)
        return err_set(e, ERR_ENAME,
                       "%s.infer: inference is charged to a \"machine\", and the experiment names "
                       "none ({\"mode\": \"free\"} needs none)",
                       model);
    int rc = machine_use_begin(&use, machine, e);
    if (!rc)
        rc = mlaas_fits(c, s, &use, e);
    machine_use_end(&use);
    return rc;
}

/* ---- prices ------------------------------------------------------------------------ */

static const struct mlaas_tuning *tuning_of(const struct mlaas_config *c, const char *name)
{
    for (uint32_t i = 0; name && i < c->n_of; i++)
        if (!strcmp(c->of[i].name, name))
            return &c->of[i];
    return &c->all;
}

static int find_ways(struct mlaas_bill *b)
{
    if (b->has_ways)
        return 0;
    int rc = mlaas_ways(&b->ways, b->stack, mlaas_wants_gpu(b->c), b->c->submit, b->use, &b->why);
    b->has_ways = !rc;
    return rc;
}

static struct mlaas_bill_net *new_net(struct mlaas_bill *b, int model)
{
    const struct model_infer *in = b->infer;
    if (b->n_nets == MLAAS_BILL_NETS) {
        b->rc = err_set(&b->why, ERR_ERANGE, "more than %d networks", MLAAS_BILL_NETS);
        return NULL;
    }
    struct mlaas_bill_net *n = &b->net[b->n_nets];
    n->model = model;
    n->tuning = tuning_of(b->c, in->name ? in->name(in->ctx, model) : NULL);
    if ((b->rc = find_ways(b)) ||
        (b->rc =
             mlaas_net_cost(&n->cost, in->kind ? in->kind(in->ctx, model) : NULL,
                            in->flops(in->ctx, model), b->ways.has_gpu, b->use->machine, &b->why)))
        return NULL;
    mlaas_net_cost_use(&n->cost, b->use);
    n->crossover = mlaas_crossover(&b->ways, &n->cost);
    b->n_nets++;
    return n;
}

static struct mlaas_bill_net *net_of(struct mlaas_bill *b, int model)
{
    for (uint32_t i = 0; i < b->n_nets; i++)
        if (b->net[i].model == model)
            return &b->net[i];
    return new_net(b, model);
}

static bool on_gpu(const struct mlaas_bill *b, const struct mlaas_bill_net *n, uint32_t rows)
{
    switch (n->tuning->place) {
    case MLAAS_CORE:
        return false;
    case MLAAS_AUTO:
        return b->ways.has_gpu && rows >= n->tuning->gpu_rows;
    case MLAAS_TABLE:
        return n->crossover && rows >= n->crossover;
    default:
        return b->ways.has_gpu;
    }
}

static void heard(void *ctx, int model, uint32_t rows)
{
    struct mlaas_bill *b = ctx;
    b->calls++;
    b->rows += rows;
    struct mlaas_bill_net *n =
        b->c->mode == MLAAS_FREE || !b->use || b->rc ? NULL : net_of(b, model);
    if (!n)
        return;
    const bool gpu = on_gpu(b, n, rows);
    const sim_cost work = gpu ? mlaas_gpu_at(&b->ways, &n->cost, rows) : 0;
    const struct stack_cost *way = gpu ? &b->ways.gpu : &b->ways.core;
    const sim_cost wires = gpu ? way->wire_before + way->wire_after : way->wire_before;
    const sim_cost all = gpu ? mlaas_alone_gpu(&b->ways, &n->cost, rows)
                             : mlaas_alone_core(&b->ways, &n->cost, rows);
    b->gpu_ps += work;
    b->cpu_ps += all - work - wires;
    if (b->c->mode == MLAAS_WAIT) {
        b->waits += all;
        b->waited_ps += all;
    }
}

/* ---- the feature store ------------------------------------------------------------------ */

static int store_costs(struct mlaas_bill *b)
{
    struct mlaas_bill_store *s = &b->store;
    int rc = machine_ps(b->use, "cost.feature_put", &s->put, &b->why);
    rc = rc ? rc : machine_ps(b->use, "cost.feature_commit", &s->commit, &b->why);
    rc = rc ? rc : machine_ps(b->use, "cost.feature_row", &s->row, &b->why);
    s->known = !rc;
    return rc;
}

static void stored(void *ctx, uint32_t puts, uint32_t commits, uint32_t rows)
{
    struct mlaas_bill *b = ctx;
    struct mlaas_bill_store *s = &b->store;
    s->puts += puts;
    s->commits += commits;
    s->rows += rows;
    if (b->c->mode == MLAAS_FREE || !b->use || b->rc || (!s->known && (b->rc = store_costs(b))))
        return;
    const sim_cost all = puts * s->put + commits * s->commit + rows * s->row;
    b->cpu_ps += all;
    if (b->c->mode == MLAAS_WAIT) {
        b->waits += all;
        b->waited_ps += all;
    }
}

/* ---- training ----------------------------------------------------------------------------- */

static bool priced(struct mlaas_bill *b)
{
    struct mlaas_bill_training *t = &b->training;
    if (b->c->mode == MLAAS_FREE || !b->use || b->rc)
        return false;
    if (!t->known)
        b->rc = machine_ps(b->use, "infer.train", &t->operation, &b->why);
    t->known = !b->rc;
    return t->known;
}

static bool trains(void *ctx, int model, uint64_t flops)
{
    struct mlaas_bill *b = ctx;
    struct mlaas_bill_training *t = &b->training;
    (void)model;
    if (t->now < t->done) {
        t->refused++;
        return false;
    }
    const sim_cost ps = priced(b) ? flops * t->operation : 0;
    t->pieces++;
    t->flops += flops;
    t->cpu_ps += ps;
    t->done = t->now + (ps + 999) / 1000;
    return true;
}

static bool trained(void *ctx, int model)
{
    const struct mlaas_bill *b = ctx;
    (void)model;
    return b->training.now >= b->training.done;
}

void mlaas_bill_clock(struct mlaas_bill *b, sim_time now)
{
    b->training.now = now;
    if (!b->infer || b->infer->tap->trains)
        return;
    b->infer->tap->trains = trains;
    b->infer->tap->trained = trained;
}

/* ---- the bill ------------------------------------------------------------------------------ */

int mlaas_bill_open(struct mlaas_bill *b, const struct mlaas_config *c, const char *stack,
                    struct machine_use *use, const struct model_infer *infer, struct err *e)
{
    *b = (struct mlaas_bill){.c = c, .use = use};
    b->stack = stack_find(stack ? stack : "native", e);
    if (!b->stack)
        return ERR_ENAME;
    b->infer = infer;
    if (infer) {
        infer->tap->called = heard;
        infer->tap->stored = stored;
        infer->tap->ctx = b;
    }
    return 0;
}

void mlaas_bill_close(struct mlaas_bill *b)
{
    if (b->infer) {
        struct infer_tap *tap = b->infer->tap;
        tap->called = NULL;
        tap->stored = NULL;
        tap->trains = NULL;
        tap->trained = NULL;
    }
    b->infer = NULL;
}

int mlaas_bill_check(const struct mlaas_bill *b, struct err *e)
{
    return b->rc ? err_set(e, b->rc, "a policy asks for inference: %s", b->why.msg) : 0;
}

static void report_training(const struct mlaas_bill *b, struct measures *out)
{
    const struct mlaas_bill_training *t = &b->training;
    if (b->store.commits)
        measures_number(out, "feature_commits", "1", BETTER_NONE, (double)b->store.commits);
    if (!t->pieces)
        return;
    measures_number(out, "train_pieces", "1", BETTER_NONE, (double)t->pieces);
    measures_number(out, "train_refused", "1", BETTER_NONE, (double)t->refused);
    measures_number(out, "train_flops", "1", BETTER_NONE, (double)t->flops);
    measures_number(out, "train_cpu_time", "s", BETTER_LESS, (double)t->cpu_ps / 1e12);
}

void mlaas_bill_report(const struct mlaas_bill *b, struct measures *out)
{
    report_training(b, out);
    if (!b->calls)
        return;
    measures_number(out, "infer_calls", "1", BETTER_NONE, (double)b->calls);
    measures_number(out, "infer_cpu_time", "s", BETTER_LESS, (double)b->cpu_ps / 1e12);
    measures_number(out, "infer_gpu_time", "s", BETTER_NONE, (double)b->gpu_ps / 1e12);
    measures_number(out, "infer_wait_time", "s", BETTER_LESS, (double)b->waited_ps / 1e12);
}
