/* test_model_lstm.c - weights files of recurrent networks, and their training. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gpu-kernels/kind.h"
#include "harness/learn/model_file.h"
#include "harness/learn/model_file_lstm.h"
#include "harness/learn/model_info.h"
#include "harness/learn/page_rows.h"
#include "harness/learn/train_lstm.h"
#include "tests/gpu-kernels/lstms.h"
#include "tests/gpu-kernels/nets.h"

/* ---- files ------------------------------------------------------------------------- */

static char path[] = "/tmp/malv-lstm-XXXXXX";

static void begin(void)
{
    close(mkstemp(path));
}

static void end(void)
{
    unlink(path);
}

static float *answers(const struct infer_net *net, uint32_t rows, const float *x)
{
    uint32_t n_in, n_out;
    kind_lstm.shape(net, &n_in, &n_out);
    float *y = malloc((size_t)rows * n_out * sizeof *y);
    void *twin = kind_lstm.twin_make(net, 0);
    cr_assert(twin && kind_lstm.twin_run(twin, rows, x, y));
    kind_lstm.twin_free(twin);
    return y;
}

Test(model_lstm, what_is_written_is_read_again, .init = begin, .fini = end)
{
    for (uint64_t seed = 0; seed < 16; seed++) {
        struct lstm *l = lstm_make_any(30, seed);
        struct model_file *m;
        struct err e = {0};
        char text[128];
        const struct safetensors_text meta = {"features", "any/1"};
        cr_assert_not(model_lstm_write(path, &l->net, &meta, 1, &e), "%s", e.msg);
        cr_assert_not(model_file_open(&m, path, &e), "%s", e.msg);
        const struct infer_net *net = model_file_net(m);
        cr_assert_eq(net->kind, INFER_LSTM);
        cr_expect_null(model_file_mlp(m));
        cr_expect_str_eq(model_file_meta(m, "features"), "any/1");
        cr_expect_eq(infer_flops(net), infer_flops(&l->of));
        model_info_say(m, text, sizeof text);
        cr_expect(strstr(text, l->net.softmax ? "softmax outputs" : "linear outputs"), "%s", text);
        float *x = lstm_inputs(l, 5, seed), *y = answers(net, 5, x), *want = answers(&l->of, 5, x);
        cr_expect_not(lstm_differ(l, 5, y, want), "seed %d", (int)seed);
        free(x), free(y), free(want);
        model_file_free(m);
        lstm_free(l);
    }
}

/* A file as others write it: names led by "lstm.", an nn.Linear called head, some texts. */
struct foreign {
    struct lstm *l;
    struct safetensor t[12];
    char name[12][24];
    size_t n;
    struct safetensors_text meta[4];
};

static void foreign_tensor(struct foreign *f, const char *name, const float *v, uint64_t rows,
                           uint64_t cols)
{
    snprintf(f->name[f->n], sizeof f->name[f->n], "%s", name);
    f->t[f->n] = (struct safetensor){.name = f->name[f->n],
                                     .dtype = "F32",
                                     .shape = {rows, cols},
                                     .n_dim = cols ? 2 : 1,
                                     .data = v,
                                     .bytes = rows * (cols ? cols : 1) * 4};
    f->n++;
}

static struct foreign foreign_make(void)
{
    static const struct infer_lstm shape = {
        .steps = 4, .n_step = 3, .layers = 1, .width = 5, .n_out = 2};
    struct foreign f = {
        .l = lstm_make(&shape, 1),
        .meta = {{"kind", "lstm"}, {"steps", "4"}, {"input", "values"}, {"a", "b"}}};
    const struct infer_lstm *n = &f.l->net;
    foreign_tensor(&f, "head.bias", n->b, 2, 0);
    foreign_tensor(&f, "head.weight", n->w, 2, 5);
    foreign_tensor(&f, "lstm.bias_hh_l0", n->layer[0].b_hh, 20, 0);
    foreign_tensor(&f, "lstm.bias_ih_l0", n->layer[0].b_ih, 20, 0);
    foreign_tensor(&f, "lstm.weight_hh_l0", n->layer[0].w_hh, 20, 5);
    foreign_tensor(&f, "lstm.weight_ih_l0", n->layer[0].w_ih, 20, 3);
    return f;
}

static int foreign_open(struct foreign *f, struct model_file **m, struct err *e)
{
    /* f was copied: the names moved */
    for (size_t i = 0; i < f->n; i++)
        f->t[i].name = f->name[i];
    cr_assert_not(safetensors_write(path, f->t, f->n, f->meta, 4, e), "%s", e->msg);
    return model_file_open(m, path, e);
}

