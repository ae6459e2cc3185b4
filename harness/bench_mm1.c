/* bench_mm1.c - one M/M/1 queue, two ways: the engine's handlers, and plain C
 * with a coroutine for the source and one for the server, as process-oriented
 * simulators do it.  Same streams, same customers, same sum of sojourns.     */
#include <stdlib.h>

#include "harness/bench_coro.h"
#include "harness/bench_engine.h"
#include "sim/rng.h"
#include "sim/sim.h"

#define GAP     1.25e6 /* ns; load 0.8 */
#define SERVICE 1e6
#define RING    (1 << 16) /* customers waiting, at most: at load 0.8, never a thousand */

struct queue {
    uint64_t arrived[RING]; /* when each came */
    uint64_t head, tail;
    uint64_t served, sojourn;
    struct rng gaps, services;
};

static void queue_start(struct queue *q)
{
    q->head = q->tail = q->served = q->sojourn = 0;
    rng_init(&q->gaps, 1, "bench", "gaps");
    rng_init(&q->services, 1, "bench", "services");
}

static void queue_serve(struct queue *q, uint64_t now)
{
    q->sojourn += now - q->arrived[q->head++ % RING];
    q->served++;
}

static uint64_t next_gap(struct queue *q)
{
    return (uint64_t)rng_exponential(&q->gaps, GAP) + 1;
}

static uint64_t next_service(struct queue *q)
{
    return (uint64_t)rng_exponential(&q->services, SERVICE) + 1;
}

/* ---- handlers on the engine ---- */

struct events {
    struct queue q;
    struct sim *sim;
    uint64_t until;
};

static void depart(void *ctx, uint64_t unused)
{
    struct events *m = ctx;
    queue_serve(&m->q, sim_now(m->sim));
    if (m->q.head != m->q.tail)
        sim_after(m->sim, next_service(&m->q), 0, depart, m, unused);
    if (m->q.served == m->until)
        sim_stop(m->sim);
}

static void arrive(void *ctx, uint64_t unused)
{
    struct events *m = ctx;
    if (m->q.head == m->q.tail)
        sim_after(m->sim, next_service(&m->q), 0, depart, m, unused);
    m->q.arrived[m->q.tail++ % RING] = sim_now(m->sim);
    sim_after(m->sim, next_gap(&m->q), 0, arrive, m, unused);
}

/* ---- coroutines in plain C ---- */

struct processes {
    struct queue q;
    struct coro loop, source, server;
    struct plain_heap future; /* what: the coroutine to continue */
    struct plain_entry room[8];
    uint64_t now;
    bool asleep; /* the server waits for a customer */
};

static void wait_until(struct processes *p, struct coro *self, uint64_t when)
{
    plain_push(&p->future, when, (uint64_t)(uintptr_t)self);
    coro_switch(self, &p->loop);
}

static void source(void *arg)
{
    struct processes *p = arg;
    for (;;) {
        wait_until(p, &p->source, p->now + next_gap(&p->q));
        p->q.arrived[p->q.tail++ % RING] = p->now;
        if (p->asleep) {
            p->asleep = false;
            plain_push(&p->future, p->now, (uint64_t)(uintptr_t)&p->server);
        }
    }
}

static void server(void *arg)
{
    struct processes *p = arg;
    for (;;) {
        while (p->q.head == p->q.tail) {
            p->asleep = true;
            coro_switch(&p->server, &p->loop);
        }
        wait_until(p, &p->server, p->now + next_service(&p->q));
        queue_serve(&p->q, p->now);
    }
}

static void processes_run(struct processes *p, uint64_t until)
{
    while (p->q.served < until) {
        struct plain_entry e = plain_pop(&p->future);
        p->now = e.when;
        coro_switch(&p->loop, (struct coro *)(uintptr_t)e.what);
    }
}

static bool processes_start(struct processes *p)
{
    queue_start(&p->q);
    p->future.at = p->room;
    if (!coro_start(&p->source, source, p) || !coro_start(&p->server, server, p))
        return false;
    p->asleep = false;
    plain_push(&p->future, 0, (uint64_t)(uintptr_t)&p->server);
    plain_push(&p->future, 0, (uint64_t)(uintptr_t)&p->source);
    return true;
}

/* ---- side by side ---- */

static int compare(struct bench *b, struct events *m, struct processes *p, struct err *e)
{
    uint64_t customers = b->quick ? 200000 : 1000000;
    double theirs[BENCH_REPEATS], mine[BENCH_REPEATS];
    for (int i = 0; i < b->repeats; i++) {
        m->until += customers;
        double t0 = bench_cpu_s();
        sim_run(m->sim, SIM_NEVER);
        double t1 = bench_cpu_s();
        if (BENCH_CORO)
            processes_run(p, m->until);
        mine[i] = (t1 - t0) / (double)customers * 1e9;
        theirs[i] = (bench_cpu_s() - t1) / (double)customers * 1e9;
    }
    if (BENCH_CORO && (m->q.sojourn != p->q.sojourn || m->q.served != p->q.served))
        return err_set(e, ERR_EFAIL, "M/M/1: the engine and plain C served different customers");
    if (BENCH_CORO) {
        bench_ratio(b, mine, theirs, b->repeats, 0.75, "mm1.ratio");
        bench_add(b, "ns/cust", theirs, b->repeats, "mm1.coroutines");
    }
    bench_add(b, "ns/cust", mine, b->repeats, "mm1.engine");
    return 0;
}

int bench_mm1(struct bench *b, struct err *e)
{
    struct events *m = calloc(1, sizeof *m);
    struct processes *p = calloc(1, sizeof *p);
    int rc = 0;
    if (!m || !p || !(m->sim = sim_new(NULL)) || (BENCH_CORO && !processes_start(p)))
        rc = err_set(e, ERR_ENOMEM, "out of memory");
    if (!rc) {
        queue_start(&m->q);
        sim_after(m->sim, next_gap(&m->q), 0, arrive, m, 0);
        rc = compare(b, m, p, e);
    }
    if (p) {
        coro_free(&p->source);
        coro_free(&p->server);
    }
    if (m)
        sim_free(m->sim);
    free(p);
    free(m);
    return rc;
}
