/* The radix queue against the heap, and both against a plain list that is searched: random
 * schedules, event by event.                                                           */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <stdio.h>
#include <stdlib.h>

#include "sim/rng.h"
#include "sim/sim.h"

static const enum sim_queue kinds[] = {SIM_QUEUE_RADIX, SIM_QUEUE_HEAP};

/* ---- random schedules ---- */

struct profile {
    const char *name;
    uint64_t span; /* delays: below this ... */
    int ties;      /* ... one in so many is at now, one in so many on a coarse clock */
    int prios;
    int cancels; /* one in so many events cancels another; 0: none */
    uint32_t start, total;
    uint32_t burst; /* one in eight events spawns up to so many more; 0: none */
};

static const struct profile profiles[] = {
    {"few far", 1u << 30, 0, 1, 0, 3, 3000, 0},
    {"few near", 8, 3, 3, 4, 2, 3000, 0},
    {"dense", 1000, 3, 2, 3, 400, 9000, 0},
    {"sparse", UINT64_C(1) << 45, 5, 3, 3, 700, 9000, 0},
    {"clocked", 5000, 1, 4, 5, 300, 9000, 0},
    {"timeouts", 1u << 20, 0, 1, 1, 100, 20000, 0},
    {"many prios", 50, 2, 1000, 6, 300, 9000, 0},
    {"growing", 1u << 24, 0, 1, 0, 1, 20000, 0},
};

struct world {
    struct sim *s;
    const struct profile *p;
    struct rng r;
    sim_event *handle;
    uint32_t n, fired;
    uint64_t hash;
};

static void live(void *ctx, uint64_t id);

static sim_time random_delay(struct world *w)
{
    uint64_t pick = w->p->ties ? rng_below(&w->r, (uint64_t)w->p->ties + 1) : 1;
    if (pick == 0)
        return 0;
    if (w->p->burst && rng_below(&w->r, 2)) /* crowds close by, beside those on the clock */
        return 1 + rng_below(&w->r, 1 + w->p->burst % 32);
    if (w->p->ties == 1) { /* the next tick of a clock of period 100 */
        sim_time now = sim_now(w->s);
        return (now / 100 + 1 + rng_below(&w->r, 4)) * 100 - now;
    }
    return rng_below(&w->r, rng_below(&w->r, w->p->span) + 1); /* all scales */
}

static void spawn(struct world *w)
{
    if (w->n == w->p->total)
        return;
    int prio = (int)rng_below(&w->r, (uint64_t)w->p->prios) - w->p->prios / 2;
    if (w->p->prios == 4 && w->n < w->p->total / 2) /* one priority at first */
        prio = 1;
    w->handle[w->n] = sim_after(w->s, random_delay(w), prio, live, w, w->n);
    w->n++;
}

static void live(void *ctx, uint64_t id)
{
    struct world *w = ctx;
    w->fired++;
    w->hash = (w->hash ^ (id + sim_now(w->s) * 31)) * UINT64_C(0x9e3779b97f4a7c15);
    if (w->p->cancels && rng_below(&w->r, (uint64_t)w->p->cancels) == 0 &&
        sim_cancel(w->s, w->handle[rng_below(&w->r, w->n)]))
        spawn(w);
    spawn(w);
    if (w->p->start == 1 && rng_below(&w->r, 3) == 0)
        spawn(w);
    if (w->p->burst && rng_below(&w->r, 8) == 0)
        for (uint64_t n = rng_below(&w->r, w->p->burst); n; n--)
            spawn(w);
}

/* Runs one profile; `slices` cuts the run into many short sim_run calls. */
static struct world play(const struct profile *p, struct sim_options opt, bool slices)
{
    struct world w = {.s = sim_new(&opt), .p = p, .handle = calloc(p->total, sizeof(sim_event))};
    rng_init(&w.r, 11, "test", p->name);
    for (uint32_t i = 0; i < p->start; i++)
        spawn(&w);
    for (sim_time t = p->span / 7 + 1; slices && sim_pending(w.s); t += p->span / 7 + 1)
        sim_run(w.s, t);
    sim_run(w.s, SIM_NEVER);
    cr_expect_eq(sim_pending(w.s), 0);
    cr_expect_eq(sim_fired(w.s), w.fired);
    w.hash ^= sim_fingerprint(w.s);
    free(w.handle);
    sim_free(w.s);
    return w;
}

ParameterizedTestParameters(sim_random, radix_and_heap_give_one_trajectory)
{
    static size_t index[sizeof profiles / sizeof *profiles];
    for (size_t i = 0; i < sizeof profiles / sizeof *profiles; i++)
        index[i] = i;
    return cr_make_param_array(size_t, index, sizeof profiles / sizeof *profiles);
}

