/* synth_nodes.h - the machines of a cluster: so many of each kind, in an order of chance.
 *
 * All nodes of a kind are alike.  As many rows as the kinds count together have exactly these
 * counts; of more or fewer rows each kind has its share of them, rounded so that none is off by one
 * or more (largest remainders first).  Rows are drawn without replacement, so every order is
 * equally likely.                                                           */
#ifndef TRACES_SYNTH_NODES_H
#define TRACES_SYNTH_NODES_H

#include "traces/names.h"
#include "traces/synth_rows.h"

#define SYNTH_NODE_KINDS 32
#define SYNTH_NODES_MAX  (1u << 20)

struct synth_node_kind {
    char model[32]; /* of its GPUs; "": none is said */
    uint32_t count, gpus;
    double cpu, mem_gib; /* cores */
};

struct synth_nodes {
    struct synth_head head; /* its rows; without a duration, for nodes have no time */
    struct synth_node_kind kind[SYNTH_NODE_KINDS];
    uint32_t kinds;
};

int synth_nodes_open(struct row_source **out, const void *params, uint64_t seed,
                     struct err *e) MUST_CHECK;
/* "node-0", .., in the order of rows, then the models.  NULL: out of memory. */
struct trace_names *synth_nodes_names(const void *params);

#endif