Test(model_lstm, names_of_pytorch_are_known, .init = begin, .fini = end)
{
    struct foreign f = foreign_make();
    struct model_file *m;
    struct err e = {0};
    cr_assert_not(foreign_open(&f, &m, &e), "%s", e.msg);
    float *x = lstm_inputs(f.l, 1, 3), *y = answers(model_file_net(m), 1, x);
    double want[INFER_LSTM_OUT];
    lstm_exact(f.l, x, want);
    for (int o = 0; o < 2; o++)
        cr_expect_float_eq((double)y[o], want[o], 1e-5);
    free(x), free(y);
    model_file_free(m);
    lstm_free(f.l);
}

Test(model_lstm, a_file_that_is_none_gets_its_sentence, .init = begin, .fini = end)
{
    static const char *const says[] = {
        "want metadata \"steps\", how many a row has",
        "steps is \"33\", want 1..32",
        "input is \"words\", want values or ids",
        "want a tensor weight_ih_l0",
        "layer 0 lacks one of weight_ih_l0, weight_hh_l0, bias_ih_l0, bias_hh_l0",
        "lstm.weight_hh_l0 has another shape than [20, 5]",
        "head.weight has another shape than [5, 5]",
        "want the outputs as fc.weight and fc.bias",
        "lstm.bias_ih_l0[7] is not a finite number",
        "lstm.weight_ih_l0 has another shape than [4 x 1..512, 1..64]",
        "head.weight is I32, want F32",
        "there is no kind of network \"gru\"",
    };
    for (size_t i = 0; i < sizeof says / sizeof *says; i++) {
        struct foreign f = foreign_make();
        struct model_file *m;
        struct err e = {0};
        if (i == 0)
            f.meta[1].key = "step";
        else if (i == 1)
            f.meta[1].value = "33";
        else if (i == 2)
            f.meta[2].value = "words";
        else if (i == 3 || i == 4)
            snprintf(f.name[i == 3 ? 5 : 3], 24, "other");
        else if (i == 5)
            f.t[4].shape[0] = 5, f.t[4].shape[1] = 20;
        else if (i == 6)
            f.t[1].shape[0] = 5, f.t[1].shape[1] = 2, f.t[0].shape[0] = 2;
        else if (i == 7)
            snprintf(f.name[1], 24, "tail.weight");
        else if (i == 8)
            f.l->own[2][7] = NAN;
        else if (i == 9)
            f.t[5].shape[0] = 3, f.t[5].shape[1] = 20;
        else if (i == 10)
            f.t[1].dtype = "I32";
        else
            f.meta[0].value = "gru";
        cr_expect(foreign_open(&f, &m, &e), "case %zu", i);
        cr_expect(strstr(e.msg, says[i]), "%zu: %s", i, e.msg);
        lstm_free(f.l);
    }
}

/* ---- training ---------------------------------------------------------------------- */

/* Slopes against differences of the loss: back-propagation is written by hand. */
Test(train_lstm, slopes_are_those_of_the_loss)
{
    for (uint32_t layers = 1; layers <= 2; layers++) {
        const uint8_t id[] = {3, 1, 0, 4, 2}, class[] = {2};
        const struct train_lstm_task task = {5, 6, 4, id, class};
        const struct train_lstm_options o = {.layers = layers, .width = 4};
        const size_t n = train_lstm_params(&task, &o);
        double *p = malloc(n * sizeof *p), *slope = malloc(n * sizeof *p), *no = malloc(n * 8);
        uint64_t s = 4;
        for (size_t i = 0; i < n; i++)
            p[i] = (double)nets_uniform(&s);
        cr_assert_gt(train_lstm_slope(&task, &o, p, 0, slope), 0);
        for (size_t i = 0; i < n; i++) {
            const double at = p[i], h = 1e-5;
            p[i] = at + h;
            const double up = train_lstm_slope(&task, &o, p, 0, no);
            p[i] = at - h;
            const double down = train_lstm_slope(&task, &o, p, 0, no);
            p[i] = at;
            cr_assert_float_eq(slope[i], (up - down) / (2 * h), 1e-7, "%u layers, %zu of %zu: %g",
                               layers, i, n, slope[i]);
        }
        free(p), free(slope), free(no);
    }
}

enum { ROWS = 600, STEPS = 4 };

