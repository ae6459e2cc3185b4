/* A cluster in rounds: by hand, step for step; and what must hold of every run. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "models/rounds/synth.h"
#include "sim/rng.h"
#include "tests/models/rounds_rig.h"

#define S SIM_SEC

static const char *const types[] = {"fast", "slow"};
static const struct rig_cost costs[] = {
    {"a", "fast", NULL, TRACE_COST_MICRO, 1, 0, 2000000},
    {"a", "slow", NULL, TRACE_COST_PS, 1, 0, UINT64_C(1000000000000)},
    {"a", "elsewhere", NULL, TRACE_COST_MICRO, 1, 0, 9000000},
    {"b", "slow", NULL, TRACE_COST_MICRO, 2, 0, 4000000},
    {"a", "fast", "a", TRACE_COST_MICRO, 1, 1, 1500000},
    {"a", "slow", "a", TRACE_COST_MICRO, 1, 1, 0},
};
enum { A, B };

static uint32_t fifo(void *self, const struct policy_round_obs *o, struct policy_part *part)
{
    (void)self, (void)o;
    part[0] = (struct policy_part){0, POLICY_NONE, 0, 1}; /* the oldest, on the fast one */
    return 1;
}

static uint32_t together(void *self, const struct policy_round_obs *o, struct policy_part *part)
{
    (void)self;
    part[0] = (struct policy_part){0, o->n > 1 ? 1 : POLICY_NONE, 0, 1};
    return 1;
}

static uint32_t nothing(void *self, const struct policy_round_obs *o, struct policy_part *part)
{
    (void)self, (void)o, (void)part;
    return 0;
}

static struct schedule_stats
run(struct schedule_set set, struct rig_run *jobs, uint32_t fast, uint32_t slow,
    uint32_t (*share)(void *, const struct policy_round_obs *, struct policy_part *))
{
    struct policy_ops ops = {.name = "test", .cluster_share = share};
    struct policy_slot slot = {.ops = &ops};
    struct rates *r = rig_rates(costs, sizeof costs / sizeof *costs, types, 2);
    struct schedule_stats stats;
    struct err e = {0};
    set.rates = r;
    set.gpus[0] = fast;
    set.gpus[1] = slow;
    set.policy = share ? &slot : NULL;
    set.next = rig_next;
    set.left = rig_left;
    set.ctx = jobs;
    cr_assert_eq(schedule_run(&set, &stats, &e), 0, "%s", e.msg);
    cr_expect_eq(slot.ejected, EJECT_NONE, "%s", slot.eject_note);
    rates_free(r);
    return stats;
}

Test(rounds, rates_are_those_of_the_types_asked_for)
{
    struct rates *r = rig_rates(costs, sizeof costs / sizeof *costs, types, 2);
    cr_assert_eq(r->kinds, 2);
    cr_expect_eq(rates_kind(r, "a", 1), A);
    cr_expect_eq(rates_kind(r, "b", 2), B);
    cr_expect_eq(rates_kind(r, "b", 1), RATES_NONE);
    cr_expect_eq(rates_alone(r, 0, A), 2);
    cr_expect_eq(rates_alone(r, 1, A), 1);
    cr_expect_eq(rates_alone(r, 0, B), 0, "never measured there");
    cr_expect_eq(rates_alone(r, 1, B), 4);
    cr_expect_eq(rates_beside(r, 0, A, A), 1.5);
    cr_expect_eq(rates_beside(r, 1, A, A), 0);
    rates_free(r);
}

Test(rounds, a_table_that_makes_no_sense_is_refused)
{
    static const struct rig_cost wrong[][2] = {
        {{"a", "fast", NULL, TRACE_COST_MICRO, 0, 0, 1}},
        {{"a", "fast", NULL, TRACE_COST_COUNT, 1, 0, 1}},
        {{"", "fast", NULL, TRACE_COST_MICRO, 1, 0, 1}},
        {{"a", "elsewhere", NULL, TRACE_COST_MICRO, 1, 0, 1}},
        {{"a", "fast", NULL, TRACE_COST_MICRO, 1, 0, 1},
         {"a", "fast", "b", TRACE_COST_MICRO, 1, 1, 1}},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct row_source *rows = rig_rows(wrong[i], wrong[i][1].name ? 2 : 1);
        struct rates *r;
        struct err e = {0};
        cr_expect_lt(rates_read(&r, rows, types, 2, &e), 0, "table %zu", i);
        cr_expect(e.msg[0] && !r);
        rows->close(rows);
    }
}

/* One GPU of 2 steps/s, rounds of 100 s.  300 steps from 0 s: one round of 200 and half a one.  200
 * steps from 10 s: in line behind them. */
