/* llm_ops_sum.c - operators that follow one another, as one table: what they take together. */
#include "models/llm_ops_rows.h"

#include <stdlib.h>
#include <string.h>

/* ---- matrix products: tables over (m, n, k) know them of every model ------------------------- */

struct product {
    const char *name;
    uint64_t n, k;
};
#define PRODUCTS 5

/* On one of the GPUs that share the model: columns or rows of the weights are split. */
static void products_of(const struct llm_shape *s, uint32_t parallel, struct product *out)
{
    const uint64_t kv = s->kv_heads > parallel ? s->kv_heads / parallel : 1;
    const uint64_t heads = s->heads / parallel;
    const struct product p[PRODUCTS] = {
        {"dense:qkv_proj", (heads + 2 * kv) * s->head_dim, s->hidden},
        {"dense:o_proj", s->hidden, heads * s->head_dim},
        {"dense:gate_up_proj", 2 * s->ffn / parallel, s->hidden},
        {"dense:down_proj", s->hidden, s->ffn / parallel},
        {"sequence:lm_head", s->vocab / parallel, s->hidden},
    };
    memcpy(out, p, sizeof p);
}

static int gemm_of(struct grid *g, const struct llm_rows *r, struct err *e)
{
    const struct grid_points *p = llm_rows_of(r, "gemm:bfloat16");
    if (!p->n)
        return 0;
    if (!r->shape->hidden || !r->shape->heads)
        return err_set(e, ERR_ENAME,
                       "gemm tables need the model's sizes in the machine profile: hidden, ffn, "
                       "heads, kv_heads, head_dim and vocab beside layers");
    int rc = grid_build(g, 3, p, "gemm:bfloat16", e);
    if (rc)
        return rc;
    grid_extend(g, 2); /* the largest products of all do not fit beside one another */
    return grid_whole(g, "gemm:bfloat16", e);
}

/* 1: one of them, by its points over m; 0: not; negative: an error. */
static int as_product(struct grid_points *out, const struct grid *gemm, const struct llm_rows *r,
                      const char *name, struct err *e)
{
    struct product p[PRODUCTS];
    size_t i = 0;
    if (!gemm->dims)
        return 0;
    products_of(r->shape, r->parallel, p);
    while (i < PRODUCTS && strcmp(p[i].name, name) != 0)
        i++;
    for (size_t k = 0; i < PRODUCTS && k < gemm->n[0]; k++) {
        const uint64_t key[GRID_DIMS] = {gemm->axis[0][k], p[i].n, p[i].k}, m[GRID_DIMS] = {key[0]};
        if (!grid_point_add(out, m, grid_at(gemm, key)))
            return err_set(e, ERR_ENOMEM, "operator tables: out of memory");
    }
    return i < PRODUCTS;
}

/* ---- sums ------------------------------------------------------------------------------------ */

/* One operator by itself; empty where only its family's products are measured, and it is none. */
static int one(struct grid *out, const struct grid *gemm, const struct llm_rows *r, size_t op,
               struct err *e)
{
    struct grid_points p = {0};
    const struct grid_points *own = &r->of[op];
    int rc = own->n ? 0 : as_product(&p, gemm, r, llm_op[op].name, e);
    if (rc >= 0 && (own->n || rc == 1 || !gemm->dims))
        rc = grid_build(out, 1, own->n ? own : &p, llm_op[op].name, e);
    grid_points_free(&p);
    return rc;
}

static int ascending(const void *a, const void *b)
{
    const struct grid_point *x = a, *y = b;
    return (x->key[0] > y->key[0]) - (x->key[0] < y->key[0]);
}

/* A point wherever one of them has one: there, and nowhere else, their sum bends. */
static int union_of(struct grid_points *u, const struct grid *g, size_t n, struct err *e)
{
    const uint64_t none[GRID_DIMS] = {0};
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; g[i].dims && k < g[i].n[0]; k++) {
            if (!grid_point_add(u, none, 0))
                return err_set(e, ERR_ENOMEM, "operator tables: out of memory");
            u->at[u->n - 1].key[0] = g[i].axis[0][k];
        }
    qsort(u->at, u->n, sizeof *u->at, ascending);
    size_t kept = 0;
    for (size_t i = 0; i < u->n; i++)
        if (!kept || u->at[i].key[0] != u->at[kept - 1].key[0])
            u->at[kept++] = u->at[i];
    u->n = kept;
    return 0;
}

/* Of two ways to do the same, the faster: an engine has both and takes it. */
static int64_t faster(const struct grid *g, const uint64_t *key)
{
    int64_t best = GRID_MOST / 4096;
    for (size_t i = 0; i < LLM_OPS; i++)
        if (g[i].dims && grid_at(&g[i], key) < best)
            best = grid_at(&g[i], key);
    return best;
}

static int64_t sum_at(const struct grid *g, const uint64_t *key, uint64_t layers)
{
    int64_t sum = 0;
    for (size_t i = 0; i < LLM_OPS; i++)
        if (g[i].dims)
            sum += grid_at(&g[i], key) * (int64_t)(llm_op[i].per_layer * layers + llm_op[i].around);
    return sum;
}

static int grids_of(struct grid *g, const struct llm_rows *r, enum llm_part part, struct err *e)
{
    struct grid gemm = {0};
    int rc = part == LLM_REDUCE ? 0 : gemm_of(&gemm, r, e);
    bool any = part != LLM_REDUCE;
    for (size_t i = 0; i < LLM_OPS && !rc; i++) {
        if (llm_op[i].part != part || (part == LLM_REDUCE && !r->of[i].n))
            continue;
        rc = one(&g[i], &gemm, r, i, e);
        any = true;
    }
    grid_free(&gemm);
    return rc || any ? rc
                     : err_set(e, ERR_ERANGE,
                               "all_reduce: no rows of %u GPUs, and the model is on so many",
                               r->parallel);
}

int llm_sum_over(struct grid *out, const struct llm_rows *r, enum llm_part part, struct err *e)
{
    struct grid g[LLM_OPS] = {0};
    struct grid_points sum = {0};
    int rc = grids_of(g, r, part, e);
    if (!rc)
        rc = union_of(&sum, g, LLM_OPS, e);
    for (size_t k = 0; k < sum.n && !rc; k++)
        sum.at[k].value = part == LLM_REDUCE
                              ? faster(g, sum.at[k].key) * 2 * (int64_t)r->shape->layers
                              : sum_at(g, sum.at[k].key, r->shape->layers);
    if (!rc)
        rc = grid_build(out, 1, &sum, "operator tables", e);
    grid_points_free(&sum);
    for (size_t i = 0; i < LLM_OPS; i++)
        grid_free(&g[i]);
    return rc;
}
