#include "sim/station.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "sim/area.h"

/* Waiting jobs of one priority, first come first.  A model has few priorities. */
struct line {
    int prio;
    struct job *head, *tail;
};

struct station {
    struct sim *sim;
    const char *name;
    unsigned servers;
    struct line *line; /* higher prio first */
    size_t lines, cap;
    struct area busy, waiting;
    uint64_t arrivals, completions, max_queue;
};

struct station *station_new(struct sim *s, const char *name, unsigned servers)
{
    assert(servers > 0);
    struct station *st = calloc(1, sizeof *st);
    if (!st)
        return NULL;
    st->sim = s;
    st->name = name;
    st->servers = servers;
    st->busy.since = st->waiting.since = sim_now(s);
    return st;
}

void station_free(struct station *st)
{
    if (!st)
        return;
    free(st->line);
    free(st);
}

/* Where the line of prio is or belongs. */
static size_t line_place(const struct station *st, int prio)
{
    size_t i = 0;
    while (i < st->lines && st->line[i].prio > prio)
        i++;
    return i;
}

static struct line *line_of(struct station *st, int prio)
{
    size_t i = line_place(st, prio);
    if (i < st->lines && st->line[i].prio == prio)
        return &st->line[i];
    if (st->lines == st->cap) {
        size_t cap = st->cap ? 2 * st->cap : 4;
        struct line *at = realloc(st->line, cap * sizeof *at);
        if (!at)
            return NULL;
        st->line = at;
        st->cap = cap;
    }
    memmove(st->line + i + 1, st->line + i, (st->lines - i) * sizeof *st->line);
    st->lines++;
    st->line[i] = (struct line){.prio = prio};
    return &st->line[i];
}

static void line_append(struct line *l, struct job *j)
{
    j->next = NULL;
    j->prev = l->tail;
    if (l->tail)
        l->tail->next = j;
    else
        l->head = j;
    l->tail = j;
}

static void line_remove(struct line *l, struct job *j)
{
    if (j->prev)
        j->prev->next = j->next;
    else
        l->head = j->next;
    if (j->next)
        j->next->prev = j->prev;
    else
        l->tail = j->prev;
    j->next = j->prev = NULL;
}

/* The job to serve next; NULL when none waits. */
static struct job *take_first(struct station *st)
{
    for (size_t i = 0; i < st->lines; i++) {
        struct job *j = st->line[i].head;
        if (j) {
            line_remove(&st->line[i], j);
            return j;
        }
    }
    return NULL;
}

static void complete(void *ctx, uint64_t job);

static void serve(struct station *st, struct job *j)
{
    j->started = sim_now(st->sim);
    j->place = 0;
    j->ev = sim_after(st->sim, j->service, 0, complete, st, (uint64_t)(uintptr_t)j);
}

static void complete(void *ctx, uint64_t job)
{
    struct station *st = ctx;
    struct job *j = (struct job *)(uintptr_t)job, *next = take_first(st);
    sim_time now = sim_now(st->sim);
    st->completions++;
    j->ev = 0;
    if (next) {
        area_level(&st->waiting, now, st->waiting.level - 1);
        serve(st, next);
    } else {
        area_level(&st->busy, now, st->busy.level - 1);
    }
    j->done(j->ctx, j->arg); /* last: it may free or submit j, or free the station */
}

static void enqueue(struct station *st, struct job *j)
{
    struct line *l = line_of(st, j->prio);
    if (!l) {
        sim_fail(st->sim);
        return;
    }
    line_append(l, j);
    j->place = 1;
    area_level(&st->waiting, sim_now(st->sim), st->waiting.level + 1);
    if (st->waiting.level > st->max_queue)
        st->max_queue = st->waiting.level;
}

void station_submit(struct station *st, struct job *j)
{
    assert(j->done);
    j->arrived = sim_now(st->sim);
    st->arrivals++;
    if (st->busy.level == st->servers) {
        enqueue(st, j);
        return;
    }
    area_level(&st->busy, j->arrived, st->busy.level + 1);
    serve(st, j);
}

bool station_withdraw(struct station *st, struct job *j)
{
    if (!j->place)
        return false;
    line_remove(&st->line[line_place(st, j->prio)], j);
    j->place = 0;
    area_level(&st->waiting, sim_now(st->sim), st->waiting.level - 1);
    return true;
}

unsigned station_busy(const struct station *st)
{
    return (unsigned)st->busy.level;
}

size_t station_waiting(const struct station *st)
{
    return st->waiting.level;
}

void station_stats(const struct station *st, struct station_stats *out)
{
    sim_time now = sim_now(st->sim);
    *out = (struct station_stats){st->arrivals, st->completions, area_upto(&st->busy, now),
                                  area_upto(&st->waiting, now), st->max_queue};
}
