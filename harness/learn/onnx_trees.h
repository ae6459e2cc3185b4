/* onnx_trees.h - the attributes of a TreeEnsembleRegressor or -Classifier
 * (ai.onnx.ml, versions 1 and 3), checked: every tree has one root, every other
 * node one parent, and every vote is a leaf's.
 *
 * Splits are brought to "below value goes left": x <= v is x < the next float
 * above v, x >= v and x > v are the same with the children changed places.   */
#ifndef HARNESS_LEARN_ONNX_TREES_H
#define HARNESS_LEARN_ONNX_TREES_H

#include "harness/learn/onnx.h"

struct onnx_tree_node {
    int64_t tree, id;
    uint32_t feature, left, right; /* left 0 and right 0: a leaf; else their places in node[] */
    float value;                   /* what a split compares with */
    bool default_left, leaf, child;
    uint32_t votes, n_votes; /* of a leaf, in vote[] */
};

struct onnx_vote {
    uint32_t node, target; /* its place in node[] */
    uint32_t at;           /* in the file */
    float weight;
};

struct onnx_tree {
    uint32_t first, size, root; /* places in node[] */
    uint32_t targets;           /* a bit for each that its leaves vote for */
};

struct onnx_trees {
    const struct onnx *o;
    const Onnx__Node *from;
    struct onnx_tree_node *node; /* by tree and id */
    struct onnx_vote *vote;      /* by node and target */
    struct onnx_tree *tree;
    uint32_t n_nodes, n_votes, n_trees;
    uint32_t targets, features; /* features: one more than the highest */
};

/* `prefix` of the votes: "target", "class".  targets: 1..32. */
int onnx_trees_read(struct onnx_trees *t, const struct onnx *o, const Onnx__Node *from,
                    const char *prefix, uint32_t targets, struct err *e) MUST_CHECK;
void onnx_trees_free(struct onnx_trees *t);

/* What a leaf votes for a target, summed in the file's order. */
float onnx_trees_leaf(const struct onnx_trees *t, uint32_t node, uint32_t target);

#endif
