/* kernel_servers.c - servers with a device behind them, and MLaaS: ordinary threads. */
#include "models/kernel/kernel_world.h"

int kernel_service(struct kernel_run *r)
{
    const struct machine_cost *table;
    if (r->set->operation != KERNEL_decide || r->set->own_service)
        return 0;
    int rc = machine_table(r->use, "infer.cpu", &table, r->e);
    if (!rc)
        r->set->service = (machine_table_at(table, 1) + 500) / 1000;
    return rc;
}

static struct uk_op work(const struct world *w)
{
    return (struct uk_op){.op = UK_COMPUTE, .ns = w->set->service};
}

/* ---- block: the request is accepted by the reply, its completion is a notification ---------- */

enum { ASKS, ACCEPTED, COMPLETED };

static void reads(void *ctx, struct uk_thread *t, const struct uk_result *last, struct uk_op *next)
{
    struct client *c = ctx;
    (void)t;
    (void)last;
    if (c->phase == ACCEPTED) {
        c->phase = COMPLETED;
        *next = (struct uk_op){.op = UK_RECV, .cap = c->note};
        return;
    }
    if (c->phase == COMPLETED)
        world_stop(c);
    if (!world_more(c))
        return;
    world_start(c);
    c->phase = ACCEPTED;
    *next = (struct uk_op){.op = UK_CALL, .cap = c->cap, .words = 4};
}

static void device_done(void *ctx, uint64_t client)
{
    struct world *w = ctx;
    struct client *c = &w->client[client];
    w->done[(w->next_done + w->n_done++) % KERNEL_CLIENTS] = (uint32_t)client;
    c->timer.account.ps[UK_C_DEVICE] += w->set->device * 1000;
    uk_irq_raise(w->uk, w->irq, &c->timer.account);
}

enum { WAITS, SUBMITS, FINDS, TELLS };

static struct uk_op await_next(struct server *s)
{
    s->phase = WAITS;
    return (struct uk_op){.op = UK_RECV, .cap = s->cap};
}

static void tell(struct server *s, struct uk_thread *t, struct uk_op *next)
{
    struct world *w = s->w;
    struct client *c = &w->client[w->done[w->next_done]];
    w->next_done = (w->next_done + 1) % KERNEL_CLIENTS;
    w->n_done--;
    uk_thread_account(t, &c->timer.account);
    *next = (struct uk_op){.op = UK_SIGNAL, .cap = c->signal};
}

static void serves_blocks(void *ctx, struct uk_thread *t, const struct uk_result *last,
                          struct uk_op *next)
{
    struct server *s = ctx;
    struct world *w = s->w;
    switch (s->phase) {
    case WAITS:
        s->phase = last->signal ? FINDS : SUBMITS;
        s->serving = last->badge;
        *next = work(w);
        return;
    case SUBMITS:
        sim_after(w->r->sim, w->set->device, 0, device_done, w, s->serving - 1);
        s->phase = WAITS;
        *next = (struct uk_op){.op = UK_REPLY_RECV, .cap = s->cap};
        return;
    case FINDS:
        s->phase = TELLS;
        *next = (struct uk_op){.op = UK_ACK, .cap = w->ack};
        return;
    default:
        if (w->n_done)
            tell(s, t, next);
        else
            *next = await_next(s);
    }
}

static bool add_reader(struct world *w, uint32_t i, uint32_t endpoint)
{
    struct client *c = &w->client[i];
    c->w = w;
    c->thread = world_thread(w, world_spec(w, 1 + i, 100, KERNEL_CLIENTS + i, true), reads, c);
    uint32_t n = uk_notification(w->uk);
    if (!c->thread || !n)
        return false;
    c->cap = uk_cap(c->thread, endpoint, UK_WRITE, i + 1);
    c->note = uk_cap(c->thread, n, UK_READ, 0);
    c->signal = uk_cap(w->server[0].thread, n, UK_WRITE, 1);
    w->running++;
    uk_start(c->thread);
    return true;
}

void world_build_block(struct world *w)
{
    struct server *s = &w->server[0];
    uint32_t endpoint = uk_endpoint(w->uk);
    if (!endpoint || !world_driver(w, world_spec(w, 0, 200, 2, true), serves_blocks))
        return;
    uk_bind(s->thread, s->note);
    s->cap = uk_cap(s->thread, endpoint, UK_READ, 0);
    uk_start_receiving(s->thread, s->cap);
    for (uint32_t i = 0; i < w->set->clients && add_reader(w, i, endpoint); i++) {
    }
}

/* ---- network: the card's driver hands each packet to the monitor ---------------------------- */

enum { LISTENS, DRIVES, HANDS_OVER, ACKNOWLEDGES };

static void packet(void *ctx, uint64_t unused)
{
    (void)unused;
    struct world *w = ctx;
    if (!world_more(&w->client[0]))
        return;
    kernel_timer_start(&w->client[0].timer, &w->r->probe);
    w->client[0].begun = true;
    uk_irq_raise(w->uk, w->irq, &w->client[0].timer.account);
}

static void drives_card(void *ctx, struct uk_thread *t, const struct uk_result *last,
                        struct uk_op *next)
{
    struct server *s = ctx;
    struct world *w = s->w;
    (void)t;
    (void)last;
    switch (s->phase++) {
    case LISTENS:
        *next = work(w);
        return;
    case DRIVES:
        *next = (struct uk_op){.op = UK_CALL, .cap = s->to, .words = 4};
        return;
    case HANDS_OVER:
        *next = (struct uk_op){.op = UK_ACK, .cap = w->ack};
        return;
    default:
        sim_after(w->r->sim, WORLD_GAP, 0, packet, w, 0);
        s->phase = LISTENS;
        *next = (struct uk_op){.op = UK_RECV, .cap = s->cap};
    }
}

static void monitors(void *ctx, struct uk_thread *t, const struct uk_result *last,
                     struct uk_op *next)
{
    struct server *s = ctx;
    (void)t;
    (void)last;
    s->worked = !s->worked;
    if (s->worked) { /* copies the packet into the guest's ring */
        *next = work(s->w);
        return;
    }
    world_stop(&s->w->client[0]);
    *next = (struct uk_op){.op = UK_REPLY_RECV, .cap = s->cap};
}

void world_build_net(struct world *w)
{
    struct server *card = &w->server[0], *monitor = &w->server[1];
    uint32_t endpoint = uk_endpoint(w->uk);
    monitor->w = w;
    monitor->thread = world_thread(w, world_spec(w, 0, 255, 4, false), monitors, monitor);
    if (!endpoint || !monitor->thread ||
        !world_driver(w, world_spec(w, 0, 255, 2, true), drives_card))
        return;
    card->to = uk_cap(card->thread, endpoint, UK_WRITE, 1);
    monitor->cap = uk_cap(monitor->thread, endpoint, UK_READ, 0);
    uk_start_receiving(monitor->thread, monitor->cap);
    uk_start_receiving(card->thread, card->cap);
    w->running = 1;
    world_spin(w);
    sim_after(w->r->sim, WORLD_GAP, 0, packet, w, 0);
}
