/* llm_ops.c - rows of operator tables into grids.  See llm_ops.h. */
#include "models/llm_ops_rows.h"

#include <stdlib.h>
#include <string.h>

const struct llm_op llm_op[LLM_OPS] = {
    {"dense:embedding", LLM_DENSE, 0, 1},
    {"dense:layernorm", LLM_DENSE, 2, 0},
    {"dense:qkv_proj", LLM_DENSE, 1, 0},
    {"dense:rotary_emb", LLM_DENSE, 1, 0},
    {"dense:o_proj", LLM_DENSE, 1, 0},
    {"dense:gate_up_proj", LLM_DENSE, 1, 0},
    {"dense:act_fn", LLM_DENSE, 1, 0},
    {"dense:down_proj", LLM_DENSE, 1, 0},
    {"dense:final_layernorm", LLM_DENSE, 0, 1},
    {"sequence:lm_head", LLM_HEAD, 0, 1},
    {"sequence:sampler", LLM_HEAD, 0, 1},
    {"attention", LLM_ATTENTION, 1, 0},
    {"prompt_attention:bfloat16", LLM_PROMPT, 1, 0},
    {"decode_attention:bfloat16", LLM_DECODE, 1, 0},
    {"gemm:bfloat16", LLM_GEMM, 0, 0},
    {"all_reduce:vllm_graph", LLM_REDUCE, 2, 0},
    {"nccl:all_reduce:half", LLM_REDUCE, 2, 0},
};

#define ROW_MOST UINT64_C(10000000000000) /* ps: sums over layers stay far from 2^63 */

/* ---- reading ------------------------------------------------------------------------------- */

static size_t op_of(const char *name)
{
    size_t i = 0;
    while (i < LLM_OPS && strcmp(name, llm_op[i].name) != 0)
        i++;
    return i;
}

const struct grid_points *llm_rows_of(const struct llm_rows *r, const char *name)
{
    return &r->of[op_of(name)];
}

/* Of the families that a profile measures in many types, one type is asked for. */
static bool other_type(const char *name)
{
    static const char *const families[] = {
        "gemm:", "prompt_attention:", "decode_attention:", "all_reduce:", "nccl:"};
    for (size_t i = 0; i < sizeof families / sizeof *families; i++)
        if (!strncmp(name, families[i], strlen(families[i])))
            return true;
    return false;
}

static uint64_t share(uint64_t heads, uint32_t parallel)
{
    return heads > parallel ? heads / parallel : 1; /* fewer heads than GPUs: each has a copy */
}

/* Whether the row was measured with the shape that the model has on one of its GPUs; its key then
 * keeps what varies. */
static bool fits(const struct llm_rows *r, enum llm_part part, uint64_t *key)
{
    if (part == LLM_PROMPT || part == LLM_DECODE) {
        const bool ok = key[2] == share(r->shape->heads, r->parallel) &&
                        key[3] == share(r->shape->kv_heads, r->parallel);
        key[2] = key[3] = 0;
        return ok;
    }
    if (part == LLM_REDUCE) {
        const bool ok = key[0] == r->parallel;
        key[0] = key[1];
        key[1] = 0;
        return ok;
    }
    return !key[5] || key[5] == r->parallel;
}

static int row(struct llm_rows *g, const struct row_source *rows, const struct trace_cost *c,
               struct err *e)
{
    const char *said = rows->name ? rows->name(rows, c->name) : NULL, *name = said ? said : "";
    const size_t op = op_of(name);
    uint64_t key[6];
    memcpy(key, c->key, sizeof key);
    if (op == LLM_OPS && other_type(name))
        return 0;
    if (op == LLM_OPS)
        return err_set(e, ERR_ENAME,
                       "operator \"%.60s\": not one that an iteration is made of (dense:qkv_proj, "
                       "sequence:lm_head, attention, ..)",
                       name);
    if (c->unit != TRACE_COST_PS || c->value > ROW_MOST)
        return err_set(e, ERR_ERANGE, "operator \"%s\": want a time of at most 10 s", name);
    if (!fits(g, llm_op[op].part, key))
        return 0;
    return grid_point_add(&g->of[op], key, (int64_t)c->value)
               ? 0
               : err_set(e, ERR_ENOMEM, "operator tables: out of memory");
}

static int read_rows(struct llm_rows *g, struct row_source *rows, struct err *e)
{
    union trace_row r;
    int rc = rows->table == TRACE_COSTS
                 ? rows->rewind(rows, e)
                 : err_set(e, ERR_ERANGE, "operator tables: want rows of costs");
    while (!rc && (rc = rows->next(rows, &r, e)) > 0)
        rc = row(g, rows, &r.cost, e);
    return rc;
}

/* ---- attention ----------------------------------------------------------------------------------
 */

