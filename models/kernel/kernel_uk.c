/* kernel_uk.c - the microkernel's operations as programs of threads. */
#include "models/kernel/kernel_world.h"

static bool one_way_call(const struct world *w)
{
    return w->set->operation == KERNEL_call || w->set->operation == KERNEL_call_fpu;
}

static bool one_way_reply(const struct world *w)
{
    return w->set->operation == KERNEL_reply || w->set->operation == KERNEL_reply_fpu;
}

void world_start(struct client *c)
{
    kernel_timer_start(&c->timer, &c->w->r->probe);
    uk_thread_account(c->thread, &c->timer.account);
    c->begun = true;
}

void world_stop(struct client *c)
{
    if (!c->begun)
        return;
    kernel_timer_stop(&c->timer, &c->w->r->probe);
    c->begun = false;
}

bool world_more(struct client *c)
{
    if (c->timer.done < c->w->set->count + KERNEL_WARMUP)
        return true;
    if (!--c->w->running)
        sim_stop(c->w->r->sim);
    return false;
}

/* ---- programs ---- */

static void asks(void *ctx, struct uk_thread *t, const struct uk_result *last, struct uk_op *next)
{
    struct client *c = ctx;
    (void)last;
    (void)t;
    world_stop(c);
    if (!world_more(c))
        return;
    enum uk_opcode op = c->w->set->operation == KERNEL_null         ? UK_NULL
                        : c->w->set->operation == KERNEL_page_fault ? UK_FAULT
                                                                    : UK_CALL;
    *next = (struct uk_op){.op = op, .cap = c->cap, .words = c->w->set->words};
    if (!one_way_reply(c->w))
        world_start(c);
}

static void serves(void *ctx, struct uk_thread *t, const struct uk_result *last, struct uk_op *next)
{
    struct server *s = ctx;
    struct world *w = s->w;
    if (!s->worked)
        s->serving = last->badge;
    struct client *c = &w->client[s->serving - 1];
    if (!s->worked && one_way_call(w))
        world_stop(c);
    s->worked = !s->worked && w->set->service;
    if (s->worked) {
        *next = (struct uk_op){.op = UK_COMPUTE, .ns = w->set->service};
        return;
    }
    if (one_way_reply(w)) {
        world_start(c);
        uk_thread_account(t, &c->timer.account);
    }
    *next = (struct uk_op){.op = UK_REPLY_RECV, .cap = s->cap, .words = w->set->words};
}

enum { REST = 5000 }; /* ns between two signals */

static void signals(void *ctx, struct uk_thread *t, const struct uk_result *last,
                    struct uk_op *next)
{
    struct client *c = ctx;
    (void)last;
    (void)t;
    if (c->begun || !c->rested) { /* until the other side has seen it, and waits again */
        c->rested = !c->begun;
        *next = (struct uk_op){.op = UK_COMPUTE, .ns = REST};
        return;
    }
    if (!world_more(c))
        return;
    c->rested = false;
    world_start(c);
    *next = (struct uk_op){.op = UK_SIGNAL, .cap = c->cap};
}

static void waits(void *ctx, struct uk_thread *t, const struct uk_result *last, struct uk_op *next)
{
    struct server *s = ctx;
    (void)last;
    world_stop(&s->w->client[0]);
    uk_thread_account(t, NULL);
    *next = (struct uk_op){.op = UK_RECV, .cap = s->cap};
}

/* ---- a device and its driver ---- */

static void device(void *ctx, uint64_t unused)
{
    (void)unused;
    struct world *w = ctx;
    struct client *c = &w->client[0];
    if (!world_more(c))
        return;
    kernel_timer_start(&c->timer, &w->r->probe);
    c->begun = true;
    uk_irq_raise(w->uk, w->irq, &c->timer.account);
}

