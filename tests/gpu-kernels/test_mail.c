/* test_mail.c - kernels that stay and are asked by letter: on fibers, as the PTX of both compilers,
 * and through the cuda backend over a driver that runs them now or meanwhile; and graphs. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gpu-kernels/cuda_image.h"
#include "gpu-kernels/emu_block.h"
#include "gpu-kernels/grid.h"
#include "tests/gpu-kernels/nets.h"
#include "tests/gpu-kernels/ptx/ptx.h"
#include "tests/sanitized.h"

emu_kernel emu_mlp_f32_mail, emu_mlp_s8_mail;

/* ---- one box, written and read by hand ----------------------------------------- */

struct box {
    struct net *net;
    struct pack pack;
    struct grid grid;
    uint32_t rows, words, stride; /* rows it holds; 32-bit words of a row; 64-bit words of a box */
    uint64_t *at;                 /* two boxes */
};

static void begin(struct box *b, struct net *net)
{
    const bool f32 = net->mlp.type == INFER_F32;
    *b = (struct box){.net = net};
    cr_assert(pack_make(&b->pack, &net->mlp, f32 ? PACK_F32 : PACK_MMA));
    const struct pack *p = &b->pack;
    const struct grid_places at = {.w1 = p->w1,
                                   .w2 = p->w2,
                                   .bias1 = f32 ? (void *)p->b1 : p->c1,
                                   .bias2 = f32 ? (void *)p->b2 : p->c2};
    struct mail_args mail = {.launch = 1, .idle = 3};
    b->rows = grid_plan_mail(&b->grid, p, &at, &mail);
    b->words = (uint32_t)grid_row_size(p) / 4;
    mail.y = MAIL_X + b->rows * b->words;
    b->stride = mail.stride = mail.y + b->rows * p->n_out;
    b->at = mail.boxes = pack_alloc(2 * b->stride * sizeof *b->at);
    grid_plan_mail(&b->grid, p, &at, &mail);
    b->grid.blocks = 2;
}

static void end(struct box *b)
{
    free(b->at);
    pack_free(&b->pack);
}

static void post(struct box *b, uint32_t box, uint32_t tag, uint32_t rows, const float *x)
{
    uint64_t *at = b->at + box * b->stride;
    uint32_t *staged = pack_alloc(rows * b->words * 4);
    grid_stage(&b->pack, staged, x, rows);
    for (uint32_t i = 0; i < rows * b->words; i++)
        at[MAIL_X + i] = (uint64_t)tag << 32 | staged[i];
    at[MAIL_HEAD] = (uint64_t)tag << 32 | rows;
    free(staged);
}

static void expect(const struct box *b, uint32_t box, uint32_t tag, uint32_t rows, const float *x)
{
    const uint64_t *y = b->at + box * b->stride + MAIL_X + b->rows * b->words;
    float *want = net_outputs(b->net, rows), *got = net_outputs(b->net, rows);
    net_canonical(b->net, rows, x, want);
    for (uint32_t i = 0; i < rows * b->pack.n_out; i++) {
        const uint32_t bits = (uint32_t)y[i];
        cr_expect_eq(y[i] >> 32, tag, "word %u", i);
        memcpy(&got[i], &bits, sizeof bits);
    }
    cr_expect_eq(net_differ(b->net, rows, got, want), 0, "%u rows", rows);
    free(want), free(got);
}

typedef void run_fn(struct box *b, const void *how);

/* Two boxes, one letter each time in one of them; a launch ends for want of letters. */
static void letters_are_answered(struct net *net, run_fn *run, const void *how)
{
    struct box b;
    begin(&b, net);
    cr_assert_gt(b.rows, 0);
    for (uint32_t tag = 1, rows; tag <= 4; tag++) {
        const uint32_t box = tag % 2;
        rows = tag == 1 ? 1 : tag == 2 ? b.rows : 1 + tag * 5 % b.rows;
        float *x = net_inputs(net, rows, 1.0f, tag);
        post(&b, box, tag, rows, x);
        run(&b, how);
        expect(&b, box, tag, rows, x);
        for (int i = 0; i < 2; i++) {
            uint64_t *at = b.at + (uint32_t)i * b.stride;
            cr_expect_eq(at[MAIL_LEFT], 1);
            at[MAIL_LEFT] = 0;
            at[MAIL_ANSWERED] = at[MAIL_HEAD] >> 32;
        }
        /* What was answered is not answered again, and a kernel that is told to go goes. */
        b.at[box * b.stride + MAIL_X + b.rows * b.words] = 0;
        b.at[MAIL_HEAD] = (uint64_t)(tag + 100) << 32 | MAIL_LEAVE;
        run(&b, how);
        cr_expect_eq(b.at[box * b.stride + MAIL_X + b.rows * b.words], 0);
        cr_expect_eq(b.at[MAIL_LEFT], 1);
        b.at[MAIL_LEFT] = b.at[b.stride + MAIL_LEFT] = 0;
        b.at[MAIL_ANSWERED] = b.at[MAIL_HEAD] >> 32;
        free(x);
    }
    end(&b);
    net_free(net);
}

