/* llm_ops_cost.c - what an iteration costs by its operator tables.  See llm_ops.h. */
#include "models/llm_cost.h"
#include "models/llm_ops.h"

static sim_cost positive(int64_t v)
{
    return v > 0 ? (sim_cost)v : 0;
}

sim_cost llm_ops_dense(const struct llm_ops *o, uint64_t tokens)
{
    return positive(grid_at(&o->dense, &tokens));
}

sim_cost llm_ops_head(const struct llm_ops *o, uint64_t sequences)
{
    return sequences ? positive(grid_at(&o->head, &sequences)) : 0;
}

void llm_ops_stretch(struct llm_ops *o, uint64_t num, uint64_t den)
{
    struct grid *g = &o->attention;
    size_t n = g->dims ? 1 : 0;
    for (uint32_t d = 0; d < g->dims; d++)
        n *= g->n[d];
    for (size_t i = 0; i < n; i++)
        g->value[i] = (int64_t)((__int128)g->value[i] * (__int128)num / (__int128)den);
}

/* The past that makes one prompt of all these tokens as many pairs as there are. */
static uint64_t past_of(const struct llm_batch *b)
{
    const uint64_t q = b->prompt_tokens;
    const unsigned __int128 own = (unsigned __int128)q * (q + 1) / 2;
    return q && b->pairs > own ? (uint64_t)((b->pairs - own) / q) : 0;
}

/* The line that the decoding sequences' mean context is on; never below 0. */
static struct grid_line line_of(const struct llm_ops *o, const struct llm_batch *b)
{
    const uint64_t n = b->decoding;
    const uint64_t key[GRID_DIMS] = {b->prompt_tokens, past_of(b), n, n ? b->cached / n : 0};
    struct grid_line l = grid_line(&o->attention, key);
    if (l.value < 0)
        l.value = 0;
    const bool falls = l.slope < 0;
    if (falls && (l.to == UINT64_MAX || l.value + (__int128)l.slope * (l.to - l.from) < 0))
        l.slope = 0;
    return l;
}

static int64_t floor_div(__int128 a, uint64_t b)
{
    const __int128 q = a / (__int128)b;
    return (int64_t)(q - (a % (__int128)b < 0));
}

sim_cost llm_ops_attention(const struct llm_ops *o, const struct llm_batch *b)
{
    if (!b->prompt_tokens && !b->decoding)
        return 0;
    const struct grid_line l = line_of(o, b);
    if (!b->decoding)
        return (sim_cost)l.value;
    const unsigned __int128 beyond = b->cached - (unsigned __int128)l.from * b->decoding;
    return (sim_cost)(l.value + floor_div((__int128)l.slope * (__int128)beyond, b->decoding));
}

int64_t llm_ops_growth(const struct llm_ops *o, const struct llm_batch *b, uint64_t *iterations)
{
    *iterations = UINT64_MAX;
    if (!b->decoding)
        return 0;
    const struct grid_line l = line_of(o, b);
    if (l.to != UINT64_MAX) {
        const unsigned __int128 room = (unsigned __int128)l.to * b->decoding - b->cached;
        *iterations = (uint64_t)((room + b->decoding - 1) / b->decoding);
    }
    return l.slope;
}
