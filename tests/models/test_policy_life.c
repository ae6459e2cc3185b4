/* The life of policies against a count of its own: whatever is loaded, replaced, rolled back or
 * crashes when, every decision asked for is answered once. */
#include <criterion/criterion.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/models/life_world.h"

/* ---- properties
 * ---------------------------------------------------------------------------------- */

static int by_time(const void *a, const void *b)
{
    const struct policy_step *x = a, *y = b;
    return x->at < y->at ? -1 : x->at > y->at;
}

static void random_plan(struct life_world *w)
{
    const uint32_t n = 2 + (uint32_t)rng_below(&w->rng, POLICY_VERSIONS - 2);
    for (uint32_t i = 0; i < n; i++) {
        life_version(w, i == 0 || rng_below(&w->rng, 2));
        if (i && rng_below(&w->rng, 3) == 0 && !w->plan.standing[i]) { /* create, or restore */
            w->slot[i].eject_why = EJECT_CRASH;
            w->slot[i].eject_at = rng_below(&w->rng, 2);
        }
    }
    w->plan.n_step = (uint32_t)rng_below(&w->rng, POLICY_STEPS + 1);
    for (uint32_t i = 0; i < w->plan.n_step; i++) {
        const bool quiesce = rng_below(&w->rng, 2);
        const bool one = rng_below(&w->rng, 2);
        w->plan.step[i] =
            (struct policy_step){.at = rng_below(&w->rng, 4 * SIM_MS),
                                 .what = (enum life_what)rng_below(&w->rng, 4),
                                 .by = one ? LIFE_BY_HYPERCALL : LIFE_BY_SCRIPT,
                                 .to = (uint32_t)rng_below(&w->rng, n),
                                 .vm = one ? (uint32_t)rng_below(&w->rng, LIFE_VMS) : POLICY_NONE,
                                 .quiesce = quiesce,
                                 .hand = quiesce && rng_below(&w->rng, 2)};
    }
    qsort(w->plan.step, w->plan.n_step, sizeof *w->plan.step, by_time);
}

Test(policy_life, whatever_happens_each_decision_is_answered_once)
{
    double replaced = 0, undone = 0, held = 0;
    for (uint64_t seed = 0; seed < 300; seed++) {
        struct life_world w;
        life_open(&w, seed);
        random_plan(&w);
        life_start(&w);
        for (uint32_t i = 0; i < LIFE_DECISIONS; i++) {
            w.q[i].vm = (uint32_t)rng_below(&w.rng, LIFE_VMS);
            sim_at(w.sim, rng_below(&w.rng, 5 * SIM_MS), 0, life_question, &w, i);
        }
        sim_run(w.sim, SIM_NEVER);
        cr_assert_eq(policy_life_failed(w.life), 0, "seed %d: %s", (int)seed, w.e.msg);
        for (uint32_t i = 0; i < LIFE_DECISIONS; i++)
            cr_assert(w.q[i].asked == 1 && w.q[i].answered == 1, "seed %d: %u was asked %u times",
                      (int)seed, i, w.q[i].asked);
        cr_assert(!policy_life_busy(w.life));
        policy_life_report(w.life);
        cr_assert_eq(life_number(&w, "asked"), LIFE_DECISIONS);
        cr_assert_eq(life_number(&w, "lost"), 0);
        cr_assert_eq(life_number(&w, "twice"), 0);
        cr_assert_geq(life_number(&w, "steps"), w.plan.n_step); /* more after a crash in save */
        cr_assert_eq(w.changes, life_number(&w, "replaced"));
        replaced += life_number(&w, "replaced");
        undone += life_number(&w, "undone");
        held += life_number(&w, "held");
        life_close(&w);
    }
    cr_expect(replaced > 500 && undone > 50 && held > 100, "%g %g %g: the schedules are too tame",
              replaced, undone, held);
}

/* An answer that takes effect twice, or never, shows in the counts. */
Test(policy_life, the_counts_can_tell)
{
    struct life_world w;
    life_open(&w, 1);
    life_version(&w, true);
    life_start(&w);
    struct policy_ticket t = {.state = TICKET_NEW}, lost = {.state = TICKET_NEW};
    cr_assert(policy_life_ask(w.life, 0, &t, life_question, &w, 0));
    policy_life_answered(w.life, 0, &t);
    policy_life_answered(w.life, 0, &t);
    cr_assert(policy_life_ask(w.life, 0, &lost, life_question, &w, 0));
    policy_life_report(w.life);
    cr_expect_eq(life_number(&w, "twice"), 1);
    cr_expect_eq(life_number(&w, "lost"), 1);
    life_close(&w);
}

/* ---- times, by hand ------------------------------------------------------------------------ */

static void one_swap(struct life_world *w, bool quiesce, bool hand, sim_time answered_at)
{
    life_open(w, 1);
    life_version(w, true);
    life_version(w, false);
    w->plan.n_step = 1;
    w->plan.step[0] = (struct policy_step){.at = 100 * SIM_US,
                                           .what = LIFE_REPLACE,
                                           .to = 1,
                                           .vm = POLICY_NONE,
                                           .quiesce = quiesce,
                                           .hand = hand};
    life_start(w);
    cr_assert(policy_life_ask(w->life, 0, &w->q[0].t, life_question, w, 0)); /* in flight */
    sim_at(w->sim, answered_at, 0, life_effect, w, 0);
}

