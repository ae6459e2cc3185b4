/* The engine's promises one by one, with either queue. */
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
