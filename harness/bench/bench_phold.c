/* bench_phold.c - PHOLD, the standard workload of event engines: every event
 * at one logical process schedules one at a random other, after an exponential
 * delay.  Both sides keep a 64-byte state per process and a 64-byte record per
 * event, draw the same numbers, and must end with the same states.          */
#include <stdlib.h>
#include <string.h>

#include "harness/bench/bench_engine.h"
#include "sim/sim.h"

#define MEAN 1e9 /* ns between the events of one process */

struct lp {
    _Alignas(64) uint64_t random, events, hash;
    uint64_t *others; /* how many there are */
};

static inline uint64_t lp_event(struct lp *p, uint64_t now, uint64_t *to)
{
    p->events++;
    p->hash = (p->hash ^ now) * UINT64_C(0x9e3779b97f4a7c15);
    *to = bench_below(&p->random, *p->others);
    return bench_exponential(&p->random, MEAN) + 1;
}

static struct lp *lps_new(uint64_t *n)
{
    struct lp *lp = aligned_alloc(64, *n * sizeof *lp);
    for (uint64_t i = 0; lp && i < *n; i++)
        lp[i] = (struct lp){.random = i * 77, .others = n};
    return lp;
}

static uint64_t lps_digest(const struct lp *lp, uint64_t n)
{
    uint64_t h = 0;
    for (uint64_t i = 0; i < n; i++)
        h = (h ^ lp[i].hash ^ lp[i].events) * UINT64_C(0xff51afd7ed558ccd);
    return h;
}

/* ---- plain C: a 4-ary heap of record numbers ---- */

struct record {
    _Alignas(64) struct lp *lp;
    uint32_t next_free;
};

struct plain {
    uint64_t n, now;
    struct lp *lp;
    struct record *record;
    uint32_t free;
    struct plain_heap heap;
};

static void plain_schedule(struct plain *p, uint64_t when, struct lp *lp)
{
    uint32_t r = p->free;
    p->free = p->record[r].next_free;
    p->record[r].lp = lp;
    plain_push(&p->heap, when, r);
}

static void plain_run(struct plain *p, uint64_t events)
{
    while (events--) {
        struct plain_entry e = plain_pop(&p->heap);
        struct record *r = &p->record[e.what];
        struct lp *lp = r->lp;
        uint64_t to, delay = lp_event(lp, p->now = e.when, &to);
        r->next_free = p->free;
        p->free = (uint32_t)e.what;
        plain_schedule(p, e.when + delay, &p->lp[to]);
    }
}

static bool plain_start(struct plain *p)
{
    p->lp = lps_new(&p->n);
    p->record = aligned_alloc(64, p->n * sizeof *p->record);
    p->heap.at = malloc(p->n * sizeof *p->heap.at);
    if (!p->lp || !p->record || !p->heap.at)
        return false;
    for (uint32_t i = 0; i < p->n; i++)
        p->record[i] = (struct record){.next_free = i + 1};
    for (uint64_t i = 0; i < p->n; i++)
        plain_schedule(p, bench_exponential(&p->lp[i].random, MEAN) + 1, &p->lp[i]);
    return true;
}

static void plain_free(struct plain *p)
{
    free(p->lp);
    free(p->record);
    free(p->heap.at);
}

/* ---- the engine ---- */

struct ours {
    uint64_t n;
    struct lp *lp;
    struct sim *sim;
};

static void ours_event(void *ctx, uint64_t arg)
{
    struct ours *o = (struct ours *)(uintptr_t)arg;
    uint64_t to, delay = lp_event(ctx, sim_now(o->sim), &to);
    sim_after(o->sim, delay, 0, ours_event, &o->lp[to], arg);
}

static void ours_run(struct ours *o, uint64_t events)
{
    while (events--)
        sim_step(o->sim);
}

static bool ours_start(struct ours *o)
{
    o->lp = lps_new(&o->n);
    o->sim = sim_new(NULL);
    if (!o->lp || !o->sim)
        return false;
    for (uint64_t i = 0; i < o->n; i++)
        sim_at(o->sim, bench_exponential(&o->lp[i].random, MEAN) + 1, 0, ours_event, &o->lp[i],
               (uint64_t)(uintptr_t)o);
    return !sim_failed(o->sim);
}

static void ours_free(struct ours *o)
{
    free(o->lp);
    sim_free(o->sim);
}

/* ---- side by side ---- */

static int compare(struct bench *b, struct plain *p, struct ours *o, const char *name,
                   double target, struct err *e)
{
    uint64_t events = b->quick ? 100000 : 1000000;
    double theirs[BENCH_REPEATS] = {0}, mine[BENCH_REPEATS] = {0};
    uint64_t settle = p->n < events ? events : 2 * p->n; /* into the steady state */
    plain_run(p, settle);
    ours_run(o, settle);
    for (int i = 0; i < b->repeats; i++) {
        double t0 = bench_cpu_s();
        plain_run(p, events);
        double t1 = bench_cpu_s();
        ours_run(o, events);
        theirs[i] = (t1 - t0) / (double)events * 1e9;
        mine[i] = (bench_cpu_s() - t1) / (double)events * 1e9;
    }
    if (lps_digest(p->lp, p->n) != lps_digest(o->lp, o->n))
        return err_set(e, ERR_EFAIL, "PHOLD %s: the engine and plain C did different work", name);
    bench_ratio(b, mine, theirs, b->repeats, target, "phold.%s.ratio", name);
    bench_add(b, "ns/event", mine, b->repeats, "phold.%s.engine", name);
    bench_add(b, "ns/event", theirs, b->repeats, "phold.%s.plain", name);
    return 0;
}

static int phold(struct bench *b, uint64_t n, const char *name, double target, struct err *e)
{
    struct plain p = {.n = n};
    struct ours o = {.n = n};
    int rc = plain_start(&p) && ours_start(&o) ? compare(b, &p, &o, name, target, e)
                                               : err_set(e, ERR_ENOMEM, "out of memory");
    plain_free(&p);
    ours_free(&o);
    return rc;
}

int bench_phold(struct bench *b, struct err *e)
{
    int rc = phold(b, 1000, "1e3", 0.85, e);
    if (!rc)
        rc = phold(b, 100000, "1e5", 0.45, e);
    if (!rc && !b->quick)
        rc = phold(b, 1000000, "1e6", 0.35, e);
    return rc;
}
