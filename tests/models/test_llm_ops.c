/* test_llm_ops.c - operator tables: knots, held-out knots, and the closed form between them. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "models/llm_cost.h"
#include "sim/config.h"
#include "sim/rng.h"
#include "tests/models/cost_rows.h"
#include "traces/source.h"

static const struct llm_shape two_layers = {.layers = 2};

static struct llm_ops open_rows(struct cost_rows *r)
{
    struct llm_ops o;
    struct err e = {0};
    struct row_source *s = &r->source;
    cr_assert_eq(llm_ops_open(&o, &s, 1, &two_layers, 1, &e), 0, "%s", e.msg);
    return o;
}

/* By hand, where everything is linear. */
Test(llm_ops, an_iteration_is_layers_times_operators)
{
    struct llm_ops o = open_rows(cost_rows_linear());
    cr_expect_eq(llm_ops_dense(&o, 1), 2 * 100000000);
    cr_expect_eq(llm_ops_dense(&o, 777), 2 * 876000000ull);
    cr_expect_eq(llm_ops_head(&o, 5), 50000000);
    cr_expect_eq(llm_ops_head(&o, 0), 0);
    struct llm_batch decode = {.decoding = 3, .cached = 3 * 40 + 2}; /* mean context 40 2/3 */
    cr_expect_eq(llm_ops_attention(&o, &decode), 2 * (10000000 + 2000 * 122));
    struct llm_batch prompt = {.chunks = 1, .prompt_tokens = 100, .past = 50};
    prompt.pairs = 100 * 50 + 100 * 101 / 2;
    cr_expect_eq(llm_ops_attention(&o, &prompt), 2 * (10000000 + 4000 * 100 * 50));
    struct llm_batch nobody = {0};
    cr_expect_eq(llm_ops_attention(&o, &nobody), 0);
    llm_ops_free(&o);
}

/* Two prompts make as many pairs as one of all their tokens with this much past. */
Test(llm_ops, prompts_are_priced_by_their_pairs)
{
    struct llm_ops o = open_rows(cost_rows_linear());
    struct llm_batch b = {.chunks = 2, .prompt_tokens = 200, .past = 2000};
    b.pairs = 100 * 1000 + 5050 + 100 * 1000 + 5050; /* 210100 = 200 x 950 + 20100 */
    cr_expect_eq(llm_ops_attention(&o, &b), 2 * (10000000 + 4000 * 200 * 950));
    b.pairs = 5050 + 5050; /* fresh ones: fewer than one of 200 makes; no past */
    cr_expect_eq(llm_ops_attention(&o, &b), 2 * 10000000);
    llm_ops_free(&o);
}

/* Iterations by ones and by the closed form, over every bend of the context. */
static void walk(const struct llm_ops *o, struct llm_batch b, uint64_t most)
{
    uint64_t done = 0, bends = 0;
    while (done < most) {
        uint64_t n;
        const int64_t growth = llm_ops_growth(o, &b, &n);
        const sim_cost first = llm_ops_attention(o, &b);
        cr_assert_geq(n, 1);
        for (uint64_t i = 0; i < n && done < most; i++, done++) {
            cr_assert_eq(llm_ops_attention(o, &b), first + (sim_cost)(growth * (int64_t)i),
                         "%llu decode, %llu cached", (unsigned long long)b.decoding,
                         (unsigned long long)b.cached);
            b.cached += b.decoding;
        }
        bends++;
    }
    cr_expect_geq(bends, 2);
}

Test(llm_ops, between_bends_the_closed_form_is_exact)
{
    struct llm_ops o = open_rows(cost_rows_bent());
    struct rng r;
    rng_init(&r, 5, "test", "ops");
    for (int i = 0; i < 60; i++) {
        struct llm_batch b = {.decoding = 1 + rng_below(&r, 90)};
        b.cached = rng_below(&r, 400 * b.decoding);
        walk(&o, b, 6000);
    }
    llm_ops_free(&o);
}

