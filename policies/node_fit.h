/* node_fit.h - for policies at cluster.place: what fits a node, and which of its GPUs.
 *
 * node_place walks over the nodes that have room for all of a job, takes the one with the best
 * score (the first of equals), and spreads what fits no node where that is allowed. */
#ifndef POLICIES_NODE_FIT_H
#define POLICIES_NODE_FIT_H

#include "policy.h"

#define NODE_CPU_MAX                                                                               \
    128000                /* milli-CPUs and milli-GPUs of the largest node, to weigh the two by: */
#define NODE_GPU_MAX 8000 /* those of Weng et al.'s scores */

static inline uint32_t node_gpu_free(const struct policy_node *n)
{
    uint32_t sum = 0;
    for (uint32_t g = 0; g < n->gpus; g++)
        sum += n->gpu_free_milli[g];
    return sum;
}

/* Which GPUs have as much free as the job wants of each: bit g is GPU g. */
static inline uint32_t node_gpus_fit(const struct policy_node *n, const struct policy_job *j)
{
    uint32_t set = 0;
    for (uint32_t g = 0; g < n->gpus; g++)
        set |= (uint32_t)(n->gpu_free_milli[g] >= j->gpu_milli) << g;
    return set;
}

/* All of the job has room there: CPU, memory, GPUs of a model that it may have. */
static inline int node_fits(const struct policy_node *n, const struct policy_job *j)
{
    if (n->cpu_free_milli < j->cpu_milli || n->mem_free_bytes < j->mem_bytes)
        return 0;
    return !j->gpus || (n->gpus >= j->gpus && j->gpu_models >> n->model & 1 &&
                        (uint32_t)__builtin_popcount(node_gpus_fit(n, j)) >= j->gpus);
}

static inline uint32_t node_lowest(uint32_t set, uint32_t n) /* its n lowest bits */
{
    uint32_t some = 0;
    for (; n && set; n--) {
        some |= set & -set;
        set &= set - 1;
    }
    return some;
}

/* A part goes to the GPU with the least room that is enough, whole ones to the first: a set of
 * GPUs, of a node where the job fits. */
static inline uint32_t node_gpus_best(const struct policy_node *n, const struct policy_job *j)
{
    const uint32_t fit = node_gpus_fit(n, j);
    uint32_t best = POLICY_NODE_GPUS;
    if (!j->gpus || j->gpu_milli == POLICY_MILLI)
        return node_lowest(fit, j->gpus);
    for (uint32_t g = 0; g < n->gpus; g++)
        if (fit >> g & 1 &&
            (best == POLICY_NODE_GPUS || n->gpu_free_milli[g] < n->gpu_free_milli[best]))
            best = g;
    return 1u << best;
}

/* A job that no node can hold: on the nodes with most whole GPUs free, so on few of them.  How many
 * seats, at most o->most; 0: it may not spread, or there is no room. */
static inline uint32_t node_spread(const struct policy_seat_obs *o, struct policy_seat *seat)
{
    const struct policy_job *j = &o->job;
    uint32_t seats = 0, left = j->gpus;
    if (j->gpu_milli != POLICY_MILLI || o->most < 2)
        return 0;
    const uint64_t cpu = ((uint64_t)j->cpu_milli + j->gpus - 1) / j->gpus;
    const uint64_t mem = (j->mem_bytes + j->gpus - 1) / j->gpus;
    for (uint32_t want = POLICY_NODE_GPUS; want && left && seats < o->most; want--)
        for (uint32_t i = 0; i < o->n && left && seats < o->most; i++) {
            const struct policy_node *n = &o->node[i];
            if (n->gpus < want || !(j->gpu_models >> n->model & 1))
                continue;
            const uint32_t fit = node_gpus_fit(n, j);
            uint64_t k = (uint64_t)__builtin_popcount(fit);
            if (cpu && n->cpu_free_milli / cpu < k)
                k = n->cpu_free_milli / cpu;
            if (mem && n->mem_free_bytes / mem < k)
                k = n->mem_free_bytes / mem;
            if (k != want)
                continue;
            k = k < left ? k : left;
            seat[seats++] = (struct policy_seat){i, node_lowest(fit, (uint32_t)k)};
            left -= (uint32_t)k;
        }
    return left ? 0 : seats;
}

/* An answer to cluster.place.  score: of a node that has room; the largest wins. */
static inline uint32_t node_place(const struct policy_seat_obs *o, struct policy_seat *seat,
                                  int (*score)(const struct policy_node *n,
                                               const struct policy_job *j))
{
    uint32_t best = POLICY_NONE;
    int most = 0;
    for (uint32_t i = 0; i < o->n; i++) {
        if (!node_fits(&o->node[i], &o->job))
            continue;
        const int s = score(&o->node[i], &o->job);
        if (best == POLICY_NONE || s > most) {
            best = i;
            most = s;
        }
    }
    if (best == POLICY_NONE)
        return node_spread(o, seat);
    *seat = (struct policy_seat){best, node_gpus_best(&o->node[best], &o->job)};
    return 1;
}

#endif
