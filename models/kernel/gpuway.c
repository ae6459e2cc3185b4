/* gpuway.c - the two ways as sequences of events. */
#include "models/kernel/gpuway.h"

#include <assert.h>
#include <stdlib.h>

struct message { /* a command on its way to the daemon, or waiting for it */
    struct gpuway_call *call;
    struct gpuway_command command;
    struct message *next;
};

struct gpuway {
    struct sim *sim;
    struct gpuway_config set;
    struct message *head, *tail, *serving, *unused;
    uint64_t waiting;
    sim_time gpu_free; /* when the GPU has done what was submitted */
    struct carry carry;
    struct gpuway_stats stats;
};

int gpuway_config(struct gpuway_config *c, struct machine_use *use, struct err *e)
{
    bool lake = c->kind == GPUWAY_LAKE, interrupt = c->interrupt;
    const struct {
        const char *name;
        sim_cost *to;
        bool wanted;
    } costs[] = {
        {"cost.lake_stub", &c->stub, lake},
        {c->shared ? "cost.lake_ring" : "cost.lake_channel", &c->channel, lake},
        {"cost.copy_small", &c->copy, lake},
        {"cost.launch", &c->launch, true},
        {"cost.doorbell", &c->doorbell, true},
        {"cost.gpu_reads_host", &c->reads, !lake},
        {"cost.gpu_to_host", &c->writes, !lake},
        {"cost.poll", &c->poll, !lake && !interrupt},
        {"cost.irq_user", &c->irq, !lake && interrupt},
    };
    int rc = 0;
    for (size_t i = 0; !rc && i < sizeof costs / sizeof *costs; i++)
        if (costs[i].wanted)
            rc = machine_ps(use, costs[i].name, costs[i].to, e);
    c->stub /= 3;
    return rc;
}

struct gpuway *gpuway_new(struct sim *s, const struct gpuway_config *c)
{
    struct gpuway *g = calloc(1, sizeof *g);
    if (g)
        *g = (struct gpuway){.sim = s, .set = *c};
    return g;
}

static void free_list(struct message *m)
{
    for (struct message *next; m; m = next) {
        next = m->next;
        free(m);
    }
}

void gpuway_free(struct gpuway *g)
{
    if (!g)
        return;
    free_list(g->head);
    free_list(g->serving);
    free_list(g->unused);
    free(g);
}

/* Time on a caller's or the daemon's CPU, or on a wire. */
static sim_time spend(struct gpuway *g, struct gpuway_call *c, enum gpuway_part part, sim_cost ps)
{
    c->part[part] += ps;
    return carry_ns(&g->carry, ps);
}

/* The GPU takes it when it comes free; returns when it is done. */
static sim_time gpu_work(struct gpuway *g, struct gpuway_call *c, sim_time from, sim_time ns)
{
    sim_time start = from > g->gpu_free ? from : g->gpu_free;
    g->gpu_free = start + ns;
    g->stats.gpu_busy += ns;
    c->part[GPUWAY_P_GPU] += ns * 1000;
    return c->gpu_done = g->gpu_free;
}

static sim_time until(const struct gpuway *g, sim_time when)
{
    sim_time now = sim_now(g->sim);
    return when > now ? when - now : 0;
}

static void step(void *ctx, uint64_t unused);

/* ---- LAKE ---- */

static void serve(struct gpuway *g);

static void daemon_done(void *ctx, uint64_t unused)
{
    (void)unused;
    struct gpuway *g = ctx;
    struct message *m = g->serving;
    g->serving = NULL;
    if (!m->command.async)
        sim_after(g->sim, spend(g, m->call, GPUWAY_P_WAKE, g->set.channel), 0, step, m->call, 0);
    m->next = g->unused;
    g->unused = m;
    serve(g);
}

static sim_time driver_call(struct gpuway *g, const struct message *m)
{
    struct gpuway_call *c = m->call;
    sim_time ns = 0;
    switch (m->command.what) {
    case GPUWAY_COPY_IN:
        return spend(g, c, GPUWAY_P_COPY, g->set.copy + m->command.extra);
    case GPUWAY_LAUNCH:
        ns = spend(g, c, GPUWAY_P_SOFTWARE, g->set.launch);
        sim_time rings = sim_now(g->sim) + ns + spend(g, c, GPUWAY_P_SOFTWARE, g->set.doorbell);
        gpu_work(g, c, rings, m->command.gpu_ns);
        return ns;
    case GPUWAY_COPY_OUT:
        return until(g, c->gpu_done) + spend(g, c, GPUWAY_P_COPY, g->set.copy + m->command.extra);
    case GPUWAY_CALL:
        return spend(g, c, GPUWAY_P_SOFTWARE, m->command.extra);
    case GPUWAY_SYNC:
    case GPUWAY_OWN: /* never sent */
        break;
    }
    return until(g, c->gpu_done);
}