static void drives(void *ctx, struct uk_thread *t, const struct uk_result *last, struct uk_op *next)
{
    struct server *s = ctx;
    struct world *w = s->w;
    *next = (struct uk_op){.op = UK_RECV, .cap = s->cap};
    if (!last->signal)
        return;
    world_stop(&w->client[0]);
    uk_thread_account(t, NULL);
    *next = (struct uk_op){.op = UK_ACK, .cap = w->ack};
    sim_after(w->r->sim, WORLD_GAP, 0, device, w, 0);
}

static void spins(void *ctx, struct uk_thread *t, const struct uk_result *last, struct uk_op *next)
{
    (void)ctx;
    (void)t;
    (void)last;
    *next = (struct uk_op){.op = UK_COMPUTE, .ns = SIM_MS};
}

/* ---- building ---- */

uint32_t kernel_cores(const struct kernel_setup *k)
{
    if (k->operation == KERNEL_call_cross)
        return k->servers + k->clients;
    if (k->operation == KERNEL_block_io)
        return 1 + k->clients;
    return k->operation == KERNEL_notify_cross ? 2 : 1;
}

struct uk_spec world_spec(const struct world *w, uint32_t core, uint32_t prio, uint32_t space,
                          bool active)
{
    const struct kernel_setup *k = w->set;
    bool fpu = k->operation == KERNEL_call_fpu || k->operation == KERNEL_reply_fpu;
    return (struct uk_spec){.core = core,
                            .prio = prio,
                            .space = k->same_space ? 1 : space,
                            .fpu = fpu,
                            .budget = active ? k->budget : 0,
                            .period = active ? k->period : 0,
                            .constant = k->constant};
}

static bool is_cross(const struct world *w)
{
    return kernel_cores(w->set) > 1;
}

struct uk_thread *world_thread(struct world *w, struct uk_spec spec, uk_program *program, void *ctx)
{
    spec.program = program;
    spec.ctx = ctx;
    return uk_thread_new(w->uk, &spec);
}

static void build_servers(struct world *w, uint32_t *endpoint)
{
    for (uint32_t i = 0; i < w->set->servers; i++) {
        struct server *s = &w->server[i];
        *s = (struct server){.w = w};
        struct uk_spec spec = world_spec(w, is_cross(w) ? i : 0, 200, 2 + i, false);
        spec.fpu_writes = spec.fpu;
        struct uk_thread *t = world_thread(w, spec, serves, s);
        endpoint[i] = uk_endpoint(w->uk);
        if (!t || !endpoint[i])
            return;
        s->cap = uk_cap(t, endpoint[i], UK_READ, 0);
        uk_start_receiving(t, s->cap);
    }
}

static void build_calls(struct world *w)
{
    uint32_t endpoint[KERNEL_CLIENTS] = {0};
    build_servers(w, endpoint);
    unsigned rights = w->set->operation == KERNEL_denied ? UK_READ : UK_WRITE;
    for (uint32_t i = 0; i < w->set->clients && !sim_failed(w->r->sim); i++) {
        struct client *c = &w->client[i];
        struct uk_spec spec =
            world_spec(w, is_cross(w) ? w->set->servers + i : 0, 100, KERNEL_CLIENTS + 2 + i, true);
        spec.fault_handler = 1;
        c->w = w;
        c->thread = world_thread(w, spec, asks, c);
        if (!c->thread)
            return;
        c->cap = uk_cap(c->thread, endpoint[i % w->set->servers], rights, i + 1);
        w->running++;
        uk_start(c->thread);
    }
}

bool world_driver(struct world *w, struct uk_spec spec, uk_program *program)
{
    struct server *s = &w->server[0];
    struct uk_thread *t = world_thread(w, spec, program, s);
    uint32_t n = uk_notification(w->uk);
    s->w = w;
    s->thread = t;
    s->note = n;
    w->irq = n ? uk_irq(w->uk, 0, n, 1) : 0;
    if (!t || !w->irq)
        return false;
    s->cap = uk_cap(t, n, UK_READ, 0);
    w->ack = uk_cap(t, w->irq, UK_WRITE, 0);
    return true;
}

