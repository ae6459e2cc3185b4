/* dotprod.c - the node whose free resources and the job's wants have the smallest dot product.
 *
 * Tetris's alignment score (Grandl et al., SIGCOMM'14) turned round for packing, with CPU and GPUs
 * as parts of the largest node's, in steps of a hundredth (Weng et al., ATC'23): a small product is
 * a full node, or one that is short of what the job wants little of.  */
#include "node_fit.h"
#include "stateless.h"

static int score(const struct policy_node *n, const struct policy_job *j)
{
    double product =
        (double)n->cpu_free_milli / NODE_CPU_MAX * ((double)j->cpu_milli / NODE_CPU_MAX);
    product +=
        (double)node_gpu_free(n) / NODE_GPU_MAX * ((double)j->gpus * j->gpu_milli / NODE_GPU_MAX);
    return (int)(100 * (1 - product / 2));
}

static uint32_t place(void *self, const struct policy_seat_obs *o, struct policy_seat *seat)
{
    (void)self;
    return node_place(o, seat, score);
}

POLICY(.name = "dotprod",
       .summary = "cluster: the node with the smallest product of what is free and what is wanted",
       .create = stateless_create, .destroy = stateless_destroy, .cluster_place = place);
