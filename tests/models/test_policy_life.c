/* The life of policies against a count of its own: whatever is loaded, replaced, rolled back or
 * crashes when, every decision asked for is answered once. */
#include <criterion/criterion.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "models/machine.h"
#include "models/policy_life.h"
#include "sim/lot.h"
#include "sim/rng.h"

#define DECISIONS 400
#define VMS       3

/* ---- versions that do nothing but exist, and hand on one number ------------------------ */

static struct lot selves; /* those that crash are never destroyed */

static int create(void **self, const struct policy_host *h)
{
    (void)h;
    *self = lot_new(&selves, sizeof(uint64_t));
    if (*self)
        memset(*self, 0, sizeof(uint64_t));
    return *self ? 0 : -1;
}
static void destroy(void *self)
{
    memset(self, 0xa5, sizeof(uint64_t)); /* nobody looks at it again */
}
static size_t save(void *self, void *to, size_t room)
{
    if (room)
        memcpy(to, self, sizeof(uint64_t));
    return sizeof(uint64_t);
}
static int restore(void *self, const void *from, size_t n, const char *by)
{
    cr_assert_eq(n, sizeof(uint64_t));
    cr_assert_str_eq(by, "version");
    memcpy(self, from, n);
    ++*(uint64_t *)self; /* how often it was handed on */
    return 0;
}
static const struct policy_ops ops = {
    .name = "version", .create = create, .destroy = destroy, .save = save, .restore = restore};

/* ---- a world that asks ---------------------------------------------------------------------- */

struct world {
    struct sim *sim;
    struct cores *cpu;
    struct policy_life *life;
    struct policy_plan plan;
    struct policy_slot slot[POLICY_VERSIONS];
    struct measures *out;
    struct machine *machine;
    struct machine_use use;
    struct rng rng;
    struct err e;
    struct question {
        struct policy_ticket t;
        uint32_t vm, asked, answered;
    } q[DECISIONS];
    uint32_t changes;
};

static const char costs[] =
    "{\"schema\": \"malv-machine/1\", \"name\": \"m\", \"title\": \"m\", \"cost\": {"
#define COST(name, us)                                                                             \
    "\"" name "\": {\"value\": " us ", \"unit\": \"us\", \"source\": \"x\", \"evidence\": "        \
    "\"assumed\"}"
    COST("policy_load", "50") "," COST("policy_unload", "10") "," COST(
        "policy_replace",
        "5") "," COST("copy_page", "1") "," COST("syscall", "0.5") "," COST("vm_exit", "2") "}}";

static int world_create(void *ctx, uint32_t version, struct err *e)
{
    (void)e;
    struct world *w = ctx;
    policy_slot_create(&w->slot[version], NULL, NULL, NULL);
    return 0;
}

static int world_retire(void *ctx, uint32_t version, struct err *e)
{
    (void)e;
    struct world *w = ctx;
    policy_slot_destroy(&w->slot[version]);
    return 0;
}

static void world_changed(void *ctx, uint32_t vm)
{
    (void)vm;
    ((struct world *)ctx)->changes++;
}

static void world_open(struct world *w, uint64_t seed)
{
    struct config *doc;
    memset(w, 0, sizeof *w);
    rng_init(&w->rng, seed, "test", "life");
    w->sim = sim_new(NULL);
    w->cpu = cores_new(w->sim, 2);
    w->out = measures_new();
    cr_assert_eq(config_parse(&doc, "m", costs, strlen(costs), &w->e), 0, "%s", w->e.msg);
    cr_assert_eq(machine_load(&w->machine, doc, &w->e), 0, "%s", w->e.msg);
    config_free(doc);
    cr_assert_eq(machine_use_begin(&w->use, w->machine, &w->e), 0);
    w->plan = (struct policy_plan){
        .hook = POLICY_HOOK_SERVE_BATCH, .create = world_create, .retire = world_retire, .ctx = w};
}