static void on_all_shapes(run_fn *run, const void *how)
{
    uint64_t s = 3;
    letters_are_answered(net_make(31, 256, 2, INFER_F32, 1), run, how);
    letters_are_answered(net_make(31, 256, 2, INFER_S8, 1), run, how);
    letters_are_answered(net_make(64, 1024, 16, INFER_F32, 2), run, how);
    letters_are_answered(net_make(64, 1024, 16, INFER_S8, 2), run, how);
    for (uint32_t i = 0; i < 8; i++)
        letters_are_answered(net_make(1 + nets_random(&s) % 64, 1 + nets_random(&s) % 300,
                                      1 + nets_random(&s) % 16, i % 2 ? INFER_S8 : INFER_F32, i),
                             run, how);
}

static void on_fibers(struct box *b, const void *how)
{
    struct emu *e = emu_new();
    const struct emu_options o = {.seed = *(const uint64_t *)how};
    emu_kernel *kernel = b->grid.kernel == GRID_F32_MAIL ? emu_mlp_f32_mail : emu_mlp_s8_mail;
    cr_assert_not(emu_launch(e, kernel, b->grid.blocks, b->grid.threads, &b->grid.args, &o), "%s",
                  e->why);
    emu_free(e);
}

Test(kernels_mail, letters_are_answered_in_any_schedule)
{
    for (uint64_t seed = 0; seed < 2; seed++)
        on_all_shapes(on_fibers, &seed);
}

static void on_ptx(struct box *b, const void *how)
{
    const struct pack *p = &b->pack;
    const bool f32 = p->layout == PACK_F32;
    const void *const places[] = {p->w1, p->w2, f32 ? (void *)p->b1 : p->c1,
                                  f32 ? (void *)p->b2 : p->c2, b->at};
    const size_t sizes[] = {p->w1_size, p->w2_size, p->bias1_size, p->n_out * 4,
                            2 * b->stride * sizeof *b->at};
    char why[512] = "";
    const struct ptx_launch l = {.kernel = grid_kernels[b->grid.kernel],
                                 .grid = b->grid.blocks,
                                 .block = b->grid.threads,
                                 .args = &b->grid.args,
                                 .args_size = b->grid.args_size};
    for (int i = 0; i < 5; i++)
        ptx_memory_add(places[i], sizes[i]);
    cr_assert_not(ptx_launch(how, &l, why, sizeof why), "%s", why);
    for (int i = 0; i < 5; i++)
        ptx_memory_remove(places[i]);
}

static struct ptx_module *module(const char *compiler)
{
    char path[256], why[256] = "", *text = NULL;
    size_t size = 0;
    snprintf(path, sizeof path, BUILD "/gpu-kernels/mlp.%s.ptx", compiler);
    FILE *f = fopen(path, "r");
    if (!f)
        return NULL;
    cr_assert_neq(getdelim(&text, &size, 0, f), -1);
    fclose(f);
    struct ptx_module *m = ptx_load(text, why, sizeof why);
    cr_assert_neq(m, NULL, "%s", why);
    free(text);
    return m;
}

Test(kernels_mail, ptx_of_both_compilers_answers_letters)
{
    static const char *const compilers[] = {"nvcc", "clang"};
    int ran = 0;
    for (int c = 0; c < 2; c++) {
        struct ptx_module *m = module(compilers[c]);
        if (m)
            on_all_shapes(on_ptx, m);
        ran += m != NULL;
        ptx_free(m);
    }
    if (!ran)
        cr_skip_test("neither nvcc nor clang made PTX");
}

/* ---- through the cuda backend ----------------------------------------------------- */

