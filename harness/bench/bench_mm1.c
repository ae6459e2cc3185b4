/* bench_mm1.c - one M/M/1 queue, four ways: the engine's handlers; plain C
 * with a coroutine for the source and one for the server, as process-oriented
 * simulators do it, with either ending of the switch; and plain C with two
 * functions and a heap, which is the floor.  Same streams, same customers, same sum of sojourns. */
#include <stdlib.h>
#include <string.h>

#include "harness/bench/bench_coro.h"
#include "harness/bench/bench_engine.h"
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
    enum coro_ending ending;
};

static void wait_until(struct processes *p, struct coro *self, uint64_t when)
{
    plain_push(&p->future, when, (uint64_t)(uintptr_t)self);
    coro_switch(self, &p->loop, p->ending);
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
            coro_switch(&p->server, &p->loop, p->ending);
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
        coro_switch(&p->loop, (struct coro *)(uintptr_t)e.what, p->ending);
    }
}

static bool processes_start(struct processes *p, enum coro_ending ending)
{
    p->ending = ending;
    queue_start(&p->q);
    p->future.at = p->room;
    if (!coro_start(&p->source, source, p) || !coro_start(&p->server, server, p))
        return false;
    p->asleep = false;
    plain_push(&p->future, 0, (uint64_t)(uintptr_t)&p->server);
    plain_push(&p->future, 0, (uint64_t)(uintptr_t)&p->source);
    return true;
}

/* ---- two functions in plain C ---- */

struct bare {
    struct queue q;
    struct plain_heap future; /* what: the function to call */
    struct plain_entry room[8];
    uint64_t now;
};

typedef void bare_fn(struct bare *m);

static void bare_schedule(struct bare *m, uint64_t delay, bare_fn *fn)
{
    plain_push(&m->future, m->now + delay, (uint64_t)(uintptr_t)fn);
}

static void bare_depart(struct bare *m)
{
    queue_serve(&m->q, m->now);
    if (m->q.head != m->q.tail)
        bare_schedule(m, next_service(&m->q), bare_depart);
}

static void bare_arrive(struct bare *m)
{
    if (m->q.head == m->q.tail)
        bare_schedule(m, next_service(&m->q), bare_depart);
    m->q.arrived[m->q.tail++ % RING] = m->now;
    bare_schedule(m, next_gap(&m->q), bare_arrive);
}

static void bare_run(struct bare *m, uint64_t until)
{
    while (m->q.served < until) {
        struct plain_entry e = plain_pop(&m->future);
        m->now = e.when;
        ((bare_fn *)(uintptr_t)e.what)(m);
    }
}

/* ---- side by side ---- */

enum { ENGINE, RETURNS, JUMPS, PLAIN, WAYS };

struct ways {
    struct events events;
    struct processes returns, jumps;
    struct bare bare;
};

/* CPU seconds each way took to serve customers up to `until`. */
static void serve_until(struct ways *m, uint64_t until, double took[WAYS])
{
    double t[WAYS + 1] = {bench_cpu_s()};
    m->events.until = until;
    sim_run(m->events.sim, SIM_NEVER);
    t[1] = bench_cpu_s();
    if (BENCH_CORO)
        processes_run(&m->returns, until);
    t[2] = bench_cpu_s();
    if (BENCH_CORO)
        processes_run(&m->jumps, until);
    t[3] = bench_cpu_s();
    bare_run(&m->bare, until);
    t[4] = bench_cpu_s();
    for (int k = 0; k < WAYS; k++)
        took[k] = t[k + 1] - t[k];
}

static bool same_customers(const struct ways *m)
{
    uint64_t sojourn = m->bare.q.sojourn;
    return m->events.q.sojourn == sojourn &&
           (!BENCH_CORO || (m->returns.q.sojourn == sojourn && m->jumps.q.sojourn == sojourn));
}

static void report_ratios(struct bench *b, double ns[WAYS][BENCH_REPEATS])
{
    bench_ratio(b, ns[ENGINE], ns[RETURNS], b->repeats, 0.75, "mm1.ratio")->note =
        "to coroutines whose switch ends in ret";
    bench_ratio(b, ns[PLAIN], ns[RETURNS], b->repeats, 0, "mm1.floor")->note =
        "plain C without an engine, to the same coroutines";
    bench_ratio(b, ns[ENGINE], ns[JUMPS], b->repeats, 0, "mm1.ratio.jmp")->note =
        "to coroutines whose switch ends in pop and jmp";
    bench_ratio(b, ns[PLAIN], ns[JUMPS], b->repeats, 0, "mm1.floor.jmp")->note =
        "plain C without an engine, to those";
}

static int compare(struct bench *b, struct ways *m, struct err *e)
{
    static const char *const names[WAYS] = {"mm1.engine", "mm1.coroutines.ret",
                                            "mm1.coroutines.jmp", "mm1.plain"};
    uint64_t customers = b->quick ? 200000 : 1000000;
    double ns[WAYS][BENCH_REPEATS] = {{0}}, took[WAYS];
    for (int i = 0; i < b->repeats; i++) {
        serve_until(m, customers * (uint64_t)(i + 1), took);
        for (int k = 0; k < WAYS; k++)
            ns[k][i] = took[k] / (double)customers * 1e9;
    }
    if (!same_customers(m))
        return err_set(e, ERR_EFAIL, "M/M/1: the engine and plain C served different customers");
    if (BENCH_CORO)
        report_ratios(b, ns);
    for (int k = 0; k < WAYS; k++)
        if (BENCH_CORO || k == ENGINE || k == PLAIN)
            bench_add(b, "ns/cust", ns[k], b->repeats, "%s", names[k]);
    return 0;
}

static bool all_start(struct ways *m)
{
    m->events.sim = sim_new(NULL);
    if (!m->events.sim || (BENCH_CORO && (!processes_start(&m->returns, CORO_RET) ||
                                          !processes_start(&m->jumps, CORO_JMP))))
        return false;
    queue_start(&m->events.q);
    queue_start(&m->bare.q);
    m->bare.future.at = m->bare.room;
    sim_after(m->events.sim, next_gap(&m->events.q), 0, arrive, &m->events, 0);
    bare_schedule(&m->bare, next_gap(&m->bare.q), bare_arrive);
    return true;
}

static void all_free(struct ways *m)
{
    struct processes *both[] = {&m->returns, &m->jumps};
    for (int i = 0; i < 2; i++) {
        coro_free(&both[i]->source);
        coro_free(&both[i]->server);
    }
    sim_free(m->events.sim);
}

int bench_mm1(struct bench *b, struct err *e)
{
    struct ways *m = calloc(1, sizeof *m);
    int rc = m && all_start(m) ? compare(b, m, e) : err_set(e, ERR_ENOMEM, "out of memory");
    if (m)
        all_free(m);
    free(m);
    return rc;
}
