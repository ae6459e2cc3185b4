/* cpu.c - a station of cores, and the jobs on it from a free list. */
#include "models/cpu.h"

#include <assert.h>
#include <stdlib.h>

#include "sim/station.h"

struct work {
    struct job job;
    struct cpu *cpu;
    sim_fn *done;
    void *ctx;
    uint64_t arg;
    struct work *next;
};

struct cpu {
    struct station *cores;
    struct work *spare;
    size_t inside;
};

struct cpu *cpu_new(struct sim *s, unsigned cores)
{
    assert(cores > 0);
    struct cpu *c = calloc(1, sizeof *c);
    if (c && !(c->cores = station_new(s, "cpu", cores))) {
        free(c);
        c = NULL;
    }
    return c;
}

void cpu_free(struct cpu *c)
{
    if (!c)
        return;
    while (c->spare) {
        struct work *next = c->spare->next;
        free(c->spare);
        c->spare = next;
    }
    station_free(c->cores);
    free(c);
}

/* The job goes back to the free list before its owner runs, who may submit the next. */
static void finished(void *ctx, uint64_t arg)
{
    (void)arg;
    struct work *w = ctx;
    struct cpu *c = w->cpu;
    assert(c->inside > 0);
    c->inside--;
    sim_fn *done = w->done;
    void *owner = w->ctx;
    uint64_t owner_arg = w->arg;
    w->next = c->spare;
    c->spare = w;
    done(owner, owner_arg);
}

bool cpu_submit(struct cpu *c, sim_time service, sim_fn *done, void *ctx, uint64_t arg)
{
    struct work *w = c->spare;
    if (w)
        c->spare = w->next;
    else if (!(w = malloc(sizeof *w)))
        return false;
    *w = (struct work){.cpu = c, .done = done, .ctx = ctx, .arg = arg};
    w->job = (struct job){.service = service, .done = finished, .ctx = w};
    c->inside++;
    station_submit(c->cores, &w->job);
    return true;
}

bool cpu_idle(const struct cpu *c)
{
    return c->inside == 0;
}