/* The class is the sum of the first and the last id: neither alone tells it. */
static void sums(uint8_t *id, uint8_t *class)
{
    uint64_t s = 8;
    for (int r = 0; r < ROWS; r++) {
        for (int i = 0; i < STEPS; i++)
            id[r * STEPS + i] = (uint8_t)(nets_random(&s) % 3);
        class[r] = (uint8_t)(id[r * STEPS] + id[r * STEPS + STEPS - 1]);
    }
}

Test(train_lstm, learns_what_depends_on_the_first_step_and_the_same_each_time)
{
    uint8_t id[ROWS * STEPS], class[ROWS];
    const struct train_lstm_task task = {STEPS, 3, 5, id, class};
    const struct train_lstm_options o = {.seed = 3,
                                         .layers = 2,
                                         .width = 12,
                                         .epochs = 30,
                                         .batch = 16,
                                         .patience = 30,
                                         .rate = 2e-2};
    struct train_lstm_fit fit, again;
    struct err e = {0};
    sums(id, class);
    cr_assert_not(train_lstm(&task, 400, 100, &o, true, &fit, &e), "%s", e.msg);
    cr_assert_not(train_lstm(&task, 400, 100, &o, true, &again, &e), "%s", e.msg);
    const struct infer_net net = {.kind = INFER_LSTM, .lstm = &fit.net};
    const struct infer_net same = {.kind = INFER_LSTM, .lstm = &again.net};
    float x[100 * STEPS];
    for (int i = 0; i < 100 * STEPS; i++)
        x[i] = id[500 * STEPS + i];
    float *y = answers(&net, 100, x), *y2 = answers(&same, 100, x);
    cr_expect_arr_eq(y, y2, 500 * sizeof *y);
    int right = 0;
    for (int r = 0; r < 100; r++) {
        int best = 0;
        for (int o2 = 1; o2 < 5; o2++)
            best = y[r * 5 + o2] > y[r * 5 + best] ? o2 : best;
        right += best == class[500 + r];
    }
    cr_expect_geq(right, 98, "%d of 100 right, loss %g", right, fit.valid_loss);
    free(y), free(y2);
    train_lstm_fit_free(&fit);
    train_lstm_fit_free(&again);
}

/* ---- rows -------------------------------------------------------------------------- */

Test(page_rows, bins_have_two_to_an_octave_and_their_middles)
{
    const uint32_t counts[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 11, 12, 15, 16, 23, 24, 65535, 1u << 31};
    const uint32_t bins[] = {0, 1, 2, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9, 31, 31};
    for (size_t i = 0; i < sizeof bins / sizeof *bins; i++)
        cr_expect_eq(place_bin(counts[i]), bins[i], "%u", counts[i]);
    for (uint32_t b = 0; b + 1 < PLACE_BINS; b++) {
        uint32_t from = 0, to = 0;
        while (place_bin(from) < b)
            from++;
        for (to = from; place_bin(to + 1) == b;)
            to++;
        cr_expect_eq(place_bin_mean(b), (from + (double)to) / 2, "bin %u: %u to %u", b, from, to);
    }
}

struct counted { /* page p is accessed p times in every period of 6 rows, in one sample */
    struct row_source source;
    uint64_t at, rows;
};

static int counted_next(struct row_source *s, union trace_row *row, struct err *e)
{
    struct counted *c = (struct counted *)s;
    (void)e;
    if (c->at == c->rows)
        return 0;
    row->page = (struct trace_page){.page = c->at % 6, .pages = 1, .count = (uint32_t)(c->at % 6)};
    c->at++;
    return 1;
}

Test(page_rows, a_row_is_six_periods_and_the_next)
{
    struct counted c = {.source.next = counted_next, .rows = 6 * 9};
    struct page_rows r;
    struct err e = {0};
    /* Page 0 has no accesses at all: 5 rows count. */
    cr_assert_not(page_rows_collect(&r, &c.source, 5, &e), "%s", e.msg);
    cr_expect_eq(r.pages, 5);
    cr_expect_eq(r.periods, 9);
    cr_assert_eq(r.n, 5 * 3);
    for (size_t i = 0; i < r.n; i++)
        for (int k = 0; k < PLACE_STEPS; k++)
            cr_expect(r.id[i * PLACE_STEPS + (size_t)k] == place_bin(1 + i % 5) &&
                      r.next[i] == place_bin(1 + i % 5));
    page_rows_thin(&r, 7, 1);
    cr_expect_eq(r.n, 7);
    page_rows_free(&r);
}