ParameterizedTest(size_t *index, sim_random, radix_and_heap_give_one_trajectory)
{
    const struct profile *p = &profiles[*index];
    struct world a = play(p, (struct sim_options){.queue = SIM_QUEUE_RADIX}, false);
    struct world b = play(p, (struct sim_options){.queue = SIM_QUEUE_HEAP}, false);
    struct world c = play(p, (struct sim_options){.queue = SIM_QUEUE_RADIX}, true);
    cr_expect_eq(a.fired, b.fired, "%s: %u and %u fired", p->name, a.fired, b.fired);
    cr_expect_eq(a.hash, b.hash, "%s: radix and heap differ", p->name);
    cr_expect_eq(a.hash, c.hash, "%s: cutting the run into slices changed it", p->name);
    cr_expect_gt(a.fired, p->total / 3);
}

/* The same for shapes nobody thought of: spans from a handful of ns to hours, crowds, bursts. */
Test(sim_random, radix_and_heap_give_one_trajectory_whatever_the_shape)
{
    struct rng r;
    rng_init(&r, 1, "test", "shapes");
    for (int i = 0; i < 150; i++) {
        char name[32];
        snprintf(name, sizeof name, "shape %d", i);
        struct profile p = {.name = name,
                            .span = UINT64_C(1) << (1 + rng_below(&r, 42)),
                            .ties = (int)rng_below(&r, 3),
                            .prios = rng_below(&r, 4) ? 1 : 3,
                            .cancels = (int)rng_below(&r, 4),
                            .start = 1 + (uint32_t)rng_below(&r, 100),
                            .total = 3000,
                            .burst = 1 + (uint32_t)rng_below(&r, 300)};
        struct world a = play(&p, (struct sim_options){.queue = SIM_QUEUE_RADIX}, false);
        struct world b = play(&p, (struct sim_options){.queue = SIM_QUEUE_HEAP}, false);
        cr_assert_eq(a.hash, b.hash, "%s: radix and heap differ", name);
        cr_assert_eq(a.fired, b.fired, "%s", name);
    }
}

/* ---- against a plain list ---- */

struct listed {
    sim_time when;
    int prio;
    bool there;
};

struct oracle {
    struct sim *s;
    struct listed item[2000];
    uint32_t n, fired;
};

/* The first by (time, prio, number); linear search. */
static uint32_t first_of(const struct oracle *o)
{
    uint32_t best = UINT32_MAX;
    for (uint32_t i = 0; i < o->n; i++) {
        const struct listed *a = &o->item[i], *b = &o->item[best == UINT32_MAX ? i : best];
        if (a->there &&
            (best == UINT32_MAX || a->when < b->when || (a->when == b->when && a->prio > b->prio)))
            best = i;
    }
    return best;
}

static void expected(void *ctx, uint64_t id)
{
    struct oracle *o = ctx;
    cr_assert_eq(id, first_of(o));
    cr_assert_eq(sim_now(o->s), o->item[id].when);
    o->item[id].there = false;
    o->fired++;
}

ParameterizedTestParameters(sim_random, agrees_with_a_searched_list)
{
    return cr_make_param_array(enum sim_queue, (void *)kinds, 2);
}

ParameterizedTest(enum sim_queue *kind, sim_random, agrees_with_a_searched_list)
{
    struct oracle *o = calloc(1, sizeof *o);
    struct rng r;
    sim_event handle[2000];
    o->s = sim_new(&(struct sim_options){.queue = *kind});
    rng_init(&r, 4, "test", "oracle");
    while (o->n < 2000) {
        uint64_t what = rng_below(&r, 8);
        if (what < 5) {
            sim_time scale = UINT64_C(1) << rng_below(&r, 40);
            struct listed it = {sim_now(o->s) + rng_below(&r, scale), (int)rng_below(&r, 3), true};
            o->item[o->n] = it;
            handle[o->n] = sim_at(o->s, it.when, it.prio, expected, o, o->n);
            o->n++;
        } else if (what < 7) {
            sim_step(o->s);
        } else if (o->n) {
            uint32_t i = (uint32_t)rng_below(&r, o->n);
            cr_assert_eq(sim_cancel(o->s, handle[i]), o->item[i].there);
            o->item[i].there = false;
        }
    }
    sim_run(o->s, SIM_NEVER);
    cr_expect_eq(first_of(o), UINT32_MAX);
    sim_free(o->s);
    free(o);
}
