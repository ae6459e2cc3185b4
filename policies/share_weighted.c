/* share_weighted.c - parts of the GPU in proportion to weights.
 *
 * The fixed contract of a cloud: parts follow what was promised, never what is
 * needed, so nobody's part depends on what the others do.                     */
#include "gpu_tenants.h"
#include "stateless.h"

static void share(void *self, const struct policy_share_obs *o, uint32_t *milli)
{
    uint64_t sum = 0;
    (void)self;
    for (uint32_t i = 0; i < o->n; i++)
        sum += o->tenant[i].weight;
    for (uint32_t i = 0; i < o->n; i++) {
        uint64_t part = sum ? (uint64_t)o->tenant[i].weight * POLICY_MILLI / sum : 0;
        milli[i] = part ? (uint32_t)part : 1;
    }
}

POLICY(.name = "share-weighted", .summary = "GPU parts: in proportion to weights",
       .create = stateless_create, .destroy = stateless_destroy, .gpu_share = share);
