/* policy_place.c - the guard at cluster.place. */
#include <inttypes.h>
#include <stdio.h>

#include "models/policy_guard.h"

static uint32_t bits(uint32_t set)
{
    return (uint32_t)__builtin_popcount(set);
}

/* The GPUs that a seat names are there, and have room for the job. */
static const char *gpus_bad(const struct policy_job *j, const struct policy_node *node,
                            const struct policy_seat *seat, char *why, size_t size)
{
    if (j->gpus && !seat->gpus)
        snprintf(why, size, "no GPU of node %u, want some", seat->node);
    else if (!j->gpus && seat->gpus)
        snprintf(why, size, "GPUs of node %u for a job that has none", seat->node);
    else if (seat->gpus >> node->gpus)
        snprintf(why, size, "GPU set 0x%x of node %u, which has %u", seat->gpus, seat->node,
                 node->gpus);
    else if (seat->gpus && (node->model == POLICY_NONE || !(j->gpu_models >> node->model & 1)))
        snprintf(why, size, "node %u, whose GPUs are not of the models that the job runs on",
                 seat->node);
    else {
        for (uint32_t g = 0; g < node->gpus; g++)
            if (seat->gpus >> g & 1 && node->gpu_free_milli[g] < j->gpu_milli) {
                snprintf(why, size, "GPU %u of node %u, which has %u/1000 free, want %u", g,
                         seat->node, node->gpu_free_milli[g], j->gpu_milli);
                return why;
            }
        return NULL;
    }
    return why;
}

static const char *seat_bad(const struct policy_seat_obs *o, const struct policy_seat *seat,
                            uint32_t before, char *why, size_t size)
{
    const struct policy_job *j = &o->job;
    if (seat->node >= o->n) {
        snprintf(why, size, "node %u, want one of %u", seat->node, o->n);
        return why;
    }
    const struct policy_node *node = &o->node[seat->node];
    if (gpus_bad(j, node, seat, why, size))
        return why;
    const uint32_t here = bits(seat->gpus);
    if (before + here > j->gpus) {
        snprintf(why, size, "%u GPUs, want %u", before + here, j->gpus);
        return why;
    }
    const uint64_t cpu = policy_seat_part(j->cpu_milli, j->gpus, before, here);
    const uint64_t mem = policy_seat_part(j->mem_bytes, j->gpus, before, here);
    if (node->cpu_free_milli >= cpu && node->mem_free_bytes >= mem)
        return NULL;
    snprintf(why, size,
             "node %u with %u/1000 CPUs and %" PRIu64 " bytes free, want %" PRIu64 " and %" PRIu64,
             seat->node, node->cpu_free_milli, node->mem_free_bytes, cpu, mem);
    return why;
}

const char *policy_seats_bad(const struct policy_seat_obs *o, const struct policy_seat *seat,
                             uint32_t n, char *why, size_t size)
{
    uint32_t gpus = 0;
    for (uint32_t i = 0; i < n; i++) {
        for (uint32_t k = 0; k < i; k++)
            if (seat[k].node == seat[i].node) {
                snprintf(why, size, "node %u twice", seat[i].node);
                return why;
            }
        if (seat_bad(o, &seat[i], gpus, why, size))
            return why;
        gpus += bits(seat[i].gpus);
    }
    if (gpus == o->job.gpus && n)
        return NULL;
    snprintf(why, size, "%u GPUs on %u nodes, want %u", gpus, n, o->job.gpus);
    return why;
}

bool policy_slot_seat(struct policy_slot *p, const struct policy_seat_obs *o,
                      struct policy_seat *seat, uint32_t *n)
{
    if (!slot_asks(p) || !p->ops->cluster_place ||
        !slot_enter(p, "cluster_place", o->cluster.now_ns))
        return false;
    struct policy_seat_obs seen = *o;
    if (!p->ops->oracle)
        seen.job.oracle_ns = 0, seen.oracle_ends_ns = NULL;
    const uint32_t said = p->ops->cluster_place(p->self, &seen, seat);
    slot_leave(p);
    p->decisions++;
    char why[128];
    if (said > o->most)
        snprintf(why, sizeof why, "%u seats, want at most %u", said, o->most);
    else if (!said || !policy_seats_bad(o, seat, said, why, sizeof why)) {
        *n = said;
        return true;
    }
    slot_bad(p, o->cluster.now_ns, "cluster_place answered %s", why);
    return false;
}
