/* fragments.h - how much of a node's free GPUs a workload can't use.
 *
 * The measure of fragmentation gradient descent (Weng et al., ATC'23, section 3): a typical job of
 * the workload can use what is free on a GPU if the node is good for it, and then all but the GPUs
 * that have less free than it needs of one; on a node that has no room for it, all that is free is
 * lost to it, and so it is to a job without GPUs.  The fragment is the mean of that over the
 * typical jobs, by how many there are of each.  Memory is not looked at, as in the paper.  */
#ifndef POLICIES_FRAGMENTS_H
#define POLICIES_FRAGMENTS_H

#include "policy.h"

struct fragments_node { /* what is free on it */
    uint32_t model, gpus, cpu_milli;
    uint16_t gpu_milli[POLICY_NODE_GPUS];
};

static inline struct fragments_node fragments_node(const struct policy_node *n)
{
    struct fragments_node f = {.model = n->model, .gpus = n->gpus, .cpu_milli = n->cpu_free_milli};
    for (uint32_t g = 0; g < n->gpus; g++)
        f.gpu_milli[g] = n->gpu_free_milli[g];
    return f;
}

/* In 1/1000 of a GPU times jobs: divided by the sum of all weights it is the paper's F. */
static inline uint64_t fragments(const struct fragments_node *f, const struct policy_demand *d,
                                 uint32_t n)
{
    uint64_t sum = 0;
    uint32_t idle = 0;
    for (uint32_t g = 0; g < f->gpus; g++)
        idle += f->gpu_milli[g];
    for (uint32_t i = 0; idle && i < n; i++) {
        uint32_t enough = 0, usable = 0;
        if (d[i].gpus && d[i].cpu_milli <= f->cpu_milli && d[i].gpu_models >> f->model & 1)
            for (uint32_t g = 0; g < f->gpus; g++) {
                const uint32_t good = f->gpu_milli[g] >= d[i].gpu_milli;
                enough += good;
                usable += good ? f->gpu_milli[g] : 0;
            }
        sum += (uint64_t)d[i].weight * (idle - (d[i].gpus && enough >= d[i].gpus ? usable : 0));
    }
    return sum;
}

#endif
