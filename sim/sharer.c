/* sharer.c - processor sharing by virtual time.
 *
 * Virtual time is the service that every present job has received; it runs at
 * rate min(1, c/n).  A job that arrives at V and needs S leaves at V + S, which
 * never changes again, so only the earliest departure has an event.  Virtual
 * time counts 2^-32 ns and is rounded down once per arrival or departure:
 * integers only, and below a nanosecond is lost in four billion steps.      */
#include <assert.h>
#include <stdlib.h>

#include "sim/area.h"
#include "sim/station.h"

#define FINE 32 /* bits below a nanosecond; 96 - 32 remain above: ages, times servers */

typedef unsigned __int128 virt_time;

struct sharer {
    struct sim *sim;
    const char *name;
    unsigned servers;
    virt_time virt;
    uint64_t seq;
    sim_time since;  /* when virt was up to date */
    struct job **at; /* a binary heap by (key, seq); a job knows its place + 1 */
    uint32_t n, cap;
    sim_event next;
    struct area busy, waiting;
    uint64_t arrivals, completions, max_queue;
};

struct sharer *sharer_new(struct sim *s, const char *name, unsigned servers)
{
    assert(servers > 0);
    struct sharer *sh = calloc(1, sizeof *sh);
    if (!sh)
        return NULL;
    sh->sim = s;
    sh->name = name;
    sh->servers = servers;
    sh->since = sh->busy.since = sh->waiting.since = sim_now(s);
    return sh;
}

void sharer_free(struct sharer *sh)
{
    if (!sh)
        return;
    sim_cancel(sh->sim, sh->next);
    free(sh->at);
    free(sh);
}

/* ---- the heap ---- */

static bool before(const struct job *a, const struct job *b)
{
    return a->key != b->key ? a->key < b->key : a->seq < b->seq;
}

static void put(struct sharer *sh, uint32_t i, struct job *j)
{
    sh->at[i] = j;
    j->place = i + 1;
}

static void settle(struct sharer *sh, uint32_t i, struct job *j)
{
    for (; i > 0 && before(j, sh->at[(i - 1) / 2]); i = (i - 1) / 2)
        put(sh, i, sh->at[(i - 1) / 2]);
    for (uint32_t c; (c = 2 * i + 1) < sh->n; i = c) {
        if (c + 1 < sh->n && before(sh->at[c + 1], sh->at[c]))
            c++;
        if (!before(sh->at[c], j))
            break;
        put(sh, i, sh->at[c]);
    }
    put(sh, i, j);
}

static bool insert(struct sharer *sh, struct job *j)
{
    if (sh->n == sh->cap) {
        uint32_t cap = sh->cap ? 2 * sh->cap : 16;
        struct job **at = realloc(sh->at, cap * sizeof *at);
        if (!at)
            return false;
        sh->at = at;
        sh->cap = cap;
    }
    settle(sh, sh->n++, j);
    return true;
}

static void take_out(struct sharer *sh, struct job *j)
{
    uint32_t i = j->place - 1;
    struct job *last = sh->at[--sh->n];
    j->place = 0;
    if (last != j)
        settle(sh, i, last);
}

/* ---- virtual time ---- */

static void advance(struct sharer *sh)
{
    sim_time now = sim_now(sh->sim);
    virt_time d = (virt_time)(now - sh->since) << FINE;
    sh->since = now;
    if (sh->n == 0)
        sh->virt = 0;
    else
        sh->virt +=
            sh->n <= sh->servers ? d : d / sh->n * sh->servers + d % sh->n * sh->servers / sh->n;
}

static void note_levels(struct sharer *sh)
{
    sim_time now = sim_now(sh->sim);
    uint64_t over = sh->n > sh->servers ? sh->n - sh->servers : 0;
    area_level(&sh->busy, now, sh->n - over);
    area_level(&sh->waiting, now, over);
    if (over > sh->max_queue)
        sh->max_queue = over;
}

static void depart(void *ctx, uint64_t unused);

/* The first whole nanosecond at which the first job has all its service. */
static sim_time until_departure(const struct sharer *sh)
{
    virt_time left = sh->at[0]->key > sh->virt ? sh->at[0]->key - sh->virt : 0;
    uint64_t c = sh->servers < sh->n ? sh->servers : sh->n;
    virt_time real = (left / c) * sh->n + (left % c * sh->n + c - 1) / c;
    return (sim_time)((real + ((virt_time)1 << FINE) - 1) >> FINE);
}

static void plan(struct sharer *sh)
{
    sim_cancel(sh->sim, sh->next);
    sh->next = sh->n ? sim_after(sh->sim, until_departure(sh), 0, depart, sh, 0) : 0;
}

/* One job an event; others that are done by now leave in events of their own, so
 * that every done function finds a consistent sharer. */
static void depart(void *ctx, uint64_t unused)
{
    (void)unused;
    struct sharer *sh = ctx;
    struct job *j = sh->at[0];
    sh->next = 0;
    advance(sh);
    assert(j->key <= sh->virt);
    take_out(sh, j);
    sh->completions++;
    note_levels(sh);
    plan(sh);
    j->done(j->ctx, j->arg); /* last: it may free or submit j, or free the sharer */
}

void sharer_submit(struct sharer *sh, struct job *j)
{
    assert(j->done);
    advance(sh);
    j->arrived = j->started = sim_now(sh->sim);
    j->key = sh->virt + ((virt_time)j->service << FINE);
    j->seq = sh->seq++;
    if (!insert(sh, j)) {
        sim_fail(sh->sim);
        return;
    }
    sh->arrivals++;
    note_levels(sh);
    plan(sh);
}

bool sharer_withdraw(struct sharer *sh, struct job *j)
{
    if (!j->place)
        return false;
    advance(sh);
    take_out(sh, j);
    note_levels(sh);
    plan(sh);
    return true;
}

size_t sharer_active(const struct sharer *sh)
{
    return sh->n;
}

void sharer_stats(const struct sharer *sh, struct station_stats *out)
{
    sim_time now = sim_now(sh->sim);
    *out = (struct station_stats){sh->arrivals, sh->completions, area_upto(&sh->busy, now),
                                  area_upto(&sh->waiting, now), sh->max_queue};
}
