/* bench_hold.c - the queue alone: take the first, put one back later (the hold
 * model), at several sizes; and events that all fall on the same instants, as
 * clocked models have them.                                                 */
#include <stdlib.h>

#include "harness/bench/bench_engine.h"
#include "sim/sim.h"

#define MEAN 1e9

struct hold {
    struct sim *sim;
    uint64_t random;
};

static void hold_event(void *ctx, uint64_t arg)
{
    struct hold *h = ctx;
    sim_after(h->sim, bench_exponential(&h->random, MEAN) + 1, 0, hold_event, h, arg);
}

static void tick(void *ctx, uint64_t arg)
{
    struct hold *h = ctx;
    sim_after(h->sim, 1000, 0, tick, h, arg);
}

/* n events pending, all of them fn. */
static bool hold_start(struct hold *h, enum sim_queue queue, uint64_t n, sim_fn *fn)
{
    h->sim = sim_new(&(struct sim_options){.queue = queue});
    if (!h->sim)
        return false;
    for (uint64_t i = 0; i < n; i++)
        fn(h, i);
    return !sim_failed(h->sim);
}

static double hold_run(struct hold *h, uint64_t events)
{
    double t = bench_cpu_s();
    for (uint64_t i = 0; i < events; i++)
        sim_step(h->sim);
    return (bench_cpu_s() - t) / (double)events * 1e9;
}

struct bare {
    struct plain_heap heap;
    uint64_t random;
};

static void bare_hold(struct bare *p, uint64_t now)
{
    plain_push(&p->heap, now + bench_exponential(&p->random, MEAN) + 1, p->heap.n);
}

static double bare_run(struct bare *p, uint64_t events)
{
    double t = bench_cpu_s();
    for (uint64_t i = 0; i < events; i++)
        bare_hold(p, plain_pop(&p->heap).when);
    return (bench_cpu_s() - t) / (double)events * 1e9;
}

static bool bare_start(struct bare *p, uint64_t n)
{
    p->heap.at = malloc(n * sizeof *p->heap.at);
    for (uint64_t i = 0; p->heap.at && i < n; i++)
        bare_hold(p, 0);
    return p->heap.at != NULL;
}

static int hold(struct bench *b, uint64_t n, const char *name, struct err *e)
{
    struct hold radix = {0}, heap = {0};
    struct bare bare = {0};
    double ns[3][BENCH_REPEATS] = {{0}};
    uint64_t events = b->quick ? 100000 : 500000;
    bool ok = hold_start(&radix, SIM_QUEUE_RADIX, n, hold_event) &&
              hold_start(&heap, SIM_QUEUE_HEAP, n, hold_event) && bare_start(&bare, n);
    for (int i = -1; ok && i < b->repeats; i++) { /* the first warms up */
        int k = i < 0 ? 0 : i;
        ns[0][k] = hold_run(&radix, i < 0 ? events + n : events);
        ns[1][k] = hold_run(&heap, i < 0 ? events + n : events);
        ns[2][k] = bare_run(&bare, i < 0 ? events + n : events);
    }
    if (ok) {
        bench_add(b, "ns/event", ns[0], b->repeats, "hold.%s.radix", name);
        bench_add(b, "ns/event", ns[1], b->repeats, "hold.%s.heap", name);
        bench_add(b, "ns/event", ns[2], b->repeats, "hold.%s.plain", name)->note =
            "queue only: no events, no handlers";
    }
    sim_free(radix.sim);
    sim_free(heap.sim);
    free(bare.heap.at);
    return ok ? 0 : err_set(e, ERR_ENOMEM, "out of memory");
}

static int ties(struct bench *b, uint64_t n, const char *name, struct err *e)
{
    struct hold h = {0};
    double ns[BENCH_REPEATS] = {0};
    bool ok = hold_start(&h, SIM_QUEUE_RADIX, n, tick);
    if (ok)
        hold_run(&h, 3 * n);
    for (int i = 0; ok && i < b->repeats; i++)
        ns[i] = hold_run(&h, b->quick ? 300000 : 2000000);
    if (ok)
        bench_add(b, "ns/event", ns, b->repeats, "ties.%s", name)->target = 30;
    sim_free(h.sim);
    return ok ? 0 : err_set(e, ERR_ENOMEM, "out of memory");
}

int bench_hold(struct bench *b, struct err *e)
{
    static const struct {
        uint64_t n;
        const char *name;
    } size[] = {{100, "1e2"}, {1000, "1e3"}, {10000, "1e4"}, {100000, "1e5"}, {1000000, "1e6"}};
    int rc = ties(b, 1000, "1e3", e);
    if (!rc)
        rc = ties(b, 100000, "1e5", e);
    for (size_t i = 0; !rc && i < sizeof size / sizeof *size; i++)
        if (!b->quick || size[i].n <= 10000)
            rc = hold(b, size[i].n, size[i].name, e);
    return rc;
}
