/* frag.h - the fragmentation of a cluster, kept up to date node by node.
 *
 * F of policies/fragments.h, summed over all nodes: how many thousandths of GPUs are free that a
 * typical job of the workload can't use.                                    */
#ifndef MODELS_CLUSTER_FRAG_H
#define MODELS_CLUSTER_FRAG_H

#include "models/cluster/demand.h"
#include "models/cluster/nodes.h"

struct frag;
struct frag *frag_new(const struct nodes *n, const struct demand *d); /* NULL: out of memory */
void frag_free(struct frag *f);
void frag_changed(struct frag *f, uint32_t node); /* something was taken there, or given back */
double frag_milli(const struct frag *f);          /* 1/1000 GPUs, of all nodes */

#endif
