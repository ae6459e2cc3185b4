/* The radix queue against the heap and against an oracle that keeps a plain
 * list and searches it: the same schedule, event by event.                  */
#include <criterion/criterion.h>
#include <stdio.h>
#include <criterion/parameterized.h>
#include <stdlib.h>

#include "sim/rng.h"
#include "sim/sim.h"

/* ---- small, exact cases ---- */

struct log {
    uint64_t arg[64];
    sim_time at[64];
    int n;
    struct sim *s;
};

static void note(void *ctx, uint64_t arg)
{
    struct log *l = ctx;
    l->at[l->n] = sim_now(l->s);
    l->arg[l->n++] = arg;
}

static const enum sim_queue kinds[] = {SIM_QUEUE_RADIX, SIM_QUEUE_HEAP};

ParameterizedTestParameters(sim, order_is_time_then_prio_then_first_scheduled)
{
    return cr_make_param_array(enum sim_queue, (void *)kinds, 2);
}

ParameterizedTest(enum sim_queue *kind, sim, order_is_time_then_prio_then_first_scheduled)
{
    struct log l = {.s = sim_new(&(struct sim_options){.queue = *kind})};
    sim_at(l.s, 20, 0, note, &l, 4);
    sim_at(l.s, 10, -1, note, &l, 3);
    sim_at(l.s, 10, 7, note, &l, 0);
    sim_at(l.s, 10, 0, note, &l, 1);
    sim_at(l.s, 10, 0, note, &l, 2);
    sim_at(l.s, SIM_NEVER, 0, note, &l, 5);
    sim_run(l.s, SIM_NEVER);
    cr_assert_eq(l.n, 6);
    for (int i = 0; i < 6; i++)
        cr_expect_eq(l.arg[i], (uint64_t)i);
    cr_expect_eq(sim_fired(l.s), 6);
    cr_expect_eq(sim_pending(l.s), 0);
    sim_free(l.s);
}

ParameterizedTestParameters(sim, run_until_leaves_the_clock_there)
{
    return cr_make_param_array(enum sim_queue, (void *)kinds, 2);
}

ParameterizedTest(enum sim_queue *kind, sim, run_until_leaves_the_clock_there)
{
    struct log l = {.s = sim_new(&(struct sim_options){.queue = *kind})};
    for (uint64_t t = 1000; t < 1040; t++)
        sim_at(l.s, t, 0, note, &l, t);
    sim_run(l.s, 999);
    cr_expect_eq(l.n, 0);
    cr_expect_eq(sim_now(l.s), 999);
    sim_at(l.s, 999, 0, note, &l, 999); /* earlier than all that the queue has looked at */
    sim_run(l.s, 1000);
    cr_expect_eq(l.n, 2);
    cr_expect_eq(sim_now(l.s), 1000);
    sim_stop(l.s); /* no effect outside a run */
    sim_run(l.s, SIM_NEVER);
    cr_expect_eq(l.n, 41);
    cr_expect_eq(sim_now(l.s), 1039, "an endless run stops at its last event");
    sim_free(l.s);
}

ParameterizedTestParameters(sim, a_stale_handle_is_harmless)
{
    return cr_make_param_array(enum sim_queue, (void *)kinds, 2);
}

ParameterizedTest(enum sim_queue *kind, sim, a_stale_handle_is_harmless)
{
    struct log l = {.s = sim_new(&(struct sim_options){.queue = *kind})};
    sim_event a = sim_at(l.s, 5, 0, note, &l, 1);
    cr_expect(sim_cancel(l.s, a));
    cr_expect_not(sim_cancel(l.s, a));
    sim_event b = sim_at(l.s, 6, 0, note, &l, 2); /* takes over the slot */
    cr_expect_neq(a, b);
    cr_expect_not(sim_cancel(l.s, a));
    cr_expect_not(sim_cancel(l.s, 0));
    cr_expect_not(sim_cancel(l.s, UINT64_MAX));
    sim_run(l.s, SIM_NEVER);
    cr_expect_eq(l.n, 1);
    cr_expect_not(sim_cancel(l.s, b));
    cr_expect_not(sim_step(l.s));
    sim_free(l.s);
}

static void stop(void *ctx, uint64_t arg)
{
    note(ctx, arg);
    sim_stop(((struct log *)ctx)->s);
}

Test(sim, stop_returns_after_the_current_event)
{
    struct log l = {.s = sim_new(NULL)};
    sim_at(l.s, 3, 0, stop, &l, 0);
    sim_at(l.s, 3, 0, note, &l, 1);
    sim_run(l.s, 100);
    cr_expect_eq(l.n, 1);
    cr_expect_eq(sim_now(l.s), 3);
    sim_run(l.s, 2); /* the past: nothing, though an event waits at 3 */
    cr_expect_eq(l.n, 1);
    sim_run(l.s, 3);
    cr_expect_eq(l.n, 2);
    sim_free(l.s);
}

/* Many events of one moment; the first of them puts so many more into the near future that the
 * radix queue spreads its run over buckets while the rest of the moment is still to come. */
static void crowd(void *ctx, uint64_t arg)
{
    struct log *l = ctx;
    if (arg == 0)
        for (uint64_t i = 0; i < 200; i++)
            sim_at(l->s, 1001 + i % 7, 0, crowd, l, 100 + i);
    if (arg >= 1 && arg < 100)
        cr_expect_eq(sim_now(l->s), 1000);
    l->n++;
}

ParameterizedTestParameters(sim, a_crowded_moment_is_finished_first)
{
    return cr_make_param_array(enum sim_queue, kinds, sizeof kinds / sizeof *kinds);
}