static void world_version(struct world *w, bool standing)
{
    static const char *const name[POLICY_VERSIONS] = {"a", "b", "c", "d", "e", "f", "g", "h",
                                                      "i", "j", "k", "l", "m", "n", "o", "p"};
    const uint32_t i = w->plan.n++;
    w->slot[i] = (struct policy_slot){.ops = &ops, .label = name[i], .number = i, .out = w->out};
    w->plan.version[i] = &w->slot[i];
    w->plan.label[i] = name[i];
    w->plan.standing[i] = standing;
    if (standing)
        policy_slot_create(&w->slot[i], NULL, NULL, NULL);
}

static void world_start(struct world *w)
{
    const struct life_env env = {.sim = w->sim,
                                 .cpu = w->cpu,
                                 .stack = stack_find("kvm", NULL),
                                 .use = &w->use,
                                 .out = w->out,
                                 .changed = world_changed,
                                 .ctx = w,
                                 .e = &w->e};
    cr_assert_eq(policy_life_open(&w->life, &w->plan, NULL, &env, &w->e), 0, "%s", w->e.msg);
}

static void world_close(struct world *w)
{
    policy_life_free(w->life);
    for (uint32_t i = 0; i < w->plan.n; i++)
        if (w->slot[i].calls && w->slot[i].self)
            policy_slot_destroy(&w->slot[i]);
    machine_use_end(&w->use);
    machine_free(w->machine);
    measures_free(w->out);
    cores_free(w->cpu);
    sim_free(w->sim);
    lot_free(&selves);
}

static void effect(void *ctx, uint64_t i)
{
    struct world *w = ctx;
    w->q[i].answered++;
    policy_life_answered(w->life, w->q[i].vm, &w->q[i].t);
}

static void question(void *ctx, uint64_t i)
{
    struct world *w = ctx;
    struct question *q = &w->q[i];
    if (!policy_life_ask(w->life, q->vm, &q->t, question, w, i))
        return;
    q->asked++;
    struct policy_slot *p = policy_life_slot(w->life, q->vm);
    cr_assert(!p || p->self || p->ejected != EJECT_NONE, "a version that is not there is asked");
    if (rng_below(&w->rng, 4))
        sim_after(w->sim, rng_below(&w->rng, 40 * SIM_US), 0, effect, w, i);
    else
        effect(w, i);
    policy_life_watch(w->life, q->vm);
}

static double life(struct world *w, const char *what)
{
    char name[64];
    snprintf(name, sizeof name, "life.serve.batch.%s", what);
    const double *v = measures_find(w->out, name);
    cr_assert_not_null(v, "%s", name);
    return *v;
}

/* ---- properties --------------------------------------------------------------------------------
 */

static int by_time(const void *a, const void *b)
{
    const struct policy_step *x = a, *y = b;
    return x->at < y->at ? -1 : x->at > y->at;
}

static void random_plan(struct world *w)
{
    const uint32_t n = 2 + (uint32_t)rng_below(&w->rng, POLICY_VERSIONS - 2);
    for (uint32_t i = 0; i < n; i++) {
        world_version(w, i == 0 || rng_below(&w->rng, 2));
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
                                 .vm = one ? (uint32_t)rng_below(&w->rng, VMS) : POLICY_NONE,
                                 .quiesce = quiesce,
                                 .hand = quiesce && rng_below(&w->rng, 2)};
    }
    qsort(w->plan.step, w->plan.n_step, sizeof *w->plan.step, by_time);
}

