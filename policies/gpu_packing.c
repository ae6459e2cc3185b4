/* gpu_packing.c - used GPUs first, then free GPUs of used nodes, then idle nodes.
 *
 * The rule of production schedulers that share GPUs (Weng et al., ATC'23, after MLaaS in the Wild):
 * it keeps whole nodes free for large jobs.  Among used GPUs the one with least room; among idle
 * nodes the smallest.  CPU is not looked at.  */
#include "node_fit.h"
#include "stateless.h"

static int larger(int a, int b)
{
    return a > b ? a : b;
}

static int score(const struct policy_node *n, const struct policy_job *j)
{
    int idle = 0, least = POLICY_MILLI;
    if (!j->gpus)
        return 0;
    for (uint32_t g = 0; g < n->gpus; g++) {
        const int free = n->gpu_free_milli[g];
        idle += free == POLICY_MILLI;
        if (free >= (int)j->gpu_milli && free < least)
            least = free;
    }
    if (idle == (int)n->gpus)
        return larger(100 / 3 - idle, idle);
    if (least == POLICY_MILLI)
        return larger(100 / 2 - (int)j->gpus, 100 / 3);
    return larger(100 - least * 100 / POLICY_MILLI / 10, 100 / 2);
}

static uint32_t place(void *self, const struct policy_seat_obs *o, struct policy_seat *seat)
{
    (void)self;
    return node_place(o, seat, score);
}

POLICY(.name = "gpu-packing",
       .summary = "cluster: used GPUs first, then used nodes, then idle ones",
       .create = stateless_create, .destroy = stateless_destroy, .cluster_place = place);