/* 0.5 us to ask, 50 to load; the decision in flight ends at 200; 5 to replace and 1 to copy. */
Test(policy_life, a_step_waits_for_what_is_in_flight_and_pays_its_way)
{
    struct life_world w;
    one_swap(&w, true, true, 200 * SIM_US);
    *(uint64_t *)w.slot[0].self = 41;
    sim_at(w.sim, 150 * SIM_US, 0, life_question, &w, 1); /* before it is quiet: asked at once */
    sim_at(w.sim, 180 * SIM_US, 0, life_question, &w, 2); /* waits */
    sim_run(w.sim, 205 * SIM_US + 900);
    cr_expect_eq(policy_life_version(w.life, 0), 0);
    cr_expect_eq(w.q[1].asked, 1);
    cr_expect_eq(w.q[2].asked, 0);
    sim_run(w.sim, 206 * SIM_US);
    cr_expect_eq(policy_life_version(w.life, 0), 1);
    cr_expect_eq(*(uint64_t *)w.slot[1].self, 42, "the state came, by restore");
    cr_expect_eq(w.q[2].asked, 1);
    sim_run(w.sim, SIM_NEVER);
    policy_life_report(w.life);
    cr_expect_float_eq(life_number(&w, "cpu_time"), 0.5 + 50 + 5 + 1, 1e-9);
    cr_expect_float_eq(life_number(&w, "held_most"), (206 - 150.5) / 1e3, 1e-9);
    life_close(&w);
}

Test(policy_life, without_quiescing_nobody_waits_and_the_state_is_dropped)
{
    struct life_world w;
    one_swap(&w, false, false, 900 * SIM_US);
    *(uint64_t *)w.slot[0].self = 41;
    sim_run(w.sim, 155 * SIM_US + 500);
    cr_expect_eq(policy_life_version(w.life, 0), 1);
    cr_expect_eq(*(uint64_t *)w.slot[1].self, 0);
    sim_run(w.sim, SIM_NEVER);
    policy_life_report(w.life);
    cr_expect_eq(life_number(&w, "held"), 0);
    cr_expect_eq(life_number(&w, "lost"), 0);
    life_close(&w);
}

/* An answer that is needed at once: the same step, with nothing in flight.  It is loaded at 150.5;
 * who asks before 156.5 waits for the rest, and the new version answers. */
Test(policy_life, at_once_nothing_is_in_flight_and_who_asks_pays_the_rest)
{
    struct life_world w;
    struct policy_ticket t;
    sim_time wait;
    life_open(&w, 1);
    w.at_once = true;
    life_version(&w, true);
    life_version(&w, false);
    w.plan.n_step = 1;
    w.plan.step[0] = (struct policy_step){.at = 100 * SIM_US,
                                          .what = LIFE_REPLACE,
                                          .to = 1,
                                          .vm = POLICY_NONE,
                                          .quiesce = true,
                                          .hand = true};
    life_start(&w);
    *(uint64_t *)w.slot[0].self = 41;
    static const struct {
        sim_time at, wait; /* ns */
        uint32_t version;
    } asks[] = {{99000, 0, 0}, {150400, 0, 0}, {152000, 4500, 1}, {156500, 0, 1}, {200000, 0, 1}};
    for (size_t i = 0; i < sizeof asks / sizeof *asks; i++) {
        sim_run(w.sim, asks[i].at);
        struct policy_slot *p = policy_life_now(w.life, 0, &t, &wait);
        cr_expect_eq(wait, asks[i].wait, "at %g us: %g", (double)asks[i].at / 1e3,
                     (double)wait / 1e3);
        cr_expect_eq(p, &w.slot[asks[i].version]);
        policy_life_said(w.life, 0, &t);
    }
    cr_expect_eq(*(uint64_t *)w.slot[1].self, 42, "the state came, by restore");
    sim_run(w.sim, SIM_NEVER);
    policy_life_report(w.life);
    cr_expect_eq(life_number(&w, "asked"), 5);
    cr_expect_eq(life_number(&w, "lost"), 0);
    cr_expect_eq(life_number(&w, "held"), 1);
    cr_expect_float_eq(life_number(&w, "cpu_time"), 0.5 + 50 + 5 + 1, 1e-9);
    life_close(&w);
}

static void crash(struct life_world *w, uint64_t at)
{
    one_swap(w, true, true, 120 * SIM_US);
    w->slot[1].eject_why = EJECT_CRASH;
    w->slot[1].eject_at = at;
    w->slot[1].eject_text = "signal 11";
    sim_run(w->sim, SIM_NEVER);
    cr_expect_eq(policy_life_version(w->life, 0), 0, "call %d", (int)at);
    cr_expect_not_null(policy_life_slot(w->life, 0)->self);
    policy_life_report(w->life);
    cr_expect_eq(life_number(w, "undone"), 1);
    cr_expect_eq(life_number(w, "replaced"), 0);
    life_close(w);
}

