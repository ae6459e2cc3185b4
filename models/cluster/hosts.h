/* hosts.h - what hosts*.c share: nodes, and who is beside whom on them and on their GPUs. */
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

/* hosts_full.c: nodes as full machines, the same for who is on a node. */
struct full;
int full_open(struct full **out, struct cluster *s, const struct nodes *nodes) MUST_CHECK;
void full_close(struct full *f);
/* What the row runs; negative: nothing that is known. */
int full_read(const struct full *f, struct cluster *s, const struct trace_job *row, struct job *j);
void full_join(struct full *f, struct cluster *s, uint32_t slot);
void full_leave(struct full *f, struct cluster *s, uint32_t slot);
void full_worked(struct full *f, const struct job *j, uint64_t wall);
void full_report(const struct full *f, struct measures *out);
struct full *hosts_full(const struct cluster *s); /* NULL: abstract */

#endif