static struct infer *opened(const char *fake, enum infer_submit how, uint32_t looks)
{
    char why[256] = "";
    struct infer *r = NULL;
    if (!cuda_image_ptx("mlp"))
        cr_skip_test("this build has no PTX");
    setenv("MALV_LIBCUDA", BUILD "/tests/gpu-kernels/fake/libcuda.so.1", 1);
    setenv("FAKE_CUDA", fake, 1);
    cr_assert_eq(infer_open(&r, INFER_CUDA, why, sizeof why), 0, "%s", why);
    infer_submit(r, how, looks);
    return r;
}

struct loaded {
    struct net *net;
    struct infer_model *model;
};

static struct loaded load(struct infer *r, struct net *net)
{
    struct loaded l = {.net = net};
    char why[256] = "";
    cr_assert_eq(infer_load_mlp(r, &net->mlp, &l.model, why, sizeof why), 0, "%s", why);
    return l;
}

static void agrees(const struct loaded *l, uint32_t rows, uint64_t seed)
{
    char why[256] = "";
    const struct net *n = l->net;
    float *x = net_inputs(n, rows, 1.0f, seed), *y = net_outputs(n, rows);
    float *want = net_outputs(n, rows);
    net_canonical(n, rows, x, want);
    cr_assert_eq(infer_run(l->model, rows, x, y, why, sizeof why), 0, "%s", why);
    cr_expect_eq(net_differ(n, rows, y, want), 0, "%u rows", rows);
    cr_expect_not(net_overran(n, rows, y));
    free(x), free(y), free(want);
}

static void unload(struct loaded *l)
{
    infer_unload(l->model);
    net_free(l->net);
}

/* More networks than have boxes, batches that one box, a group, all groups or none hold. */
static void serves(struct infer *r)
{
    struct loaded l[] = {load(r, net_make(31, 256, 2, INFER_S8, 1)),
                         load(r, net_make(31, 256, 2, INFER_F32, 2)),
                         load(r, net_make(16, 20, 1, INFER_F32, 3))};
    const uint32_t batches[] = {1, 40, 3, 300};
    for (uint32_t i = 0; i < sizeof batches / sizeof *batches; i++)
        for (int n = 0; n < 3; n++)
            agrees(&l[n], batches[i], i);
    agrees(&l[1], 4100, 1);
    for (int n = 0; n < 3; n++)
        unload(&l[n]);
    infer_close(r);
}

Test(kernels_mail, a_kernel_that_leaves_before_each_letter_is_called_back)
{
    serves(opened("", INFER_MAIL, 2));
}

/* As on a device: blocks run side by side with the host, and with one another. */
static void stays(uint32_t looks, uint32_t letters, struct net *net, uint32_t rows)
{
    struct infer *r = opened("stays", INFER_MAIL, looks);
    struct loaded l = load(r, net);
    for (uint32_t i = 0; i < letters; i++)
        agrees(&l, 1 + i * 37 % rows, i);
    unload(&l);
    infer_close(r);
}

Test(kernels_mail, a_kernel_that_stays_answers_while_the_host_waits, .timeout = 120)
{
    stays(0, 8, net_make(31, 128, 2, INFER_S8, 1), 64);
    stays(0, 8, net_make(31, 128, 2, INFER_F32, 2), 32);
}

Test(kernels_mail, a_kernel_that_often_leaves_loses_no_letter, .timeout = 120)
{
    stays(2, SANITIZED ? 30 : 100, net_make(8, 256, 1, INFER_F32, 4), 32);
    stays(10, SANITIZED ? 30 : 100, net_make(8, 256, 1, INFER_S8, 4), 64);
}

Test(kernels_mail, graphs_give_the_same_bits_and_follow_buffers_that_move)
{
    struct infer *r = opened("", INFER_GRAPH, 0);
    struct loaded a = load(r, net_make(31, 256, 2, INFER_S8, 1));
    for (uint32_t i = 0; i < 12; i++) /* more sizes than are kept */
        agrees(&a, 1 + i * 7 % 60, i);
    agrees(&a, 1, 1);
    struct loaded wide = load(r, net_make(64, 64, 16, INFER_F32, 2));
    agrees(&wide, 9, 1);
    agrees(&a, 1, 2);
    infer_submit(r, INFER_LAUNCH, 0);
    agrees(&a, 1, 3);
    unload(&a);
    unload(&wide);
    infer_close(r);
}
