/* pods.h - the pods of a trace, and the order in which an experiment has them arrive.
 *
 * A packing experiment draws from the whole list again and again, so that all of it is held.  */
#ifndef MODELS_CLUSTER_PODS_H
#define MODELS_CLUSTER_PODS_H

#include "models/cluster/nodes.h"

enum pods_draw { DRAW_PHILOX, DRAW_GO }; /* sim/rng.h; models/cluster/go_random.h */
extern const char *const pods_draw_names[];

struct pods {
    struct policy_job *job; /* [n], in the order of the input's rows */
    const char **spec;      /* [n]: of the model of its GPUs, as the trace has it; NULL: nothing */
    size_t n, room;
    char **name; /* of specs, by the trace's number */
    size_t names;
    bool parts; /* some want a part of a GPU */

    uint32_t *arrival; /* after pods_inflate: [arrivals], indices of job */
    size_t arrivals, arrival_room;
};

int pods_open(struct pods *p, const struct nodes *n, struct row_source *rows, enum nodes_part of,
              struct err *e) MUST_CHECK;
void pods_free(struct pods *p);
/* Weng et al.'s workload: all pods in random order; while they ask for less than `load` times the
 * cluster's GPUs, one more drawn from the list, put back, at the end (the last draw that would go
 * beyond is left out, and counts as if it wanted one GPU at most); while they ask for more, one of
 * them is taken out at random.  The nodes then get a random order.  With DRAW_GO and the seeds that
 * the authors used, the arrivals are theirs. */
int pods_inflate(struct pods *p, struct nodes *n, double load, enum pods_draw draw, uint64_t seed,
                 struct err *e) MUST_CHECK;

#endif
