/* share_equal.c - everybody the same part of the GPU.
 *
 * What a vGPU scheduler does with equal shares, or MPS with the percentage
 * 100 / n.  Fair to tenants of one kind; who needs little wastes its part
 * where parts are of SMs.                                                    */
#include "gpu_tenants.h"
#include "stateless.h"

static void share(void *self, const struct policy_share_obs *o, uint32_t *milli)
{
    (void)self;
    for (uint32_t i = 0; i < o->n; i++)
        milli[i] = POLICY_MILLI / o->n ? POLICY_MILLI / o->n : 1;
}

POLICY(.name = "share-equal", .summary = "GPU parts: the same for everybody",
       .create = stateless_create, .destroy = stateless_destroy, .gpu_share = share);
