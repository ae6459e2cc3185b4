/* gpu_clustering.c - jobs that want alike number of GPUs together, as Gandiva does (OSDI'18).
 *
 * First nodes that run only jobs of the same kind (parts of a GPU, one GPU, two, ..), then nodes
 * that run such jobs among others, then idle ones, then the rest; among them the fullest, in
 * hundredths (Weng et al., ATC'23).  CPU is not looked at.  */
#include "node_fit.h"
#include "stateless.h"

static uint32_t kind(const struct policy_job *j)
{
    if (j->gpu_milli < POLICY_MILLI)
        return 1;
    return 1u << (j->gpus < POLICY_KINDS - 1 ? j->gpus : POLICY_KINDS - 1);
}

static int score(const struct policy_node *n, const struct policy_job *j)
{
    if (!j->gpus)
        return 0;
    const int full = 25 * (NODE_GPU_MAX - (int)node_gpu_free(n)) / NODE_GPU_MAX;
    const uint32_t mine = kind(j);
    if (n->kinds & mine)
        return full + (n->kinds == mine ? 75 : 50);
    return full + (n->kinds ? 0 : 25);
}

static uint32_t place(void *self, const struct policy_seat_obs *o, struct policy_seat *seat)
{
    (void)self;
    return node_place(o, seat, score);
}

POLICY(.name = "gpu-clustering",
       .summary = "cluster: beside jobs that have as many GPUs (Gandiva's affinity)",
       .create = stateless_create, .destroy = stateless_destroy, .cluster_place = place);