Test(llm_ops, rows_that_do_not_fit_are_sentences)
{
    static const struct {
        struct cost_row row;
        const char *want;
    } bad[] = {
        {{"dense:qkv", {1}, 1},
         "operator \"dense:qkv\": not one that an iteration is made of (dense:qkv_proj, "
         "sequence:lm_head, attention, ..)"},
        {{"dense:qkv_proj", {1}, 1}, "dense:embedding: no rows"},
        {{"dense:qkv_proj", {1}, 2e12}, "operator \"dense:qkv_proj\": want a time of at most 10 s"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct cost_rows r;
        struct llm_ops o;
        struct err e = {0};
        struct row_source *s = &r.source;
        cost_rows_begin(&r, &bad[i].row, 1);
        cr_expect_lt(llm_ops_open(&o, &s, 1, &two_layers, 1, &e), 0);
        cr_expect_str_eq(e.msg, bad[i].want);
    }
}

/* ---- published tables: a measured point against the line between its neighbours ------------- */

#define CARD "llmservingsim/RTX4090/Llama-3.1-8B-bf16-tp1-"

static struct row_source *published(const char *which)
{
    char text[700];
    const char *data = getenv("MALV_DATA");
    struct config *c;
    struct row_source *s = NULL;
    struct trace_places where = {".", "."};
    snprintf(text, sizeof text,
             "{\"import\":{\"format\":\"llmservingsim\",\"file\":\"%s/../profiles/" CARD
             "%s.csv\"}}",
             data ? data : "../shared/traces", which);
    cr_assert_eq(config_parse(&c, "x.json", text, strlen(text), NULL), 0);
    if (trace_rows_open(c, 1u << TRACE_COSTS, 1, &where, &s, NULL, NULL))
        s = NULL;
    config_free(c);
    return s;
}

static int ascending(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Every other point is kept; of the others, relative errors of what the kept ones say. */
static size_t held_out(struct row_source *rows, const char *name, int axis, double *err,
                       size_t most)
{
    struct grid_points kept = {0}, out = {0};
    union trace_row r;
    struct err e = {0};
    struct grid g;
    size_t n = 0;
    cr_assert_eq(rows->rewind(rows, &e), 0);
    for (size_t i = 0; rows->next(rows, &r, &e) > 0;) {
        const struct trace_cost *c = &r.cost;
        const bool alone = axis == 0 || (c->key[0] == 0 && c->key[2] == 32);
        if (strcmp(rows->name(rows, c->name), name) != 0 || !alone)
            continue;
        const uint64_t key[GRID_DIMS] = {c->key[axis]};
        cr_assert(grid_point_add(i++ % 2 ? &out : &kept, key, (int64_t)c->value));
    }
    cr_assert_eq(grid_build(&g, 1, &kept, name, &e), 0, "%s", e.msg);
    for (size_t i = 0; i < out.n && n < most; i++)
        if (out.at[i].key[0] > g.axis[0][0] && out.at[i].key[0] < g.axis[0][g.n[0] - 1])
            err[n++] = fabs((double)grid_at(&g, out.at[i].key) / (double)out.at[i].value - 1);
    grid_free(&g);
    grid_points_free(&kept);
    grid_points_free(&out);
    qsort(err, n, sizeof *err, ascending);
    return n;
}

/* Errors allowed are what a coarser grid than the published one earns: half of its points. */
Test(llm_ops, half_of_a_published_table_foretells_the_other_half)
{
    static const struct {
        const char *file, *name;
        int axis;
        double median, p90;
    } tables[] = {
        {"dense", "dense:qkv_proj", 0, 0.03, 0.10},
        {"dense", "dense:o_proj", 0, 0.03, 0.10},
        {"dense", "dense:gate_up_proj", 0, 0.03, 0.10},
        {"dense", "dense:down_proj", 0, 0.03, 0.10},
        {"per_sequence", "sequence:lm_head", 0, 0.03, 0.10},
        {"attention", "attention", 3, 0.06, 0.25}, /* contexts that double each time: by four */
    };
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) {
        double err[300];
        struct row_source *s = published(tables[i].file);
        if (!s)
            cr_skip_test("the published profile is not here (MALV_DATA or ../shared/traces)");
        const size_t n = held_out(s, tables[i].name, tables[i].axis, err, 300);
        s->close(s);
        cr_assert_geq(n, 4);
        printf("%s: %zu held out, median error %.3f, p90 %.3f\n", tables[i].name, n, err[n / 2],
               err[n * 9 / 10]);
        cr_expect_lt(err[n / 2], tables[i].median, "%s", tables[i].name);
        cr_expect_lt(err[n * 9 / 10], tables[i].p90, "%s", tables[i].name);
    }
}

/* At a measured point an iteration is what was measured there: the sum that the rows add up to. */
Test(llm_ops, a_published_point_is_met_exactly)
{
    static const char *const files[] = {"attention", "dense", "per_sequence"};
    struct row_source *s[3];
    struct llm_ops o;
    struct err e = {0};
    const struct llm_shape llama = {.layers = 32};
    for (int i = 0; i < 3; i++)
        if (!(s[i] = published(files[i])))
            cr_skip_test("the published profile is not here (MALV_DATA or ../shared/traces)");
    cr_assert_eq(llm_ops_open(&o, s, 3, &llama, 1, &e), 0, "%s", e.msg);
    struct llm_batch b = {.decoding = 32, .cached = 32 * 1024};
    cr_expect_eq(llm_ops_attention(&o, &b), 32 * 181391000ull);
    b = (struct llm_batch){.chunks = 1, .prompt_tokens = 2048, .pairs = 2048 * 2049 / 2};
    cr_expect_eq(llm_ops_attention(&o, &b), 32 * 336126000ull);
    b = (struct llm_batch){
        .prompt_tokens = 2048, .pairs = 2048 * 2049 / 2, .decoding = 1, .cached = 16};
    cr_expect_eq(llm_ops_attention(&o, &b), 32 * 340771000ull);
    /* qkv, rotary, o, gate+up, act, down and two norms a layer; embedding and the last norm */
    cr_expect_eq(llm_ops_dense(&o, 1), 32 * (54898000ull + 2175670 + 38131300 + 247292000 +
                                             2592000 + 126766000 + 2 * 1850830) +
                                           2837000 + 1941670);
    cr_expect_eq(llm_ops_head(&o, 256), 1671150000ull + 310944000);
    llm_ops_free(&o);
    for (int i = 0; i < 3; i++)
        s[i]->close(s[i]);
}

/* ---- tables of any model -----------------------------------------------------------------------
 */

static const struct llm_shape small = {
    .layers = 2, .hidden = 64, .ffn = 160, .heads = 8, .kv_heads = 2, .head_dim = 8, .vocab = 1000};

/* Products cost m n k ns, attention 3 us a prompt's token and 2 us a sequence and cached token,
 * all-reduces 1 us and 1 ns an element. */
static size_t any_model(struct cost_row *row, uint32_t gpus)
{
    size_t n = 0;
    for (uint64_t m = 1; m <= 512; m *= 512)
        for (uint64_t a = 1; a <= 2048; a *= 2048)
            for (uint64_t b = 1; b <= 2048; b *= 2048)
                row[n++] = (struct cost_row){"gemm:bfloat16", {m, a, b}, (double)(m * a * b) / 1e3};
    row[n++] = (struct cost_row){"gemm:fp8", {1, 1, 1}, 1};
    for (uint64_t heads = 4; heads <= 8; heads += 4)
        for (uint64_t k = 1; k <= 2; k++)
            for (uint64_t c = 1; c <= 4096; c *= 4096) {
                const double us = heads == 8 / gpus ? 1 : 100;
                const uint64_t key[4] = {k, c, heads, heads / 4};
                row[n] =
                    (struct cost_row){"prompt_attention:bfloat16", {0}, 3 * us * (double)(k * c)};
                memcpy(row[n++].key, key, sizeof key);
                row[n] =
                    (struct cost_row){"decode_attention:bfloat16", {0}, 2 * us * (double)(k * c)};
                memcpy(row[n++].key, key, sizeof key);
            }
    for (uint64_t g = 2; g <= 4; g += 2)
        for (uint64_t k = 1; k <= 4096; k *= 4096)
            row[n++] = (struct cost_row){
                "all_reduce:vllm_graph", {g, k}, g == gpus ? 1 + (double)k / 1e3 : 1e6};
    return n;
}

/* By hand: qkv (8 + 2 2) 8, o 8 8, gate and up 2 160, down; on two GPUs half of each; and the head.
 */
Test(llm_ops, tables_of_any_model_price_this_one)
{
    static struct cost_row row[64];
    for (uint32_t gpus = 1; gpus <= 2; gpus++) {
        struct cost_rows r;
        struct llm_ops o;
        struct err e = {0};
        struct row_source *s = &r.source;
        cost_rows_begin(&r, row, any_model(row, gpus));
        cr_assert_eq(llm_ops_open(&o, &s, 1, &small, gpus, &e), 0, "%s", e.msg);
        const uint64_t nk = (96 + 64 + 320 + 160) * 64 / gpus, m = 100;
        const uint64_t reduce = gpus > 1 ? 2 * 2 * (1000000 + m * 64 * 1000) : 0;
        cr_expect_eq(llm_ops_dense(&o, m), 2 * m * nk * 1000 + reduce);
        cr_expect_eq(llm_ops_head(&o, 7), 7 * (1000 / gpus) * 64 * 1000);
        struct llm_batch b = {.decoding = 2, .cached = 301};
        cr_expect_eq(llm_ops_attention(&o, &b), 2 * 2 * 301 * 1000000ull);
        b = (struct llm_batch){.chunks = 2, .prompt_tokens = 200, .pairs = 2 * 5050};
        cr_expect_eq(llm_ops_attention(&o, &b), 2 * 3 * 200 * 1000000ull); /* two of 100 */
        b = (struct llm_batch){.chunks = 1, .prompt_tokens = 50, .past = 100};
        b.pairs =
            50 * 100 + 50 * 51 / 2; /* as many as a quarter... of a prompt of 250 has: 50 250 / 2 */
        cr_expect_float_eq((double)llm_ops_attention(&o, &b), 2 * 3 * 50 * 1e6, 1e3);
        b.decoding = 2;
        b.cached = 301;
        cr_expect_float_eq((double)llm_ops_attention(&o, &b), 2 * (3 * 50 + 2 * 301) * 1e6, 1e3);
        llm_ops_free(&o);
    }
}

Test(llm_ops, a_model_on_several_gpus_needs_their_collectives)
{
    static struct cost_row row[64];
    struct cost_rows r;
    struct llm_ops o;
    struct err e = {0};
    struct row_source *s = &r.source;
    cost_rows_begin(&r, row, any_model(row, 1) - 4);
    cr_expect_eq(llm_ops_open(&o, &s, 1, &two_layers, 1, &e), ERR_ENAME);
    cr_expect_str_eq(e.msg,
                     "gemm tables need the model's sizes in the machine profile: hidden, ffn, "
                     "heads, kv_heads, head_dim and vocab beside layers");
    e = (struct err){0};
    cost_rows_begin(&r, row, any_model(row, 2) - 4);
    cr_expect_eq(llm_ops_open(&o, &s, 1, &small, 2, &e), ERR_ERANGE);
    cr_expect_str_eq(e.msg, "all_reduce: no rows of 2 GPUs, and the model is on so many");
}

/* Two projects measured matrix products on an H100: aiconfigurator on a grid of sizes,
 * LLMServingSim those of Llama 3.1 8B (o_proj, down_proj and lm_head are one product there, as in
 * vLLM).  The first foretells the second. */
Test(llm_ops, one_project_s_products_foretell_another_s)
{
    static const struct {
        const char *layer;
        uint64_t n, k;
    } products[] = {
        {"o_proj,", 4096, 4096}, {"down_proj,", 4096, 14336}, {"lm_head,", 128256, 4096}};
    char path[700], text[900], line[200];
    const char *data = getenv("MALV_DATA");
    struct row_source *s = NULL;
    struct trace_places where = {".", "."};
    struct config *c;
    snprintf(text, sizeof text,
             "{\"import\":{\"format\":\"aiconfigurator\",\"file\":\"%s/../profiles/aiconfigurator/"
             "h100_sxm-gemm-vllm-0.14.0-gemm_perf.csv\"}}",
             data ? data : "../shared/traces");
    snprintf(path, sizeof path, "%s/../profiles/llmservingsim/h100/Llama-3.1-8B-tp1-layers.csv",
             data ? data : "../shared/traces");
    cr_assert_eq(config_parse(&c, "x.json", text, strlen(text), NULL), 0);
    FILE *f = fopen(path, "r");
    if (!f || trace_rows_open(c, 1u << TRACE_COSTS, 1, &where, &s, NULL, NULL))
        cr_skip_test("the published profiles are not here (MALV_DATA or ../shared/traces)");
    config_free(c);
    struct grid_points p = {0};
    struct grid g;
    union trace_row r;
    struct err e = {0};
    cr_assert_eq(s->rewind(s, &e), 0);
    while (s->next(s, &r, &e) > 0)
        if (!strcmp(s->name(s, r.cost.name), "gemm:bfloat16"))
            cr_assert(grid_point_add(&p, r.cost.key, (int64_t)r.cost.value));
    cr_assert_eq(grid_build(&g, 3, &p, "gemm", &e), 0, "%s", e.msg);
    grid_extend(&g, 2);
    for (size_t i = 0; i < sizeof products / sizeof *products; i++) {
        static double err[4096];
        size_t n = 0;
        rewind(f);
        while (fgets(line, sizeof line, f) && n < 4096) {
            unsigned long long m, kv, tp, ns;
            const size_t at = strlen(products[i].layer);
            if (strncmp(line, products[i].layer, at) != 0 ||
                sscanf(line + at, "%llu,%llu,%llu,%llu", &m, &kv, &tp, &ns) != 4)
                continue;
            const uint64_t key[] = {m, products[i].n, products[i].k};
            err[n++] = fabs((double)grid_at(&g, key) / 1e3 / (double)ns - 1);
        }
        cr_assert_geq(n, 2000);
        qsort(err, n, sizeof *err, ascending);
        printf("%s two projects on an H100: %zu rows, median %.3f, p90 %.3f\n", products[i].layer,
               n, err[n / 2], err[n * 9 / 10]);
        cr_expect_lt(err[n / 2], 0.15, "%s", products[i].layer);
        cr_expect_lt(err[n * 9 / 10], 0.35, "%s", products[i].layer);
    }
    fclose(f);
    s->close(s);
    grid_free(&g);
    grid_points_free(&p);
}
