/* nodes_index.h - a tree of maxima over the nodes: the first one that has enough of everything.
 *
 * A leaf is what is free on one node; a parent has the largest of its two children in each kind, so
 * a subtree is entered only when some node there may do.  Updating one node costs log2(nodes).  */
#ifndef MODELS_CLUSTER_NODES_INDEX_H
#define MODELS_CLUSTER_NODES_INDEX_H

#include "models/cluster/nodes.h"

struct nodes_free {  /* what there is, or what is needed */
    uint64_t models; /* a set; 0 as a need: none in particular */
    uint64_t mem_bytes;
    uint32_t cpu_milli;
    uint16_t whole; /* GPUs that nobody has a part of */
    uint16_t best;  /* 1/1000 free on the GPU that has most */
};

struct nodes_class { /* nodes that are alike */
    struct nodes_free all;
    uint32_t n;
};

struct nodes_index {
    uint32_t leaves;         /* a power of two */
    struct nodes_free *tree; /* [2 * leaves]; 1 is the root, leaves + i is node i */
    struct nodes_class *class;
    uint32_t n_class;
    uint64_t whole; /* GPUs that nobody has a part of */
};

struct nodes_index *nodes_index_new(const struct nodes *); /* NULL: out of memory */
void nodes_index_free(struct nodes_index *);
void nodes_index_set(struct nodes_index *, const struct policy_node *node);
/* The first node from `from` on that has all that is needed; POLICY_NONE: there is none. */
uint32_t nodes_index_first(const struct nodes_index *, uint32_t from,
                           const struct nodes_free *need);
bool nodes_index_has(const struct nodes_free *there, const struct nodes_free *need);

#endif
