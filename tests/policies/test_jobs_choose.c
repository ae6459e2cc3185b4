/* test_jobs_choose.c - which quantile of a duration orders jobs best, chosen before the scored
 * part. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "harness/learn/jobs_choose.h"
#include "policies/duration_features.h"
#include "sim/rng.h"

/* Three jobs of 1, 2 and 4 GPU-seconds: in the true order waits are 0, 1 and 3. */
Test(jobs_choose, the_cost_of_an_order_is_what_it_makes_wait)
{
    static const uint32_t seconds[] = {1, 2, 2};
    static const double gpus[] = {1, 1, 2};
    static const struct {
        double predicted[3], cost;
    } row[] = {
        {{1, 2, 2}, 1},
        {{10, 20, 30}, 1},
        {{9, 2, 1.5}, 8.0 / 4}, /* keys 9, 2, 3: waits 0, 2, 6 */
        {{3, 2, 1}, 8.0 / 4},   /* keys 3, 2, 2; of equals the first that came: 0, 2, 6 */
        {{9, 9, 1}, 9.0 / 4}    /* keys 9, 9, 2: waits 0, 4, 5 */
    };
    struct err e = {0};
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        double cost = 0;
        cr_assert_eq(jobs_order_cost(&cost, row[i].predicted, gpus, seconds, 3, &e), 0, "%s",
                     e.msg);
        cr_expect_float_eq(cost, row[i].cost, 1e-12, "row %zu: %g", i, cost);
    }
}

Test(jobs_choose, batches_do_not_wait_for_each_other)
{
    uint32_t seconds[2 * JOBS_BATCH];
    double gpus[2 * JOBS_BATCH], predicted[2 * JOBS_BATCH], cost = 0;
    struct err e = {0};
    for (int i = 0; i < 2 * JOBS_BATCH;
         i++) { /* the second batch is longer, and said to be short */
        gpus[i] = 1;
        seconds[i] = i < JOBS_BATCH ? 1 + (uint32_t)i : 1000 + (uint32_t)i;
        predicted[i] = i < JOBS_BATCH ? 500 + i : i - JOBS_BATCH;
    }
    cr_assert_eq(jobs_order_cost(&cost, predicted, gpus, seconds, 2 * JOBS_BATCH, &e), 0);
    cr_expect_float_eq(cost, 1, 1e-12, "%g", cost);
    const uint32_t none[2] = {0, 0};
    cr_expect_eq(jobs_order_cost(&cost, predicted, gpus, none, 2, &e), ERR_ERANGE);
    cr_expect_str_eq(e.msg, "no job of 2 would wait for another");
}

enum { TRAIN = 3000, VALID = 1000 };

/* Jobs of one kind all take 200 s; those of the other mostly 60 s and one in `rare` a day. */
static void chosen(uint32_t rare, struct jobs_choice *c)
{
    static float x[(TRAIN + VALID) * DURATION_N], y[TRAIN + VALID];
    static uint32_t seconds[VALID];
    const size_t valid[] = {VALID / 2, VALID / 2};
    struct rng r;
    struct err e = {0};
    if (!train_forest_possible())
        cr_skip_test("built without XGBoost");
    rng_init(&r, rare, "test", "choose");
    for (int i = 0; i < TRAIN + VALID; i++) {
        const bool risky = rng_below(&r, 2);
        const uint32_t s = !risky ? 200 : rng_below(&r, rare) ? 60 : 86400;
        for (int k = 0; k < DURATION_N; k++)
            x[i * DURATION_N + k] = 0;
        x[i * DURATION_N] = duration_log(1);
        x[i * DURATION_N + 5] = (float)risky;
        y[i] = duration_log(s);
        if (i >= TRAIN)
            seconds[i - TRAIN] = s;
    }
    const struct forest_task t = {.n_in = DURATION_N,
                                  .x = x,
                                  .y = y,
                                  .train = TRAIN,
                                  .valid = VALID,
                                  .quantile = 0.123, /* is not read */
                                  .rounds = 60,
                                  .patience = 20,
                                  .depth = 2,
                                  .rate = 0.3,
                                  .child = 10,
                                  .seed = 1};
    cr_assert_eq(jobs_choose(c, &t, seconds, valid, 2, &e), 0, "%s", e.msg);
}

/* Who takes a day one time in seven takes long in the mean, though not in the median: only a high
 * quantile lets the sure ones pass.  With none in a thousand the risky ones are the short ones. */
Test(jobs_choose, a_high_quantile_where_tails_are_heavy_and_a_low_one_where_they_are_not)
{
    struct jobs_choice heavy, light;
    chosen(7, &heavy);
    chosen(1000000, &light);
    cr_expect_geq(heavy.quantile[heavy.best], 0.9, "%g", heavy.quantile[heavy.best]);
    cr_expect_lt(heavy.cost[heavy.best], 0.8 * heavy.cost[1], "%g and %g", heavy.cost[heavy.best],
                 heavy.cost[1]);
    cr_expect_eq(light.quantile[light.best], 0.5, "of equals the smallest: %g",
                 light.quantile[light.best]);
    cr_expect_float_eq(light.cost[light.best], 1, 1e-9);
    cr_expect_eq(heavy.quantile[0], 0);
}
