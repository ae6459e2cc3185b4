/* share_random.c - parts of the GPU at random, drawn anew every period: the trivial baseline at
 * gpu.share.  All together are the whole GPU, give or take what rounding leaves over. */
#include "gpu_tenants.h"
#include "stateless.h"

static void share(void *self, const struct policy_share_obs *o, uint32_t *milli)
{
    const struct policy_host *h = self;
    uint64_t sum = 0;
    for (uint32_t i = 0; i < o->n; i++) {
        milli[i] = 1 + (uint32_t)(h->random(h->host) % POLICY_MILLI);
        sum += milli[i];
    }
    for (uint32_t i = 0; i < o->n; i++) {
        const uint64_t part = milli[i] * (uint64_t)POLICY_MILLI / sum;
        milli[i] = part ? (uint32_t)part : 1;
    }
}

POLICY(.name = "share-random", .summary = "GPU parts: at random, every period",
       .create = stateless_create, .destroy = stateless_destroy, .gpu_share = share);