Test(policy_life, whatever_happens_each_decision_is_answered_once)
{
    double replaced = 0, undone = 0, held = 0;
    for (uint64_t seed = 0; seed < 300; seed++) {
        struct world w;
        world_open(&w, seed);
        random_plan(&w);
        world_start(&w);
        for (uint32_t i = 0; i < DECISIONS; i++) {
            w.q[i].vm = (uint32_t)rng_below(&w.rng, VMS);
            sim_at(w.sim, rng_below(&w.rng, 5 * SIM_MS), 0, question, &w, i);
        }
        sim_run(w.sim, SIM_NEVER);
        cr_assert_eq(policy_life_failed(w.life), 0, "seed %d: %s", (int)seed, w.e.msg);
        for (uint32_t i = 0; i < DECISIONS; i++)
            cr_assert(w.q[i].asked == 1 && w.q[i].answered == 1, "seed %d: %u was asked %u times",
                      (int)seed, i, w.q[i].asked);
        cr_assert(!policy_life_busy(w.life));
        policy_life_report(w.life);
        cr_assert_eq(life(&w, "asked"), DECISIONS);
        cr_assert_eq(life(&w, "lost"), 0);
        cr_assert_eq(life(&w, "twice"), 0);
        cr_assert_geq(life(&w, "steps"), w.plan.n_step); /* more after a crash in save */
        cr_assert_eq(w.changes, life(&w, "replaced"));
        replaced += life(&w, "replaced");
        undone += life(&w, "undone");
        held += life(&w, "held");
        world_close(&w);
    }
    cr_expect(replaced > 500 && undone > 50 && held > 100, "%g %g %g: the schedules are too tame",
              replaced, undone, held);
}

/* An answer that takes effect twice, or never, shows in the counts. */
Test(policy_life, the_counts_can_tell)
{
    struct world w;
    world_open(&w, 1);
    world_version(&w, true);
    world_start(&w);
    struct policy_ticket t = {.state = TICKET_NEW}, lost = {.state = TICKET_NEW};
    cr_assert(policy_life_ask(w.life, 0, &t, question, &w, 0));
    policy_life_answered(w.life, 0, &t);
    policy_life_answered(w.life, 0, &t);
    cr_assert(policy_life_ask(w.life, 0, &lost, question, &w, 0));
    policy_life_report(w.life);
    cr_expect_eq(life(&w, "twice"), 1);
    cr_expect_eq(life(&w, "lost"), 1);
    world_close(&w);
}

/* ---- times, by hand ------------------------------------------------------------------------ */

static void one_swap(struct world *w, bool quiesce, bool hand, sim_time answered_at)
{
    world_open(w, 1);
    world_version(w, true);
    world_version(w, false);
    w->plan.n_step = 1;
    w->plan.step[0] = (struct policy_step){.at = 100 * SIM_US,
                                           .what = LIFE_REPLACE,
                                           .to = 1,
                                           .vm = POLICY_NONE,
                                           .quiesce = quiesce,
                                           .hand = hand};
    world_start(w);
    cr_assert(policy_life_ask(w->life, 0, &w->q[0].t, question, w, 0)); /* in flight */
    sim_at(w->sim, answered_at, 0, effect, w, 0);
}

/* 0.5 us to ask, 50 to load; the decision in flight ends at 200; 5 to replace and 1 to copy. */
Test(policy_life, a_step_waits_for_what_is_in_flight_and_pays_its_way)
{
    struct world w;
    one_swap(&w, true, true, 200 * SIM_US);
    *(uint64_t *)w.slot[0].self = 41;
    sim_at(w.sim, 150 * SIM_US, 0, question, &w, 1); /* before it is quiet: asked at once */
    sim_at(w.sim, 180 * SIM_US, 0, question, &w, 2); /* waits */
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
    cr_expect_float_eq(life(&w, "cpu_time"), 0.5 + 50 + 5 + 1, 1e-9);
    cr_expect_float_eq(life(&w, "held_most"), (206 - 150.5) / 1e3, 1e-9);
    world_close(&w);
}

Test(policy_life, without_quiescing_nobody_waits_and_the_state_is_dropped)
{
    struct world w;
    one_swap(&w, false, false, 900 * SIM_US);
    *(uint64_t *)w.slot[0].self = 41;
    sim_run(w.sim, 155 * SIM_US + 500);
    cr_expect_eq(policy_life_version(w.life, 0), 1);
    cr_expect_eq(*(uint64_t *)w.slot[1].self, 0);
    sim_run(w.sim, SIM_NEVER);
    policy_life_report(w.life);
    cr_expect_eq(life(&w, "held"), 0);
    cr_expect_eq(life(&w, "lost"), 0);
    world_close(&w);
}

