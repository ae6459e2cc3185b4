/* random_place.c - any node that has room, each equally likely, and any of its GPUs that has.
 *
 * The baseline: what every other placement has to beat.                      */
#include "node_fit.h"

static int create(void **self, const struct policy_host *h)
{
    *self = (void *)h; /* the host stays */
    return 0;
}
static void destroy(void *self)
{
    (void)self;
}

static uint32_t below(const struct policy_host *h, uint32_t n)
{
    return (uint32_t)(h->random(h->host) % n);
}

static uint32_t pick(const struct policy_host *h, uint32_t set) /* one bit of it */
{
    uint32_t left = below(h, (uint32_t)__builtin_popcount(set));
    while (left--)
        set &= set - 1;
    return set & -set;
}

static uint32_t place(void *self, const struct policy_seat_obs *o, struct policy_seat *seat)
{
    const struct policy_host *h = self;
    uint32_t fit = 0, left;
    for (uint32_t i = 0; i < o->n; i++)
        fit += node_fits(&o->node[i], &o->job) != 0;
    if (!fit)
        return node_spread(o, seat);
    left = below(h, fit);
    for (seat->node = 0;; seat->node++)
        if (node_fits(&o->node[seat->node], &o->job) && !left--)
            break;
    const uint32_t gpus = node_gpus_fit(&o->node[seat->node], &o->job);
    if (o->job.gpus == 1 && o->job.gpu_milli < POLICY_MILLI)
        seat->gpus = pick(h, gpus);
    else
        seat->gpus = node_lowest(gpus, o->job.gpus);
    return 1;
}

POLICY(.name = "random-place", .summary = "cluster: any node that has room", .create = create,
       .destroy = destroy, .cluster_place = place);
