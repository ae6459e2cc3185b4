/* cost_rows.c - see cost_rows.h. */
#include "tests/models/cost_rows.h"

static int next(struct row_source *self, union trace_row *out, struct err *e)
{
    struct cost_rows *r = (struct cost_rows *)self;
    (void)e;
    if (r->at == r->n)
        return 0;
    const struct cost_row *c = &r->row[r->at];
    *out = (union trace_row){.cost = {.name = (uint32_t)r->at,
                                      .where = TRACE_NAME_NONE,
                                      .with = TRACE_NAME_NONE,
                                      .unit = TRACE_COST_PS,
                                      .value = (uint64_t)(c->us * 1e6 + 0.5)}};
    for (int i = 0; i < 6; i++)
        out->cost.key[i] = c->key[i];
    r->at++;
    return 1;
}

static int again(struct row_source *self, struct err *e)
{
    (void)e;
    ((struct cost_rows *)self)->at = 0;
    return 0;
}

static const char *name(const struct row_source *self, uint32_t id)
{
    const struct cost_rows *r = (const struct cost_rows *)self;
    return id < r->n ? r->row[id].name : NULL;
}

void cost_rows_begin(struct cost_rows *r, const struct cost_row *row, size_t n)
{
    *r = (struct cost_rows){
        .source = {.table = TRACE_COSTS, .next = next, .rewind = again, .name = name},
        .row = row,
        .n = n};
}

#define MOST 600
static const uint64_t tokens[] = {1, 64, 4096}, prompts[] = {0, 16, 256, 4096}, pasts[] = {0, 4096},
                      decoding[] = {0, 1, 8, 64}, contexts[] = {0, 16, 100, 300, 1000, 5000};
#define COUNT(a) (sizeof(a) / sizeof *(a))

static size_t around(struct cost_row *row)
{
    static const char *const free_of_charge[] = {
        "dense:embedding", "dense:layernorm",       "dense:rotary_emb",
        "dense:o_proj",    "dense:gate_up_proj",    "dense:act_fn",
        "dense:down_proj", "dense:final_layernorm", "sequence:sampler"};
    size_t n = 0;
    for (size_t i = 0; i < COUNT(tokens); i++)
        row[n++] = (struct cost_row){"dense:qkv_proj", {tokens[i]}, 99.0 + (double)tokens[i]};
    for (size_t i = 0; i < COUNT(free_of_charge); i++)
        row[n++] = (struct cost_row){free_of_charge[i], {1}, 0};
    row[n++] = (struct cost_row){"sequence:lm_head", {1}, 50};
    return n;
}

static double context_us(uint64_t context, bool bent)
{
    static const double us[] = {0, 0.032, 0.2, 0.9, 0.9, 0.4};
    size_t i = 0;
    while (contexts[i] != context)
        i++;
    return bent ? us[i] : 0.002 * (double)context;
}

static size_t attention(struct cost_row *row, bool bent)
{
    size_t n = 0;
    for (size_t p = 0; p < COUNT(prompts); p++)
        for (size_t a = 0; a < (prompts[p] ? COUNT(pasts) : 1); a++)
            for (size_t d = 0; d < COUNT(decoding); d++)
                for (size_t c = decoding[d] ? 1 : 0; c < (decoding[d] ? COUNT(contexts) : 1); c++)
                    if (prompts[p] || decoding[d])
                        row[n++] = (struct cost_row){
                            "attention",
                            {prompts[p], pasts[a], decoding[d], contexts[c]},
                            10 + 0.004 * (double)(prompts[p] * pasts[a]) +
                                (double)decoding[d] * context_us(contexts[c], bent)};
    return n;
}

static struct cost_rows *make(struct cost_rows *r, struct cost_row *row, bool bent)
{
    const size_t n = around(row);
    cost_rows_begin(r, row, n + attention(row + n, bent));
    return r;
}

struct cost_rows *cost_rows_linear(void)
{
    static struct cost_rows r;
    static struct cost_row row[MOST];
    return make(&r, row, false);
}

struct cost_rows *cost_rows_bent(void)
{
    static struct cost_rows r;
    static struct cost_row row[MOST];
    return make(&r, row, true);
}
