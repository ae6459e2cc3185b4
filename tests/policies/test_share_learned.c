/* What the learned shares know of a window, the rows that they learn from, and how they do. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "harness/learn/model_file.h"
#include "harness/learn/train_machine.h"
#include "harness/learn/share_rows.h"

static struct policy_gpu_tenant t[3];
static struct policy_share_obs o = {.of = POLICY_SHARE_SMS, .n = 3, .tenant = t};

static void begin(struct share_window *w)
{
    memset(t, 0, sizeof t);
    for (uint32_t i = 0; i < 3; i++)
        t[i].id = 10 + i;
    o.now_ns = 1000;
    o.busy = 500;
    share_begin(w, &o);
}

Test(share_learned, a_window_is_the_mean_of_what_it_saw)
{
    struct share_window w;
    float x[SHARE_N];
    begin(&w);
    for (int i = 1; i <= 4; i++) { /* periods of a ms: used, ended, running */
        o.now_ns += 1000000;
        t[0].used_ns += 250000;
        t[0].done += 3;
        t[1].used_ns += 500000;
        t[2].done += 2;
        t[1].running_sms = t[2].running_sms = 40;
        t[0].latency_ns = i < 3 ? 7000 : 15000; /* log2(8), log2(16): exact */
        share_watch(&w, &o);
    }
    share_features(&w, 0, 300, 700, 450, x);
    const float want[SHARE_N] = {3.5f, 0.3f, 0.45f, 0.7f, 0.25f, 3, 0, 0,   0,
                                 0,    2,    0.5f,  2,    0.8f,  0, 2, 0.5f};
    for (int k = 0; k < SHARE_N; k++)
        cr_expect_float_eq(x[k], want[k], 1e-5, "feature %d is %g, want %g", k, (double)x[k],
                           (double)want[k]);
}

Test(share_learned, nothing_answered_is_not_a_latency)
{
    struct share_window w;
    float x[SHARE_N];
    begin(&w);
    o.now_ns += 5000000;
    t[0].request_ns = 1000;
    share_watch(&w, &o);
    share_features(&w, 0, 300, 700, 450, x);
    cr_expect(isnan(x[0]));
    cr_expect_eq(x[8], 1);
    cr_expect_float_eq(x[9], log2(5001), 0.1, "%g", (double)x[9]);
    cr_expect(share_same(&w, &o));
    o.n = 2;
    cr_expect_not(share_same(&w, &o));
    o.n = 3;
    t[1].id = 99;
    cr_expect_not(share_same(&w, &o));
}

Test(share_learned, what_is_scored_was_never_fitted_together)
{
    uint32_t n[3] = {0};
    for (uint32_t c = 0; c < SHARE_CRITICAL; c++)
        for (uint32_t b = 0; b < SHARE_BESIDE; b++)
            n[share_split(c, b)]++;
    cr_expect_eq(n[0] + n[1] + n[2], SHARE_CRITICAL * SHARE_BESIDE);
    cr_expect_geq(n[SHARE_TEST], 7);
    cr_expect_geq(n[SHARE_VALIDATION], 7);
}

Test(share_learned, the_same_seed_gives_the_same_rows)
{
    struct share_rows a = {0}, b = {0};
    struct machine *m;
    struct err e = {0};
    cr_assert_eq(train_machine(&m, "machines/v100-node.json", &e), 0, "%s", e.msg);
    cr_assert_eq(share_rows_collect(&a, m, 0, 1, 2, 2, 5, &e), 0, "%s", e.msg);
    cr_assert_eq(share_rows_collect(&b, m, 0, 1, 2, 2, 5, &e), 0, "%s", e.msg);
    cr_assert_geq(a.n, 5);
    cr_expect_eq(a.n, b.n);
    cr_expect_arr_eq(a.x, b.x, a.n * SHARE_N * sizeof *a.x);
    cr_expect_arr_eq(a.y, b.y, a.n * sizeof *a.y);
    for (size_t i = 0; i < a.n; i++)
        cr_expect(a.y[i] > 5 && a.y[i] < 25, "row %zu: %g", i, (double)a.y[i]);
    share_rows_free(&a);
    share_rows_free(&b);
    machine_free(m);
}

Test(share_learned, what_ships_is_what_the_features_are)
{
    struct model_file *m;
    struct err e = {0};
    uint32_t n_in, n_out;
    cr_assert_eq(model_file_open(&m, "share", &e), 0, "%s", e.msg);
    infer_shape(model_file_net(m), &n_in, &n_out);
    cr_expect_eq(n_in, SHARE_N);
    cr_expect_eq(n_out, 2);
    cr_expect_str_eq(model_file_meta(m, "features"), "share/1");
    model_file_free(m);
}