static void serve(struct gpuway *g)
{
    struct message *m = g->head;
    if (g->serving || !m)
        return;
    g->head = m->next;
    m->next = NULL;
    g->waiting--;
    g->serving = m;
    sim_time ns = driver_call(g, m);
    g->stats.daemon_busy += ns;
    sim_after(g->sim, ns, 0, daemon_done, g, 0);
}

static void arrives(void *ctx, uint64_t unused)
{
    (void)unused;
    struct message *m = ctx;
    struct gpuway *g = m->call->g;
    m->next = NULL;
    *(g->head ? &g->tail->next : &g->head) = m;
    g->tail = m;
    if (++g->waiting > g->stats.max_queue)
        g->stats.max_queue = g->waiting;
    serve(g);
}

static struct message *message_new(struct gpuway *g)
{
    struct message *m = g->unused;
    if (m)
        g->unused = m->next;
    else if (!(m = calloc(1, sizeof *m)))
        sim_fail(g->sim);
    return m;
}

/* The channel's time is part of the latency only of a call that waits for what it carries. */
static void send(struct gpuway *g, struct gpuway_call *c, const struct gpuway_command *command)
{
    struct message *m = message_new(g);
    if (!m)
        return;
    *m = (struct message){.call = c, .command = *command};
    sim_time ns = spend(g, c, GPUWAY_P_SOFTWARE, g->set.stub);
    c->caller_cpu += g->set.stub;
    sim_cost way = g->set.channel;
    if (!command->async)
        c->part[GPUWAY_P_WAKE] += way;
    sim_after(g->sim, ns + (way + 500) / 1000, 0, arrives, m, 0);
    if (command->async)
        sim_after(g->sim, ns, 0, step, c, 0);
}

/* ---- Micro-LAKE ---- */

static void heard(struct gpuway *g, struct gpuway_call *c, sim_time wait)
{
    sim_time fence = spend(g, c, GPUWAY_P_SOFTWARE, g->set.writes), ns;
    if (g->set.interrupt) {
        ns = spend(g, c, GPUWAY_P_WAKE, g->set.irq);
        c->caller_cpu += g->set.irq;
    } else {
        ns = spend(g, c, GPUWAY_P_SOFTWARE, g->set.poll);
        c->caller_cpu += (wait + fence) * 1000 + g->set.poll;
    }
    sim_after(g->sim, wait + fence + ns, 0, step, c, 0);
}

static void submit(struct gpuway *g, struct gpuway_call *c, const struct gpuway_command *command)
{
    if (command->what == GPUWAY_LAUNCH) {
        sim_time ns = spend(g, c, GPUWAY_P_SOFTWARE, g->set.launch);
        c->caller_cpu += g->set.launch;
        sim_time bell = spend(g, c, GPUWAY_P_SOFTWARE, g->set.doorbell);
        sim_time reads = spend(g, c, GPUWAY_P_COPY, g->set.reads);
        gpu_work(g, c, sim_now(g->sim) + ns + bell, reads + command->gpu_ns);
        c->part[GPUWAY_P_GPU] -= reads * 1000; /* counted as a copy */
        if (command->async)
            sim_after(g->sim, ns, 0, step, c, 0);
        else
            heard(g, c, until(g, c->gpu_done));
        return;
    }
    bool waits = command->what != GPUWAY_COPY_IN && command->what != GPUWAY_CALL && !command->async;
    if (waits)
        heard(g, c, until(g, c->gpu_done));
    else /* pinned memory: nothing to do */
        sim_after(g->sim, 0, 0, step, c, 0);
}

/* ---- both ---- */

static void step(void *ctx, uint64_t unused)
{
    (void)unused;
    struct gpuway_call *c = ctx;
    struct gpuway *g = c->g;
    if (c->at == c->n) {
        c->done(c->ctx, c->arg);
        return;
    }
    const struct gpuway_command *command = &c->command[c->at++];
    if (command->what == GPUWAY_OWN) {
        c->caller_cpu += command->extra;
        sim_after(g->sim, spend(g, c, GPUWAY_P_SOFTWARE, command->extra), 0, step, c, 0);
        return;
    }
    g->stats.commands++;
    if (g->set.kind == GPUWAY_LAKE)
        send(g, c, command);
    else
        submit(g, c, command);
}

void gpuway_submit(struct gpuway *g, struct gpuway_call *c)
{
    assert(c->n && c->n <= GPUWAY_COMMANDS);
    c->g = g;
    c->at = 0;
    c->gpu_done = 0;
    c->caller_cpu = 0;
    for (int i = 0; i < GPUWAY_PARTS; i++)
        c->part[i] = 0;
    sim_after(g->sim, 0, 0, step, c, 0);
}

struct gpuway_stats gpuway_stats(const struct gpuway *g)
{
    return g->stats;
}
