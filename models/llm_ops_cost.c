/* llm_ops_cost.c - what an iteration costs by its operator tables.  See llm_ops.h. */
#include "models/llm_cost.h"
#include "models/llm_ops.h"

static sim_cost positive(int64_t v)
{
    return v > 0 ? (sim_cost)v : 0;
}

sim_cost llm_ops_dense(const struct llm_ops *o, uint64_t tokens)
{
    const uint64_t elements = tokens * o->hidden;
    return positive(grid_at(&o->dense, &tokens)) +
           (o->reduce.dims ? positive(grid_at(&o->reduce, &elements)) : 0);
}

sim_cost llm_ops_head(const struct llm_ops *o, uint64_t sequences)
{
    return sequences ? positive(grid_at(&o->head, &sequences)) : 0;
}

void llm_ops_stretch(struct llm_ops *o, uint64_t num, uint64_t den)
{
    struct grid *const all[] = {&o->attention, &o->prompt, &o->decode};
    for (size_t k = 0; k < sizeof all / sizeof *all; k++) {
        size_t n = all[k]->dims ? 1 : 0;
        for (uint32_t d = 0; d < all[k]->dims; d++)
            n *= all[k]->n[d];
        for (size_t i = 0; i < n; i++)
            all[k]->value[i] =
                (int64_t)((__int128)all[k]->value[i] * (__int128)num / (__int128)den);
    }
}

/* ---- prompts in a kernel of their own ----------------------------------------------------------
 */

/* Fresh prompts of one length whose tokens and pairs are those of the batch: with a past they are
 * long and fewer than one.  A kernel takes no less than for one token. */
static sim_cost prompts_apart(const struct llm_ops *o, const struct llm_batch *b)
{
    const uint64_t q = b->prompt_tokens;
    if (!q)
        return 0;
    const uint64_t twice = 2 * b->pairs / q, length = twice > 1 ? twice - 1 : 1;
    const uint64_t n = q / length;
    const uint64_t few[] = {n ? n : 1, length}, more[] = {n + 1, length}, least[] = {1, 1};
    const __int128 lo = n ? grid_at(&o->prompt, few) : 0, hi = grid_at(&o->prompt, more);
    const int64_t cost = (int64_t)(lo + (hi - lo) * (__int128)(q % length) / (__int128)length);
    const int64_t launch = grid_at(&o->prompt, least);
    return positive(cost > launch ? cost : launch);
}

/* ---- along the context ------------------------------------------------------------------------
 */

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
    const uint64_t context = n ? b->cached / n : 0, apart[] = {n, context};
    const uint64_t key[GRID_DIMS] = {b->prompt_tokens, past_of(b), n, context};
    if (!o->attention.dims && !n)
        return (struct grid_line){.to = UINT64_MAX};
    struct grid_line l =
        o->attention.dims ? grid_line(&o->attention, key) : grid_line(&o->decode, apart);
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

/* Of those who decode, by the line they are on; at most GRID_MOST. */
static int64_t along(const struct grid_line *l, const struct llm_batch *b)
{
    const unsigned __int128 beyond = b->cached - (unsigned __int128)l->from * b->decoding;
    const __int128 most = ((__int128)GRID_MOST - l->value) * b->decoding;
    const __int128 more = (__int128)l->slope * (__int128)beyond;
    return more >= most ? GRID_MOST : l->value + floor_div(more, b->decoding);
}

sim_cost llm_ops_attention(const struct llm_ops *o, const struct llm_batch *b)
{
    if (!b->prompt_tokens && !b->decoding)
        return 0;
    const struct grid_line l = line_of(o, b);
    const sim_cost prompts = o->attention.dims ? 0 : prompts_apart(o, b);
    return prompts + (sim_cost)(b->decoding ? along(&l, b) : l.value);
}

int64_t llm_ops_growth(const struct llm_ops *o, const struct llm_batch *b, uint64_t *iterations)
{
    *iterations = UINT64_MAX;
    if (!b->decoding)
        return 0;
    const struct grid_line l = line_of(o, b);
    const int64_t now = along(&l, b);
    if (l.to != UINT64_MAX) {
        const unsigned __int128 room = (unsigned __int128)l.to * b->decoding - b->cached;
        *iterations = (uint64_t)((room + b->decoding - 1) / b->decoding);
    }
    if (l.slope <= 0)
        return l.slope;
    const uint64_t most = (uint64_t)((GRID_MOST - now) / l.slope) + 1; /* until it is at its most */
    *iterations = *iterations < most ? *iterations : most;
    return l.slope;
}
