/* model_grow.h - trees whose nodes lie in anybody's order, laid out breadth
 * first as forest.h has them.
 *
 *     model_grow_root(g, root, most);
 *     while (model_grow_next(g, &node))
 *         model_grow_leaf(g, ..) or model_grow_split(g, ..)
 *
 * and the same for the next tree.  Nodes that the root does not reach are left
 * behind; a node reached twice makes the tree larger than it can be.          */
#ifndef HARNESS_LEARN_MODEL_GROW_H
#define HARNESS_LEARN_MODEL_GROW_H

#include "harness/learn/model_file_forest.h"

struct model_grow {
    struct model_forest *m; /* has room for all that will be grown; its nodes are counted anew */
    uint32_t tree;          /* the one under way */
    size_t at;              /* its first node in m */
    uint32_t queue[FOREST_NODES_MAX];
    uint32_t head, size, most;
};

/* A tree of at most `most` nodes. */
void model_grow_root(struct model_grow *g, uint32_t root, size_t most);
/* The node whose turn it is, by the caller's number; false: the tree is whole. */
bool model_grow_next(struct model_grow *g, uint32_t *node);
void model_grow_leaf(struct model_grow *g, float value);
/* Below `value`, and for NaN where default_left says so, it goes left.  false: too many nodes. */
bool model_grow_split(struct model_grow *g, uint32_t feature, float value, bool default_left,
                      uint32_t left, uint32_t right);

#endif
