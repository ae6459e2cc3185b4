/* llm_ops.c - rows of operator tables into grids.  See llm_ops.h. */
#include "models/llm_ops.h"

#include <stdlib.h>
#include <string.h>

/* Where an operator stands in the model: in every layer so often, and around the layers. */
enum part { DENSE, HEAD, ATTENTION };
static const struct {
    const char *name;
    enum part part;
    uint32_t per_layer, around;
} known[] = {
    {"dense:embedding", DENSE, 0, 1},       {"dense:layernorm", DENSE, 2, 0},
    {"dense:qkv_proj", DENSE, 1, 0},        {"dense:rotary_emb", DENSE, 1, 0},
    {"dense:o_proj", DENSE, 1, 0},          {"dense:gate_up_proj", DENSE, 1, 0},
    {"dense:act_fn", DENSE, 1, 0},          {"dense:down_proj", DENSE, 1, 0},
    {"dense:final_layernorm", DENSE, 0, 1}, {"sequence:lm_head", HEAD, 0, 1},
    {"sequence:sampler", HEAD, 0, 1},       {"attention", ATTENTION, 1, 0},
};
#define KNOWN (sizeof known / sizeof *known)

struct gather {
    struct grid_points points[KNOWN];
    uint32_t parallel;
};

/* ---- reading ------------------------------------------------------------------------------- */

static size_t op_of(const char *name)
{
    size_t i = 0;
    while (name && i < KNOWN && strcmp(name, known[i].name) != 0)
        i++;
    return name ? i : KNOWN;
}

static int row(struct gather *g, const struct row_source *rows, const struct trace_cost *c,
               struct err *e)
{
    const char *name = rows->name ? rows->name(rows, c->name) : NULL;
    const size_t op = op_of(name);
    const uint64_t parallel = c->key[5] ? c->key[5] : 1;
    if (op == KNOWN)
        return err_set(e, ERR_ENAME,
                       "operator \"%.60s\": not one that an iteration is made of (dense:qkv_proj, "
                       "sequence:lm_head, attention, ..)",
                       name ? name : "");
    if (c->unit != TRACE_COST_PS || c->value > (uint64_t)GRID_MOST)
        return err_set(e, ERR_ERANGE, "operator \"%s\": want a time of at most %lld s", name,
                       (long long)(GRID_MOST / 1000000000000));
    if (parallel != g->parallel)
        return 0;
    return grid_point_add(&g->points[op], c->key, (int64_t)c->value)
               ? 0
               : err_set(e, ERR_ENOMEM, "operator tables: out of memory");
}

static int read_rows(struct gather *g, struct row_source *rows, struct err *e)
{
    union trace_row r;
    int rc = rows->table == TRACE_COSTS
                 ? rows->rewind(rows, e)
                 : err_set(e, ERR_ERANGE, "operator tables: want rows of costs");
    while (!rc && (rc = rows->next(rows, &r, e)) > 0)
        rc = row(g, rows, &r.cost, e);
    return rc;
}

/* ---- sums over operators ----------------------------------------------------------------------
 */

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

static int sum_over(struct grid *out, const struct gather *g, enum part part, uint64_t layers,
                    struct err *e)
{
    struct grid op[KNOWN] = {0};
    struct grid_points sum = {0};
    int rc = 0;
    for (size_t i = 0; i < KNOWN && !rc; i++)
        if (known[i].part == part)
            rc = grid_build(&op[i], 1, &g->points[i], known[i].name, e);
    if (!rc)
        rc = union_of(&sum, op, KNOWN, e);
    for (size_t k = 0; k < sum.n; k++)
        for (size_t i = 0; i < KNOWN && !rc; i++)
            if (known[i].part == part)
                sum.at[k].value += grid_at(&op[i], sum.at[k].key) *
                                   (int64_t)(known[i].per_layer * layers + known[i].around);
    if (!rc)
        rc = grid_build(out, 1, &sum, "operator tables", e);
    grid_points_free(&sum);
    for (size_t i = 0; i < KNOWN; i++)
        grid_free(&op[i]);
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

static int attention_of(struct llm_ops *o, const struct gather *g, uint64_t layers, struct err *e)
{
    const size_t at = op_of("attention");
    struct grid_points all = {0};
    bool ok = true;
    for (size_t i = 0; i < g->points[at].n && ok; i++)
        ok = grid_point_add(&all, g->points[at].at[i].key,
                            g->points[at].at[i].value * (int64_t)layers);
    int rc = ok ? grid_build(&o->attention, GRID_DIMS, &all, "attention", e)
                : err_set(e, ERR_ENOMEM, "operator tables: out of memory");
    grid_points_free(&all);
    if (rc)
        return rc;
    grid_alias(&o->attention, same_as);
    grid_extend(&o->attention, 2); /* few profile prompts beside as many as can decode alone */
    return grid_whole(&o->attention, "attention", e);
}

/* ---- life ---------------------------------------------------------------------------------------
 */

#define LAYERS_MOST 1024

int llm_ops_open(struct llm_ops *o, struct row_source *const *rows, size_t n,
                 const struct llm_shape *shape, uint32_t parallel, struct err *e)
{
    *o = (struct llm_ops){0};
    struct gather *g = calloc(1, sizeof *g);
    if (!g)
        return err_set(e, ERR_ENOMEM, "operator tables: out of memory");
    g->parallel = parallel;
    int rc = shape->layers && shape->layers <= LAYERS_MOST
                 ? 0
                 : err_set(e, ERR_ERANGE, "a model of %llu layers: want 1..%d",
                           (unsigned long long)shape->layers, LAYERS_MOST);
    for (size_t i = 0; i < n && !rc; i++)
        rc = read_rows(g, rows[i], e);
    if (!rc)
        rc = sum_over(&o->dense, g, DENSE, shape->layers, e);
    if (!rc)
        rc = sum_over(&o->head, g, HEAD, shape->layers, e);
    if (!rc)
        rc = attention_of(o, g, shape->layers, e);
    for (size_t i = 0; i < KNOWN; i++)
        grid_points_free(&g->points[i]);
    free(g);
    if (rc)
        llm_ops_free(o);
    return rc;
}

void llm_ops_free(struct llm_ops *o)
{
    grid_free(&o->dense);
    grid_free(&o->head);
    grid_free(&o->attention);
}
