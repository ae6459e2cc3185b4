/* pack_racks.c - jobs stay within a rack where they can, and racks are filled one after another.
 *
 * A job that fits a node goes to the fullest rack that has such a node, and there to the node with
 * least GPUs left over.  One that needs several nodes gets them in the rack with the fewest free
 * GPUs that are enough; if no rack has enough, in the racks with most, so that it crosses as few
 * switches as it can.  Good where the links between racks are the narrow ones; with one rack it is
 * best fit by GPUs.                                                                      */
#include <stdlib.h>

#include "node_fit.h"

struct racks {
    const struct policy_host *h;
    uint64_t *whole; /* [n]: free whole GPUs of nodes the job may use, by rack */
    uint64_t *milli; /* [n]: 1/1000 GPUs free, by rack */
    uint32_t n, most;
};

static int create(void **self, const struct policy_host *h)
{
    struct racks *s = *self = calloc(1, sizeof *s);
    if (!s) {
        h->log(h->host, "out of memory");
        return -1;
    }
    s->h = h;
    return 0;
}
static void destroy(void *self)
{
    struct racks *s = self;
    free(s->whole);
    free(s->milli);
    free(s);
}

/* How many of the job's GPUs the node could hold. */
static uint32_t room(const struct policy_node *n, const struct policy_job *j)
{
    const uint64_t cpu = ((uint64_t)j->cpu_milli + j->gpus - 1) / j->gpus;
    const uint64_t mem = (j->mem_bytes + j->gpus - 1) / j->gpus;
    if (!n->gpus || !(j->gpu_models >> n->model & 1))
        return 0;
    uint64_t k = (uint64_t)__builtin_popcount(node_gpus_fit(n, j));
    if (cpu && n->cpu_free_milli / cpu < k)
        k = n->cpu_free_milli / cpu;
    if (mem && n->mem_free_bytes / mem < k)
        k = n->mem_free_bytes / mem;
    return (uint32_t)k;
}

static int count(struct racks *s, const struct policy_seat_obs *o)
{
    uint32_t racks = 0;
    for (uint32_t i = 0; i < o->n; i++)
        racks = o->node[i].rack >= racks ? o->node[i].rack + 1 : racks;
    if (racks > s->most) {
        free(s->whole);
        free(s->milli);
        s->most = 0;
        s->whole = malloc(racks * sizeof *s->whole);
        s->milli = malloc(racks * sizeof *s->milli);
        if (!s->whole || !s->milli)
            return 0;
        s->most = racks;
    }
    s->n = racks;
    for (uint32_t r = 0; r < racks; r++)
        s->whole[r] = s->milli[r] = 0;
    for (uint32_t i = 0; i < o->n; i++) {
        s->milli[o->node[i].rack] += node_gpu_free(&o->node[i]);
        s->whole[o->node[i].rack] += o->job.gpus ? room(&o->node[i], &o->job) : 0;
    }
    return 1;
}

static uint32_t on_one(const struct racks *s, const struct policy_seat_obs *o,
                       struct policy_seat *seat)
{
    const struct policy_node *best = NULL;
    for (uint32_t i = 0; i < o->n; i++) {
        const struct policy_node *n = &o->node[i];
        if (!node_fits(n, &o->job))
            continue;
        if (best && s->milli[n->rack] > s->milli[best->rack])
            continue;
        if (!best || s->milli[n->rack] < s->milli[best->rack] ||
            node_gpu_free(n) < node_gpu_free(best))
            best = n;
    }
    if (!best)
        return 0;
    *seat = (struct policy_seat){best->id, node_gpus_best(best, &o->job)};
    return 1;
}

/* The rack with the fewest that are enough, else the one with most. */
static uint32_t pick_rack(const struct racks *s, uint64_t left)
{
    uint32_t best = POLICY_NONE;
    for (uint32_t r = 0; r < s->n; r++) {
        if (!s->whole[r])
            continue;
        const int enough = s->whole[r] >= left;
        const int had = best != POLICY_NONE && s->whole[best] >= left;
        if (best == POLICY_NONE || enough > had ||
            (enough == had &&
             (enough ? s->whole[r] < s->whole[best] : s->whole[r] > s->whole[best])))
            best = r;
    }
    return best;
}

static uint32_t over_racks(struct racks *s, const struct policy_seat_obs *o,
                           struct policy_seat *seat)
{
    const struct policy_job *j = &o->job;
    uint32_t left = j->gpus, seats = 0;
    while (left) {
        const uint32_t rack = pick_rack(s, left);
        if (rack == POLICY_NONE)
            return 0;
        for (uint32_t want = POLICY_NODE_GPUS; want && left; want--)
            for (uint32_t i = 0; i < o->n && left; i++) {
                const struct policy_node *n = &o->node[i];
                if (n->rack != rack || room(n, j) != want)
                    continue;
                if (seats == o->most)
                    return 0;
                const uint32_t here = want < left ? want : left;
                seat[seats++] = (struct policy_seat){i, node_lowest(node_gpus_fit(n, j), here)};
                left -= here;
            }
        s->whole[rack] = 0;
    }
    return seats;
}

static uint32_t place(void *self, const struct policy_seat_obs *o, struct policy_seat *seat)
{
    struct racks *s = self;
    if (!count(s, o))
        return 0;
    if (on_one(s, o, seat))
        return 1;
    return o->most > 1 && o->job.gpu_milli == POLICY_MILLI ? over_racks(s, o, seat) : 0;
}

POLICY(.name = "pack-racks", .summary = "cluster: within a rack where it can, racks filled in turn",
       .create = create, .destroy = destroy, .cluster_place = place);