void world_spin(struct world *w)
{
    struct client *c = &w->client[0];
    c->w = w;
    c->thread = world_thread(w, world_spec(w, 0, 1, 3, true), spins, c);
    if (c->thread)
        uk_start(c->thread);
}

static void build_irq(struct world *w)
{
    w->running = 1;
    if (!world_driver(w, world_spec(w, 0, 255, 2, true), drives))
        return;
    uk_start_receiving(w->server[0].thread, w->server[0].cap);
    world_spin(w);
    sim_after(w->r->sim, WORLD_GAP, 0, device, w, 0);
}

static void build_signals(struct world *w)
{
    struct client *c = &w->client[0];
    w->running = 1;
    c->w = w;
    c->thread = world_thread(w, world_spec(w, 0, 1, 3, true), signals, c);
    if (!c->thread || !world_driver(w, world_spec(w, is_cross(w), 255, 2, true), waits))
        return;
    c->cap = uk_cap(c->thread, w->server[0].note, UK_WRITE, 1);
    uk_start_receiving(w->server[0].thread, w->server[0].cap);
    uk_start(c->thread);
}

/* ---- the run ---- */

static void report(struct world *w, const struct uk_prims *prims)
{
    const struct kernel_probe *p = &w->r->probe;
    const struct uk_stats *st = uk_stats(w->uk);
    struct uk_times times = uk_times(w->uk);
    double mean = p->total_ns / (double)p->n, known = 0, total = p->total_ns * 1e3;
    for (int i = 0; i < UK_CLASSES; i++)
        known += (double)p->part[i];
    /* What two cores do at the same time is longer than the latency. */
    double scale = known > total ? total / known : 1, all = (double)(st->fast + st->slow);
    for (int i = 0; i < UK_CLASSES; i++)
        kernel_share(w->r, uk_class_name((enum uk_class)i), (double)p->part[i] * scale);
    double rest = total - known; /* below a nanosecond an operation is rounding */
    kernel_share(w->r, "queue", rest > (double)p->n * 1e3 ? rest : 0);
    measures_number(w->r->out, "cycles_mean", "cycles", BETTER_LESS, uk_prims_cycles(prims, mean));
    measures_number(w->r->out, "fastpath_share", "1", BETTER_MORE,
                    all > 0 ? (double)st->fast / all : 0);
    measures_number(w->r->out, "refused", "1", BETTER_NONE, (double)st->refused);
    measures_number(w->r->out, "starved", "1", BETTER_LESS, (double)st->starved);
    double cores = (double)(times.user + times.kernel + times.lock + times.idle);
    measures_number(w->r->out, "util", "1", BETTER_NONE, 1 - (double)times.idle / cores);
}

static int run(struct world *w, const struct uk_prims *prims)
{
    switch (w->set->operation) {
    case KERNEL_irq_to_driver:
        build_irq(w);
        break;
    case KERNEL_notify:
    case KERNEL_notify_cross:
        build_signals(w);
        break;
    case KERNEL_block_io:
        world_build_block(w);
        break;
    case KERNEL_net_receive:
        world_build_net(w);
        break;
    default:
        build_calls(w);
    }
    sim_run(w->r->sim, SIM_NEVER);
    if (sim_failed(w->r->sim))
        return ERR_ENOMEM;
    report(w, prims);
    return 0;
}

int kernel_run_uk(struct kernel_run *r)
{
    struct world w = {.r = r, .set = r->set};
    struct uk_config c = {.mcs = r->set->mcs, .no_fastpath = !r->set->fastpath};
    int rc = uk_prims_read(&c.prims, r->set->mitigations, r->use, r->e);
    if (!rc)
        rc = kernel_service(r);
    if (rc)
        return rc;
    c.cores = kernel_cores(r->set);
    w.uk = uk_new(r->sim, &c);
    rc = w.uk ? run(&w, &c.prims) : ERR_ENOMEM;
    uk_free(w.uk);
    return rc;
}
