/* best_fit.c - the node on which least is left over.
 *
 * What would be left of CPU and of GPUs, each as a part of the largest node's, weigh the same; in
 * steps of a hundredth, as the scores of Kubernetes are (Weng et al., ATC'23).  Good for jobs of
 * many sizes; it does not see that what it leaves on a GPU may be too little for anybody.  */
#include "node_fit.h"
#include "stateless.h"

static int score(const struct policy_node *n, const struct policy_job *j)
{
    const double cpu = (double)n->cpu_free_milli - j->cpu_milli;
    const double gpu = (double)node_gpu_free(n) - j->gpus * j->gpu_milli;
    const double left = cpu / NODE_CPU_MAX * 0.5 + gpu / NODE_GPU_MAX * 0.5;
    return (int)((1 - left) * 100);
}

static uint32_t place(void *self, const struct policy_seat_obs *o, struct policy_seat *seat)
{
    (void)self;
    return node_place(o, seat, score);
}

POLICY(.name = "best-fit", .summary = "cluster: the node on which least CPU and GPU is left over",
       .create = stateless_create, .destroy = stateless_destroy, .cluster_place = place);
