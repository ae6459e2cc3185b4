/* nodes.h - the machines of a cluster: what is free on each, and where there is room.
 *
 * GPUs are counted one by one in thousandths of a GPU; a job has some whole, or
 * a part of one.  CPU and memory are counted for the node as a whole.  A job on
 * several nodes has its CPU and memory spread over its seats by the GPUs there
 * (policy_seat_part).  A tree of maxima over the nodes finds the first one with
 * room without looking at all of them.                                      */
#ifndef MODELS_CLUSTER_NODES_H
#define MODELS_CLUSTER_NODES_H

#include <stdbool.h>
#include <stdint.h>

#include "models/policy_slot.h"
#include "policies/policy.h"
#include "sim/err.h"
#include "sim/rng.h"
#include "traces/record.h"

struct nodes {
    uint32_t n;
    struct policy_node *node; /* [n]: as policies see them */
    uint32_t gpus, racks, n_models;
    uint64_t gpu_milli, gpu_milli_free, cpu_milli, cpu_milli_free; /* of all together */
    uint64_t mem_bytes, mem_bytes_free;
    char *model[64]; /* [n_models]: names of GPUs, by bit number; "" for what has none */
    struct nodes_index *index;
    uint16_t *kind; /* [n][POLICY_KINDS]: jobs of each kind */
};

/* rack_nodes: so many nodes one after another share a rack; 0: all are in one.  *out is to be
 * freed. */
int nodes_open(struct nodes **out, struct row_source *rows, uint32_t rack_nodes,
               struct err *e) MUST_CHECK;
/* n nodes that are all alike, of the model "".  UINT32_MAX milli-CPUs: more than jobs can want. */
int nodes_even(struct nodes **out, uint32_t n, const struct trace_node *like, uint32_t rack_nodes,
               struct err *e) MUST_CHECK;
void nodes_free(struct nodes *);
/* Another order of the same nodes, each equally likely; before anything is taken. */
void nodes_shuffle(struct nodes *, struct rng *r);
/* The same with a given order: node i becomes number place[i], a permutation.  Out of memory: they
 * stay as they are. */
int nodes_order(struct nodes *, const uint32_t *place, struct err *e) MUST_CHECK;

/* "T4|P100" as a set of models; names that no node has are no bits.  NULL or "": any. */
uint64_t nodes_models(const struct nodes *, const char *spec);

/* What a part of a GPU is: with a part of its memory or its time, any thousandth can be had; MPS
 * gives whole percents; MIG (A100, H100) 1, 2, 3, 4 or 7 of 7 slices. */
enum nodes_part { PART_MEMORY, PART_TIME, PART_MPS, PART_MIG };
uint32_t nodes_part_milli(enum nodes_part of, uint32_t milli); /* rounded up to what there is */
extern const char *const nodes_part_names[]; /* "memory", "time", "mps", "mig", NULL */

/* What a row of a trace asks for: gpus.. prio of *job (not id, times, tenant); names may be NULL.
 * Refuses parts of several GPUs. */
int nodes_job(const struct nodes *, const struct trace_job *row, const struct row_source *names,
              enum nodes_part of, struct policy_job *job, struct err *e) MUST_CHECK;

/* Whether it would have room if nothing else ran; most: seats it may have. */
bool nodes_ever(const struct nodes *, const struct policy_job *job, uint32_t most);
/* The default of cluster.place: the first node that has room for all of it, else, with more than
 * one seat, the first nodes that have GPUs for it, all they have.  On a node, a part goes to the
 * GPU with the least room that is enough.  How many seats; 0: no room. */
uint32_t nodes_first(const struct nodes *, const struct policy_job *job, uint32_t most,
                     struct policy_seat *seat);
/* The guard at cluster.place (p may be NULL), then the default.  o has the job, the demand and
 * times; the rest is filled in.  How many seats. */
uint32_t nodes_place(const struct nodes *, struct policy_slot *p, struct policy_seat_obs *o,
                     uint32_t most, struct policy_seat *seat);

/* The seats are good (policy_seats_bad) and are those given back, in the same order. */
void nodes_take(struct nodes *n, const struct policy_job *j, const struct policy_seat *seat,
                uint32_t seats);
void nodes_give(struct nodes *n, const struct policy_job *j, const struct policy_seat *seat,
                uint32_t seats);

#endif