Test(policy_life, a_version_that_crashes_on_its_way_in_never_answers)
{
    struct life_world w;
    crash(&w, 0); /* in create */
    crash(&w, 1); /* in restore */
}

Test(policy_life, an_ejected_version_makes_room_for_the_one_before)
{
    struct life_world w;
    one_swap(&w, true, true, 120 * SIM_US);
    sim_run(w.sim, SIM_MS);
    cr_assert_eq(policy_life_version(w.life, 0), 1);
    w.slot[1].ejected = EJECT_BAD_ANSWER;
    policy_life_watch(w.life, 0);
    policy_life_watch(w.life, 1); /* once */
    sim_run(w.sim, SIM_NEVER);
    cr_expect_eq(policy_life_version(w.life, 0), 0);
    policy_life_report(w.life);
    cr_expect_eq(life_number(&w, "steps"), 2);
    life_close(&w);
}

Test(policy_life, a_hypercall_changes_the_caller_alone)
{
    struct life_world w;
    life_open(&w, 1);
    life_version(&w, true);
    life_version(&w, true);
    w.plan.n_step = 2;
    w.plan.step[0] = (struct policy_step){
        .what = LIFE_REPLACE, .by = LIFE_BY_HYPERCALL, .to = 1, .vm = 2, .quiesce = true};
    w.plan.step[1] = (struct policy_step){
        .at = SIM_MS, .what = LIFE_ROLLBACK, .by = LIFE_BY_HYPERCALL, .vm = 2, .quiesce = true};
    life_start(&w);
    sim_run(w.sim, SIM_US);
    cr_expect_eq(policy_life_version(w.life, 2), 0, "0.5 + 2 us to ask");
    sim_run(w.sim, 7500);
    cr_expect_eq(policy_life_version(w.life, 2), 1);
    cr_expect_eq(policy_life_version(w.life, 1), 0);
    sim_run(w.sim, SIM_NEVER);
    cr_expect_eq(policy_life_version(w.life, 2), 0);
    life_close(&w);
}

/* ---- the guard
 * ----------------------------------------------------------------------------------- */

#define GUARDED 4000

struct drift {
    struct life_world w;
    double learned, later; /* its mean cost, and from the middle on; the baseline's is 1 ms */
    struct policy_ticket t[GUARDED];
    uint32_t baseline_answered;
};

static void known(void *ctx, uint64_t i)
{
    struct drift *d = ctx;
    struct policy_ticket *t = &d->t[i];
    double mean = t->version == 0 ? 1 : i < GUARDED / 2 ? d->learned : d->later;
    d->baseline_answered += t->version == 0;
    policy_life_answered(d->w.life, 0, t);
    policy_life_done(d->w.life, 0, t, (sim_time)(rng_exponential(&d->w.rng, mean) * 1e6));
}

static void guarded_question(void *ctx, uint64_t i)
{
    struct drift *d = ctx;
    if (policy_life_ask(d->w.life, 0, &d->t[i], guarded_question, d, i))
        known(d, i);
}

/* When it fell back, in decisions; GUARDED: never. */
static uint64_t falls(struct drift *d, double learned, double later, uint64_t seed)
{
    memset(d, 0, sizeof *d);
    life_open(&d->w, seed);
    d->learned = learned;
    d->later = later;
    life_version(&d->w, true);
    life_version(&d->w, true);
    d->w.plan.guard = (struct policy_guard){.every = 5, .baseline = 0, .window = 60, .worse = 1.1};
    d->w.plan.n_per_vm = 1;
    d->w.plan.per_vm[0].version = 1;
    life_start(&d->w);
    for (uint64_t i = 0; i < GUARDED; i++)
        sim_at(d->w.sim, i * SIM_MS, 0, guarded_question, d, i);
    uint64_t at = 0;
    while (at < GUARDED && policy_life_version(d->w.life, 0) == 1)
        sim_run(d->w.sim, at++ * SIM_MS);
    sim_run(d->w.sim, SIM_NEVER);
    policy_life_report(d->w.life);
    cr_expect_eq(life_number(&d->w, "lost"), 0);
    cr_expect_eq(life_number(&d->w, "asked"), GUARDED);
    life_close(&d->w);
    return at;
}

Test(policy_life, the_guard_falls_back_when_the_policy_drifts_and_only_then)
{
    static struct drift d;
    uint32_t false_alarms = 0, missed = 0;
    for (uint64_t seed = 1; seed <= 40; seed++) {
        false_alarms += falls(&d, 0.8, 0.8, seed) < GUARDED;
        cr_expect_float_eq(d.baseline_answered, GUARDED / 5, 1 + 4000.0 * (false_alarms > 0));
        const uint64_t at = falls(&d, 0.8, 3, seed);
        missed += at == GUARDED;
        cr_expect(at == GUARDED || at < GUARDED * 0.9, "seed %d: only at %d", (int)seed, (int)at);
    }
    cr_expect_leq(false_alarms, 2);
    cr_expect_eq(missed, 0);
}
