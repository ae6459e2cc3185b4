#include "harness/learn/model_grow.h"

void model_grow_root(struct model_grow *g, uint32_t root, size_t most)
{
    g->queue[0] = root;
    g->head = 0;
    g->size = 1;
    g->most = most < FOREST_NODES_MAX ? (uint32_t)most : FOREST_NODES_MAX;
}

bool model_grow_next(struct model_grow *g, uint32_t *node)
{
    if (g->head < g->size) {
        *node = g->queue[g->head];
        return true;
    }
    g->m->sizes[g->tree++] = g->size;
    g->at += g->size;
    g->m->nodes = g->at;
    return false;
}

static void put(struct model_grow *g, int32_t feature, float value, bool default_left)
{
    const size_t i = g->at + g->head++;
    g->m->features[i] = feature;
    g->m->values[i] = value;
    g->m->default_left[i] = default_left;
}

void model_grow_leaf(struct model_grow *g, float value)
{
    put(g, -1, value, false);
}

bool model_grow_split(struct model_grow *g, uint32_t feature, float value, bool default_left,
                      uint32_t left, uint32_t right)
{
    if (g->size + 2 > g->most)
        return false;
    put(g, (int32_t)feature, value, default_left);
    g->queue[g->size++] = left;
    g->queue[g->size++] = right;
    return true;
}
