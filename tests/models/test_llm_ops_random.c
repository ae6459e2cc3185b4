/* test_llm_ops_random.c - any rows are refused with a sentence or price any batch. */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "models/llm_cost.h"
#include "sim/rng.h"
#include "tests/models/cost_rows.h"

static const char *const names[] = {
    "dense:embedding",
    "dense:layernorm",
    "dense:qkv_proj",
    "dense:rotary_emb",
    "dense:o_proj",
    "dense:gate_up_proj",
    "dense:act_fn",
    "dense:down_proj",
    "dense:final_layernorm",
    "sequence:lm_head",
    "sequence:sampler",
    "attention",
    "gemm:bfloat16",
    "prompt_attention:bfloat16",
    "decode_attention:bfloat16",
    "all_reduce:vllm_graph",
};
#define NAMES (sizeof names / sizeof *names)

static uint64_t some(struct rng *r)
{
    const uint64_t most[] = {2, 40, 5000, UINT64_C(1) << 33};
    return rng_below(r, most[rng_below(r, 20) ? rng_below(r, 3) : 3]);
}

/* Rows of one operator: a grid, now and then with a hole, a repetition or a huge number in it. */
static size_t rows_of(struct rng *r, struct cost_row *row, const char *name, int dims)
{
    uint64_t axis[4][3] = {{0}};
    size_t n = 0, count[4] = {1, 1, 1, 1};
    for (int d = 0; d < dims; d++) {
        count[d] = 1 + rng_below(r, 3);
        axis[d][0] = rng_below(r, 2);
        for (size_t i = 1; i < count[d]; i++)
            axis[d][i] = axis[d][i - 1] + rng_below(r, 12) * some(r) + (rng_below(r, 60) != 0);
    }
    for (size_t c = 0; c < count[0] * count[1] * count[2] * count[3]; c++) {
        size_t rest = c;
        row[n] = (struct cost_row){
            .name = name, .us = (double)rng_below(r, rng_below(r, 2000) ? 1000000 : 100000000) / 7};
        for (int d = 0; d < 4; rest /= count[d], d++)
            row[n].key[d] = axis[d][rest % count[d]];
        n += rng_below(r, 400) != 0;
    }
    return n;
}

static size_t rows(struct rng *r, struct cost_row *row)
{
    const bool any_model = rng_below(r, 2);
    size_t n = 0;
    for (size_t i = 0; i < NAMES; i++) {
        const int dims = i < 11 ? 1 : i == 11 ? 4 : i == 12 ? 3 : 2;
        if ((i == 11 && any_model) || (i >= 12 && !any_model) || rng_below(r, 200) == 0)
            continue;
        n += rows_of(r, row + n, names[i], dims);
        for (size_t k = 0; k < n && (i == 13 || i == 14); k++)
            if (row[k].name == names[i]) {
                row[k].key[2] = 8;
                row[k].key[3] = 2;
            }
    }
    return n;
}

static void ask(const struct llm_ops *o, struct rng *r)
{
    struct llm_batch b = {.prompt_tokens = some(r) % 100000, .decoding = some(r) % 100000};
    b.pairs = b.prompt_tokens * (1 + some(r) % 100000);
    b.cached = b.decoding * (some(r) % 1000000) + some(r) % (b.decoding + 1);
    const uint64_t tokens = b.prompt_tokens + b.decoding;
    (void)llm_ops_dense(o, tokens);
    (void)llm_ops_head(o, b.decoding);
    const sim_cost first = llm_ops_attention(o, &b);
    cr_assert_leq(first, INT64_MAX, "a negative time");
    b.prompt_tokens = b.pairs = 0;
    if (!b.decoding)
        return;
    uint64_t iterations;
    const sim_cost now = llm_ops_attention(o, &b);
    const int64_t growth = llm_ops_growth(o, &b, &iterations);
    cr_assert_geq(iterations, 1);
    b.cached += b.decoding;
    if (iterations > 1)
        cr_assert_eq(llm_ops_attention(o, &b), now + (sim_cost)growth);
}

Test(llm_ops, any_rows_are_refused_or_price_any_batch)
{
    static struct cost_row row[4000];
    const struct llm_shape shape = {2, 64, 160, 8, 2, 8, 1000};
    struct rng r;
    int taken = 0, refused = 0;
    rng_init(&r, 11, "test", "rows");
    for (int i = 0; i < 3000; i++) {
        struct cost_rows source;
        struct row_source *s = &source.source;
        struct llm_ops o;
        struct err e = {0};
        cost_rows_begin(&source, row, rows(&r, row));
        if (llm_ops_open(&o, &s, 1, &shape, 1, &e)) {
            cr_assert(e.code && e.msg[0]);
            refused++;
            continue;
        }
        for (int k = 0; k < 40; k++)
            ask(&o, &r);
        llm_ops_free(&o);
        taken++;
    }
    cr_expect(taken > 300 && refused > 300, "%d taken, %d refused", taken, refused);
}
