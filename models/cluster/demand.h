/* demand.h - the typical jobs of a workload, as its whole trace has them.
 *
 * Jobs that want the same CPU, GPUs and models of GPU are one kind.  The kinds that are most
 * frequent, so many that they make up a given share of all jobs, are typical (FGD, ATC'23: 95 %).
 */
#ifndef MODELS_CLUSTER_DEMAND_H
#define MODELS_CLUSTER_DEMAND_H

#include <stddef.h>
#include <stdint.h>

#include "models/cluster/nodes.h"
#include "policies/policy.h"
#include "sim/err.h"

struct demand {
    struct policy_demand *kind; /* [n], most frequent first */
    uint32_t n, all;            /* all: how many kinds there are, typical or not */
    uint64_t jobs, weight;      /* jobs of the trace; of them, typical ones */
};

#define DEMAND_SHARE 0.95 /* of all jobs, unless said otherwise */

/* spec[]: what the trace says of the model of each job's GPUs, as a text; NULL: nothing. */
int demand_new(struct demand **out, const struct policy_job *job, const char *const *spec, size_t n,
               double share, struct err *e) MUST_CHECK;
/* The same over a whole source of jobs, which is then back at its first row; memory grows with the
 * kinds, not with the jobs. */
int demand_of_rows(struct demand **out, const struct nodes *nodes, struct row_source *rows,
                   enum nodes_part of, double share, struct err *e) MUST_CHECK;
void demand_free(struct demand *d);

#endif
