/* cores.c - a station of cores, and the jobs on it from a free list. */
#include "models/cores.h"

#include <assert.h>
#include <stdlib.h>

#include "sim/lot.h"
#include "sim/station.h"

struct work {
    struct job job;
    struct cores *cpu;
    sim_fn *done;
    void *ctx;
    uint64_t arg;
    struct work *next;
};

struct cores {
    struct station *cores;
    struct work *spare;
    struct lot works;
    size_t inside;
};

struct cores *cores_new(struct sim *s, unsigned cores)
{
    assert(cores > 0);
    struct cores *c = calloc(1, sizeof *c);
    if (c && !(c->cores = station_new(s, "cpu", cores))) {
        free(c);
        c = NULL;
    }
    return c;
}

void cores_free(struct cores *c)
{
    if (!c)
        return;
    lot_free(&c->works);
    station_free(c->cores);
    free(c);
}

/* The job goes back to the free list before its owner runs, who may submit the next. */
static void finished(void *ctx, uint64_t arg)
{
    (void)arg;
    struct work *w = ctx;
    struct cores *c = w->cpu;
    assert(c->inside > 0);
    c->inside--;
    sim_fn *done = w->done;
    void *owner = w->ctx;
    uint64_t owner_arg = w->arg;
    w->next = c->spare;
    c->spare = w;
    done(owner, owner_arg);
}

bool cores_submit(struct cores *c, sim_time service, sim_fn *done, void *ctx, uint64_t arg)
{
    struct work *w = c->spare;
    if (w)
        c->spare = w->next;
    else if (!(w = lot_new(&c->works, sizeof *w)))
        return false;
    *w = (struct work){.cpu = c, .done = done, .ctx = ctx, .arg = arg};
    w->job = (struct job){.service = service, .done = finished, .ctx = w};
    c->inside++;
    station_submit(c->cores, &w->job);
    return true;
}

bool cores_idle(const struct cores *c)
{
    return c->inside == 0;
}
