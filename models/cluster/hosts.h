/* hosts.h - what hosts*.c share: nodes, and who is beside whom on their GPUs. */
#ifndef MODELS_CLUSTER_HOSTS_H
#define MODELS_CLUSTER_HOSTS_H

#include "models/cluster/cluster_state.h"
#include "models/cluster/nodes.h"

/* Who shares a GPU with whom: speeds change as neighbours come and go. */
struct neighbours;
int neighbours_open(struct neighbours **out, const struct nodes *nodes, struct err *e) MUST_CHECK;
void neighbours_close(struct neighbours *b);
/* The job has its seat; its own speed is set, those of the others there change. */
void neighbours_join(struct neighbours *b, struct cluster *s, uint32_t slot);
void neighbours_leave(struct neighbours *b, struct cluster *s, uint32_t slot);

#endif
