/* shortest_queue.c - the replica with the fewest pages pending; the home one in a tie.
 *
 * Good wherever waiting is for what was sent; blind to what a drive does on its
 * own account, and to reads that wait behind it. */
#include "stateless.h"

static uint32_t steer(void *self, const struct policy_steer_obs *o)
{
    (void)self;
    uint32_t best = o->home;
    for (uint32_t i = 0; i < o->n; i++)
        if (!(o->tried & (UINT32_C(1) << i)) &&
            o->device[i].pending_pages < o->device[best].pending_pages)
            best = i;
    return best;
}

POLICY(.name = "shortest-queue", .summary = "reads go to the replica with the least pending",
       .create = stateless_create, .destroy = stateless_destroy, .io_steer = steer);