static void crash(struct world *w, uint64_t at)
{
    one_swap(w, true, true, 120 * SIM_US);
    w->slot[1].eject_why = EJECT_CRASH;
    w->slot[1].eject_at = at;
    w->slot[1].eject_text = "signal 11";
    sim_run(w->sim, SIM_NEVER);
    cr_expect_eq(policy_life_version(w->life, 0), 0, "call %d", (int)at);
    cr_expect_not_null(policy_life_slot(w->life, 0)->self);
    policy_life_report(w->life);
    cr_expect_eq(life(w, "undone"), 1);
    cr_expect_eq(life(w, "replaced"), 0);
    world_close(w);
}

Test(policy_life, a_version_that_crashes_on_its_way_in_never_answers)
{
    struct world w;
    crash(&w, 0); /* in create */
    crash(&w, 1); /* in restore */
}

Test(policy_life, an_ejected_version_makes_room_for_the_one_before)
{
    struct world w;
    one_swap(&w, true, true, 120 * SIM_US);
    sim_run(w.sim, SIM_MS);
    cr_assert_eq(policy_life_version(w.life, 0), 1);
    w.slot[1].ejected = EJECT_BAD_ANSWER;
    policy_life_watch(w.life, 0);
    policy_life_watch(w.life, 1); /* once */
    sim_run(w.sim, SIM_NEVER);
    cr_expect_eq(policy_life_version(w.life, 0), 0);
    policy_life_report(w.life);
    cr_expect_eq(life(&w, "steps"), 2);
    world_close(&w);
}

Test(policy_life, a_hypercall_changes_the_caller_alone)
{
    struct world w;
    world_open(&w, 1);
    world_version(&w, true);
    world_version(&w, true);
    w.plan.n_step = 2;
    w.plan.step[0] = (struct policy_step){
        .what = LIFE_REPLACE, .by = LIFE_BY_HYPERCALL, .to = 1, .vm = 2, .quiesce = true};
    w.plan.step[1] = (struct policy_step){
        .at = SIM_MS, .what = LIFE_ROLLBACK, .by = LIFE_BY_HYPERCALL, .vm = 2, .quiesce = true};
    world_start(&w);
    sim_run(w.sim, SIM_US);
    cr_expect_eq(policy_life_version(w.life, 2), 0, "0.5 + 2 us to ask");
    sim_run(w.sim, 7500);
    cr_expect_eq(policy_life_version(w.life, 2), 1);
    cr_expect_eq(policy_life_version(w.life, 1), 0);
    sim_run(w.sim, SIM_NEVER);
    cr_expect_eq(policy_life_version(w.life, 2), 0);
    world_close(&w);
}

/* ---- the guard ---------------------------------------------------------------------------------
 */

#define GUARDED 4000

struct drift {
    struct world w;
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
    world_open(&d->w, seed);
    d->learned = learned;
    d->later = later;
    world_version(&d->w, true);
    world_version(&d->w, true);
    d->w.plan.guard = (struct policy_guard){.every = 5, .baseline = 0, .window = 60, .worse = 1.1};
    d->w.plan.n_per_vm = 1;
    d->w.plan.per_vm[0].version = 1;
    world_start(&d->w);
    for (uint64_t i = 0; i < GUARDED; i++)
        sim_at(d->w.sim, i * SIM_MS, 0, guarded_question, d, i);
    uint64_t at = 0;
    while (at < GUARDED && policy_life_version(d->w.life, 0) == 1)
        sim_run(d->w.sim, at++ * SIM_MS);
    sim_run(d->w.sim, SIM_NEVER);
    policy_life_report(d->w.life);
    cr_expect_eq(life(&d->w, "lost"), 0);
    cr_expect_eq(life(&d->w, "asked"), GUARDED);
    world_close(&d->w);
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
