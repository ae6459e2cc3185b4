/* remote.c - the channels as lists of crossings, and the pipeline that they make. */
#include "models/gpu/remote.h"

#include <stdio.h>

const char *const remote_kind_names[] = {"none", "tcp", "virtio", "ring", "infiniband", NULL};

/* One message, one way. */
struct way {
    const char *send[4], *wire[4], *receive[3]; /* NULL-terminated */
};
static const struct way ways[] = {
    [REMOTE_TCP] = {{"cost.syscall", "cost.net_xmit", "cost.vm_exit", NULL},
                    {"cost.vhost", "cost.wake", NULL},
                    {"cost.softirq_net", "cost.syscall", NULL}},
    [REMOTE_VIRTIO] = {{"cost.syscall", "cost.virtio_queue", "cost.vm_exit", NULL},
                       {"cost.wake", NULL},
                       {"cost.syscall", "cost.virtio_queue", NULL}},
    [REMOTE_RING] = {{"cost.lake_ring", NULL}, {"cost.poll", NULL}, {"cost.poll", NULL}},
    [REMOTE_INFINIBAND] = {{"cost.doorbell", NULL},
                           {"remote.infiniband.flight", NULL},
                           {"cost.poll", NULL}},
};

static int sum(struct machine_use *u, const char *const *names, sim_cost *out, struct err *e)
{
    int rc = 0;
    *out = 0;
    for (; !rc && *names; names++) {
        sim_cost ps = 0;
        rc = machine_ps(u, *names, &ps, e);
        *out += ps;
    }
    return rc;
}

int remote_channel_read(struct remote_channel *c, enum remote_kind kind, struct machine_use *u,
                        struct err *e)
{
    const struct way *way = &ways[kind];
    char name[64];
    double rate = 0;
    *c = (struct remote_channel){.coalesce = 1};
    if (kind == REMOTE_NONE)
        return 0;
    snprintf(name, sizeof name, "remote.%s.bandwidth", remote_kind_names[kind]);
    int rc = machine_value(u, name, QUANTITY_RATE, &rate, e);
    if (!rc && rate <= 0)
        rc = err_set(e, ERR_ERANGE, "machine \"%s\": %s: want more than 0", u->machine->name, name);
    c->byte = rc ? 0 : 1e12 / rate;
    if (!rc)
        rc = machine_ps(u, "cost.remote_stub", &c->stub, e);
    if (!rc)
        rc = machine_ps(u, "cost.remote_dispatch", &c->dispatch, e);
    if (!rc)
        rc = sum(u, way->send, &c->send, e);
    if (!rc)
        rc = sum(u, way->wire, &c->wire, e);
    if (!rc)
        rc = sum(u, way->receive, &c->receive, e);
    return rc;
}

sim_cost remote_async(const struct remote_channel *c)
{
    return c->stub + c->send / c->coalesce;
}

sim_cost remote_behind(const struct remote_channel *c)
{
    return c->dispatch + c->receive / c->coalesce;
}

sim_cost remote_sync(const struct remote_channel *c)
{
    return 2 * c->stub + c->dispatch + 2 * (c->send + c->wire + c->receive);
}

sim_cost remote_copy(const struct remote_channel *c, uint64_t bytes)
{
    return remote_sync(c) + (sim_cost)((double)bytes * c->byte + 0.5);
}

/* Where each stage is, in ps from the beginning. */
struct stages {
    const struct remote_channel *c;
    struct remote_cost *out;
    sim_cost guest, server, gpu;
    sim_cost each; /* GPU work of a call */
    uint32_t held; /* calls marshalled, their message not yet sent */
};

static sim_cost later(sim_cost a, sim_cost b)
{
    return a > b ? a : b;
}

/* The message with the held calls goes; the server and the GPU do them. */
static void send(struct stages *s)
{
    const struct remote_channel *c = s->c;
    if (!s->held)
        return;
    s->guest += c->send;
    s->server = later(s->server, s->guest + c->wire) + c->receive;
    for (; s->held; s->held--) {
        s->server += c->dispatch;
        s->out->server += c->dispatch;
        s->gpu = later(s->gpu, s->server) + s->each;
    }
    s->out->guest += c->send;
    s->out->server += c->receive;
    s->out->messages++;
}

static void call(struct stages *s)
{
    s->guest += s->c->stub;
    s->out->guest += s->c->stub;
    if (++s->held >= s->c->coalesce)
        send(s);
}

/* The answer comes back; with wait, once the GPU is done as well. */
static void answer(struct stages *s, bool wait, uint64_t bytes)
{
    const struct remote_channel *c = s->c;
    sim_cost payload = (sim_cost)((double)bytes * c->byte + 0.5);
    sim_cost from = wait ? later(s->server, s->gpu) : s->server;
    send(s);
    from = later(from, wait ? later(s->server, s->gpu) : s->server);
    s->server = from + c->stub + c->send;
    s->guest = s->server + c->wire + c->receive + payload;
    s->out->server += c->stub + c->send;
    s->out->guest += c->receive;
    s->out->payload += payload;
    s->out->messages += c->stub + c->send + c->receive > 0;
}

/* The call that carries payload, or asks for it: synchronous, and no work for the GPU. */
static void carry(struct stages *s, uint64_t bytes, bool wait, uint64_t back)
{
    sim_cost payload = (sim_cost)((double)bytes * s->c->byte + 0.5), each = s->each;
    send(s);
    s->each = 0;
    s->guest += payload;
    s->out->payload += payload;
    call(s);
    send(s);
    s->each = each;
    answer(s, wait, back);
}

void remote_run(const struct remote_channel *c, const struct remote_work *w,
                struct remote_cost *out)
{
    struct stages s = {.c = c, .out = out};
    uint64_t n = w->calls ? w->calls : 1, synced = 0;
    *out = (struct remote_cost){.gpu = w->local};
    s.each = w->local / n;
    if (w->in)
        carry(&s, w->in, false, 0);
    for (uint64_t i = 0; i < n; i++) {
        if (i + 1 == n)
            s.each = w->local - s.each * (n - 1);
        call(&s);
        if ((unsigned __int128)(i + 1) * w->sync_calls / n <= synced)
            continue;
        synced++;
        answer(&s, false, 0);
    }
    s.each = 0;
    carry(&s, 0, true, w->out);
    out->time = s.guest;
}
