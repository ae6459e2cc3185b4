#include "models/cluster/nodes_index.h"

#include <stdlib.h>
#include <string.h>

bool nodes_index_has(const struct nodes_free *there, const struct nodes_free *need)
{
    return there->whole >= need->whole && there->best >= need->best &&
           there->cpu_milli >= need->cpu_milli && there->mem_bytes >= need->mem_bytes &&
           (!need->models || there->models & need->models);
}

static struct nodes_free of_node(const struct policy_node *node)
{
    struct nodes_free f = {.models = node->model == POLICY_NONE ? 0 : UINT64_C(1) << node->model,
                           .mem_bytes = node->mem_free_bytes,
                           .cpu_milli = node->cpu_free_milli};
    for (uint32_t g = 0; g < node->gpus; g++) {
        f.whole += node->gpu_free_milli[g] == POLICY_MILLI;
        if (node->gpu_free_milli[g] > f.best)
            f.best = node->gpu_free_milli[g];
    }
    return f;
}

static struct nodes_free both(const struct nodes_free *a, const struct nodes_free *b)
{
    return (struct nodes_free){
        .models = a->models | b->models,
        .mem_bytes = a->mem_bytes > b->mem_bytes ? a->mem_bytes : b->mem_bytes,
        .cpu_milli = a->cpu_milli > b->cpu_milli ? a->cpu_milli : b->cpu_milli,
        .whole = a->whole > b->whole ? a->whole : b->whole,
        .best = a->best > b->best ? a->best : b->best,
    };
}

static bool same(const struct nodes_free *a, const struct nodes_free *b)
{
    return a->models == b->models && a->mem_bytes == b->mem_bytes && a->cpu_milli == b->cpu_milli &&
           a->whole == b->whole && a->best == b->best;
}

void nodes_index_set(struct nodes_index *x, const struct policy_node *node)
{
    uint32_t at = x->leaves + node->id;
    struct nodes_free now = of_node(node);
    x->whole += (uint64_t)now.whole - x->tree[at].whole;
    while (!same(&x->tree[at], &now)) {
        x->tree[at] = now;
        if (at == 1)
            return;
        at /= 2;
        now = both(&x->tree[2 * at], &x->tree[2 * at + 1]);
    }
}

static uint32_t seek(const struct nodes_index *x, uint32_t at, uint32_t lo, uint32_t width,
                     uint32_t from, const struct nodes_free *need)
{
    if (lo + width <= from || !nodes_index_has(&x->tree[at], need))
        return POLICY_NONE;
    if (width == 1)
        return lo;
    const uint32_t left = seek(x, 2 * at, lo, width / 2, from, need);
    return left != POLICY_NONE ? left : seek(x, 2 * at + 1, lo + width / 2, width / 2, from, need);
}

uint32_t nodes_index_first(const struct nodes_index *x, uint32_t from,
                           const struct nodes_free *need)
{
    return seek(x, 1, 0, x->leaves, from, need);
}

static void add_class(struct nodes_index *x, const struct nodes_free *all)
{
    for (uint32_t i = 0; i < x->n_class; i++)
        if (same(&x->class[i].all, all)) {
            x->class[i].n++;
            return;
        }
    x->class[x->n_class++] = (struct nodes_class){*all, 1};
}

struct nodes_index *nodes_index_new(const struct nodes *n)
{
    struct nodes_index *x = calloc(1, sizeof *x);
    if (!x)
        return NULL;
    for (x->leaves = 1; x->leaves < n->n;)
        x->leaves *= 2;
    x->tree = calloc(2 * (size_t)x->leaves, sizeof *x->tree);
    x->class = calloc(n->n, sizeof *x->class);
    if (!x->tree || !x->class) {
        nodes_index_free(x);
        return NULL;
    }
    for (uint32_t i = 0; i < n->n; i++) {
        nodes_index_set(x, &n->node[i]);
        add_class(x, &x->tree[x->leaves + i]);
    }
    return x;
}

void nodes_index_free(struct nodes_index *x)
{
    if (!x)
        return;
    free(x->tree);
    free(x->class);
    free(x);
}