ParameterizedTest(enum sim_queue *kind, sim, a_crowded_moment_is_finished_first)
{
    struct log l = {.s = sim_new(&(struct sim_options){.queue = *kind})};
    for (uint64_t i = 0; i < 20; i++)
        sim_at(l.s, 1000, 0, crowd, &l, i);
    sim_at(l.s, 1020, 0, crowd, &l, 500);
    sim_run(l.s, SIM_NEVER);
    cr_expect_eq(l.n, 221);
    sim_free(l.s);
}

/* One priority for long, then others in the middle of an instant. */
static void burst(void *ctx, uint64_t arg)
{
    struct log *l = ctx;
    note(ctx, arg);
    if (arg == 1) {
        sim_at(l->s, 5, 0, note, l, 4);
        sim_at(l->s, 5, 0, note, l, 5);
        sim_at(l->s, 5, 3, note, l, 2);
        sim_at(l->s, 5, -1, note, l, 7);
        sim_at(l->s, 5, 0, note, l, 6);
    }
}

Test(sim, a_priority_that_appears_in_the_middle_of_an_instant_is_heeded)
{
    struct log l = {.s = sim_new(NULL)};
    sim_at(l.s, 5, 0, note, &l, 0);
    sim_at(l.s, 5, 0, burst, &l, 1);
    sim_at(l.s, 5, 0, note, &l, 3);
    sim_run(l.s, SIM_NEVER);
    cr_assert_eq(l.n, 8);
    for (int i = 0; i < 8; i++)
        cr_expect_eq(l.arg[i], (uint64_t)i, "event %d was number %lu", i, (unsigned long)l.arg[i]);
    sim_free(l.s);
}

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

ParameterizedTestParameters(sim, radix_and_heap_give_one_trajectory)
{
    static size_t index[sizeof profiles / sizeof *profiles];
    for (size_t i = 0; i < sizeof profiles / sizeof *profiles; i++)
        index[i] = i;
    return cr_make_param_array(size_t, index, sizeof profiles / sizeof *profiles);
}

ParameterizedTest(size_t *index, sim, radix_and_heap_give_one_trajectory)
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
Test(sim, radix_and_heap_give_one_trajectory_whatever_the_shape)
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

ParameterizedTestParameters(sim, agrees_with_a_searched_list)
{
    return cr_make_param_array(enum sim_queue, (void *)kinds, 2);
}

ParameterizedTest(enum sim_queue *kind, sim, agrees_with_a_searched_list)
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

/* ---- ties ---- */

Test(sim, shuffled_ties_keep_time_and_priority)
{
    struct log l[3];
    for (int k = 0; k < 3; k++) {
        struct sim_options opt = {.shuffle_ties = k > 0, .shuffle_seed = (uint64_t)k};
        l[k] = (struct log){.s = sim_new(&opt)};
        for (uint64_t i = 0; i < 60; i++)
            sim_at(l[k].s, i / 20, i % 20 < 10, note, &l[k], i);
        sim_run(l[k].s, SIM_NEVER);
        sim_free(l[k].s);
    }
    int moved = 0, differ = 0;
    for (int i = 0; i < 60; i++) {
        cr_expect_eq(l[0].arg[i], (uint64_t)i);
        cr_expect_eq(l[1].arg[i] / 10, (uint64_t)i / 10, "left its (time, prio)");
        moved += l[1].arg[i] != (uint64_t)i;
        differ += l[1].arg[i] != l[2].arg[i];
    }
    cr_expect_gt(moved, 30);
    cr_expect_gt(differ, 30, "the seed must matter");
}

Test(sim, fingerprint_sees_time_priority_and_order)
{
    uint64_t seen[4];
    for (int k = 0; k < 4; k++) {
        struct log l = {.s = sim_new(NULL)};
        sim_at(l.s, k == 1 ? 6 : 5, k == 2 ? 1 : 0, note, &l, 0);
        sim_at(l.s, 7, 0, note, &l, 1);
        if (k == 3)
            sim_cancel(l.s, sim_at(l.s, 7, 0, note, &l, 2));
        sim_at(l.s, 8, 0, note, &l, 3);
        sim_run(l.s, SIM_NEVER);
        seen[k] = sim_fingerprint(l.s);
        for (int j = 0; j < k; j++)
            cr_expect_neq(seen[k], seen[j], "%d and %d", k, j);
        sim_free(l.s);
    }
}

/* Cancelled events must not pile up: a timer that is always reset. */
static void never(void *ctx, uint64_t arg)
{
    (void)ctx;
    cr_assert_fail("cancelled event %lu fired", (unsigned long)arg);
}

struct restart {
    struct sim *s;
    sim_event timer;
    uint32_t left;
};

static void reset(void *ctx, uint64_t arg)
{
    struct restart *r = ctx;
    cr_assert(arg == 0 || sim_cancel(r->s, r->timer));
    r->timer = 0;
    if (!r->left--)
        return;
    r->timer = sim_after(r->s, 1000000, 0, never, r, arg);
    sim_after(r->s, 1, 0, reset, r, arg + 1);
}

Test(sim, a_timer_reset_a_million_times_holds_no_memory)
{
    struct restart r = {.s = sim_new(NULL), .left = 1000000};
    sim_at(r.s, 0, 0, reset, &r, 0);
    sim_run(r.s, SIM_NEVER);
    cr_expect_eq(sim_fired(r.s), 1000001);
    cr_expect_eq(sim_pending(r.s), 0);
    sim_free(r.s);
}