/* Keys that mean nothing: the past of no prompt, the context of nobody who decodes.  One who
 * decodes has a context; and less than the fewest tokens cost what those do. */
static void same_as(const struct grid *g, uint64_t *key)
{
    if (!key[0] && !key[2] && g->n[0] > 1)
        key[0] = g->axis[0][1];
    if (!key[0])
        key[1] = g->axis[1][0];
    if (!key[2])
        key[3] = g->axis[3][0];
    else if (!key[3] && g->n[3] > 1)
        key[3] = g->axis[3][1];
}

/* Times of one layer, for all of them. */
static int layers_of(struct grid *out, const struct llm_rows *r, const char *name, uint32_t dims,
                     struct err *e)
{
    const struct grid_points *p = llm_rows_of(r, name);
    struct grid_points all = {0};
    bool ok = true;
    for (size_t i = 0; i < p->n && ok; i++)
        ok = grid_point_add(&all, p->at[i].key, p->at[i].value * (int64_t)r->shape->layers);
    int rc = ok ? grid_build(out, dims, &all, name, e)
                : err_set(e, ERR_ENOMEM, "operator tables: out of memory");
    grid_points_free(&all);
    return rc;
}

/* Prompts and decoding sequences in one kernel. */
static int together(struct llm_ops *o, const struct llm_rows *r, struct err *e)
{
    int rc = layers_of(&o->attention, r, "attention", GRID_DIMS, e);
    if (rc)
        return rc;
    grid_alias(&o->attention, same_as);
    grid_extend(&o->attention, 2); /* few profile prompts beside as many as can decode alone */
    return grid_whole(&o->attention, "attention", e);
}

/* In a kernel each: (prompts, tokens of each) and (sequences, context).  Few measure as many
 * sequences of great lengths as of small ones. */
static int apart(struct llm_ops *o, const struct llm_rows *r, struct err *e)
{
    int rc = layers_of(&o->prompt, r, "prompt_attention:bfloat16", 2, e);
    if (!rc)
        rc = layers_of(&o->decode, r, "decode_attention:bfloat16", 2, e);
    if (rc)
        return rc;
    grid_extend(&o->prompt, 1);
    grid_extend(&o->decode, 1);
    rc = grid_whole(&o->prompt, "prompt_attention:bfloat16", e);
    return rc ? rc : grid_whole(&o->decode, "decode_attention:bfloat16", e);
}

static int attention_of(struct llm_ops *o, const struct llm_rows *r, struct err *e)
{
    return llm_rows_of(r, "attention")->n || !llm_rows_of(r, "prompt_attention:bfloat16")->n
               ? together(o, r, e)
               : apart(o, r, e);
}

/* ---- life ---------------------------------------------------------------------------------------
 */

#define LAYERS_MOST 1024

static int open_grids(struct llm_ops *o, const struct llm_rows *r, struct err *e)
{
    int rc = llm_sum_over(&o->dense, r, LLM_DENSE, e);
    if (!rc)
        rc = llm_sum_over(&o->head, r, LLM_HEAD, e);
    if (!rc)
        rc = attention_of(o, r, e);
    if (!rc && r->parallel > 1 && !r->shape->hidden)
        rc = err_set(e, ERR_ENAME,
                     "a model on %u GPUs needs its size \"hidden\" in the machine profile",
                     r->parallel);
    if (!rc && r->parallel > 1)
        rc = llm_sum_over(&o->reduce, r, LLM_REDUCE, e);
    o->hidden = r->shape->hidden;
    return rc;
}

int llm_ops_open(struct llm_ops *o, struct row_source *const *rows, size_t n,
                 const struct llm_shape *shape, uint32_t parallel, struct err *e)
{
    *o = (struct llm_ops){0};
    struct llm_rows *r = calloc(1, sizeof *r);
    if (!r)
        return err_set(e, ERR_ENOMEM, "operator tables: out of memory");
    r->shape = shape;
    r->parallel = parallel;
    int rc = shape->layers && shape->layers <= LAYERS_MOST
                 ? 0
                 : err_set(e, ERR_ERANGE, "a model of %llu layers: want 1..%d",
                           (unsigned long long)shape->layers, LAYERS_MOST);
    for (size_t i = 0; i < n && !rc; i++)
        rc = read_rows(r, rows[i], e);
    if (!rc)
        rc = open_grids(o, r, e);
    for (size_t i = 0; i < LLM_OPS; i++)
        grid_points_free(&r->of[i]);
    free(r);
    if (rc)
        llm_ops_free(o);
    return rc;
}

void llm_ops_free(struct llm_ops *o)
{
    struct grid *const all[] = {&o->dense,  &o->head,   &o->attention,
                                &o->prompt, &o->decode, &o->reduce};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        grid_free(all[i]);
}
