#include <criterion/criterion.h>
#include <math.h>

#include "sim/measures.h"

static struct measures *sample(void)
{
    struct measures *m = measures_new();
    measures_number(m, "makespan", "s", BETTER_LESS, 1);
    measures_number(m, "throughput", "requests/s", BETTER_MORE, 7.5);
    measures_number(m, "makespan", "s", BETTER_LESS, 2); /* replaces */
    struct sketch *ttft = measures_sketch(m, "ttft", "ms", false);
    for (int i = 1; i <= 100; i++)
        sketch_add(ttft, i);
    struct measure_series *s = measures_series(m, "waiting", "1");
    series_level(s, 0, 4);
    series_level(s, 10 * SIM_MS, 0);
    series_level(s, 20 * SIM_MS, 0);
    measures_incident(m, "ejected", "sjf", 17, 3, "answered 9, want 0 or 1");
    return m;
}

Test(measures, packed_and_unpacked_is_the_same)
{
    struct measures *m = sample(), *back = NULL;
    struct buf b = {0}, again = {0};
    measures_pack(m, &b);
    struct err e = {0};
    cr_assert_eq(measures_unpack(&back, &b, &e), 0, "%s", e.msg);
    measures_pack(back, &again);
    cr_assert_eq(again.len, b.len);
    cr_expect_arr_eq(again.data, b.data, b.len);
    cr_expect_eq(*measures_find(back, "makespan"), 2.0);
    cr_expect_eq(sketch_count(measures_sketch(back, "ttft", "ms", false)), 100u);
    cr_expect_str_eq(back->incident[0].text, "answered 9, want 0 or 1");
    measures_free(m);
    measures_free(back);
    buf_free(&b);
    buf_free(&again);
}

Test(measures, every_cut_of_a_packed_trial_is_refused)
{
    struct measures *m = sample();
    struct buf b = {0};
    measures_pack(m, &b);
    for (size_t len = 0; len < b.len; len++) {
        struct buf cut = {.data = b.data, .len = len};
        struct measures *back = NULL;
        cr_expect_eq(measures_unpack(&back, &cut, NULL), ERR_EPARSE, "cut at %zu", len);
        cr_expect_null(back);
    }
    measures_free(m);
    buf_free(&b);
}

Test(measures, a_series_keeps_its_integral_while_its_bins_double)
{
    struct measures *m = measures_new();
    struct measure_series *s = measures_series(m, "running", "1");
    double want = 0;
    sim_time now = 0;
    for (unsigned i = 0; i < 5000; i++) { /* far more milliseconds than there are bins */
        double level = i % 7;
        sim_time step = 1 + (i * 7919u) % (3 * SIM_MS);
        series_level(s, now, level);
        want += level * (double)step;
        now += step;
    }
    series_level(s, now, 0);
    double got = 0;
    for (uint32_t i = 0; i < SERIES_BINS; i++)
        got += s->sum[i];
    cr_expect_leq(s->bins, SERIES_BINS);
    cr_expect_gt(s->width, SIM_MS);
    cr_expect_lt(fabs(got - want), 1e-9 * want);
    measures_free(m);
}