static const struct schedule_arrival two[] = {{0, A, 300, 1}, {10 * S, A, 200, 1}};

Test(rounds, first_come_first_served_by_hand)
{
    struct rig_run jobs = {.job = two, .n = 2};
    const struct schedule_stats s = run((struct schedule_set){.round = 100 * S}, &jobs, 1, 0, fifo);
    cr_expect_eq(jobs.left_at[0], 150 * S);
    cr_expect_eq(jobs.left_at[1], 250 * S);
    cr_expect_eq(s.rounds, 3);
    cr_expect_eq(s.shares, 3, "at 0, 100 and 150 s");
    cr_expect_float_eq(s.busy_s[0], 250, 1e-9);
    cr_expect_not(s.stuck);
}

Test(rounds, parts_are_made_no_sooner_than_asked)
{
    struct rig_run jobs = {.job = two, .n = 2};
    const struct schedule_stats s =
        run((struct schedule_set){.round = 100 * S, .share_every = 500 * S}, &jobs, 1, 0, fifo);
    cr_expect_eq(jobs.left_at[0], 150 * S);
    cr_expect_eq(jobs.left_at[1], 600 * S, "not asked about before 500 s");
    cr_expect_eq(s.shares, 2);
}

Test(rounds, who_has_no_part_fills_what_is_left)
{
    struct rig_run jobs = {.job = two, .n = 2};
    run((struct schedule_set){.round = 100 * S, .fill = true}, &jobs, 2, 0, fifo);
    cr_expect_eq(jobs.left_at[0], 150 * S);
    cr_expect_eq(jobs.left_at[1], 200 * S, "from 100 s on, on the other GPU");
}

Test(rounds, two_together_run_each_at_its_own_rate)
{
    static const struct schedule_arrival both[] = {{0, A, 300, 1}, {0, A, 150, 1}};
    struct rig_run jobs = {.job = both, .n = 2};
    const struct schedule_stats s =
        run((struct schedule_set){.round = 100 * S, .pairs = true}, &jobs, 1, 0, together);
    cr_expect_eq(jobs.left_at[1], 100 * S, "150 steps at 1.5");
    cr_expect_eq(jobs.left_at[0], 175 * S, "150 at 1.5, and 150 at 2");
    cr_expect_eq(s.pair_rounds, 2);
}

/* 1 fast, 1 slow, equal parts: over two rounds each job has each GPU once. */
Test(rounds, equal_parts_take_turns)
{
    static const struct schedule_arrival both[] = {{0, A, 600, 1}, {0, A, 600, 1}};
    struct rig_run jobs = {.job = both, .n = 2};
    const struct schedule_stats s = run((struct schedule_set){.round = 100 * S}, &jobs, 1, 1, NULL);
    cr_expect_eq(jobs.left_at[0], 400 * S);
    cr_expect_eq(jobs.left_at[1], 400 * S, "2 x 200 + 2 x 100 steps, too");
    cr_expect_eq(s.moves, 6);
}

Test(rounds, what_can_never_run_is_said)
{
    static const struct schedule_arrival large[] = {{0, A, 100, 1}, {S, B, 100, 1}};
    struct rig_run jobs = {.job = large, .n = 2};
    struct schedule_stats s =
        run((struct schedule_set){.round = 100 * S, .fill = true}, &jobs, 1, 1, NULL);
    cr_expect(s.stuck, "two slow GPUs wanted, one there");
    cr_expect_eq(s.stuck_job, 1);
    cr_expect_eq(jobs.left_at[0], 50 * S, "the other is not held up");
    jobs = (struct rig_run){.job = large, .n = 1};
    s = run((struct schedule_set){.round = 100 * S}, &jobs, 1, 1, nothing);
    cr_expect(s.stuck);
}

/* Whatever comes: all that can run is run, and GPU-seconds are neither made nor lost. */
Test(rounds, gpu_seconds_are_kept)
{
    struct schedule_arrival job[60];
    struct rng r;
    rng_init(&r, 3, "test", "rounds");
    for (int pass = 0; pass < 20; pass++) {
        double alone = 0;
        sim_time t = 0;
        for (int i = 0; i < 60; i++) {
            job[i] = (struct schedule_arrival){t,
                                               pass % 2           ? A
                                               : rng_below(&r, 2) ? A
                                                                  : B,
                                               1 + (double)rng_below(&r, 5000), 1 + rng_unit(&r)};
            t += rng_below(&r, 300 * S);
            alone += job[i].kind == B ? job[i].steps / 4 * 2 : 0;
        }
        struct rig_run jobs = {.job = job, .n = 60};
        const struct schedule_stats s =
            run((struct schedule_set){.round = 60 * S,
                                      .share_every = rng_below(&r, 400 * S),
                                      .fill = pass & 1,
                                      .shuffle = pass & 2},
                &jobs, pass % 2 ? 0 : 2, 3, NULL);
        cr_expect_eq(jobs.left, 60);
        cr_expect_eq(s.done, 60);
        const double end_s = (double)s.end / 1e9;
        cr_expect_leq(s.busy_s[0], 2 * end_s + 1e-6);
        cr_expect_leq(s.busy_s[1], 3 * end_s + 1e-6);
        double steps = 0;
        for (int i = 0; i < 60; i++)
            steps += job[i].kind == A ? job[i].steps : 0;
        /* fast: 2 steps/s of kind a; slow: 1, or b on two of them */
        cr_expect_float_eq(2 * s.busy_s[0] + s.busy_s[1] - alone, steps, 1e-3);
    }
}

/* scheduler/utils.py's generate_job and scheduler.py's arrivals, seed 0 and 4 jobs an hour, with
 * 1 step/s of a GPU on the reference: the first jobs, by that code's draws in CPython 3.11. */
static struct rates *table_of_gavel(void)
{
    static const char *const names[] = {"ResNet-18", "ResNet-50", "Transformer", "LM",
                                        "Recommendation"};
    static const uint32_t batch[][5] = {{16, 32, 64, 128, 256},
                                        {16, 32, 64, 128, 0},
                                        {16, 32, 64, 128, 256},
                                        {5, 10, 20, 40, 80},
                                        {512, 1024, 2048, 4096, 8192}};
    static struct rig_cost cost[26 * 4];
    static char text[24][64];
    size_t n = 0, k = 0;
    for (size_t f = 0; f < 5; f++)
        for (size_t b = 0; b < 5 && batch[f][b]; b++, k++) {
            snprintf(text[k], sizeof text[k], "%s (batch size %u)", names[f], batch[f][b]);
            for (uint32_t g = 1; g <= (f < 4 ? 8 : 1); g *= 2)
                cost[n++] =
                    (struct rig_cost){text[k], "fast", NULL, TRACE_COST_MICRO, g, 0, 1000000 * g};
        }
    cost[n++] = (struct rig_cost){"A3C", "fast", NULL, TRACE_COST_MICRO, 1, 0, 1000000};
    cost[n++] = (struct rig_cost){"CycleGAN", "fast", NULL, TRACE_COST_MICRO, 1, 0, 1000000};
    return rig_rates(cost, n, types, 1);
}

static const struct {
    double at_s;
    const char *name;
    uint32_t gpus; /* of those that may have several */
    double seconds;
} first[] = {
    {0, "ResNet-18 (batch size 64)", 8, 68344.35010595087},
    {244.5860729103015, "Transformer (batch size 16)", 1, 31016.60914593223},
    {951.7748275290958, "Recommendation (batch size 2048)", 1, 2146.6088374387864},
    {1367.5426956563874, "Recommendation (batch size 8192)", 1, 7386.674819745945},
    {2201.0679444933708, "LM (batch size 5)", 4, 6858.69820697011},
    {3085.5446644740055, "Transformer (batch size 64)", 1, 445845.32667457394},
};

Test(rounds, the_jobs_of_a_seed_are_gavel_s)
{
    struct rates *r = table_of_gavel();
    for (int many = 0; many < 2; many++) {
        struct synth s;
        struct err e = {0};
        cr_assert_eq(synth_init(&s, r, 0, 4, many, 0, &e), 0, "%s", e.msg);
        for (size_t i = 0; i < sizeof first / sizeof *first; i++) {
            const struct synth_job j = synth_next(&s);
            cr_expect_str_eq(r->name[j.kind], first[i].name);
            cr_expect_eq(r->gpus[j.kind], many ? first[i].gpus : 1);
            cr_expect_float_eq((double)j.arrives / 1e9, first[i].at_s, 1e-8);
            cr_expect_float_eq(j.seconds / first[i].seconds, 1, 1e-14);
            cr_expect_float_eq(j.steps, j.seconds * r->gpus[j.kind], 1e-9 * j.steps);
        }
    }
    rates_free(r);
}

Test(rounds, a_table_without_gavel_s_jobs_is_no_good_for_them)
{
    struct rates *r = rig_rates(costs, sizeof costs / sizeof *costs, types, 2);
    struct synth s;
    struct err e = {0};
    cr_expect_eq(synth_init(&s, r, 0, 4, false, 0, &e), ERR_ENAME);
    cr_expect_str_eq(e.msg,
                     "no rate of ResNet-18 (batch size 16) on 1 GPUs of type fast, want one");
    rates_free(r);
}
